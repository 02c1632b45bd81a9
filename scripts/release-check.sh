#!/usr/bin/env bash
# Builds the release twice, in two folders of different names, and compares the bytes.
set -euo pipefail
cd "$(dirname "$0")/.."

commit=$(git rev-parse HEAD)
work=$(mktemp -d)
folders=(one another-of-a-longer-name)
for folder in "${folders[@]}"; do
    git clone --quiet . "$work/$folder"
    git -C "$work/$folder" checkout --quiet --detach "$commit"
    (cd "$work/$folder" && ./scripts/release.sh)
    # What is compared stays.
    rm -rf "$work/$folder/target" "$work/$folder/studio/node_modules"
done
cd "$work"
if ! diff --recursive --brief "${folders[0]}/dist" "${folders[1]}/dist"; then
    echo "the same commit gave two releases; both are in $work" >&2
    exit 1
fi
rm -rf "$work"
echo "both are the same"
