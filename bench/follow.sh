#!/bin/sh
# Edges in processes of their own: how soon one serves from its copy on disk, what it weighs, and
# how soon a change is in effect on several.
#
#   bench/follow.sh start [ROUTES] [RUNS]    1,000,000 routes, 5 runs: the control process is ended,
#       the edge is started again and asked for a host of the table until that is answered by its
#       origin; milliseconds from the start of ./holdfast. Then the edge's memory, settled.
#   bench/follow.sh applied [ROUTES] [EDGES] [RATE] [SECONDS]    100,000 routes, 4 edges, 100 changes
#       a second for 60 s: from a change's acknowledgement until each edge routes the host; see
#       bench/follow/Follow.java for what exactly is measured. Then the edges' memory.
#
# Needs curl and JDK 25; builds if needed. HOLDFAST_AOT and HOLDFAST_ANCHOR are passed on. 127.0.0.1 only.
set -eu

what=${1:-start}
root=$(CDPATH='' cd -P "$(dirname "$0")/.." && pwd -P)
holdfast=${HOLDFAST:-$root/holdfast}
java=${JAVA_HOME:+$JAVA_HOME/bin/}java # of JDK 25
work=$(mktemp -d "${TMPDIR:-/tmp}/holdfast-follow.XXXXXX")
chmod 755 "$work"
control=127.0.0.1:17480
origin=18490
http_first=18491
api_first=17491
SETTLE_SECONDS=20
WAIT_MILLIS_MAX=120000
pids=

now() { date +%s%N; }
fail() {
  echo "$*" >&2
  for log in "$work"/*.log; do
    echo "== $log" >&2
    tail -n 5 "$log" >&2
  done
  exit 1
}

launch() { # NAME ARGUMENTS...: a platform process in the background, its launcher in $pid
  launched=$1
  shift
  "$holdfast" up --home "$work/$launched" "$@" >>"$work/$launched.log" 2>&1 &
  pid=$!
  pids="$pids $pid"
}

edge() { # NUMBER
  launch "edge-$1" --roles edge --control "http://$control" \
    --http "127.0.0.1:$((http_first + $1 - 1))" --api "127.0.0.1:$((api_first + $1 - 1))"
}

end() { # PID
  kill "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}

clean() {
  for one in $pids; do end "$one"; done
  rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT TERM

# Milliseconds from $1 until the edge $2 passes a request for host $3 to its origin.
answered() {
  until [ "$(curl -s -o /dev/null -w '%{http_code}' -H "Host: $3" \
    "http://127.0.0.1:$((http_first + $2 - 1))/")" = 204 ]; do
    [ $((($(now) - $1) / 1000000)) -lt "$WAIT_MILLIS_MAX" ] || fail "no answer for $3"
    sleep 0.02
  done
  echo $((($(now) - $1) / 1000000))
}

host() { printf 'www.customer-%07d.example.com' "$1"; }

# A control process with $1 routes, to 250 addresses; only the last one is ever asked for.
control_with() {
  launch control --roles control,drones --http 127.0.0.1:17481 --api "$control"
  control_pid=$pid
  until [ -f "$work/control/up.json" ]; do sleep 0.1; done
  awk -v n="$1" -v origin="$origin" 'BEGIN {
    for (i = 1; i < n; i++) printf "www.customer-%07d.example.com http://127.1.0.%d:3000\n", i, i % 250
    printf "www.customer-%07d.example.com http://127.0.0.1:%d\n", n, origin }' >"$work/routes"
  HOLDFAST_JAVA_OPTS=-Xmx2g "$holdfast" routes import "$work/routes" --home "$work/control" >/dev/null
  HOLDFAST_CONTROL_TOKEN=$("$holdfast" tokens create bench --scope follow --home "$work/control" |
    grep -o 'hf_[A-Za-z0-9_-]*' | head -1)
  export HOLDFAST_CONTROL_TOKEN
}

serving() { sed 's/.*"pid":\([0-9]*\).*/\1/' "$work/$1/up.json"; }

memory() { # NAME
  awk -v who="$1" '/^Rss:/ {r = $2} /^Pss:/ {p = $2} END {
    printf "%s: %.0f MB resident, %.0f MB proportional", who, r * 1024 / 1e6, p * 1024 / 1e6
  }' "/proc/$(serving "$1")/smaps_rollup"
  awk '/^VmHWM:/ {printf ", %.0f MB at most\n", $2 * 1024 / 1e6}' "/proc/$(serving "$1")/status"
}

measure_start() {
  routes=${1:-1000000}
  runs=${2:-5}
  control_with "$routes"
  last=$(host "$routes")
  edge 1
  answered "$(now)" 1 "$last" >/dev/null
  until ls "$work"/edge-1/shelf/base-*[0-9] >/dev/null 2>&1; do sleep 0.2; done
  sleep "$SETTLE_SECONDS"
  memory edge-1 | sed 's/edge-1/edge, began with a snapshot over HTTP/'
  end "$pid"
  end "$control_pid"
  all=
  for _ in $(seq "$runs"); do
    begin=$(now)
    edge 1
    took=$(answered "$begin" 1 "$last")
    all="$all $took"
    early=$(memory edge-1)
    [ "${run:=0}" -lt $((runs - 1)) ] && end "$pid"
    run=$((run + 1))
  done
  # shellcheck disable=SC2086
  echo "first answer from the copy on disk, $routes routes: median $(printf '%s\n' $all | sort -n |
    sed -n "$(((runs + 1) / 2))p") ms of$all"
  echo "then: $early"
  sleep $((SETTLE_SECONDS + 60)) # malloc gives back once a minute
  echo "settled: $(memory edge-1)"
}

measure_applied() {
  routes=${1:-100000}
  edges=${2:-4}
  control_with "$routes"
  last=$(host "$routes")
  ports=
  for i in $(seq "$edges"); do
    edge "$i"
    answered "$(now)" "$i" "$last" >/dev/null
    ports="$ports $((http_first + i - 1))"
  done
  sleep "$SETTLE_SECONDS"
  for i in $(seq "$edges"); do memory "edge-$i"; done
  # shellcheck disable=SC2086
  "$java" "$root/bench/follow/Follow.java" applied "http://$control" \
    "$(cat "$work/control/token")" "http://127.0.0.1:$origin" "${3:-100}" "${4:-60}" $ports
  for i in $(seq "$edges"); do memory "edge-$i"; done
}

"$holdfast" version >/dev/null # builds outside of the measurement
"$java" "$root/bench/follow/Follow.java" answer "$origin" >"$work/origin.log" 2>&1 &
pids="$pids $!"
until [ "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$origin/")" = 204 ]; do
  kill -0 "$!" 2>/dev/null || fail "no origin"
  sleep 0.1
done
case $what in
  start | applied)
    shift || true
    "measure_$what" "$@"
    ;;
  *) fail "what: $what (expected: start or applied)" ;;
esac
