-- How many recommendations were shown, accepted and sent, by source category?
-- Row:        FunnelRow
-- Parameters: {top} the most sources
SELECT
    source,
    sum(shown) AS shown_count,
    sum(accepted) AS accepted_count,
    sum(sent_unedited) AS sent_unedited_count,
    sum(sent_edited) AS sent_edited_count
{% include facts %}

GROUP BY source
HAVING shown_count + accepted_count + sent_unedited_count + sent_edited_count > 0
ORDER BY shown_count DESC, accepted_count DESC, source ASC
LIMIT {top:UInt64}
