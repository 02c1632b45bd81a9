-- What visitors [from, to) out of {{all}} did within 28 days: each was exposed once to one of two variants, and did four
-- things before or after that. Some bought something, some of those more than once.
INSERT INTO {{database}}.events (event_id, time_utc, event, profile_code, platform, visitor_id, conversation_id, data, ingested_at)
WITH
    ['A', 'B'][visitor_hash % 2 + 1] AS variant,
    multiIf(
        place = 0, 'exposure',
        what % 100 < if(variant = 'B', 9, 8), 'purchase',
        what % 100 < 40, 'interaction',
        what % 100 < 60, 'Recommendation Shown',
        'page_viewed') AS name
SELECT
    toUUID(UUIDNumToString(reinterpretAsFixedString(sipHash128(visitor, place)))),
    addMicroseconds(toDateTime64('2026-03-01 00:00:00', 6, 'UTC'), what % (28 * 86400000000)),
    name,
    concat('profile-', toString(visitor_hash % 8)),
    ['web', 'ios', 'android'][intDiv(visitor_hash, 8) % 3 + 1],
    lower(hex(SHA256(toString(visitor)))),
    concat('conversation-', toString(intDiv(visitor, 2))),
    multiIf(
        name = 'exposure', concat('{"experiment_id":"reply-tone","variant":"', variant, '"}'),
        name = 'purchase', concat('{"price":', toString(what % 5000 / 100), '}'),
        name = 'interaction', concat('{"experiment_id":"reply-tone","variant":"', variant, '","latency_ms":', toString(100 + what % 900), ',"outcome":"success"}'),
        concat('{"source":"gpt","rank":', toString(what % 5), '}')),
    toDateTime64('2026-03-29 00:00:00', 6, 'UTC')
FROM
(
    SELECT
        intDiv(number, 5) AS visitor,
        number % 5 AS place,
        cityHash64(visitor, 'visitor') AS visitor_hash,
        cityHash64(visitor, place, 'what') AS what
    FROM numbers({{from}} * 5, ({{to}} - {{from}}) * 5)
)
