// A run of an agent, told by the OpenTelemetry SDK for JavaScript.
//
// Where it goes is in OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_HEADERS; nothing here names a server.
// It goes as the SDK sends by itself, in protobuf; with the argument `json`, by the exporters for JSON.
// Prints what it has sent. The same run in Python: ../python/agent_run.py

import { setTimeout as pass } from 'node:timers/promises';
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { logs, SeverityNumber } from '@opentelemetry/api-logs';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { NodeSDK } from '@opentelemetry/sdk-node';

const CONVERSATION = { 'gen_ai.conversation.id': 'conversation-7', 'user.id': 'jane@example.org' };

class RateLimitError extends Error {
  name = 'RateLimitError';
}

const exporters =
  process.argv[2] === 'json'
    ? {
        traceExporter: new OTLPTraceExporter(),
        logRecordProcessors: [new BatchLogRecordProcessor({ exporter: new OTLPLogExporter() })],
      }
    : {};
const sdk = new NodeSDK({
  resource: resourceFromAttributes({
    'service.name': 'support-agent',
    'service.version': '1.4.0',
    'deployment.environment.name': 'staging',
  }),
  ...exporters,
});
sdk.start();
const tracer = trace.getTracer('agent-run', '1.0.0');
const logger = logs.getLogger('agent-run', '1.0.0');
const spans = [];

/** A span around a step; an exception that leaves it is recorded. */
function step(name, kind, attributes, work) {
  return tracer.startActiveSpan(name, { kind, attributes: { ...CONVERSATION, ...attributes } }, async (span) => {
    spans.push(span);
    try {
      await pass(2);
      return await work(span);
    } catch (error) {
      span.recordException(error);
      span.setStatus({ code: SpanStatusCode.ERROR, message: `${error.name}: ${error.message}` });
      throw error;
    } finally {
      span.end();
    }
  });
}

function chat(model, attributes, work) {
  const told = { 'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': 'openai', 'gen_ai.request.model': model };
  return step(`chat ${model}`, SpanKind.CLIENT, { ...told, ...attributes }, work);
}

async function answer() {
  await chat('gpt-4o', { 'gen_ai.request.temperature': 0.5 }, async (span) => {
    span.setAttributes({
      'gen_ai.response.model': 'gpt-4o',
      'gen_ai.usage.input_tokens': 1000,
      'gen_ai.usage.cache_read.input_tokens': 400,
      'gen_ai.usage.output_tokens': 200,
      'gen_ai.response.finish_reasons': ['tool_calls'],
      'gen_ai.input.messages':
        '[{"role":"user","parts":[{"type":"text","content":"Where is my order? Write to jane@example.org"}]}]',
      'gen_ai.output.messages': '[{"role":"assistant","parts":[{"type":"tool_call","name":"find_order"}]}]',
    });
    await pass(5);
  });
  const tool = { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'find_order' };
  await step('execute_tool find_order', SpanKind.INTERNAL, tool, () => pass(2));
  await chat('gpt-4o-mini', {}, async () => {
    await pass(1);
    throw new RateLimitError('too many requests');
  });
}

const agent = { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'support', 'gen_ai.agent.id': 'agent-1' };
await step('invoke_agent support', SpanKind.INTERNAL, agent, () =>
  answer().catch(() =>
    logger.emit({
      timestamp: Date.now(),
      eventName: 'interaction',
      severityNumber: SeverityNumber.WARN,
      severityText: 'WARN',
      body: 'the second call was refused',
      attributes: { conversation_id: 'conversation-7', outcome: 'refused', latency_ms: 12.5 },
    }),
  ),
);
await sdk.shutdown();

const microseconds = ([seconds, nanoseconds]) => seconds * 1_000_000 + Math.floor(nanoseconds / 1_000);

const told = (span) => ({
  name: span.name,
  span_id: span.spanContext().spanId,
  parent_id: span.parentSpanContext?.spanId ?? '',
  start_us: microseconds(span.startTime),
  end_us: microseconds(span.endTime),
  model: span.attributes['gen_ai.request.model'] ?? '',
  input_tokens: span.attributes['gen_ai.usage.input_tokens'] ?? null,
  output_tokens: span.attributes['gen_ai.usage.output_tokens'] ?? null,
  status_code: SpanStatusCode[span.status.code],
});

console.log(JSON.stringify({ trace_id: spans[0].spanContext().traceId, spans: spans.map(told) }));
