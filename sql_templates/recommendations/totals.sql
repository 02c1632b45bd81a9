-- What are the totals of the range?
-- Row: TotalsRow
SELECT
    sum(messages) AS total_messages,
    sum(assisted_messages) AS total_assisted_messages,
    sum(sent_characters) AS total_sent_characters,
    sum(assisted_characters) AS total_assisted_characters,
    sum(shown) AS total_shown,
    sum(accepted) AS total_accepted,
    sum(dismissed) AS total_dismissed,
    toUInt64(uniqExactIf(agent_id, messages + shown + accepted + dismissed > 0)) AS active_agents
{% include facts %}

