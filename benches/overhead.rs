//! What the program adds to the engine's own time: a client asks over a socket, one question at a
//! time, and compares what it waited with what the engine says it took.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use chartwell::app::App;
use chartwell::auth::{Claims, Tokens};
use chartwell::clickhouse::embedded::{Engine, EngineConfig, leave};
use chartwell::clickhouse::{ClickHouse, Place};
use chartwell::config::{Config, Secret};
use chartwell::demo::Story;
use chartwell::migrations::{Migrator, Target, migrations};
use chartwell::page::Page;
use chrono::Utc;
use tokio::net::TcpListener;

const EVENTS: u64 = 300_000;
const QUESTIONS: usize = 1_000;
const SECRET: &str = "a secret of the benches, and long enough";

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure())?;
    leave(0)
}

async fn measure() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let engine = EngineConfig { library: None, folder: folder.path().to_owned(), memory_bytes: 4 << 30 };
    let mut config = Config::default();
    config.auth.jwt_secret = Some(Secret::new(SECRET));
    config.query.query_cache = false;
    config.server.query_rate_limit = 0;
    let clickhouse =
        ClickHouse::new(Place::Embedded { engine: Engine::start(&engine)?, others_insert: false }, &config.query);
    let url = serve(&config, clickhouse).await?;

    let claims = Claims {
        sub: "bench".to_owned(),
        account: "demo".to_owned(),
        exp: u64::try_from(Utc::now().timestamp())? + 3_600,
        scope: "recommendations:read".to_owned(),
        grants: Default::default(),
        limits: None,
        iss: None,
        aud: None,
    };
    let token = Tokens { secret: &Secret::new(SECRET), issuer: None, audience: None }.sign(&claims);
    let address = url.trim_start_matches("http://").to_owned();
    tokio::task::spawn_blocking(move || ask(&address, &token)).await??;
    Ok(())
}

/// Asks every question again and again on one connection, by a client that costs next to nothing.
fn ask(address: &str, token: &str) -> Result<(), Failure> {
    let mut connection = BufReader::new(TcpStream::connect(address)?);
    connection.get_ref().set_nodelay(true)?;
    println!("| question | waited, p50 ms | engine, p50 ms | added, p50 ms | added, p99 ms |\n|---|---|---|---|---|");
    for (name, path) in [
        ("7 days of a profile", "charts/assisted-text-per-source?range=7d&profile_codes=support"),
        ("90 days of all", "charts/assisted-text-per-source?range=91d&aggregation_level=day"),
        ("totals of 28 days", "funnel?range=28d"),
    ] {
        let request = format!(
            "GET /api/v1/recommendations/{path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        let (mut waited, mut took, mut added) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..QUESTIONS {
            let asked = Instant::now();
            connection.get_mut().write_all(request.as_bytes())?;
            let body = body_of_answer(&mut connection)?;
            let wait = asked.elapsed().as_secs_f64() * 1e3;
            let answer: serde_json::Value = serde_json::from_slice(&body)?;
            let engine = answer["meta"]["elapsed_ms"].as_f64().ok_or("the answer tells no time")?;
            waited.push(wait);
            took.push(engine);
            added.push(wait - engine);
        }
        println!(
            "| {name} | {:.2} | {:.2} | {:.2} | {:.2} |",
            quantile(&mut waited, 0.5),
            quantile(&mut took, 0.5),
            quantile(&mut added, 0.5),
            quantile(&mut added, 0.99)
        );
    }
    Ok(())
}

fn body_of_answer(connection: &mut BufReader<TcpStream>) -> Result<Vec<u8>, Failure> {
    let (mut line, mut length) = (String::new(), 0);
    loop {
        line.clear();
        connection.read_line(&mut line)?;
        if let Some(told) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = told.trim().parse()?;
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body)?;
    Ok(body)
}

/// Fills an account and serves it; returns the URL.
async fn serve(config: &Config, clickhouse: ClickHouse) -> Result<String, Failure> {
    let account = config.server.accounts[0].clone();
    let target = Target {
        account: account.clone(),
        cluster: None,
        retention_days: config.ingest.retention_days,
        kafka_brokers: None,
        admin_db: None,
    };
    let migrations = migrations()?;
    let migrator = Migrator {
        clickhouse: &clickhouse,
        target,
        migrations: &migrations,
        is_alone: true,
        may_shorten_retention: false,
    };
    migrator.run().await?;
    let app = App::new(config, clickhouse, Page::new(None)).await?;
    let mut batch = Vec::new();
    for events in Story::new(1, EVENTS, 89, Utc::now()).events() {
        batch.extend(events);
        if batch.len() >= 20_000 {
            app.ingestion.intake.take_as_they_are(&account, &std::mem::take(&mut batch)).await?;
        }
    }
    app.ingestion.intake.take_as_they_are(&account, &batch).await?;
    app.ingestion.intake.settled().await;
    // Merges of what was just stored would be measured too.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(chartwell::http::serve(listener, app.router, 100, std::future::pending()));
    Ok(url)
}

fn quantile(values: &mut [f64], rank: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * rank).round() as usize]
}
