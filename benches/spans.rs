//! Questions about assistants over many spans: what a client waits, beside what the engine says it took.
//!
//! `SPANS` says how many, 10,000,000 unless it does. They are made once, by the engine itself, and kept in a folder
//! below `target/`. `REPEAT` says how often each question is asked; `ONLY` which ones, by a part of their names.

mod asking;
#[path = "asking/many.rs"]
mod many;

use std::path::Path;

use asking::{Failure, application, config, migrate, serve};
use chartwell::clickhouse::embedded::{Engine, EngineConfig, leave};
use chartwell::clickhouse::{ClickHouse, Place};
use many::{Making, Question, ask, fill, number, tell_sizes};

const SPANS_OF_A_TRACE: u64 = 5;
/// Traces that are opened, so that each time it is another one.
const OPENED: usize = 100;

/// 90, 30 and 7 days, to the same end; the spans lie in the first.
const DAYS_90: &str = "datetime_from=2026-01-01&datetime_to=2026-03-31&aggregation_level=day";
const DAYS_30: &str = "datetime_from=2026-03-02&datetime_to=2026-03-31";
const DAYS_7: &str = "datetime_from=2026-03-25&datetime_to=2026-03-31&aggregation_level=day";

fn questions() -> Vec<Question> {
    let of = |name, path: &str, days: &str, goal_ms| {
        let path = format!("assistants/{path}").trim_end_matches('/').to_owned();
        Question { name, paths: vec![format!("{path}?{days}")], goal_ms }
    };
    vec![
        of("runs, 90 days", "charts/runs", DAYS_90, Some(15.0)),
        of("runs by assistant, 90 days", "charts/runs", &format!("{DAYS_90}&split_by=assistant"), Some(15.0)),
        of("error rate, 90 days", "charts/error-rate", DAYS_90, Some(15.0)),
        of("tokens by model, 90 days", "charts/tokens", &format!("{DAYS_90}&split_by=model"), Some(15.0)),
        of("cost, 90 days", "charts/cost", DAYS_90, Some(15.0)),
        of(
            "cost of one assistant, 90 days",
            "charts/cost",
            &format!("{DAYS_90}&assistant_codes=claims-intake"),
            Some(15.0),
        ),
        of("latency, 90 days", "charts/latency", DAYS_90, Some(15.0)),
        of("time to first token, 90 days", "charts/time-to-first-token", DAYS_90, Some(15.0)),
        of("runs by error type, 90 days", "charts/runs", &format!("{DAYS_90}&split_by=error_type"), Some(15.0)),
        of("latency, 7 days, exact", "charts/latency", DAYS_7, Some(12.0)),
        of("totals, 30 days", "totals", DAYS_30, None),
        of("models, 30 days", "models", DAYS_30, Some(150.0)),
        of("tools, 30 days", "tools", DAYS_30, Some(150.0)),
        of("customers, 30 days", "customers", DAYS_30, Some(150.0)),
        of("assistants, 30 days", "", DAYS_30, Some(150.0)),
        of("operations, 30 days", "operations", DAYS_30, None),
        of("errors, 30 days", "errors", DAYS_30, None),
        of("list of traces, 30 days", "traces", DAYS_30, None),
    ]
}

fn main() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure())?;
    leave(0)
}

async fn measure() -> Result<(), Failure> {
    let spans: u64 = number("SPANS")?.unwrap_or(10_000_000);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("target/bench-spans/{spans}"));
    let mut config = config();
    config.server.accounts = vec!["bench".parse()?];
    config.server.data_dir.clone_from(&folder);
    // The spans are of a certain year, so that they are the same whenever they are made.
    config.ingest.retention_days = 0;
    let engine = EngineConfig {
        library: None,
        folder: folder.join("engine"),
        memory_bytes: 6 << 30,
        backups: folder.join("backups"),
    };
    let clickhouse =
        ClickHouse::new(Place::Embedded { engine: Engine::start(&engine)?, others_insert: false }, &config.query)?;
    migrate(&config, &clickhouse).await?;
    let database = config.server.accounts[0].analytics_database();
    let making = Making {
        statement: include_str!("spans.sql"),
        database: &database,
        of: "traces",
        all: (spans / SPANS_OF_A_TRACE).max(1),
        at_once: 40_000,
        tables: &[
            "assistants_tracing_spans",
            "assistant_spans_15m",
            "assistant_spans_1h",
            "assistant_totals_1h",
            "assistant_latencies",
            "assistant_latencies_1h",
            "assistant_latency_totals_1h",
            "assistant_users_1h",
        ],
    };
    fill(&clickhouse, &folder.join("filled"), &making).await?;
    tell_sizes(&clickhouse, &making).await?;
    let traces = clickhouse
        .fetch::<String>(&format!(
            "SELECT trace_id FROM `{database}`.assistants_tracing_spans WHERE parent_id = '' ORDER BY cityHash64(trace_id) LIMIT {OPENED}"
        ))
        .await?;
    let app = application(&config, clickhouse).await?;
    let client = serve(&config, app).await?;
    let opened = traces.iter().map(|trace| format!("assistants/traces/{trace}")).collect();
    let mut questions = questions();
    questions.push(Question { name: "one trace by id", paths: opened, goal_ms: Some(20.0) });
    tokio::task::spawn_blocking(move || ask(client, questions)).await??;
    Ok(())
}
