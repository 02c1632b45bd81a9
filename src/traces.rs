//! Traces of the program itself: each request with what it asks of ClickHouse, and each insert.
//!
//! They are told by OTLP where a place is configured; elsewhere a span is an empty shell. Spans name routes, templates,
//! tables and accounts, never values.

use std::sync::OnceLock;
use std::time::Duration;

use axum::http::{HeaderMap, Method};
use opentelemetry::KeyValue;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, Tracer};
use tracing::Span;
use tracing::field::Empty;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use uuid::Uuid;

use crate::config::LogConfig;
use crate::outbound::{ClientError, blocking_client};

/// What spans are told apart by from what is logged.
pub const TARGET: &str = "chartwell::trace";

/// How long one export may take.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the end of the program waits for the last one.
const LAST_EXPORT: Duration = Duration::from_secs(2);

static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// Traces cannot be told to the place of the settings.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Exporter(#[from] ExporterBuildError),
}

/// What makes spans into traces, where the settings name a place for them. Not inside of a runtime: exports have a thread
/// of their own.
pub fn start(config: &LogConfig) -> Result<Option<Tracer>, TracesError> {
    let Some(url) = &config.own_traces_url else { return Ok(None) };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(blocking_client(reqwest::blocking::Client::builder().timeout(EXPORT_TIMEOUT))?)
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(url)
        .build()?;
    // Whoever calls may have decided already whether a trace is kept.
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.own_traces_ratio)));
    let resource = Resource::builder_empty().with_attributes([
        KeyValue::new("service.name", "chartwell"),
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", Uuid::new_v4().to_string()),
    ]);
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(sampler)
        .with_resource(resource.build())
        .build();
    let tracer = provider.tracer("chartwell");
    let _ = PROVIDER.set(provider);
    Ok(Some(tracer))
}

/// Tells what has not been told yet.
pub fn stop() {
    if let Some(provider) = PROVIDER.get()
        && let Err(error) = provider.shutdown_with_timeout(LAST_EXPORT)
    {
        tracing::warn!(%error, "the last traces were not told");
    }
}

/// The span of a request; a child of the caller's, where that is told.
pub fn request(method: &Method, route: &str, request_id: &str, headers: &HeaderMap) -> Span {
    let span = tracing::info_span!(
        target: TARGET,
        "request",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = %method,
        http.route = route,
        http.response.status_code = Empty,
        chartwell.account = Empty,
        chartwell.request_id = request_id,
    );
    if !span.is_disabled() {
        let _ = span.set_parent(TraceContextPropagator::new().extract(&Headers(headers)));
    }
    span
}

/// Says whose request the present one is.
pub fn note_account(account: &str) {
    Span::current().record("chartwell.account", account);
}

/// Says how a request ended.
pub fn note_status(span: &Span, status: u16) {
    span.record("http.response.status_code", status);
    if status >= 500 {
        span.record("otel.status_code", "ERROR");
    }
}

/// The span of a question to ClickHouse.
pub fn question(template: &str, account: &str, query_id: &str) -> Span {
    tracing::info_span!(
        target: TARGET,
        "question",
        otel.name = template,
        otel.kind = "client",
        otel.status_code = Empty,
        db.system.name = "clickhouse",
        db.query.summary = template,
        db.namespace = account,
        chartwell.query_id = query_id,
        chartwell.waited_ms = Empty,
        chartwell.rows_read = Empty,
        error.type = Empty,
    )
}

/// The span of an insert.
pub fn insert(table: &str, account: &str, rows: usize) -> Span {
    tracing::info_span!(
        target: TARGET,
        parent: None,
        "insert",
        otel.name = format!("INSERT {table}"),
        otel.kind = "client",
        otel.status_code = Empty,
        db.system.name = "clickhouse",
        db.operation.name = "INSERT",
        db.collection.name = table,
        db.namespace = account,
        db.operation.batch.size = rows,
        error.type = Empty,
    )
}

/// Says how long the present question has waited for its turn.
pub fn note_wait(waited: Duration) {
    Span::current().record("chartwell.waited_ms", waited.as_secs_f64() * 1e3);
}

/// Says what a question has read.
pub fn note_answer(span: &Span, rows_read: u64) {
    span.record("chartwell.rows_read", rows_read);
}

/// Says that what a span tells of failed, and in which way.
pub fn note_failure(span: &Span, failure: &str) {
    span.record("otel.status_code", "ERROR");
    span.record("error.type", failure);
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(axum::http::HeaderName::as_str).collect()
    }
}
