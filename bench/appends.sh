#!/bin/sh
# Acknowledged appends per second of 32 writers on PostgreSQL with full durability: one and two
# Holdfast ledgers, and a counter row that each commit locks for itself, in one run.
#
#   bench/appends.sh [JDBC-URL]     without a URL on a server from Maven's binaries; takes a minute
#
# On a server of one's own: an empty database, fsync on, synchronous_commit on.
set -eu

root=$(CDPATH='' cd -P "$(dirname "$0")/.." && pwd -P)
cd "$root"
url=
[ $# = 0 ] || url=" -Dbench.url=$1"
./mvnw -pl store -am test -Dtest=AppendsBench -Dsurefire.failIfNoSpecifiedTests=false \
  "-Dtest.argLine=--enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow$url" |
  grep -E '^(server_version|fsync|synchronous_commit|naive|holdfast|\[ERROR\])'
