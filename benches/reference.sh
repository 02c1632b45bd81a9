# Sourced by the comparisons: builds the server, and copies the reference beside it into target/$1.
#
# The reference is a folder with a service of the same design and the tools that generate the data and
# drive the load; without it there is nothing to compare with.
baseline=${BASELINE:-../shared/baseline}
work=$PWD/target/$1
if [ ! -d "$baseline" ]; then
    echo "$1: no reference at $baseline; nothing to compare with" >&2
    exit 0
fi
command -v wrk >/dev/null || { echo "$1: wrk is missing; install it (Debian package wrk)" >&2; exit 1; }

cargo build --release --locked --bin chartwell
mkdir -p "$work"
cp -r --no-preserve=mode "$baseline"/. "$work"/
cp benches/fill.py "$work"/
cd "$work"
export LIBCHDB=${CHARTWELL_ENGINE_LIBRARY:-$(ls "${XDG_CACHE_HOME:-$HOME/.cache}"/chartwell/engine/*/libchdb.so)}
[ -d venv ] || { python3 -m venv venv && ./venv/bin/pip -q install -r requirements.txt; }

export CHARTWELL_JWT_SECRET=0123456789abcdef0123456789abcdef CHARTWELL_ACCOUNTS=acme CHARTWELL_DATA_DIR=$work/data/ours
export CHARTWELL_RETENTION_DAYS=0 CHARTWELL_LOG=warn
