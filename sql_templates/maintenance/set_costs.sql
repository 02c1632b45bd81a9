-- Sets the costs of the spans that were noted.
ALTER TABLE {{ local("assistants_tracing_spans") }} {{ on_cluster }}
UPDATE cost_usd = {{ cost }}
IN PARTITION {{ month }}
WHERE
{% include "maintenance/computed_by_us.sql" %}

    AND
{% include "maintenance/is_noted.sql" %}

