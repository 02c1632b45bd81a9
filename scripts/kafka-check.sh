#!/usr/bin/env bash
# Runs the tests of Kafka against a whole broker instead of a mock of its protocol. The broker is installed into
# `target/kafka-check` once, which takes some minutes.
set -euo pipefail
cd "$(dirname "$0")/.."

place=target/kafka-check
port=${KAFKA_CHECK_PORT:-39092}
[[ -x $place/bin/tansu ]] ||
    cargo install tansu --version 0.6.0 --locked --no-default-features --features dynostore --root "$place"

"$place/bin/tansu" broker --silent --storage-engine memory://chartwell/ \
    --listener-url "tcp://127.0.0.1:$port" --advertised-listener-url "tcp://127.0.0.1:$port" >"$place/broker.log" 2>&1 &
broker=$!
trap 'kill "$broker"; wait "$broker" || true' EXIT
for _ in {1..100}; do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
    sleep 0.1
done

KAFKA_CHECK_BROKERS="127.0.0.1:$port" "${CARGO:-cargo}" test --locked --test it -- kafka:: --test-threads 1
