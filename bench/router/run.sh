#!/bin/bash
# The contest: what a request costs each reverse proxy, side by side. See README.md.
#
#   bench/router/run.sh [-s SCENARIO,...] [-r ROUNDS] [-m SECONDS] [-o FILE.tsv] CONTESTANT...
#
# The first contestant is the one that the others are compared with.
set -u
cd "$(dirname "$0")" || exit 1
export LC_ALL=C

ROUNDS=5
SECONDS_EACH=3
SCENARIOS=keep64
OUT=results/$(date +%Y%m%d-%H%M%S).tsv
export BPORT=${BPORT:-19001} # the first of the origin's eight ports
PORT_FIRST=${PORT_FIRST:-18100}
PROXY_CPU=0
OTHER_CPU=1
UP_TENTHS=1200 # 100,000 routes take their time

usage() {
  sed -n '2,6p' "$0" | cut -c3-
  echo "scenarios: keep64 keep1024 big64 big1024 chunked64 hosts100k tls64 open70 both64 both1024"
  exit 2
}
while getopts s:r:m:o:h option; do
  case $option in
    s) SCENARIOS=$OPTARG ;;
    r) ROUNDS=$OPTARG ;;
    m) SECONDS_EACH=$OPTARG ;;
    o) OUT=$OPTARG ;;
    *) usage ;;
  esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || usage
[ -x bin/load ] || { echo "bench/router/setup.sh has to run first" >&2; exit 1; }
mkdir -p "$(dirname "$OUT")"
ulimit -n 20000 || { echo "20,000 open files are needed" >&2; exit 1; }

declare -A pid port tree_of warm
origin=
work=

# A process and all below it.
tree() {
  local p
  for p in "$@"; do
    echo "$p"
    # shellcheck disable=SC2046
    tree $(cat "/proc/$p/task/"*/children 2>/dev/null)
  done
}

stop() {
  local n p
  for n in "${!pid[@]}"; do
    for p in $(tree "${pid[$n]}"); do kill "$p" 2>/dev/null; done
  done
  [ -z "$origin" ] || kill "$origin" 2>/dev/null
  wait 2>/dev/null
  pid=()
  origin=
  [ -z "$work" ] || rm -rf "$work"
  work=
}
trap stop EXIT
trap 'exit 130' INT TERM

scenario() {
  CONNS=64 URLPATH=/bytes/1024 EXPECT=1024 TLS= OPEN=
  export HOSTS=10 THREADS=1
  cpus=$PROXY_CPU others=$OTHER_CPU
  case $1 in
    keep64) ;;
    keep1024) CONNS=1024 ;;
    big64 | big1024) CONNS=${1#big} URLPATH=/bytes/65536 EXPECT=65536 ;;
    chunked64) URLPATH=/chunked/1024 ;;
    hosts100k) HOSTS=100000 ;;
    tls64) TLS=-T ;;
    open70) OPEN=70 ;;
    both64 | both1024) CONNS=${1#both} THREADS=2 cpus=0,1 others=0,1 ;;
    *) usage ;;
  esac
}

# Starts a contestant and waits until it routes the third host to the third origin.
launch() {
  local n=$1 at said
  export WORK=$work/$n
  mkdir -p "$WORK"
  chmod 755 "$work" "$WORK"
  PORT=${port[$n]} TLSPORT=$((port[$n] + 1)) \
    taskset -c "$cpus" "contestants/$n.sh" >"$WORK/log" 2>&1 &
  pid[$n]=$!
  for ((at = 0; at < UP_TENTHS; at++)); do
    said=$(curl -s -m 2 -o /dev/null -w '%{http_code} %header{x-origin}' \
      -H 'Host: app000003.bench.test' "http://127.0.0.1:${port[$n]}/bytes/10" 2>/dev/null)
    case "$n $said" in
      "direct 200 "* | *" 200 $((BPORT + 3))") break ;;
    esac
    kill -0 "${pid[$n]}" 2>/dev/null || break
    sleep 0.1
  done
  case "$n $said" in
    "direct 200 "* | *" 200 $((BPORT + 3))") ;;
    *)
      echo "$n does not route as it should (got: $said); its log ends so:" >&2
      tail -5 "$WORK/log" >&2
      exit 1
      ;;
  esac
  tree_of[$n]=$(tree "${pid[$n]}" | paste -sd,)
}

# measure NAME WARM-SECONDS SECONDS RATE
measure() {
  local n=$1 base="-b $BPORT" to=${port[$1]}
  [ "$n" != direct ] || base=
  [ -z "$TLS" ] || to=$((to + 1))
  # shellcheck disable=SC2086
  taskset -c "$others" bin/load -t "$to" -c "$CONNS" -w "$2" -d "$3" -r "$4" -p "$URLPATH" \
    -s "$EXPECT" -n "$HOSTS" $base $TLS -P "${tree_of[$n]}" -O "$origin" -l "$name:$n"
}

bin/load -H >>"$OUT"
for name in ${SCENARIOS//,/ }; do
  scenario "$name"
  work=$(mktemp -d "${TMPDIR:-/tmp}/holdfast-router.XXXXXX")
  # The group gets its turn before other work on the machine where the kernel groups by session.
  (echo -15 >/proc/self/autogroup) 2>/dev/null
  taskset -c "$others" bin/origin "$BPORT" 8 &
  origin=$!
  at=$PORT_FIRST
  for n in "$@"; do
    port[$n]=$at
    at=$((at + 2))
    warm[$n]=$(sed -n 's/^# warm-up: \([0-9]*\) s$/\1/p' "contestants/$n.sh")
    launch "$n"
  done
  rate=0
  for n in "$@"; do
    measure "$n" 0 "${warm[$n]:-1}" 0 >/dev/null
  done
  if [ -n "$OPEN" ]; then
    rate=$(measure "$1" 1 "$SECONDS_EACH" 0 | awk -F'\t' -v share="$OPEN" '{print int($3 * share / 100)}')
    echo "# $name: $rate requests/s, $OPEN % of what $1 can" | tee -a "$OUT"
  fi
  for ((round = 0; round < ROUNDS; round++)); do
    for n in "$@"; do measure "$n" 1 "$SECONDS_EACH" "$rate" >>"$OUT"; done
  done
  stop
  awk -F'\t' -v scenario="$name" -f summary.awk "$OUT" | tee -a "${OUT%.tsv}.txt"
done
