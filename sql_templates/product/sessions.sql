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
            arraySort(arrayFlatten(groupArray([
                (toUnixTimestamp64Micro(facts.first_at), toUInt64(facts.page_views), toUInt64(facts.acts)),
                (toUnixTimestamp64Micro(facts.last_at), toUInt64(0), toUInt64(0))
            ]))) AS points,
            arraySplit(
                (point, before) -> point.1 - before.1 > {pause_us:Int64},
                points,
                arrayPushFront(arrayPopBack(points), points[1])
            ) AS pieces,
            if(
                is_told,
                [(
                    told_us,
                    toFloat64(ifNull(told_ms, (points[-1].1 - points[1].1) / 1000)),
                    toUInt64(ifNull(told_pages, arraySum(points.2))),
                    toUInt64(ifNull(told_interactions, arraySum(points.3)))
                )],
                arrayMap(
                    piece -> (piece[-1].1, (piece[-1].1 - piece[1].1) / 1000, arraySum(piece.2), arraySum(piece.3)),
                    pieces
                )
            ) AS counted
        {% include facts %}

        GROUP BY facts.session
    )
    ARRAY JOIN counted AS piece
)
WHERE ended_us >= toUnixTimestamp64Micro({since:DateTime64(6, 'UTC')}) AND ended_us < toUnixTimestamp64Micro({until:DateTime64(6, 'UTC')})
