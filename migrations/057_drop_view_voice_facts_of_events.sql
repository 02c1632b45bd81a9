-- What events tell goes by `voice_told` from here on.
DROP VIEW IF EXISTS {{ table("voice_facts_of_events_view") }} {{ on_cluster }}
