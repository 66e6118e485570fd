#!/bin/sh
# Builds what is needed and runs drills: see docs/guides/drills.md.
#
#   drills/run.sh NAME... [--profile naive|protected|both] [--form short|long] [--seed N] [--out DIR]
#
# JAVA_HOME is a JDK 25. HOLDFAST_BUILD=off runs what was built before.
set -eu
root=$(CDPATH='' cd -P "$(dirname "$0")/.." && pwd -P)
: "${JAVA_HOME:?is not set (expected: the home of a JDK 25)}"
export JAVA_HOME
if [ "${HOLDFAST_BUILD:-on}" != off ]; then
  (cd "$root" && ./mvnw -q -DskipTests package dependency:build-classpath -pl drills -am \
    -Dmdep.outputFile=target/classpath)
fi
ulimit -n 20000
exec "$JAVA_HOME/bin/java" --enable-native-access=ALL-UNNAMED \
  --sun-misc-unsafe-memory-access=allow \
  -cp "$root/drills/target/classes:$(cat "$root/drills/target/classpath")" \
  dev.holdfast.drills.Main "$@"
