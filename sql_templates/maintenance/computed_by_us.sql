-- Calls of models in a window whose cost was, or would have been, computed from the price book, because their emitter
-- does not tell it.
-- Names: is_told = whether the emitter tells the cost; from and to = the window, [from, to).
    operation IN ('chat', 'generate_content', 'text_completion', 'embeddings')
    AND (input_tokens IS NOT NULL OR output_tokens IS NOT NULL)
    AND start_time >= toDateTime64({{ from }}, 6, 'UTC') AND start_time < toDateTime64({{ to }}, 6, 'UTC')
    AND NOT {{ is_told }}
