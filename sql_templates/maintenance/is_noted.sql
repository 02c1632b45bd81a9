-- Whether a run has noted a span.
-- Names: run_id, month
    sipHash64(trace_id, span_id) GLOBAL IN (
        SELECT span FROM {{ table("_price_changes") }} WHERE run_id = {{ run_id }} AND month = {{ month }}
    )
