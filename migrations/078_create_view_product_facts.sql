-- Narrows each insert into `product_telemetry_events`.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table("product_facts_view") }} {{ on_cluster }} TO {{ table("product_facts") }} AS
SELECT
    name,
    cityHash64(anonymous_user_id) AS user,
    occurred_at AS time,
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
    payload_json.interactions AS interactions
FROM {{ table("product_telemetry_events") }}
