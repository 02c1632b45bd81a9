-- What a span is. A call is a span of a model that was asked. A span failed when its status says so, or when it says
-- nothing and an error has a type.
    toBool(operation IN ('chat', 'generate_content', 'text_completion', 'embeddings')) AS is_call,
    toBool(operation = 'execute_tool' OR tool_name != '') AS is_tool_call,
    toBool(status_code = 'ERROR' OR (status_code != 'OK' AND error_type != '')) AS is_failed,
