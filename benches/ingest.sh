#!/usr/bin/env bash
# Measures ingestion beside a reference implementation, in one interleaved run, on empty data folders.
#
# The reference answers when its engine has the rows; this server when they are fsynced. Scenarios: ing1
# (an event a request), ing100 (a hundred), ing100gz. REPEAT, SECS, CLIENTS and SCENARIOS change the run.
set -euo pipefail
cd "$(dirname "$0")/.."

source benches/reference.sh compare-ingest
rm -rf data && mkdir -p data
[ -d bodies ] || ./venv/bin/python mkbodies.py bodies

cat > targets.json <<EOT
[{"name": "reference", "cmd": "exec ./venv/bin/python -m uvicorn app:app --port 8101 --workers 1 --log-level warning --no-access-log --loop uvloop --http httptools",
  "port": 8101, "env": {"DATA_DIR": "$work/data/reference", "INGEST_MODE": "durable"}},
 {"name": "chartwell", "cmd": "exec ../release/chartwell serve --listen 127.0.0.1:8201", "port": 8201, "env": {}, "health": "/healthz",
  "token": "../release/chartwell token --account acme --scope 'events:write' --ttl 1d", "post_path": "/api/v1/events"}]
EOT
./venv/bin/python bench.py targets.json "${SCENARIOS:-ing1,ing100}" --conc "${CLIENTS:-1,64}" --repeat "${REPEAT:-3}" --secs "${SECS:-6}" --out "$work/results.jsonl" | tee "$work/results.md"
./venv/bin/python fill.py --ratios "$work/results.md"
