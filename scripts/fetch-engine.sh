#!/usr/bin/env bash
# Fetches the engine library once into the cache folder, and verifies it.
#
# The library is ClickHouse as a shared object (libchdb.so). Chartwell loads it at run time; nothing
# is needed to build. CHARTWELL_ENGINE_LIBRARY names another copy.
set -euo pipefail

version=26.7.3-stable.1
package=@chdb/lib-linux-x64-gnu
integrity=sha512-XP97mMqnc5tZpKQywR8N7cLTsHNiTmHr30pC5mzo3jWmukjKn2IBa60c2B/gWUNcuFjOMjWoorQICCqBVj5wpw==

if [ -n "${CHARTWELL_ENGINE_LIBRARY:-}" ]; then
    [ -f "$CHARTWELL_ENGINE_LIBRARY" ] && exit 0
    echo "fetch-engine: CHARTWELL_ENGINE_LIBRARY is $CHARTWELL_ENGINE_LIBRARY, which is not a file: unset it, or correct it" >&2
    exit 1
fi
folder=${XDG_CACHE_HOME:-$HOME/.cache}/chartwell/engine/$version
[ -f "$folder/libchdb.so" ] && exit 0

if [ "$(uname -s) $(uname -m)" != "Linux x86_64" ]; then
    echo "fetch-engine: there is an engine library for Linux on x86-64 only; set CHARTWELL_CLICKHOUSE_URL to use a ClickHouse server" >&2
    exit 1
fi
command -v npm >/dev/null || { echo "fetch-engine: npm is missing; install Node.js, or set CHARTWELL_ENGINE_LIBRARY" >&2; exit 1; }

mkdir -p "$folder"
work=$(mktemp -d "$folder/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
echo "fetching the engine library $version (178 MB, once) into $folder" >&2
(cd "$work" && npm pack --silent "$package@$version" >/dev/null)
archive=$(echo "$work"/*.tgz)
actual=sha512-$(sha512sum "$archive" | cut -d' ' -f1 | tr a-f A-F | basenc --base16 --decode | base64 -w0)
if [ "$actual" != "$integrity" ]; then
    echo "fetch-engine: the archive is not the one that was reviewed ($actual); nothing was installed" >&2
    exit 1
fi
tar -xzf "$archive" -C "$work" package/libchdb.so
# Moved into place whole: a fetch that is broken off leaves nothing that looks finished.
mv "$work/package/libchdb.so" "$folder/libchdb.so"
echo "installed $folder/libchdb.so" >&2
