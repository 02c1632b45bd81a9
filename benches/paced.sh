#!/usr/bin/env bash
# Measures what a steady stream of events does: how soon they can be read, and how much longer a chart takes.
#
# The goals: at 50,000 events a second, 99 of 100 can be read within a second; while 20,000 arrive, the p99 of
# the chart of seven days is at most twice of what it is without them. SECS sets how long each part takes.
# Events happen as they are sent, as in life; SPREAD=1 spreads them over the 28 days of the reference's bodies,
# which is the worst for rollups: hardly two events fall into one quarter of an hour of an agent.
set -euo pipefail
cd "$(dirname "$0")/.."

source benches/reference.sh compare-paced
cp "$OLDPWD"/benches/paced.lua .
secs=${SECS:-15}
[ -d bodies ] || ./venv/bin/python mkbodies.py bodies
bodies=bodies
if [ -z "${SPREAD:-}" ]; then
    bodies=bodies_now
    rm -rf $bodies && mkdir $bodies
    now=$(date -u +%Y-%m-%dT%H:%M:)
    for body in bodies/b100_*.json; do
        sed -E "s/2026-04-[0-9]{2}T[0-9]{2}:[0-9]{2}:/$now/g" "$body" > "$bodies/${body##*/}"
        echo "$bodies/${body##*/}" >> $bodies/list_100
    done
fi
if [ ! -f filled ]; then
    rm -rf data urls && mkdir -p data urls
    ../release/chartwell migrate
    ./venv/bin/python fill.py "$work/data/ours/engine" "${EVENTS:-1000000}"
    ./venv/bin/python mkurls.py urls
    ./venv/bin/python fill.py --urls urls
    rm -rf filled_data && mv data filled_data
    touch filled
fi
# Each run begins with the same rows.
rm -rf data && cp -r filled_data data

export CHARTWELL_QUERY_RATE_LIMIT=0 CHARTWELL_QUERY_CACHE=false
address=127.0.0.1:8201
../release/chartwell serve --listen $address &
server=$!
trap 'kill $server; wait $server' EXIT
until curl -sf -o /dev/null $address/readyz; do sleep 0.2; done
TOKEN=$(../release/chartwell token --account acme --scope 'recommendations:read events:write' --ttl 1d)
export TOKEN

metric() { curl -s $address/metrics | awk -v name="$1" 'index($0, name) == 1 { sum += $NF } END { print sum + 0 }'; }
settled() { until [ "$(metric chartwell_spool_rows)" = 0 ]; do sleep 0.2; done; sleep 3; }
# CPU of the server so far, in ticks of 10 ms.
ticks() { awk '{ print $14 + $15 }' /proc/$server/stat; }
send() {
    RATE=$(($1 / 100)) BODIES=$bodies/list_100 POST_PATH=/api/v1/events \
        wrk -t1 -c64 -d"$secs"s -s paced.lua http://$address > sent.txt
}
chart() {
    URLS_FILE=urls/ours_chart7 wrk -t1 -c1 -d"$secs"s --latency -s lua/get.lua http://$address |
        awk -v what="$1" '$1 == "50%" { p50 = $2 } $1 == "99%" { print "chart of 7 days, " what ": p50 " p50 ", p99 " $2 }'
}

chart "before"
(send 20000) & sender=$!
chart "while 20,000 events a second arrive"
wait $sender
settled

before=$(ticks)
known=$(metric chartwell_rows_accepted_total)
curl -s $address/metrics | grep '^chartwell_readable_after_seconds_bucket' > before.txt || true
send 50000
settled
accepted=$(($(metric chartwell_rows_accepted_total) - known))
echo "sent $((accepted / secs)) events a second; CPU $((($(ticks) - before) * 10000 / accepted)) µs an event;" \
    "$(awk '/VmRSS/ { print int($2 / 1024) }' /proc/$server/status) MiB, at most $(awk '/VmHWM/ { print int($2 / 1024) }' /proc/$server/status)"
# A record is as old as its bucket says, at most.
curl -s $address/metrics | grep '^chartwell_readable_after_seconds_bucket' |
    awk -F'"' 'NR == FNR { before[$4] = substr($5, 3); next } { count[++n] = substr($5, 3) - before[$4]; bound[n] = $4 }
        END { for (i = 1; i <= n; i++) printf "%s%% readable within %s s%s", n ? int(1000 * count[i] / count[n]) / 10 : 0, bound[i], i < n ? ", " : "\n" }' before.txt -
