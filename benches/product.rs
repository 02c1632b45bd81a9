//! Questions about the product over many events: what a client waits, beside what the engine says it took.
//!
//! `EVENTS` says how many, 10,000,000 unless it does. They are made once, by the engine itself, and kept in a folder
//! below `target/`. `REPEAT` says how often each question is asked; `ONLY` which ones, by a part of their names.

mod asking;
#[path = "asking/many.rs"]
mod many;

use std::path::Path;

use asking::{Failure, application, config, migrate, serve};
use chartwell::clickhouse::embedded::{Engine, EngineConfig, leave};
use chartwell::clickhouse::{ClickHouse, Place};
use many::{Making, Question, ask, fill, number, tell_sizes};

const EVENTS_OF_A_SESSION: u64 = 20;

/// 90 days in which the events lie, 12 whole weeks and 30 days of them.
const DAYS_90: &str = "datetime_from=2026-01-01&datetime_to=2026-03-31";
const WEEKS_12: &str = "datetime_from=2026-01-05&datetime_to=2026-03-29";
const DAYS_30: &str = "datetime_from=2026-03-01&datetime_to=2026-03-30";

fn questions() -> Vec<Question> {
    let of = |name, path: &str, days: &str, goal_ms| {
        let sign = if path.contains('?') { '&' } else { '?' };
        Question { name, paths: vec![format!("product/{path}{sign}{days}")], goal_ms }
    };
    let steps = "funnel?steps=page_viewed;route_pattern:eq:/pages/calls&steps=filter_changed;view:eq:view-0&steps=feature_viewed;feature:eq:feature-2";
    let broad_steps = "funnel?steps=page_viewed&steps=filter_changed&steps=feature_viewed";
    let retention = "retention?cohort_event=page_viewed&return_event=page_viewed&period=week";
    vec![
        of("active users by the day, 90 days", "charts/active-users?aggregation_level=day", DAYS_90, Some(60.0)),
        of(
            "active users, rolling month, 90 days",
            "charts/active-users?aggregation_level=day&window=month",
            DAYS_90,
            Some(60.0),
        ),
        of(
            "active users of Kathmandu, 90 days",
            "charts/active-users?aggregation_level=day&timezone=Asia/Kathmandu",
            DAYS_90,
            Some(60.0),
        ),
        of("routes, 90 days", "routes", DAYS_90, Some(60.0)),
        of("routes of Kathmandu, 90 days", "routes?timezone=Asia/Kathmandu", DAYS_90, Some(60.0)),
        of("features, 90 days", "features", DAYS_90, Some(60.0)),
        of("filters, 90 days", "filters", DAYS_90, Some(60.0)),
        of("chart interactions, 90 days", "chart-interactions", DAYS_90, Some(60.0)),
        of("client errors, 90 days", "client-errors", DAYS_90, Some(60.0)),
        of("adoption, 90 days", "adoption", DAYS_90, Some(60.0)),
        of("sessions, 90 days", "sessions", DAYS_90, None),
        of("sessions, 30 days", "sessions", DAYS_30, None),
        of("paths, 30 days", "paths?route=/pages/calls", DAYS_30, None),
        of("funnel of 3 steps, 30 days", steps, DAYS_30, Some(400.0)),
        of("funnel of 3 broad steps, 30 days", broad_steps, DAYS_30, Some(400.0)),
        of("funnel of sessions, 30 days", &format!("{steps}&unit=session"), DAYS_30, Some(400.0)),
        of("strict funnel, 30 days", &format!("{steps}&order=strict"), DAYS_30, Some(400.0)),
        of("retention, 12 weeks", retention, WEEKS_12, Some(400.0)),
        of("retention since ever, 12 weeks", &format!("{retention}&cohort_by=first_ever"), WEEKS_12, Some(400.0)),
    ]
}

fn main() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure())?;
    leave(0)
}

async fn measure() -> Result<(), Failure> {
    let events: u64 = number("EVENTS")?.unwrap_or(10_000_000);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("target/bench-product/{events}"));
    let mut config = config();
    config.server.accounts = vec!["bench".parse()?];
    config.server.data_dir.clone_from(&folder);
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
        statement: include_str!("product.sql"),
        database: &database,
        of: "sessions",
        all: (events / EVENTS_OF_A_SESSION).max(1),
        at_once: 20_000,
        tables: &["product_telemetry_events", "product_facts", "product_uses_1d", "product_presence_15m"],
    };
    // The events are of a certain year, and are to stay, whenever they are asked for.
    for (table, time) in making.tables.iter().zip(["occurred_at", "time", "bucket", "bucket"]) {
        let kept = format!("ALTER TABLE `{database}`.{table} MODIFY TTL toDateTime({time}) + INTERVAL 50 YEAR");
        clickhouse.execute(&kept).await?;
    }
    fill(&clickhouse, &folder.join("filled"), &making).await?;
    tell_sizes(&clickhouse, &making).await?;
    let app = application(&config, clickhouse).await?;
    let client = serve(&config, app).await?;
    tokio::task::spawn_blocking(move || ask(client, questions())).await??;
    Ok(())
}
