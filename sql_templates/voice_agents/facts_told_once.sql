-- Whether a fact counts where calls are told by events and by spans: what events tell does; of what spans tell, calls
-- that no event tells, and turns of conversations of whose turns no event tells.
    (facts.told_by = 'events' OR (facts.measured = 'call', facts.conversation) GLOBAL NOT IN (
        SELECT measured = 'call', conversation
        FROM {{ table("voice_facts") }}
        WHERE told_by = 'events' AND measured IN ({% if has_only_calls %}'call'{% else %}'call', 'turn'{% endif %}) AND {{ around("time") }}
    ))
