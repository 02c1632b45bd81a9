#!/usr/bin/env bash
# Tries out the stack of docker-compose.yml on a machine with Docker: starts it under a project name of its own, disturbs it,
# says what held and what did not, and takes it down again with all that it stored. It takes some ten minutes.
#
#   scripts/cluster-check.sh            KEEP=1 leaves it running
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/cluster-http.sh
source scripts/cluster-http.sh

for needed in docker curl openssl; do
    command -v "$needed" >/dev/null || { echo "cluster-check: $needed is missing" >&2; exit 1; }
done
docker compose version >/dev/null || { echo "cluster-check: Docker has no Compose" >&2; exit 1; }

work=$(mktemp -d)
environment=$work/env
scripts/make-env.sh "$environment"
cat >>"$environment" <<'END'
CHARTWELL_PORT=127.0.0.1:18080
GRAFANA_PORT=127.0.0.1:18030
COLLECTOR_PORT=127.0.0.1:18043
END
# Each of them may be set.
value() { sed --quiet "s/^$1=//p" "$environment" | tail -1; }
first=http://127.0.0.1:${CHECK_PORT_1:-18081}
second=http://127.0.0.1:${CHECK_PORT_2:-18082}
balancer=http://127.0.0.1:18080

compose() {
    docker compose --project-name chartwell-check --env-file "$environment" \
        --file docker-compose.yml --file deploy/compose.check.yml "$@"
}

down() {
    local status=$?
    if [[ ${KEEP:-} ]]; then
        echo "it is left running; its settings are in $environment"
        exit "$status"
    fi
    [[ $status == 0 ]] || compose logs --no-color --tail 200 >"cluster-check.log" 2>&1 || true
    compose down --volumes --remove-orphans --timeout 20 >/dev/null 2>&1 || true
    rm -rf "$work"
    exit "$status"
}
trap down EXIT

passed=0 failed=0
check() { # what, command…
    local what=$1
    shift
    if "$@"; then
        echo "ok      $what"
        passed=$((passed + 1))
    else
        echo "failed  $what"
        failed=$((failed + 1))
    fi
}
not() { ! "$@"; }

# ask SERVER SQL [USER]: what a ClickHouse server answers.
ask() {
    local user=${3:-chartwell} password
    password=$(value "$([[ ${3:-} == bi ]] && echo CLICKHOUSE_BI_PASSWORD || echo CHARTWELL_CLICKHOUSE_PASSWORD)")
    compose exec -T "$1" clickhouse-client --user "$user" --password "$password" --query "$2" </dev/null
}
answers_alike() { # SQL
    local one other
    one=$(ask clickhouse-1 "$1") && other=$(ask clickhouse-2 "$1") && [[ -n $one && $one == "$other" ]]
}
answers() { # SQL, answer
    [[ $(ask clickhouse-1 "$1") == "$2" && $(ask clickhouse-2 "$1") == "$2" ]]
}
refuses() { # SQL: as the user `bi`
    local told
    told=$(ask clickhouse-1 "$1" bi 2>&1) && return 1
    [[ $told == *"Code: 497"* || $told == *"Code: 164"* || $told == *"Code: 452"* || $told == *"READONLY"* || $told == *"ACCESS_DENIED"* ]]
}

echo "starting; images are built and pulled the first time"
compose up --build --detach --wait --wait-timeout 900
TOKEN=$(compose exec -T chartwell-1 chartwell token --account demo --ttl 2h \
    --scope "events:write recommendations:read alerts:read" </dev/null | tr -d '\r\n')
export TOKEN

echo "two instances"
check "the first instance is ready" is_ready "$first"
check "the second instance is ready" is_ready "$second"
check "the balancer lets questions through" eventually 30 is_ready "$balancer"
check "the balancer keeps metrics to itself" not curl --silent --fail --output /dev/null "$balancer/metrics"
events one 0 1000 >"$work/one"
check "events are accepted by the first" is_accepted 1000 0 < <(post "$first" <"$work/one")
check "and read by the second within seconds" eventually 10 counts "$second" one 1000
check "the same again stores nothing" is_accepted 0 1000 < <(post "$first" <"$work/one")
check "and is counted once" counts "$second" one 1000

echo "two replicas"
own="database IN ('demo_analytics', 'demo_admin_db')"
check "they have the same tables" answers_alike "SELECT database, name, engine FROM system.tables WHERE $own ORDER BY ALL"
check "with the same columns" answers_alike "SELECT database, table, name, type, default_expression FROM system.columns WHERE $own ORDER BY ALL"
check "none is read-only, and nothing waits" eventually 60 answers "SELECT countIf(is_readonly), countIf(queue_size > 0), count() > 20 FROM system.replicas" $'0\t0\t1'
rows="SELECT count(), groupBitXor(cityHash64(event_id)) FROM demo_analytics.events_local"
check "they have the same rows" eventually 30 answers_alike "$rows"
check "and the same rollups" eventually 30 answers_alike "SELECT sum(messages), sum(sent_characters) FROM demo_analytics.recommendations_1h_local"

