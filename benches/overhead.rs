//! What the program adds to the engine's own time: a client asks over a socket, one question at a
//! time, and compares what it waited with what the engine says it took.

mod asking;

use std::time::Duration;

use asking::{Client, Failure, application, busy_ms, config, migrate, quantile, serve};
use chartwell::clickhouse::embedded::{Engine, EngineConfig, leave};
use chartwell::clickhouse::{ClickHouse, Place};
use chartwell::demo::Story;
use chrono::Utc;

const EVENTS: u64 = 300_000;
const QUESTIONS: usize = 1_000;

fn main() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure())?;
    leave(0)
}

async fn measure() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let engine = EngineConfig {
        library: None,
        folder: folder.path().to_owned(),
        memory_bytes: 4 << 30,
        backups: folder.path().join("backups"),
    };
    let config = config();
    let clickhouse =
        ClickHouse::new(Place::Embedded { engine: Engine::start(&engine)?, others_insert: false }, &config.query)?;
    migrate(&config, &clickhouse).await?;
    let app = application(&config, clickhouse).await?;
    let (account, mut batch) = (&config.server.accounts[0], Vec::new());
    for events in Story::new(1, EVENTS, 89, Utc::now()).events() {
        batch.extend(events);
        if batch.len() >= 20_000 {
            app.serving.ingestion.intake.take_as_they_are(account, &std::mem::take(&mut batch)).await?;
        }
    }
    app.serving.ingestion.intake.take_as_they_are(account, &batch).await?;
    app.serving.ingestion.intake.settled().await;
    // Merges of what was just stored would be measured too.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let client = serve(&config, app).await?;
    tokio::task::spawn_blocking(move || ask(client)).await??;
    Ok(())
}

/// Asks every question again and again.
fn ask(mut client: Client) -> Result<(), Failure> {
    println!(
        "| question | waited, p50 ms | engine, p50 ms | added, p50 ms | added, p99 ms | CPU ms | rows read |\n|---|---|---|---|---|---|---|"
    );
    for (name, path) in [
        ("7 days of a profile", "charts/assisted-text-per-source?range=7d&profile_codes=support"),
        ("90 days of all", "charts/assisted-text-per-source?range=91d&aggregation_level=day"),
        ("totals of 28 days", "funnel?range=28d"),
    ] {
        let (mut waited, mut took, mut added, mut rows) = (Vec::new(), Vec::new(), Vec::new(), 0);
        let before = busy_ms()?;
        for _ in 0..QUESTIONS {
            let asked = client.ask(&format!("recommendations/{path}"))?;
            waited.push(asked.waited_ms);
            took.push(asked.engine_ms);
            added.push(asked.waited_ms - asked.engine_ms);
            rows = asked.rows_read;
        }
        let busy = (busy_ms()? - before) / QUESTIONS as f64;
        println!(
            "| {name} | {:.2} | {:.2} | {:.2} | {:.2} | {busy:.1} | {rows} |",
            quantile(&mut waited, 0.5),
            quantile(&mut took, 0.5),
            quantile(&mut added, 0.5),
            quantile(&mut added, 0.99)
        );
    }
    Ok(())
}
