-- Usage of the product in sessions [from, to) out of {{all}} that are spread over 90 days: twenty events each.
--
-- Some 20,000 users, of whom few come often; workdays are busier. A session has a few pages that it comes back to, and
-- what is done there, out of habit; most clients tell its end. What differs is drawn by hashes, so that the same numbers make the same
-- events.
INSERT INTO {{database}}.product_telemetry_events
(
    org_id_hash, event_id, name, schema_version, session_id, anonymous_user_id, route_pattern, payload_json, occurred_at,
    ingested_at, source
)
WITH
    toUInt32(20000 * pow(intDiv(session_hash, 13) % 100000 / 100000, 1.6)) AS user,
    -- A day of the 90: one of 13 weeks, and more often a workday.
    (intDiv(session_hash, 1000003) % 13 * 7 + [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 2, 5, 1, 3, 6][intDiv(session_hash, 999983) % 15 + 1]) % 90 AS day,
    place = 19 AND session_hash % 10 < 9 AS is_end,
    multiIf(
        is_end, 'session_ended',
        what % 100 < 52, 'page_viewed',
        what % 100 < 68, 'feature_viewed',
        what % 100 < 82, 'chart_interacted',
        what % 100 < 98, 'filter_changed',
        'client_error') AS event,
    -- One of six pages of the session, of 40.
    toUInt8(40 * pow(cityHash64(session, intDiv(what, 100) % 6, 'page') % 1000 / 1000, 2)) AS page,
    -- One of five habits of the user.
    cityHash64(user, intDiv(what, 1000) % 5, 'habit') AS which
SELECT
    lower(hex(SHA256(concat('organisation', toString(user % 200))))),
    toUUID(UUIDNumToString(reinterpretAsFixedString(sipHash128(session, place)))),
    event,
    if(day < 45, '2026-01-telemetry-v1', '2026-02-telemetry-v2'),
    concat('session-', leftPad(lower(hex(cityHash64(session, 'session'))), 16, '0')),
    concat('visitor-', leftPad(lower(hex(cityHash64(user, 'user'))), 16, '0')),
    concat('/pages/', ['calls', 'agents', 'teams', 'quality', 'reports', 'settings', 'alerts', 'search'][page % 8 + 1], if(page < 8, '', concat('/:id/', toString(intDiv(page, 8))))),
    multiIf(
        event = 'feature_viewed', concat('{"feature":"feature-', toString(which % 30), '","surface":"', ['menu', 'sidebar', 'toolbar'][which % 3 + 1], '"}'),
        event = 'filter_changed', concat('{"view":"view-', toString(page % 8), '","filter_key":"key-', toString(which % 12), '","value_count":', toString(intDiv(what, 5000) % 7), '}'),
        event = 'chart_interacted', concat('{"chart":"chart-', toString(page % 20), '","action":"', ['hover', 'zoom', 'legend', 'export', 'drill'][which % 5 + 1], '","surface":"report"}'),
        event = 'client_error', concat('{"boundary":"', ['page', 'chart', 'table', 'form'][which % 4 + 1], '","error_class":"Error', toString(intDiv(which, 4) % 15), '"}'),
        event = 'session_ended', concat('{"duration_ms":', toString(780000 + intDiv(what, 5000) % 60000), ',"pages_viewed":', toString(intDiv(what, 5000) % 20), ',"interactions":', toString(intDiv(what, 7000) % 15), '}'),
        '{}'),
    addMilliseconds(
        toDateTime64('2026-01-01 00:00:00', 6, 'UTC'),
        toInt64(day) * 86400000 + (7 + intDiv(session_hash, 7000) % 11) * 3600000 + intDiv(session_hash, 77777) % 3600000 + place * 41000 + what % 20000),
    addMilliseconds(toDateTime64('2026-01-01 00:00:00', 6, 'UTC'), toInt64(day) * 86400000),
    if(session_hash % 10 < 8, 'web', 'desktop')
FROM
(
    SELECT
        intDiv(number, 20) AS session,
        number % 20 AS place,
        cityHash64(session, 'session') AS session_hash,
        cityHash64(session, place, 'what') AS what
    FROM numbers({{from}} * 20, ({{to}} - {{from}}) * 20)
)
