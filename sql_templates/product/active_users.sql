-- How many users were there in one bucket, and in which one next?
-- Row:        ReturnsRow
-- Parameters: {edges} starts of the buckets
-- From these any rolling count is made: a user counts from each bucket with events until the next one, and as long as
-- the window looks back.
SELECT start, next, toUInt64(count()) AS users
FROM (
    -- Sorted and compacted, which is faster than a set for each user.
    SELECT arrayCompact(arraySort(groupArray({{ bucket }}))) AS starts
    {% include facts %}

    GROUP BY facts.user
)
ARRAY JOIN starts AS start, arrayPushBack(arrayPopFront(starts), toUInt32(0)) AS next
GROUP BY start, next
