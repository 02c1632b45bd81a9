#!/usr/bin/env bash
# Installs PostgreSQL, which the tests start by themselves, where there is none: `initdb` in the path, or where
# Debian and Ubuntu have it.
set -euo pipefail

if command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; then
    exit 0
fi
if ! command -v apt-get >/dev/null; then
    echo "the tests need PostgreSQL: install it, with initdb in the path" >&2
    exit 1
fi
as_root=()
[[ $(id -u) == 0 ]] || as_root=(sudo)
"${as_root[@]}" apt-get update -qq
# Where services are started by their packages, this one is not: the tests have clusters of their own.
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -qq -y --no-install-recommends postgresql
