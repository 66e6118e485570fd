#!/bin/bash
# Once: compiles load and origin, makes a certificate, fetches the Node contestant's one package.
# Debian's packages: gcc libssl-dev openssl curl haproxy nginx caddy nodejs npm
set -eu
cd "$(dirname "$0")"
mkdir -p bin results tls
gcc -O2 -Wall -Wextra -o bin/origin src/origin.c
gcc -O2 -Wall -Wextra -o bin/load src/load.c -lssl -lcrypto
if [ ! -f tls/both.pem ]; then
  openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj /CN=bench.test \
    -addext 'subjectAltName=DNS:bench.test,DNS:*.bench.test' \
    -keyout tls/key.pem -out tls/cert.pem 2>/dev/null
  cat tls/cert.pem tls/key.pem >tls/both.pem
fi
for program in haproxy nginx caddy node; do
  command -v "$program" >/dev/null || echo "missing: $program (that contestant cannot take part)"
done
if command -v npm >/dev/null && [ ! -d peers/node/node_modules ]; then
  (cd peers/node && npm install --silent --no-audit --no-fund --no-package-lock)
fi
