-- Where did users go from a route?
-- Row:        NextRow
-- Parameters: {route}; {top} routes that are told apart.
SELECT
    next AS route,
    toUInt64(count()) AS views,
    toUInt64(sum(count()) OVER ()) AS all_views,
    toUInt64(sum(countIf(next = '')) OVER ()) AS exits
FROM (
    SELECT
        arrayMap(page -> page.2, arraySort(groupArray((facts.time, toString(facts.route_pattern))))) AS pages,
        arrayPushBack(arrayPopFront(pages), '') AS nexts
    {% include facts %}

    WHERE facts.name = 'page_viewed'
    GROUP BY facts.session
)
ARRAY JOIN pages AS page, nexts AS next
WHERE page = {route:String}
GROUP BY next
ORDER BY next = '' ASC, views DESC, next ASC
LIMIT {top:UInt64}
