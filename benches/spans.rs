//! Questions about assistants over many spans: what a client waits, beside what the engine says it took.
//!
//! `SPANS` says how many, 10,000,000 unless it does. They are made once, by the engine itself, and kept in a folder
//! below `target/`. `REPEAT` says how often each question is asked; `ONLY` which ones, by a part of their names.

mod asking;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs};

use asking::{Asked, Client, Failure, application, busy_ms, config, migrate, quantile, serve};
use chartwell::clickhouse::embedded::{Engine, EngineConfig, leave};
use chartwell::clickhouse::{ClickHouse, Place};
use indicatif::{ProgressBar, ProgressStyle};

const SPANS_OF_A_TRACE: u64 = 5;
/// Traces that are made by one statement.
const TRACES_AT_ONCE: u64 = 40_000;
/// Traces that are opened, so that each time it is another one.
const OPENED: usize = 100;

/// 90, 30 and 7 days, to the same end; the spans lie in the first.
const DAYS_90: &str = "datetime_from=2026-01-01&datetime_to=2026-03-31&aggregation_level=day";
const DAYS_30: &str = "datetime_from=2026-03-02&datetime_to=2026-03-31";
const DAYS_7: &str = "datetime_from=2026-03-25&datetime_to=2026-03-31&aggregation_level=day";

/// A question, and how long it may take.
struct Question {
    name: &'static str,
    path: String,
    goal_ms: Option<f64>,
}

fn questions() -> Vec<Question> {
    let of = |name, path: &str, days: &str, goal_ms| Question { name, path: format!("{path}?{days}"), goal_ms };
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
    let engine = EngineConfig { library: None, folder: folder.join("engine"), memory_bytes: 6 << 30 };
    let clickhouse =
        ClickHouse::new(Place::Embedded { engine: Engine::start(&engine)?, others_insert: false }, &config.query);
    migrate(&config, &clickhouse).await?;
    let database = config.server.accounts[0].analytics_database();
    fill(&clickhouse, &database, &folder.join("filled"), spans).await?;
    tell_sizes(&clickhouse, &database).await?;
    let traces = clickhouse
        .fetch::<String>(&format!(
            "SELECT trace_id FROM `{database}`.assistants_tracing_spans WHERE parent_id = '' ORDER BY cityHash64(trace_id) LIMIT {OPENED}"
        ))
        .await?;
    let app = application(&config, clickhouse).await?;
    let client = serve(&config, app).await?;
    let repeat = number("REPEAT")?.unwrap_or(200);
    let only = env::var("ONLY").unwrap_or_default();
    tokio::task::spawn_blocking(move || ask(client, &traces, repeat, &only)).await??;
    Ok(())
}

fn number(name: &str) -> Result<Option<u64>, Failure> {
    let told = env::var(name).ok().filter(|told| !told.is_empty());
    Ok(told.map(|told| told.replace('_', "").parse()).transpose()?)
}

/// Makes the spans that are not there yet; goes on where it was stopped.
async fn fill(clickhouse: &ClickHouse, database: &str, mark: &PathBuf, spans: u64) -> Result<(), Failure> {
    let traces = (spans / SPANS_OF_A_TRACE).max(1);
    let mut made: u64 = fs::read_to_string(mark).map_or(Ok(0), |told| told.trim().parse())?;
    if made >= traces {
        return Ok(());
    }
    let style = "making spans  {bar:40} {human_pos} of {human_len} traces  {eta} left";
    let progress = ProgressBar::new(traces).with_style(ProgressStyle::with_template(style)?).with_position(made);
    while made < traces {
        let to = (made + TRACES_AT_ONCE).min(traces);
        let sql = [
            ("database", database),
            ("traces", &traces.to_string()),
            ("from", &made.to_string()),
            ("to", &to.to_string()),
        ]
        .iter()
        .fold(include_str!("spans.sql").to_owned(), |sql, (name, value)| {
            sql.replace(&format!("{{{{{name}}}}}"), value)
        });
        clickhouse.execute(&sql).await?;
        made = to;
        progress.set_position(made);
        fs::write(mark, made.to_string())?;
    }
    progress.finish_and_clear();
    for table in [
        "assistants_tracing_spans",
        "assistant_spans_15m",
        "assistant_spans_1h",
        "assistant_latencies",
        "assistant_latencies_1h",
        "assistant_latency_totals_1h",
        "assistant_users_1h",
    ] {
        clickhouse.execute(&format!("OPTIMIZE TABLE `{database}`.{table} FINAL")).await?;
    }
    // Parts that were merged are still there for a while, and their files in the way.
    tokio::time::sleep(Duration::from_secs(10)).await;
    Ok(())
}

