#!/bin/bash
# warm-up: 4 s
# warm=4
exec node "$(dirname "$0")/../peers/node/proxy.js"
