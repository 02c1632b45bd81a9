-- Which share of the active users used each feature, and who of them for the first time?
-- Row:        Adoption
-- Parameters: {since} the beginning of the range: what lies before only tells who used a feature before.
--             {active_users} all who were there in the range.
{% extends "shared/table.sql" %}
{% block rows %}
SELECT
    nullIf(toString(feature_used), '') AS feature,
    toUInt64(arrayUniq(within_range)) AS users,
    users / adoption_rate_denominator AS adoption_rate,
    users AS adoption_rate_numerator,
    {active_users:UInt64} AS adoption_rate_denominator,
    -- Whoever used it at any time, and had not before.
    if(empty(before_range), users, toUInt64(arrayUniq(arrayConcat(within_range, before_range)) - arrayUniq(before_range))) AS new_users,
    toUInt64(users - new_users) AS returning_users,
    views
FROM (
    SELECT
        facts.feature AS feature_used,
        groupArrayIf(facts.user, facts.time >= {since:DateTime64(6, 'UTC')}) AS within_range,
        groupArrayIf(facts.user, facts.time < {since:DateTime64(6, 'UTC')}) AS before_range,
        sumIf(facts.events, facts.time >= {since:DateTime64(6, 'UTC')}) AS views
    {% include facts %}

    WHERE facts.name = 'feature_viewed'
    GROUP BY facts.feature
    HAVING views > 0
)
{% endblock %}