echo "a replica that is away"
compose stop clickhouse-2 >/dev/null 2>&1
check "events are accepted" send_until_accepted "$first" away 0 500
check "questions are answered by the first" eventually 30 counts "$first" away 500
check "and by the second" eventually 30 counts "$second" away 500
compose start clickhouse-2 >/dev/null 2>&1
check "it comes back and catches up" eventually 120 answers_alike "$rows"
check "and is not read-only" eventually 60 answers "SELECT countIf(is_readonly) FROM system.replicas" 0

echo "Keeper"
compose stop keeper-3 >/dev/null 2>&1
check "one node away: events are accepted" send_until_accepted "$first" keeper 0 200
check "and inserted" eventually 60 counts "$second" keeper 200
compose stop keeper-2 >/dev/null 2>&1
sleep 5
# Nothing can be inserted. Either rows wait, or senders are told to.
answer=$(events keeper 200 200 | post "$first")
status=$(head -1 <<<"$answer")
check "two nodes away: rows wait, or senders are told to ($status)" test "$status" = 202 -o "$status" = 503
check "questions are answered" eventually 30 counts "$second" keeper 200
compose start keeper-2 keeper-3 >/dev/null 2>&1
check "afterwards all of it is accepted" send_until_accepted "$first" keeper 200 200
check "and inserted once" eventually 180 counts "$second" keeper 400
check "no table stays read-only" eventually 120 answers "SELECT countIf(is_readonly) FROM system.replicas" 0

echo "who may do what"
wrong=$(compose run --rm --no-deps -T --env CHARTWELL_CLICKHOUSE_PASSWORD=wrong --env CHARTWELL_DATA_DIR=/tmp/data \
    --env CHARTWELL_LOG=error chartwell-1 migrate 2>&1 </dev/null | grep --invert-match --extended-regexp 'Container|Network|Volume' || true)
check "a wrong password is told in one line" test "$(wc -l <<<"$wrong")" = 1 -a "${wrong/does not let us in/}" != "$wrong"
check "the user bi reads rollups" test "$(ask clickhouse-1 'SELECT sum(messages) > 0 FROM demo_analytics.recommendations_1h' bi)" = 1
check "on both replicas" test "$(ask clickhouse-2 'SELECT sum(messages) > 0 FROM demo_analytics.recommendations_1h' bi)" = 1
check "and may set a bound on the time" test "$(ask clickhouse-1 'SELECT 1 SETTINGS max_execution_time = 10' bi)" = 1
check "but none beyond an hour" refuses "SELECT 1 SETTINGS max_execution_time = 3600"
for table in demo_analytics.events demo_analytics.assistants_tracing_spans demo_analytics._alerts demo_admin_db.assistants system.query_log; do
    check "it does not read $table" refuses "SELECT count() FROM $table"
done
check "nor write" refuses "INSERT INTO demo_analytics.recommendations_1h (bucket) VALUES (now())"
check "nor drop" refuses "DROP TABLE demo_analytics.recommendations_1h_local"
check "nobody is let in without a name" not compose exec -T clickhouse-1 clickhouse-client --query "SELECT 1"

echo "an instance that is killed under load"
(
    for ((batch = 0; batch < 60; batch++)); do
        send_until_accepted "$first" killed $((batch * 100)) 100 || exit 1
    done
) &
load=$!
sleep 3
compose kill --signal SIGKILL chartwell-1 >/dev/null 2>&1
sleep 2
check "the other one answers meanwhile" is_ready "$second"
compose start chartwell-1 >/dev/null 2>&1
check "all that was sent is accepted in the end" wait "$load"
check "nothing is lost" eventually 120 counts "$second" killed 6000
sleep 5
check "and nothing is there twice" counts "$second" killed 6000
check "nor in the table" answers "SELECT count(), uniqExact(event_id) FROM demo_analytics.events WHERE profile_code = 'killed'" $'6000\t6000'

echo "alerts"
watching() {
    local url found=0
    for url in "$first" "$second"; do
        # Read to its end: an end that comes early would be a failure of the pipe.
        if curl --silent --max-time 10 "$url/metrics" | grep '^chartwell_alert_state{.* 1$' >/dev/null; then
            found=$((found + 1))
        fi
    done
    [[ $found == 1 ]]
}
# After a kill it takes a minute until the other one takes over, and another one until it has evaluated.
check "one instance watches, and the other does not" eventually 240 watching

echo "$passed passed, $failed failed"
((failed == 0))
