// Routes appNNNNNN.bench.test to BPORT + N % 8 with http-proxy and kept connections.
'use strict';
const fs = require('fs');
const http = require('http');
const https = require('https');
const proxy = require('http-proxy').createProxyServer({
  agent: new http.Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: 4096 }),
  xfwd: true,
});
const { PORT, TLSPORT, BPORT, HOSTS } = process.env;
const targets = new Map();
for (let i = 0; i < Number(HOSTS); i++) {
  const host = `app${String(i).padStart(6, '0')}.bench.test`;
  targets.set(host, { host: '127.0.0.1', port: Number(BPORT) + (i % 8) });
}
proxy.on('error', (error, request, answer) => {
  answer.statusCode = 502;
  answer.end();
});
const serve = (request, answer) => {
  const target = targets.get(request.headers.host);
  if (target) {
    proxy.web(request, answer, { target });
  } else {
    answer.statusCode = 404;
    answer.end();
  }
};
const tls = `${__dirname}/../../tls/`;
const keys = { key: fs.readFileSync(`${tls}key.pem`), cert: fs.readFileSync(`${tls}cert.pem`) };
for (const server of [http.createServer(serve), https.createServer(keys, serve)]) {
  server.keepAliveTimeout = 600000;
  server.listen(server instanceof https.Server ? TLSPORT : PORT, '127.0.0.1', 4096);
}
