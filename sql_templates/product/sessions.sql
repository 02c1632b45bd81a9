-- How long were sessions, and what was done in them?
-- Row:        SessionsRow
-- Parameters: {since} and {until}: sessions count that ended between them. {pause_us} after which there is another one.
--             {bounds} of the histogram, in milliseconds.
-- Names:      levels = those of the quantiles.
-- A session whose end the client told is what it told; others are made of its events, cut where nothing happened for
-- longer than the pause. What lies before and after the range only tells where sessions of the range begin and end.
SELECT
    toUInt64(count()) AS sessions,
    toUInt64(countIf(is_told)) AS told,
    toUInt64(uniqExact(user)) AS users,
    avg(lasted_ms) AS duration_ms,
    quantilesExactInclusive({{ levels }})(lasted_ms) AS duration_quantiles,
    avg(pages_seen) AS pages,
    quantilesExactInclusive({{ levels }})(toFloat64(pages_seen)) AS pages_quantiles,
    avg(things_done) AS interactions,
    quantilesExactInclusive({{ levels }})(toFloat64(things_done)) AS interactions_quantiles,
    sumMap([roundDown(toUInt32(least(lasted_ms, 4294967295)), {bounds:Array(UInt32)})], [toUInt64(1)]) AS histogram
FROM (
    SELECT
        user,
        is_told,
        piece.1 AS ended_us,
        piece.2 AS lasted_ms,
        piece.3 AS pages_seen,
        piece.4 AS things_done
    FROM (
        SELECT
            min(facts.user) AS user,
            toUnixTimestamp64Micro(max(facts.ended_at)) AS told_us,
            told_us > 0 AS is_told,
            max(facts.duration_ms) AS told_ms,
            max(facts.pages_viewed) AS told_pages,
            max(facts.interactions) AS told_interactions,
            toUnixTimestamp64Micro(min(facts.first_at)) AS first_us,
            toUnixTimestamp64Micro(max(facts.last_at)) AS last_us,
            sum(facts.page_views) AS all_pages,
            sum(facts.acts) AS all_acts,
            -- Of each part of a session when it begins and ends; nobody asks for those of sessions that were told.
            if(is_told, [], groupArray(toUnixTimestamp64Micro(facts.first_at))) AS firsts,
            if(is_told, [], groupArray(toUnixTimestamp64Micro(facts.last_at))) AS lasts,
            arraySort(firsts) AS begins,
            arraySort(lasts) AS ends,
            -- Between so many beginnings and as many ends there is a pause, or else a part goes on beyond it.
            arrayMap(
                (begin, end) -> begin - end > {pause_us:Int64},
                begins,
                arraySlice(arrayPushFront(ends, begins[1]), 1, length(begins))
            ) AS is_after_pause,
            arraySplit(
                (part, is_cut) -> is_cut,
                arrayZip(
                    begins,
                    ends,
                    arraySort((pages, first) -> first, if(is_told, [], groupArray(toUInt64(facts.page_views))), firsts),
                    arraySort((acts, first) -> first, if(is_told, [], groupArray(toUInt64(facts.acts))), firsts)
                ),
                is_after_pause
            ) AS pieces,
            if(
                is_told,
                [(
                    told_us,
                    toFloat64(ifNull(told_ms, (last_us - first_us) / 1000)),
                    toUInt64(ifNull(told_pages, all_pages)),
                    toUInt64(ifNull(told_interactions, all_acts))
                )],
                arrayMap(
                    piece -> (piece[-1].2, (piece[-1].2 - piece[1].1) / 1000, arraySum(piece.3), arraySum(piece.4)),
                    pieces
                )
            ) AS counted
        {% include facts %}

        GROUP BY facts.session
    )
    ARRAY JOIN counted AS piece
)
WHERE ended_us >= toUnixTimestamp64Micro({since:DateTime64(6, 'UTC')}) AND ended_us < toUnixTimestamp64Micro({until:DateTime64(6, 'UTC')})
