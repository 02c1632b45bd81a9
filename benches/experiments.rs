//! Questions about an experiment of many units: what a client waits, beside what the engine says it took.
//!
//! `UNITS` says how many, 1,000,000 unless it does, each with one exposure and four other events. They are made once, by
//! the engine itself, and kept in a folder below `target/`. `REPEAT` says how often each question is asked; `ONLY` which
//! ones, by a part of their names.

mod asking;
#[path = "asking/many.rs"]
mod many;

use std::path::Path;

use asking::{Failure, application, config, migrate, serve};
use chartwell::clickhouse::embedded::{Engine, EngineConfig, leave};
use chartwell::clickhouse::{ClickHouse, Place};
use many::{Making, Question, ask, fill, number, tell_sizes};

const DAYS: &str = "datetime_from=2026-03-01&datetime_to=2026-03-28";

/// A gate is about the present: a million interactions of the last 24 hours.
const JUST_NOW: &str = "
    INSERT INTO `{database}`.events (event_id, time_utc, event, data, ingested_at)
    SELECT generateUUIDv4(), now64(6) - toIntervalMillisecond(cityHash64(number) % 86400000), 'interaction',
        concat('{\"experiment_id\":\"rollout\",\"variant\":\"', ['A', 'B'][number % 2 + 1], '\",\"outcome\":\"',
            if(number % 50 = 0, 'failed', 'success'), '\",\"latency_ms\":', toString(100 + cityHash64(number, 1) % 900), '}'),
        now64(6)
    FROM numbers(1000000)";

fn questions() -> Vec<Question> {
    let of = |name, path: &str, goal_ms| {
        let sign = if path.contains('?') { '&' } else { '?' };
        Question { name, paths: vec![format!("experiments/reply-tone/{path}{sign}{DAYS}")], goal_ms }
    };
    // Whose exposures count is asked by what the rollup of first exposures lacks.
    const RAW: &str = "&filter=data.variant:ne:Z";
    let gate = "experiments/rollout/gate?max_error_rate=0.1&max_latency_p95_ms=2000".to_owned();
    vec![
        of("results, conversion", "results?goal_event=purchase", Some(50.0)),
        of("results, conversion, raw", &format!("results?goal_event=purchase{RAW}"), Some(300.0)),
        of(
            "results, mean with CUPED",
            "results?metric_type=mean&value_field=data.price&goal_event=purchase&cuped_days=14",
            None,
        ),
        of("results, ratio", "results?metric_type=ratio&goal_event=purchase&denominator_event=page_viewed", None),
        of("conversion by the day", "charts/conversion?goal_event=purchase&aggregation_level=day", None),
        of("exposures by the day", "charts/exposures?aggregation_level=day", None),
        Question { name: "gate, 24 hours", paths: vec![gate], goal_ms: Some(20.0) },
    ]
}

fn main() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure())?;
    leave(0)
}

async fn measure() -> Result<(), Failure> {
    let units: u64 = number("UNITS")?.unwrap_or(1_000_000);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("target/bench-experiments/{units}"));
    let mut config = config();
    config.server.accounts = vec!["bench".parse()?];
    config.server.data_dir.clone_from(&folder);
    // The events are of a certain year, so that they are the same whenever they are made.
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
        statement: include_str!("experiments.sql"),
        database: &database,
        of: "units",
        all: units,
        at_once: 50_000,
        tables: &["events", "experiment_units", "experiment_variants", "experiment_interactions_15m"],
    };
    fill(&clickhouse, &folder.join("filled"), &making).await?;
    tell_sizes(&clickhouse, &making).await?;
    clickhouse.execute(&JUST_NOW.replace("{database}", &database)).await?;
    let app = application(&config, clickhouse).await?;
    let client = serve(&config, app).await?;
    tokio::task::spawn_blocking(move || ask(client, questions())).await??;
    Ok(())
}
