-- Which share of the active users used each feature, and who of them for the first time?
-- Row:        Adoption
-- Parameters: {since} the beginning of the range: what lies before only tells who used a feature before.
--             {active_users} all who were there in the range.
{% extends "shared/table.sql" %}
{% block rows %}
SELECT
    nullIf(toString(feature_used), '') AS feature,
    toUInt64(count()) AS users,
    users / adoption_rate_denominator AS adoption_rate,
    users AS adoption_rate_numerator,
    {active_users:UInt64} AS adoption_rate_denominator,
    toUInt64(countIf(first_used >= {since:DateTime64(6, 'UTC')})) AS new_users,
    toUInt64(users - new_users) AS returning_users,
    sum(times_viewed) AS views
FROM (
    SELECT
        facts.feature AS feature_used,
        min(facts.time) AS first_used,
        sumIf(facts.events, facts.time >= {since:DateTime64(6, 'UTC')}) AS times_viewed
    {% include facts %}

    WHERE facts.name = 'feature_viewed'
    GROUP BY facts.feature, facts.user
    HAVING times_viewed > 0
)
GROUP BY feature_used
{% endblock %}
