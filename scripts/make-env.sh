#!/usr/bin/env bash
# Writes `.env` for the stack of docker-compose.yml: `.env.example`, with a random secret for each that is empty there. An
# `.env` that is there stays as it is: other secrets would lock everybody out of the volumes.
#
#   scripts/make-env.sh [FILE]
set -euo pipefail
umask 077

example=$(dirname "$0")/../.env.example
file=${1:-.env}
if [[ -e $file ]]; then
    echo "make-env: $file is there, and stays as it is; remove it, and the volumes that know its secrets, for another one" >&2
    exit 0
fi
command -v openssl >/dev/null || { echo "make-env: openssl is missing" >&2; exit 1; }

base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }

# A token as `chartwell token` prints it: before there is a program to ask.
token() { # secret, account, scopes
    local now head claims signature
    now=$(date +%s)
    head=$(printf '{"alg":"HS256","typ":"JWT"}' | base64url)
    claims=$(printf '{"sub":"collector","account":"%s","scope":"%s","exp":%d}' "$2" "$3" $((now + 365 * 86400)) | base64url)
    signature=$(printf '%s.%s' "$head" "$claims" | openssl dgst -sha256 -mac HMAC -macopt "key:$1" -binary | base64url)
    printf '%s.%s.%s' "$head" "$claims" "$signature"
}

secret='' account=demo written=$(mktemp "$file.XXXXXX")
trap 'rm -f "$written"' EXIT
accounts=$(sed -n 's/^CHARTWELL_ACCOUNTS=//p' "$example")
account=${accounts%%,*}
while IFS= read -r line; do
    case $line in
        CHARTWELL_JWT_SECRET=)
            secret=$(openssl rand -hex 32)
            line+=$secret
            ;;
        COLLECTOR_TOKEN=) line+=$(token "$secret" "$account" traces:write) ;;
        [A-Z]*=) line+=$(openssl rand -hex 24) ;;
    esac
    printf '%s\n' "$line"
done <"$example" >"$written"
mv "$written" "$file"
trap - EXIT
echo "make-env: wrote $file; nobody but you can read it" >&2