async fn tell_sizes(clickhouse: &ClickHouse, database: &str) -> Result<(), Failure> {
    let sizes = format!(
        "SELECT concat(table, ': ', toString(sum(rows)), ' rows in ', toString(count()), ' parts, ', formatReadableSize(sum(bytes_on_disk)))
         FROM system.parts WHERE active AND database = '{database}' AND rows > 0 AND table LIKE 'assistant%' GROUP BY table ORDER BY table"
    );
    for line in clickhouse.fetch::<String>(&sizes).await? {
        println!("{line}");
    }
    Ok(())
}

/// Asks every question again and again, in turn, so that a busy moment is nobody's alone.
fn ask(mut client: Client, traces: &[String], repeat: u64, only: &str) -> Result<(), Failure> {
    let mut questions = questions();
    questions.push(Question { name: "one trace by id", path: String::new(), goal_ms: Some(20.0) });
    questions.retain(|question| question.name.contains(only));
    let mut asked: Vec<Vec<Asked>> = questions.iter().map(|_| Vec::new()).collect();
    let mut busy = vec![0.0; questions.len()];
    let began = Instant::now();
    for round in 0..=repeat {
        for ((question, asked), busy) in questions.iter().zip(&mut asked).zip(&mut busy) {
            let path = match question.path.as_str() {
                "" => format!("assistants/traces/{}", traces[round as usize % traces.len()]),
                path => format!("assistants/{path}").replace("/?", "?"),
            };
            let before = busy_ms()?;
            let answer = client.ask(&path)?;
            // The first time files are opened.
            if round > 0 {
                asked.push(answer);
                *busy += busy_ms()? - before;
            }
        }
    }
    println!("\n{repeat} times each, {:.0} s; load {}", began.elapsed().as_secs_f64(), load());
    println!(
        "\n| question | p50 ms | p99 ms | engine p50 ms | ratio | added p50 ms | CPU ms | rows read | goal ms | |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for ((Question { name, goal_ms, .. }, asked), busy) in questions.iter().zip(&asked).zip(&busy) {
        let of = |value: fn(&Asked) -> f64, rank| quantile(&mut asked.iter().map(value).collect::<Vec<_>>(), rank);
        let (p50, engine) = (of(|asked| asked.waited_ms, 0.5), of(|asked| asked.engine_ms, 0.5));
        let rows = asked.iter().map(|asked| asked.rows_read).max().unwrap_or(0);
        let verdict = goal_ms.map_or("", |goal| if p50 <= goal { "met" } else { "missed" });
        println!(
            "| {name} | {p50:.2} | {:.2} | {engine:.2} | {:.2} | {:.2} | {:.0} | {rows} | {} | {verdict} |",
            of(|asked| asked.waited_ms, 0.99),
            p50 / engine,
            of(|asked| asked.waited_ms - asked.engine_ms, 0.5),
            busy / repeat as f64,
            goal_ms.map_or_else(String::new, |goal| goal.to_string()),
        );
    }
    Ok(())
}

fn load() -> String {
    fs::read_to_string("/proc/loadavg").unwrap_or_default().split(' ').take(3).collect::<Vec<_>>().join(" ")
}
