"""A run of an agent, told by the OpenTelemetry SDK for Python.

Where it goes is in OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_HEADERS; nothing here names a server.
Prints what it has sent. The same run in JavaScript: ../javascript/agent-run.js
"""

import json
import time
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

CONVERSATION = {"gen_ai.conversation.id": "conversation-7", "user.id": "jane@example.org"}


class RateLimitError(Exception):
    pass


resource = Resource.create(
    {"service.name": "support-agent", "service.version": "1.4.0", "deployment.environment.name": "staging"}
)
tracers = TracerProvider(resource=resource)
tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
tracer = tracers.get_tracer("agent-run", "1.0.0")
loggers = LoggerProvider(resource=resource)
loggers.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
logger = loggers.get_logger("agent-run", "1.0.0")
spans = []


@contextmanager
def step(name, kind, attributes):
    """A span around a step; an exception that leaves it is recorded."""
    with tracer.start_as_current_span(name, kind=kind, attributes={**CONVERSATION, **attributes}) as span:
        spans.append(span)
        time.sleep(0.002)
        yield span


def chat(model, attributes):
    told = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": model}
    return step(f"chat {model}", trace.SpanKind.CLIENT, {**told, **attributes})


def answer():
    with chat("gpt-4o", {"gen_ai.request.temperature": 0.5}) as span:
        span.set_attributes(
            {
                "gen_ai.response.model": "gpt-4o",
                "gen_ai.usage.input_tokens": 1000,
                "gen_ai.usage.cache_read.input_tokens": 400,
                "gen_ai.usage.output_tokens": 200,
                "gen_ai.response.finish_reasons": ["tool_calls"],
                "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Where is my order? Write to jane@example.org"}]}]',
                "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"tool_call","name":"find_order"}]}]',
            }
        )
        time.sleep(0.005)
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "find_order"}
    with step("execute_tool find_order", trace.SpanKind.INTERNAL, tool):
        time.sleep(0.002)
    with chat("gpt-4o-mini", {}):
        time.sleep(0.001)
        raise RateLimitError("too many requests")


agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "support", "gen_ai.agent.id": "agent-1"}
with step("invoke_agent support", trace.SpanKind.INTERNAL, agent):
    try:
        answer()
    except RateLimitError:
        logger.emit(
            LogRecord(
                timestamp=time.time_ns(),
                event_name="interaction",
                severity_number=SeverityNumber.WARN,
                severity_text="WARN",
                body="the second call was refused",
                attributes={"conversation_id": "conversation-7", "outcome": "refused", "latency_ms": 12.5},
            )
        )

tracers.shutdown()
loggers.shutdown()


def told(span):
    return {
        "name": span.name,
        "span_id": trace.format_span_id(span.context.span_id),
        "parent_id": trace.format_span_id(span.parent.span_id) if span.parent else "",
        "start_us": span.start_time // 1000,
        "end_us": span.end_time // 1000,
        "model": span.attributes.get("gen_ai.request.model", ""),
        "input_tokens": span.attributes.get("gen_ai.usage.input_tokens"),
        "output_tokens": span.attributes.get("gen_ai.usage.output_tokens"),
        "status_code": span.status.status_code.name,
    }


trace_id = trace.format_trace_id(spans[0].context.trace_id)
print(json.dumps({"trace_id": trace_id, "spans": [told(span) for span in spans]}))
