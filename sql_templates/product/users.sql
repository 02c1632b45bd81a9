-- How many users were there?
-- Row: UsersRow
SELECT toUInt64(uniqExact(facts.user)) AS users
{% include facts %}

