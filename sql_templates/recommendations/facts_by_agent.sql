-- Facts about recommendations by agent, from a rollup; from raw events where the window begins or
-- ends between two of its steps.
SELECT
    bucket AS time,
    profile_code,
    platform,
    agent_id,
    agent_name_state,
    messages,
    assisted_messages,
    sent_characters,
    assisted_characters,
    sent_unedited,
    sent_edited,
    shown,
    accepted,
    dismissed
FROM {{ rollup() }}
WHERE {{ base_of_rollup("bucket") }}
{% if has_ends %}
UNION ALL
SELECT
    toDateTime(time) AS time,
    profile_code,
    platform,
    agent_id,
    agent_name_state,
    messages,
    assisted_messages,
    sent_characters,
    assisted_characters,
    sent_unedited,
    sent_edited,
    shown,
    accepted,
    dismissed
FROM (
{% include raw_facts %}

)
{% endif %}
