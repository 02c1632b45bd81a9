-- What did each agent send and accept?
-- Row:        AgentRow
-- Parameters: {limit}, {offset}
-- Names:      order_by
SELECT
    assumeNotNull(agent_id) AS id,
    argMaxMerge(agent_name_state) AS agent_name,
    sum(messages) AS message_count,
    sum(assisted_messages) AS assisted_message_count,
    sum(sent_characters) AS sent_character_count,
    sum(assisted_characters) AS characters_saved,
    sum(shown) AS shown_count,
    sum(accepted) AS accepted_count,
    if(sent_character_count > 0, characters_saved / sent_character_count, NULL) AS assisted_share,
    if(shown_count > 0, accepted_count / shown_count, NULL) AS acceptance_rate,
    toUInt64(count() OVER ()) AS agent_count
{% include facts %}

GROUP BY agent_id
HAVING agent_id IS NOT NULL
ORDER BY {{ order_by }}
LIMIT {limit:UInt64} OFFSET {offset:UInt64}
