-- The topic. A message that cannot be read is passed on with its error, and stops nothing.
CREATE TABLE {{ table(name ~ "_queue") }} {{ on_cluster }}
(
    {{ columns }}
)
ENGINE = Kafka
SETTINGS
    kafka_broker_list = {{ text(brokers) }},
    kafka_topic_list = {{ text(topic) }},
    kafka_group_name = {{ text(topic ~ ".chartwell") }},
    kafka_format = 'JSONEachRow',
    kafka_handle_error_mode = 'stream',
    kafka_flush_interval_ms = 500,
    kafka_poll_timeout_ms = 100,
    kafka_max_block_size = 65536,
    input_format_skip_unknown_fields = 1,
    input_format_json_read_bools_as_strings = 0,
    input_format_json_read_numbers_as_strings = 0,
    input_format_json_read_arrays_as_strings = 0,
    input_format_try_infer_dates = 0,
    input_format_try_infer_datetimes = 0,
    type_json_skip_duplicated_paths = 1
