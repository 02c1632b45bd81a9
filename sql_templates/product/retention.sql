-- How many of those who began in a period returned in which?
-- Row:        RetentionRow
-- Parameters: {edges} starts of the periods; {since} the beginning of the range: what lies before only tells who had
--             begun before.
-- Names:      cohort_event, return_event = conditions on facts; counts_latest = whether only the latest return is told.
SELECT cohort, returned, toUInt64(count()) AS users
FROM (
    SELECT
        minIf(first_us, first_us > 0) AS began_us,
        roundDown(toUInt32(intDiv(began_us, 1000000)), {edges:Array(UInt32)}) AS cohort,
        arrayMap(period -> period.1, arrayFilter(period -> period.2 >= began_us, groupArray((period_start, last_us)))) AS periods
    FROM (
        SELECT
            facts.user AS user_of_period,
            {{ bucket }} AS period_start,
            minIf(toUnixTimestamp64Micro(facts.time), {{ cohort_event }}) AS first_us,
            maxIf(toUnixTimestamp64Micro(facts.time), {{ return_event }} AND facts.time >= {since:DateTime64(6, 'UTC')}) AS last_us
        {% include facts %}

        WHERE {{ cohort_event }} OR {{ return_event }}
        GROUP BY facts.user, period_start
    )
    GROUP BY user_of_period
    HAVING began_us > 0 AND began_us >= toUnixTimestamp64Micro({since:DateTime64(6, 'UTC')})
)
ARRAY JOIN arrayPushFront({% if counts_latest %}if(empty(periods), periods, [arrayMax(periods)]){% else %}periods{% endif %}, toUInt32(0)) AS returned
GROUP BY cohort, returned
