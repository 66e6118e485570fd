#!/bin/bash
# warm-up: 2 s
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
seq 0 $((HOSTS - 1)) | awk '{printf "app%06d.bench.test origin%d\n", $1, $1 % 8}' >"$WORK/hosts"
cat >"$WORK/haproxy.cfg" <<END
global
  maxconn 9000
  nbthread $THREADS
  ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
  mode http
  option forwardfor
  http-reuse always
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout http-keep-alive 600s
frontend visitors
  bind 127.0.0.1:$PORT backlog 4096
  bind 127.0.0.1:$TLSPORT ssl crt $root/tls/both.pem alpn http/1.1
  use_backend %[req.hdr(host),lower,map($WORK/hosts,origin0)]
END
for i in 0 1 2 3 4 5 6 7; do
  cat >>"$WORK/haproxy.cfg" <<END
backend origin$i
  server only 127.0.0.1:$((BPORT + i)) maxconn 9000 pool-max-conn -1
END
done
exec haproxy -db -f "$WORK/haproxy.cfg"
