-- Picks out the conversations of each insert.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table("experiment_conversations_view") }} {{ on_cluster }} TO {{ table("experiment_conversations") }} AS
SELECT experiment_id, conversation, unit, profile_code, min(told.time) AS time
FROM {{ table("experiment_told") }} AS told
WHERE event = 'exposure' AND conversation != 0 AND unit != 0
GROUP BY experiment_id, conversation, unit, profile_code
