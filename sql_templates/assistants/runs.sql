-- Which runs were there, the newest first?
-- Row:        RunRow
-- Parameters: {limit}; with is_continued {time}, {event_type}, {trace_id} and {span_id} of the run before
-- Order:      that of the table's key, so that no more is read than is shown
-- Names:      is_of_any_span = whether the filters are those of any span of the trace, and not of its root
SELECT
    toString(facts.event_type) AS event_type,
    facts.trace_id AS trace_id,
    facts.span_id AS span_id,
    toString(facts.name) AS name,
    toUnixTimestamp64Micro(facts.time) AS start,
    facts.duration_ms AS duration_ms,
    toString(facts.status_code) AS status,
    toString(facts.error_type) AS error_type,
    toString(facts.assistant_code) AS assistant_code,
    toString(facts.assistant_version) AS assistant_version,
    toString(facts.environment) AS environment,
    CAST(facts.profile_code, 'Nullable(String)') AS profile_code,
    facts.conversation_id AS conversation_id,
    facts.user_id_hash AS user_id_hash
{% if is_of_any_span %}
{% with base = beside %}
{% include facts %}
{% endwith %}

WHERE facts.is_run AND facts.trace_id GLOBAL IN (
    SELECT facts.trace_id
    {% include facts %}

)
{% else %}
{% include facts %}

WHERE facts.is_run
{% endif %}
{% if is_continued %}
    AND facts.time <= {time:DateTime64(6, 'UTC')}
    AND (
        facts.time < {time:DateTime64(6, 'UTC')}
        OR (toString(facts.event_type), facts.trace_id, facts.span_id) < ({event_type:String}, {trace_id:String}, {span_id:String})
    )
{% endif %}
ORDER BY facts.time DESC, facts.event_type DESC, facts.trace_id DESC, facts.span_id DESC
LIMIT {limit:UInt64}
