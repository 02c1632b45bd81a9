# shellcheck shell=bash
# Sends events to instances and asks what they count. Sourced by cluster-check.sh; the tests run it against two servers.
# TOKEN is a token that may do both; events of one check have a profile of their own, and are counted by it.

# events PROFILE FIRST COUNT: an array of sent messages, whose ids are the same each time.
events() {
    local profile=$1 first=$2 count=$3 now seed
    now=$(date --utc +%Y-%m-%dT%H:%M:%SZ)
    seed=$(printf '%s' "$profile" | cksum | cut -d' ' -f1)
    seq "$first" $((first + count - 1)) | awk -v seed="$seed" -v profile="$profile" -v now="$now" '
        BEGIN { printf "[" }
        { printf "%s{\"event\":\"Send Message\",\"event_id\":\"%08x-0000-4000-8000-%012x\",\"time_utc\":\"%s\",\"profile_code\":\"%s\",\"data\":{\"text_length\":10}}",
            (NR > 1 ? "," : ""), seed, $1, now, profile }
        END { printf "]\n" }'
}

# post URL: sends what it reads; prints the status, and then the body on a line of its own, or 000 when nobody answers.
post() {
    local url=$1 body status
    body=$(mktemp)
    status=$(curl --silent --max-time 30 --output "$body" --write-out '%{http_code}' --header "Authorization: Bearer $TOKEN" \
        --json @- "$url/api/v1/events") || true
    printf '%s\n' "${status:-000}"
    cat "$body"
    echo
    rm -f "$body"
}

# number NAME: the number under a name in an answer.
number() { grep --only-matching "\"$1\":[0-9]*" | head -1 | cut -d: -f2; }

# is_accepted ACCEPTED DUPLICATES: whether an answer of `post` is 202, with these numbers.
is_accepted() {
    local answer
    answer=$(cat)
    [[ $(head -1 <<<"$answer") == 202 && $(number accepted <<<"$answer") == "$1" && $(number duplicates <<<"$answer") == "$2" ]] && return
    echo "        answered: $answer" >&2
    return 1
}

# counted URL PROFILE: how many messages an instance counts.
counted() {
    curl --silent --max-time 30 --header "Authorization: Bearer $TOKEN" \
        "$1/api/v1/recommendations/totals?range=24h&profile_codes=$2" |
        sed --quiet 's/.*"id":"messages"[^}]*"value":\([0-9]*\).*/\1/p'
}

# counts URL PROFILE NUMBER: whether it counts so many.
counts() { [[ $(counted "$1" "$2") == "$3" ]]; }

is_ready() { [[ $(curl --silent --max-time 10 --output /dev/null --write-out '%{http_code}' "$1/readyz") == 200 ]]; }

# eventually SECONDS COMMAND…: whether it succeeds within some time.
eventually() {
    local until=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < until)) || return 1
        sleep 0.5
    done
}

# send_until_accepted URL PROFILE FIRST COUNT: as a client does that may not lose a row: the same again until it is taken.
send_until_accepted() {
    local tries answer
    for ((tries = 0; tries < 240; tries++)); do
        answer=$(events "$2" "$3" "$4" | post "$1")
        [[ $(head -1 <<<"$answer") == 202 ]] && return
        sleep 0.5
    done
    return 1
}
