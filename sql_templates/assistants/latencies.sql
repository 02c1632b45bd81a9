-- How long did it take, by bucket and group?
-- Row: QuantilesRow; milliseconds.
{% extends "shared/latencies.sql" %}
