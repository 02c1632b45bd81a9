#!/usr/bin/env bash
# Builds the release twice, in two folders of different names, and compares the bytes.
set -euo pipefail
cd "$(dirname "$0")/.."

commit=$(git rev-parse HEAD)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for folder in one another-of-a-longer-name; do
    git clone --quiet . "$work/$folder"
    git -C "$work/$folder" checkout --quiet --detach "$commit"
    (cd "$work/$folder" && ./scripts/release.sh)
done
if ! diff "$work/one/dist/SHA256SUMS" "$work/another-of-a-longer-name/dist/SHA256SUMS"; then
    echo "the same commit gave two releases" >&2
    exit 1
fi
echo "both are the same"
