-- Adds up each insert into `product_facts`.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table("product_uses_1d_view") }} {{ on_cluster }} TO {{ table("product_uses_1d") }} AS
SELECT
    name, route_pattern, feature, surface, view, filter_key, chart, action, boundary, error_class, user,
    toStartOfDay(toDateTime(time, 'UTC')) AS bucket,
    org_id_hash, source,
    count() AS events,
    sum(toUInt64(ifNull(value_count, 0))) AS values_selected,
    countIf(value_count IS NOT NULL) AS valued_changes
FROM {{ table("product_facts") }}
GROUP BY name, route_pattern, feature, surface, view, filter_key, chart, action, boundary, error_class, user, bucket, org_id_hash, source
