#!/usr/bin/env bash
# Measures the server beside a reference implementation, in one interleaved run.
#
# The reference is a folder with a service of the same design and the tools that generate the data and
# drive the load; without it there is nothing to compare with. EVENTS sets the size (10,000,000).
set -euo pipefail
cd "$(dirname "$0")/.."

events=${EVENTS:-10000000}
source benches/reference.sh compare
mkdir -p data urls

export CHARTWELL_QUERY_RATE_LIMIT=0
# Every request is asked of the engine: a cache would answer a list of a few dozen URLs by itself.
export CHARTWELL_QUERY_CACHE=${QUERY_CACHE:-false}
[ -d data/reference ] || ./venv/bin/python gen.py "$work/data/reference" "$events"
if [ ! -f data/ours/filled ]; then
    rm -rf data/ours
    ../release/chartwell migrate
    ./venv/bin/python fill.py "$work/data/ours/engine" "$events"
    touch data/ours/filled
fi
./venv/bin/python mkurls.py urls
./venv/bin/python fill.py --urls urls
cat > targets.json <<EOT
[{"name": "reference", "cmd": "exec ./venv/bin/python -m uvicorn app:app --port 8101 --workers 1 --log-level warning --no-access-log --loop uvloop --http httptools",
  "port": 8101, "env": {"DATA_DIR": "$work/data/reference"}},
 {"name": "chartwell", "cmd": "exec ../release/chartwell serve --listen 127.0.0.1:8201", "port": 8201, "env": {}, "health": "/healthz",
  "token": "../release/chartwell token --account acme --scope 'recommendations:read events:write' --ttl 1d",
  "paths": {"health": "$work/urls/ours_health", "chart7": "$work/urls/ours_chart7", "chart90": "$work/urls/ours_chart90"}}]
EOT
./venv/bin/python bench.py targets.json "${SCENARIOS:-health,chart7,chart90}" --conc "${CLIENTS:-1,16}" --repeat 3 --secs 5 --out "$work/results.jsonl" | tee "$work/results.md"
./venv/bin/python fill.py --ratios "$work/results.md"
