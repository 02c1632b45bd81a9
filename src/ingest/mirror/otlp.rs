//! A mirror that takes logs in over OTLP/HTTP: a collector, or whatever understands its protocol.

use std::time::Duration;

use chrono::Utc;
use futures::future::BoxFuture;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs, SeverityNumber};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;
use reqwest::header::CONTENT_TYPE;

use super::{Mirror, MirrorError, Mirrored, Told};
use crate::config::Account;
use crate::outbound::{self, ClientError};

const TIMEOUT: Duration = Duration::from_secs(5);

/// Tells events as log records.
pub struct OtlpLogs {
    http: reqwest::Client,
    url: String,
}

impl OtlpLogs {
    pub fn new(url: &str) -> Result<Self, ClientError> {
        Ok(Self { http: outbound::client(reqwest::Client::builder().timeout(TIMEOUT))?, url: url.to_owned() })
    }
}

impl Mirror for OtlpLogs {
    fn tell<'a>(&'a self, account: &'a Account, events: &'a [Mirrored]) -> BoxFuture<'a, Result<(), MirrorError>> {
        let request = self.http.post(&self.url).header(CONTENT_TYPE, "application/x-protobuf");
        let request = request.body(export(account, events).encode_to_vec());
        Box::pin(async move {
            let response = request.send().await.and_then(reqwest::Response::error_for_status);
            // A URL may have a secret in it, and what is wrong with it is logged.
            response.map(drop).map_err(|error| MirrorError::from(error.without_url()))
        })
    }
}

fn export(account: &Account, events: &[Mirrored]) -> ExportLogsServiceRequest {
    let resource = Resource {
        attributes: vec![
            attribute("service.name", Value::StringValue("chartwell".to_owned())),
            attribute("chartwell.account", Value::StringValue(account.to_string())),
        ],
        ..Resource::default()
    };
    let scope = InstrumentationScope { name: "chartwell.product".to_owned(), ..InstrumentationScope::default() };
    let logs =
        ScopeLogs { scope: Some(scope), log_records: events.iter().map(record).collect(), ..ScopeLogs::default() };
    let logs = ResourceLogs { resource: Some(resource), scope_logs: vec![logs], ..ResourceLogs::default() };
    ExportLogsServiceRequest { resource_logs: vec![logs] }
}

fn record(event: &Mirrored) -> LogRecord {
    let nanos = |micros: i64| u64::try_from(micros).unwrap_or_default().saturating_mul(1_000);
    let severity = if event.name == "client_error" { SeverityNumber::Error } else { SeverityNumber::Info };
    let fields = event.fields.iter().map(|(field, told)| {
        let value = match told {
            Told::Word(word) => Value::StringValue(word.clone()),
            Told::Count(count) => Value::IntValue(*count),
        };
        attribute(field, value)
    });
    LogRecord {
        time_unix_nano: nanos(event.occurred_at.timestamp_micros()),
        observed_time_unix_nano: nanos(Utc::now().timestamp_micros()),
        severity_number: severity.into(),
        event_name: event.name.clone(),
        attributes: fields.collect(),
        ..LogRecord::default()
    }
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}
