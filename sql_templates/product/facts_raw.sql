-- Facts about the product's usage, from raw events: a row for each. Users and sessions are hashes of their pseudonyms.
--
-- `acts` are changes of filters and interactions with charts; `ended_at` is when the client told that the session had
-- ended, 1970 in all other events.
SELECT
    occurred_at AS time,
    name,
    cityHash64(anonymous_user_id) AS user,
    cityHash64(session_id) AS session,
    org_id_hash,
    source,
    schema_version,
    route_pattern,
    ifNull(payload_json.feature, '') AS feature,
    ifNull(payload_json.surface, '') AS surface,
    ifNull(payload_json.view, '') AS view,
    ifNull(payload_json.filter_key, '') AS filter_key,
    ifNull(payload_json.chart, '') AS chart,
    ifNull(payload_json.action, '') AS action,
    ifNull(payload_json.boundary, '') AS boundary,
    ifNull(payload_json.error_class, '') AS error_class,
    ifNull(payload_json.previous_route_pattern, '') AS previous_route_pattern,
    payload_json.value_count AS value_count,
    payload_json.duration_ms AS duration_ms,
    payload_json.pages_viewed AS pages_viewed,
    payload_json.interactions AS interactions,
    toUInt64(1) AS events,
    toUInt64(ifNull(value_count, 0)) AS values_selected,
    toUInt64(value_count IS NOT NULL) AS valued_changes,
    occurred_at AS first_at,
    occurred_at AS last_at,
    if(name = 'session_ended', occurred_at, toDateTime64(0, 6, 'UTC')) AS ended_at,
    toUInt64(name = 'page_viewed') AS page_views,
    toUInt64(name IN ('filter_changed', 'chart_interacted')) AS acts
FROM {{ table("product_telemetry_events") }}
WHERE {{ base("occurred_at") }}
