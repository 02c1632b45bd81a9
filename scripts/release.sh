#!/usr/bin/env bash
# Builds a release of the commit that is checked out, into dist/: an archive with the program and what belongs to it, what
# it is made of (CycloneDX), and checksums. The same commit, compiler and target give the same bytes, in whatever folder.
set -euo pipefail
cd "$(dirname "$0")/.."

if [[ -n $(git status --porcelain --untracked-files=no) ]]; then
    echo "a release is of a commit: there are changes that are none yet" >&2
    exit 1
fi
command -v cargo-cyclonedx >/dev/null || cargo install cargo-cyclonedx --locked --quiet

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -1)
target=$(rustc -vV | sed -n 's/^host: //p')
name=chartwell-$version-$target
cargo_home=${CARGO_HOME:-$HOME/.cargo}
export SOURCE_DATE_EPOCH
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export LC_ALL=C TZ=UTC CARGO_INCREMENTAL=0
# Local symbols are numbered by a hash that the folder is in.
export CARGO_PROFILE_RELEASE_STRIP=symbols

# Neither the folder nor the user is to be in the bytes.
maps=("$PWD=/chartwell" "$cargo_home=/cargo" "$(rustc --print sysroot)=/rust")
rust_flags=() c_flags=()
for map in "${maps[@]}"; do
    rust_flags+=("--remap-path-prefix=$map")
    c_flags+=("-ffile-prefix-map=$map")
done
export RUSTFLAGS="${rust_flags[*]}" CFLAGS="${c_flags[*]}" CXXFLAGS="${c_flags[*]}"
# The studio is part of the program.
make --silent studio
cargo build --release --locked --bin chartwell --target-dir target/dist

rm -rf "dist/$name" && mkdir -p "dist/$name"
cp target/dist/release/chartwell LICENSE README.md CHANGELOG.md chartwell.example.toml alerts.toml prices.toml \
    openapi/openapi.json scripts/fetch-engine.sh "dist/$name"
cp -r docs "dist/$name/docs"
cargo cyclonedx --format json --spec-version 1.5 --override-filename sbom --quiet
sed "s|file://$PWD|file:///chartwell|g" sbom.json >"dist/$name/sbom.json"
rm sbom.json
# Without the time and the number that npm makes up.
(cd studio && npm sbom --sbom-format cyclonedx --omit dev --package-lock-only) | node -e '
    const sbom = JSON.parse(require("fs").readFileSync(0));
    delete sbom.serialNumber;
    delete sbom.metadata.timestamp;
    process.stdout.write(JSON.stringify(sbom, null, 2));
' >"dist/$name/studio-sbom.json"
tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --format=ustar -C dist -cf - "$name" |
    gzip --no-name --best >"dist/$name.tar.gz"
cp "dist/$name/sbom.json" "dist/$name.sbom.json"
(cd dist && sha256sum "$name.tar.gz" "$name.sbom.json" >SHA256SUMS && cat SHA256SUMS)
