#!/bin/bash
# No proxy: an origin of its own on the proxy's core. What a request costs when nothing is routed.
exec "$(dirname "$0")/../bin/origin" "$PORT" 1
