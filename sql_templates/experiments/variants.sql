-- Which variants does an experiment have?
-- Row:        VariantRow
-- Parameters: {most_variants}
SELECT toString(facts.variant) AS variant, toUnixTimestamp64Micro(max(facts.last_time)) AS last_exposure
{% include facts %}

GROUP BY facts.variant
ORDER BY variant
LIMIT {most_variants:UInt64}
