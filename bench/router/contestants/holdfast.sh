#!/bin/bash
# warm-up: 10 s
# warm=10
# (the JVM compiles; the second line says the same to other drivers of this form)
#
# The whole platform as `./holdfast up` starts it, on a home of its own, with routes imported by the
# command line. Environment, beside what the driver sets (PORT TLSPORT BPORT HOSTS THREADS WORK):
#   HOLDFAST_DIST       folder with lib/ (dist/target of this source tree; build it before)
#   HOLDFAST_HEAP       128m
#   HOLDFAST_JAVA_OPTS  further flags
#   JAVA                java of JDK 25
# Further HOLDFAST_* settings reach the platform as they are. One it does not know is ignored.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
lib=${HOLDFAST_DIST:-$here/../../../dist/target}/lib
for folder in "${JAVA_HOME:-}" /usr/lib/jvm/*25*; do
  [ -n "${JAVA:-}" ] || ! grep -qs '^JAVA_VERSION="25' "$folder/release" || JAVA=$folder/bin/java
done
java=${JAVA:-java}
home=$WORK/home
mkdir -p "$home"

export HOLDFAST_EDGE_EVENT_LOOPS=${HOLDFAST_EDGE_EVENT_LOOPS:-$THREADS}
export HOLDFAST_EDGE_ACCESS_LOG=${HOLDFAST_EDGE_ACCESS_LOG:-file:$WORK/access.log}
export HOLDFAST_HTTPS=${HOLDFAST_HTTPS:-127.0.0.1:$TLSPORT}
export HOLDFAST_DRONES_DIRECTORY=$WORK/drones

# shellcheck disable=SC2086
"$java" -XX:+UseParallelGC -XX:ParallelGCThreads=1 -XX:+UseCompactObjectHeaders -Xms32m -Xmn18m "-Xmx${HOLDFAST_HEAP:-128m}" \
  -XX:SurvivorRatio=1 -XX:MinHeapFreeRatio=10 -XX:MaxHeapFreeRatio=20 -XX:-ShrinkHeapInSteps \
  -XX:TrimNativeHeapInterval=60000 -XX:+ExitOnOutOfMemoryError \
  --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
  -Dfile.encoding=UTF-8 -Djava.awt.headless=true ${HOLDFAST_JAVA_OPTS:-} \
  -cp "$lib/*" dev.holdfast.server.Main \
  up --home "$home" --http "127.0.0.1:$PORT" --api 127.0.0.1:0 &
server=$!
trap 'kill "$server" 2>/dev/null' TERM INT

until [ -f "$home/up.json" ]; do
  kill -0 "$server" 2>/dev/null || exit 1
  sleep 0.1
done
# Downwards, so that the low hosts, by which drivers see that a contestant is up, come last.
seq $((HOSTS - 1)) -1 0 |
  awk -v base="$BPORT" '{printf "app%06d.bench.test http://127.0.0.1:%d\n", $1, base + $1 % 8}' \
    >"$WORK/routes"
"$java" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$lib/*" dev.holdfast.cli.Main \
  routes import "$WORK/routes" --home "$home"
wait "$server"
