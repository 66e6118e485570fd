#!/bin/bash
# warm-up: 2 s
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
seq 0 $((HOSTS - 1)) | awk '{printf "app%06d.bench.test origin%d;\n", $1, $1 % 8}' >"$WORK/hosts"
{
  cat <<END
daemon off;
worker_processes $THREADS;
worker_rlimit_nofile 20000;
pid $WORK/pid;
error_log stderr warn;
events { worker_connections 9000; multi_accept on; }
http {
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  tcp_nodelay on;
  client_body_temp_path $WORK/body;
  proxy_temp_path $WORK/proxy;
  fastcgi_temp_path $WORK/fastcgi;
  uwsgi_temp_path $WORK/uwsgi;
  scgi_temp_path $WORK/scgi;
  map_hash_bucket_size 128;
  map_hash_max_size 262144;
  proxy_buffer_size 16k;
  proxy_buffers 8 32k;
  proxy_busy_buffers_size 128k;
  proxy_max_temp_file_size 0;
  ssl_certificate $root/tls/cert.pem;
  ssl_certificate_key $root/tls/key.pem;
  ssl_protocols TLSv1.2 TLSv1.3;
  map \$host \$origin { default origin0; include $WORK/hosts; }
END
  for i in 0 1 2 3 4 5 6 7; do
    echo "  upstream origin$i {"
    echo "    server 127.0.0.1:$((BPORT + i));"
    echo "    keepalive 1024; keepalive_requests 1000000000; keepalive_timeout 600s;"
    echo "  }"
  done
  cat <<END
  server {
    listen 127.0.0.1:$PORT backlog=4096 reuseport;
    listen 127.0.0.1:$TLSPORT ssl backlog=4096;
    server_name _;
    location / {
      proxy_pass http://\$origin;
      proxy_http_version 1.1;
      proxy_set_header Host \$host;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For \$proxy_add_x_forwarded_for;
    }
  }
}
END
} >"$WORK/nginx.conf"
exec nginx -p "$WORK" -c "$WORK/nginx.conf"
