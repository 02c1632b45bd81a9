-- Events, as accepted. The catalogued fields of `data` are typed paths: they are read like columns,
-- and a value of another type would fail a whole block, so ingestion refuses it before.
--
-- `suggestions` of sent messages are columns beside `data`: a typed array inside it would drop the
-- keys that it does not name; `rest` keeps those as JSON text.
--
-- `attribution` says which source categories an event counts for: those that its text came from,
-- the one with the most characters first; never empty, because LEFT ARRAY JOIN is ten times slower.
{% macro source_names() %}
[
    'text_recommendation',
    'rec', 'semantic', 'trie', 'trie-with-typos', 'mixed',
    'sticky-messages',
    'studio-search', 'search-preview', 'search-autocomplete', 'search-default', 'search-personal', 'search-stickymessage',
    'gpt',
    'url_recommendation', 'url', 'search-url'
]
{%- endmacro %}
{% macro source_categories() %}
[
    'reply-suggestion',
    'autocomplete', 'autocomplete', 'autocomplete', 'autocomplete', 'autocomplete',
    'pinned-messages',
    'search', 'search', 'search', 'search', 'search', 'search',
    'text-generation',
    'url-suggestion', 'url-suggestion', 'url-suggestion'
]
{%- endmacro %}
CREATE TABLE IF NOT EXISTS {{ table("events") }} {{ on_cluster }}
(
    event_id            UUID,
    time_utc            DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    event               LowCardinality(String),
    profile_code        LowCardinality(Nullable(String)),
    platform_session_id Nullable(String),
    platform            LowCardinality(Nullable(String)),
    agent_id            LowCardinality(Nullable(String)),
    agent_email         LowCardinality(Nullable(String)),
    agent_name          LowCardinality(Nullable(String)),
    visitor_id          Nullable(String),
    conversation_id     Nullable(String),
    data JSON(
        text_length       Nullable(UInt32),
        recommendation_id Nullable(String),
        source            LowCardinality(Nullable(String)),
        rank              Nullable(UInt32),
        len_text          Nullable(UInt32),
        latency_ms        Nullable(Float64),
        experiment_id     LowCardinality(Nullable(String)),
        variant           LowCardinality(Nullable(String)),
        assistant_id      LowCardinality(Nullable(String)),
        assistant_version LowCardinality(Nullable(String)),
        outcome           LowCardinality(Nullable(String)),
        prompt_tokens     Nullable(UInt32),
        response_tokens   Nullable(UInt32),
        model             LowCardinality(Nullable(String)),
        error_type        LowCardinality(Nullable(String)),
        message           Nullable(String),
        duration_ms       Nullable(Float64),
        transfer_reason   LowCardinality(Nullable(String)),
        direction         LowCardinality(Nullable(String)),
        speech_to_text_ms Nullable(Float64),
        model_ms          Nullable(Float64),
        text_to_speech_ms Nullable(Float64),
        first_audio_ms    Nullable(Float64),
        interrupted       Nullable(Bool)
    ),
    suggestions Nested(
        id       String,
        source   LowCardinality(String),
        len_text UInt32,
        edited   Bool,
        rest     String
    ),
    ingested_at DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    attribution Array(Tuple(
        source     LowCardinality(String),
        characters UInt64,
        unedited   UInt32,
        edited     UInt32
    )) MATERIALIZED if(
        event = 'Send Message' AND arrayExists(length -> length > 0, suggestions.len_text),
        CAST(
            arrayMap(
                sums -> arraySort(
                    part -> (-toInt64(part.2), part.1),
                    arrayFilter(part -> part.2 > 0, arrayZip(sums.1, sums.2, sums.3, sums.4))
                ),
                [arrayReduce(
                    'sumMap',
                    [arrayMap(
                        name -> transform(
                            name,
                            {{ source_names() }},
                            {{ source_categories() }},
                            name
                        ),
                        suggestions.source
                    )],
                    [arrayMap(length -> toUInt64(length), suggestions.len_text)],
                    [arrayMap((length, is_edited) -> toUInt64(length > 0 AND NOT is_edited), suggestions.len_text, suggestions.edited)],
                    [arrayMap((length, is_edited) -> toUInt64(length > 0 AND is_edited), suggestions.len_text, suggestions.edited)]
                )]
            )[1],
            'Array(Tuple(source LowCardinality(String), characters UInt64, unedited UInt32, edited UInt32))'
        ),
        [(
            transform(
                ifNull(data.source, ''),
                {{ source_names() }},
                {{ source_categories() }},
                ifNull(data.source, '')
            ),
            0, 0, 0
        )]
    ),
    INDEX event_id_index event_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = {{ engine("MergeTree", "events") }}
PARTITION BY toYYYYMM(time_utc)
ORDER BY (event, time_utc)
{{ ttl("time_utc") }}
SETTINGS {{ deduplication_window }} = 10000
