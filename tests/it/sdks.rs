//! The OpenTelemetry SDKs of Python and JavaScript, as their registries have them, told nothing but where
//! to send: each tells the same run of an agent, and the same is stored of it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::front::{Front, Turn};
use crate::support::TestApp;

/// The commands that tell a run, by SDK.
const SDKS: [(&str, &[&str]); 3] = [
    ("Python", &["python3", "tests/sdks/python/agent_run.py"]),
    ("JavaScript", &["node", "tests/sdks/javascript/agent-run.js"]),
    ("JavaScript, in JSON", &["node", "tests/sdks/javascript/agent-run.js", "json"]),
];
/// Where `make sdks` installs them.
const PYTHON_PACKAGES: &str = "target/sdks/python";
const JAVASCRIPT_PACKAGES: &str = "tests/sdks/javascript/node_modules";

/// Has an SDK tell a run to a server; returns what it has sent, as it knows it, and what it complained of.
async fn run(words: &[&str], url: &str, app: &TestApp) -> (Value, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for packages in [PYTHON_PACKAGES, JAVASCRIPT_PACKAGES] {
        assert!(root.join(packages).exists(), "{packages} is missing: run `make sdks`");
    }
    let mut command = Command::new(words[0]);
    command
        .args(&words[1..])
        .current_dir(root)
        .env_clear()
        // What the interpreters need to be found, and to find packages.
        .envs(["PATH", "HOME"].map(|name| (name, std::env::var_os(name).unwrap_or_default())))
        .env("PYTHONPATH", root.join(PYTHON_PACKAGES))
        // All that the SDKs are told.
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        .env("OTEL_EXPORTER_OTLP_HEADERS", format!("authorization=Bearer%20{}", app.token()));
    // The application answers on the thread of the test.
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let complaints = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{words:?}: {complaints}");
    app.intake.settled().await;
    (serde_json::from_slice(&output.stdout).unwrap(), complaints)
}

/// Rows of the application as JSON; `sql` says what comes after `SELECT`, and `{database}` in it is the account's.
async fn rows(app: &TestApp, sql: &str) -> Vec<Value> {
    let sql = sql.replace("{database}", &format!("{}_analytics", app.account));
    let rows: Vec<String> =
        app.clickhouse.fetch(&format!("SELECT formatRow('JSONEachRow', *) FROM (SELECT {sql})")).await.unwrap();
    rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect()
}

#[tokio::test]
async fn the_sdks_of_python_and_javascript_say_the_same() {
    let app = TestApp::start("sdks").await;
    let mut told = Vec::new();
    for (sdk, words) in SDKS {
        let (sent, complaints) = run(words, &app.url, &app).await;
        assert_eq!(complaints, "", "{sdk}");
        let trace_id = sent["trace_id"].as_str().unwrap();
        let of_trace = format!(
            "FROM {{database}}.assistants_tracing_spans WHERE trace_id = '{trace_id}' ORDER BY start_time, parent_id"
        );
        let as_sent = format!(
            "name, span_id, parent_id, toUnixTimestamp64Micro(start_time) AS start_us, toUnixTimestamp64Micro(end_time) AS end_us, \
             model, input_tokens, output_tokens, status_code {of_trace}"
        );
        assert_eq!(Value::from(rows(&app, &as_sent).await), sent["spans"], "{sdk}");
        let columns = format!(
            "name, kind, parent_id = '' AS is_run, end_time > start_time AS has_duration, operation, event_type, provider, model, model_temperature, \
             input_tokens, output_tokens, cached_input_tokens, toString(cost_usd) AS cost_usd, conversation_id, assistant_code, agent_id, assistant_version, \
             environment, user_id_hash, tool_name, error_type, status_code, status_description, input, output, attributes, context, \
             arrayMap(event -> (event.name, event.attributes.`exception.message`), events) AS exceptions {of_trace}"
        );
        let log = format!(
            "event, conversation_id, data.message AS message, data.outcome AS outcome, data.latency_ms AS latency_ms, \
             data.severity_text AS severity_text, data.severity_number AS severity_number, \
             data.span_id = '{}' AS is_in_the_root FROM {{database}}.events WHERE data.trace_id = '{trace_id}'",
            sent["spans"][0]["span_id"].as_str().unwrap()
        );
        told.push((sdk, rows(&app, &columns).await, rows(&app, &log).await));
    }
    for (sdk, spans, logs) in &told {
        assert_eq!((spans, logs), (&told[0].1, &told[0].2), "{sdk}");
    }
    let (_, spans, logs) = &told[0];
    // The account's salt is another one in each run of the tests.
    insta::with_settings!({filters => [("[0-9a-f]{64}", "[hash]")]}, {
        insta::assert_json_snapshot!(serde_json::json!({"spans": spans, "logs": logs}));
    });
}

#[tokio::test]
async fn an_sdk_that_is_refused_for_a_while_sends_again() {
    let app = TestApp::start("sdks_again").await;
    for (number, (sdk, words)) in SDKS.into_iter().enumerate() {
        // Traces and logs go one after the other, or at the same time.
        let front = Front::start(&app, &[Turn::Refuse; 2], Turn::Pass).await;
        let (sent, complaints) = run(words, &front.url, &app).await;
        let runs = number as u64 + 1;
        let stored = |table: &str| format!("assumeNotNull((SELECT count() FROM sdks_again_analytics.{table}))");
        let sql = format!("SELECT arrayJoin([{}, {}])", stored("assistants_tracing_spans"), stored("events"));
        assert_eq!(app.clickhouse.fetch::<u64>(&sql).await.unwrap(), [4 * runs, runs], "{sdk}: {sent} {complaints}");
        let requests = front.requests();
        assert_eq!(requests.len(), 4, "{sdk}");
        assert!(requests[3].1 - requests[0].1 >= Duration::from_secs(1), "{sdk}");
    }
}
