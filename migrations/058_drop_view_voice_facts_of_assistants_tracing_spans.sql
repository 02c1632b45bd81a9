-- What spans tell goes by `voice_told` from here on.
DROP VIEW IF EXISTS {{ table("voice_facts_of_assistants_tracing_spans_view") }} {{ on_cluster }}
