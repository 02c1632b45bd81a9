-- Who tells of calls, events or spans?
-- Row: TellersRow
SELECT
    toUInt64(sumIf(facts.calls + facts.endless_calls + facts.turns + facts.waits, facts.told_by = 'events')) AS by_events,
    toUInt64(sumIf(facts.calls + facts.endless_calls + facts.turns + facts.waits, facts.told_by = 'spans')) AS by_spans
{% include facts %}

