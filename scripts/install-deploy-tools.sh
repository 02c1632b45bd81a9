#!/usr/bin/env bash
# Installs what the files of deploy/ are checked and executed with, where it is missing: promtool, which Debian and Ubuntu
# have in `prometheus`, HAProxy, ShellCheck, and OpenSSL, which makes secrets.
set -euo pipefail

PATH=$PATH:/usr/sbin
packages=()
command -v promtool >/dev/null || packages+=(prometheus)
command -v haproxy >/dev/null || packages+=(haproxy)
command -v shellcheck >/dev/null || packages+=(shellcheck)
command -v openssl >/dev/null || packages+=(openssl)
[[ ${#packages[@]} == 0 ]] && exit 0
if ! command -v apt-get >/dev/null; then
    echo "what is in deploy/ is checked with promtool, haproxy, shellcheck and openssl: install them, in the path" >&2
    exit 1
fi
as_root=()
[[ $(id -u) == 0 ]] || as_root=(sudo)
"${as_root[@]}" apt-get update -qq
# Where services are started by their packages, these are not.
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -qq -y --no-install-recommends "${packages[@]}"
