-- Whether the price book says another cost, or none where there is one, or one where there is none.
-- Names: cost = what the price book says.
    ifNull({{ cost }} != cost_usd, isNull({{ cost }}) != isNull(cost_usd))
