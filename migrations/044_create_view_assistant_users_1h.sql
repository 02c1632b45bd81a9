-- Adds up the facts of each insert.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table("assistant_users_1h_view") }} {{ on_cluster }} TO {{ table("assistant_users_1h") }} AS
SELECT
    toStartOfHour(toDateTime(facts.time)) AS bucket,
    user_id_hash, assistant_code, assistant_version, environment, profile_code,
    sum(facts.runs) AS runs,
    sum(facts.calls) AS calls,
    sum(facts.input_tokens) AS input_tokens,
    sum(facts.output_tokens) AS output_tokens,
    sum(facts.cost_usd) AS cost_usd,
    uniqExactState(conversation) AS conversations
FROM {{ table("assistant_span_facts") }} AS facts
WHERE is_run OR is_call
GROUP BY bucket, user_id_hash, assistant_code, assistant_version, environment, profile_code
