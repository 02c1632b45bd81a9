#!/usr/bin/env bash
# Measures ingestion beside a reference implementation, in one interleaved run, on empty data folders.
#
# The reference answers when its engine has the rows; this server when they are fsynced. Scenarios: ing1
# (an event a request), ing100 (a hundred), ing100gz. REPEAT, SECS, CLIENTS and SCENARIOS change the run.
set -euo pipefail
cd "$(dirname "$0")/.."

baseline=${BASELINE:-../shared/baseline}
work=$PWD/target/compare-ingest
if [ ! -d "$baseline" ]; then
    echo "ingest: no reference at $baseline; nothing to compare with" >&2
    exit 0
fi
command -v wrk >/dev/null || { echo "ingest: wrk is missing; install it (Debian package wrk)" >&2; exit 1; }

cargo build --release --locked --bin chartwell
mkdir -p "$work"
cp -r --no-preserve=mode "$baseline"/. "$work"/
cp benches/fill.py "$work"/
cd "$work"
export LIBCHDB=${CHARTWELL_ENGINE_LIBRARY:-$(ls "${XDG_CACHE_HOME:-$HOME/.cache}"/chartwell/engine/*/libchdb.so)}
[ -d venv ] || { python3 -m venv venv && ./venv/bin/pip -q install -r requirements.txt; }
rm -rf data && mkdir -p data
[ -d bodies ] || ./venv/bin/python mkbodies.py bodies

export CHARTWELL_JWT_SECRET=0123456789abcdef0123456789abcdef CHARTWELL_ACCOUNTS=acme CHARTWELL_DATA_DIR=$work/data/ours
export CHARTWELL_RETENTION_DAYS=0 CHARTWELL_LOG=warn
cat > targets.json <<EOT
[{"name": "reference", "cmd": "exec ./venv/bin/python -m uvicorn app:app --port 8101 --workers 1 --log-level warning --no-access-log --loop uvloop --http httptools",
  "port": 8101, "env": {"DATA_DIR": "$work/data/reference", "INGEST_MODE": "durable"}},
 {"name": "chartwell", "cmd": "exec ../release/chartwell serve --listen 127.0.0.1:8201", "port": 8201, "env": {}, "health": "/healthz",
  "token": "../release/chartwell token --account acme --scope 'events:write' --ttl 1d", "post_path": "/api/v1/events"}]
EOT
./venv/bin/python bench.py targets.json "${SCENARIOS:-ing1,ing100}" --conc "${CLIENTS:-1,64}" --repeat "${REPEAT:-3}" --secs "${SECS:-6}" --out "$work/results.jsonl" | tee "$work/results.md"
./venv/bin/python fill.py --ratios "$work/results.md"
