-- How many interactions did variants have, how many failed, and how long did they take, in bins?
-- Row:        InteractionsRow
-- Parameters: {most_rows}
SELECT
    toString(facts.variant) AS variant,
    facts.bin AS bin,
    sum(facts.interactions) AS interactions,
    sum(facts.failed) AS failed
{% include facts %}

GROUP BY facts.variant, facts.bin
LIMIT {most_rows:UInt64}
