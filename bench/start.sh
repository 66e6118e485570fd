#!/bin/sh
# Time from `./holdfast up` to the first request answered by an app through the edge, on a home that
# exists and whose app goes on running, with and without the JDK's AOT cache; and memory when idle.
#
#   bench/start.sh [RUNS]        needs curl; builds if needed; prints medians and every run
set -eu

runs=${1:-7}
root=$(CDPATH='' cd -P "$(dirname "$0")/.." && pwd -P)
work=$(mktemp -d "${TMPDIR:-/tmp}/holdfast-bench.XXXXXX")
chmod 755 "$work"
home=$work/home
http=127.0.0.1:18480
api=127.0.0.1:17470
IDLE_SECONDS=20
ANSWER_MILLIS_MAX=60000

now() { date +%s%N; }

launch() {
  "$root/holdfast" up --home "$home" --http "$http" --api "$api" >>"$work/log" 2>&1 &
  pid=$!
}

# Milliseconds from $1 until the app answers through the edge.
answered() {
  until curl -fsS -o /dev/null -H 'Host: hello.localhost' "http://$http/" 2>/dev/null; do
    [ $((($(now) - $1) / 1000000)) -lt "$ANSWER_MILLIS_MAX" ] || {
      cat "$work/log" >&2
      exit 1
    }
    sleep 0.005
  done
  echo $((($(now) - $1) / 1000000))
}

# The process that serves, which the launcher started.
serving() { sed 's/.*"pid":\([0-9]*\).*/\1/' "$home/up.json"; }

end() {
  kill "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
}

clean() {
  end
  "$root/holdfast" down --home "$home" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT TERM

median() { printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"; }

"$root/holdfast" version >/dev/null # builds outside of the measurement
launch
until [ -f "$home/up.json" ]; do sleep 0.1; done
"$root/holdfast" deploy "$root/examples/hello" --home "$home" >/dev/null
end

with=
without=
for _ in $(seq "$runs"); do # in turn, so that a noisy neighbour meets both
  start=$(now)
  launch
  with="$with $(answered "$start")"
  end
  start=$(now)
  HOLDFAST_AOT=off
  export HOLDFAST_AOT
  launch
  unset HOLDFAST_AOT
  without="$without $(answered "$start")"
  end
done
# shellcheck disable=SC2086
echo "first answer, AOT cache:    median $(median $with) ms of$with"
# shellcheck disable=SC2086
echo "first answer, no AOT cache: median $(median $without) ms of$without"

launch
answered "$(now)" >/dev/null
sleep "$IDLE_SECONDS"
echo "platform, idle for $IDLE_SECONDS s, one app: $(awk '/^Rss:/ {r = $2} /^Pss:/ {p = $2} END {
  printf "%.0f MiB resident, %.0f MiB proportional", r / 1024, p / 1024}' "/proc/$(serving)/smaps_rollup"), its anchor $(awk '/^Rss:/ {printf "%.1f MiB", $2 / 1024}' "/proc/$pid/smaps_rollup")"
