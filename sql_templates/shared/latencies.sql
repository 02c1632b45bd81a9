-- The frame of every chart of how long something took.
--
-- Row:   QuantilesRow; milliseconds.
-- Block: `population`, where not all that is measured counts.
-- Names: measured; is_binned = whether quantiles are made of bins, of which each stands for values within 1 % of it.
{% extends "shared/quantiles_by_bucket_and_group.sql" %}
{% block quantiles %}{% if is_binned %}quantilesExactWeightedInterpolated{% else %}quantilesExactInclusive{% endif %}{% endblock %}
{% block value %}{% if is_binned %}if(bin > -32768, pow(1.02, bin) * 2.04 / 2.02, 0), samples{% else %}milliseconds{% endif %}{% endblock %}
{% block samples %}{% if is_binned %}sum(samples){% else %}count(){% endif %}{% endblock %}
{% block population %}measured = {{ measured }}{% endblock %}
