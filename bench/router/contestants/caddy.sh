#!/bin/bash
# warm-up: 2 s
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
export GOMAXPROCS=$THREADS HOME=$WORK XDG_DATA_HOME=$WORK XDG_CONFIG_HOME=$WORK
awk -v hosts="$HOSTS" -v base="$BPORT" -v port="$PORT" -v tls_port="$TLSPORT" -v root="$root" '
  function routes(    i, k, out, names) {
    out = ""
    for (i = 0; i < 8 && i < hosts; i++) {
      names = ""
      for (k = i; k < hosts; k += 8)
        names = names (names == "" ? "" : ",") sprintf("\"app%06d.bench.test\"", k)
      out = out (i ? "," : "") "{\"match\":[{\"host\":[" names "]}],\"terminal\":true,\"handle\":[" \
        "{\"handler\":\"reverse_proxy\",\"upstreams\":[{\"dial\":\"127.0.0.1:" base + i "\"}]," \
        "\"transport\":{\"protocol\":\"http\",\"compression\":false,\"keep_alive\":" \
        "{\"max_idle_conns\":0,\"max_idle_conns_per_host\":4096}}}]}"
    }
    return out
  }
  BEGIN {
    all = routes()
    printf "{\"admin\":{\"disabled\":true},\"logging\":{\"logs\":{\"default\":{\"level\":\"ERROR\"}}},"
    printf "\"apps\":{\"tls\":{\"certificates\":{\"load_files\":[{\"certificate\":\"%s/tls/cert.pem\",", root
    printf "\"key\":\"%s/tls/key.pem\"}]}},\"http\":{\"servers\":{", root
    printf "\"plain\":{\"listen\":[\"127.0.0.1:%d\"],\"automatic_https\":{\"disable\":true},\"routes\":[%s]},", port, all
    printf "\"tls\":{\"listen\":[\"127.0.0.1:%d\"],\"automatic_https\":{\"disable\":true},", tls_port
    printf "\"tls_connection_policies\":[{\"alpn\":[\"http/1.1\"]}],\"routes\":[%s]}}}}}\n", all
  }' >"$WORK/caddy.json"
exec caddy run --config "$WORK/caddy.json"
