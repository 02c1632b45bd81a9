//! Fairness: how much longer a quiet account waits while another one asks ten times as much, or without end.
//!
//! Both have the same questions over as many events, which are made once and kept in a folder below `target/`. `EVENTS`
//! says how many, 2,000,000 unless it does; `RATE` how many questions a second each account has as its share, 4 unless it
//! does; `SECS` how long each round takes; `REPEAT` how many rounds there are of each. The quiet account asks at even
//! distances, the other one at random within each of its turns.

#[allow(dead_code, reason = "what other benches need of it")]
mod asking;
#[allow(dead_code, reason = "likewise")]
#[path = "asking/many.rs"]
mod many;

use std::path::Path;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use asking::{Client, Failure, application, client, config, migrate, quantile, serve};
use chartwell::clickhouse::embedded::{Engine, EngineConfig, leave};
use chartwell::clickhouse::{ClickHouse, Place};
use chartwell::config::Config;
use many::{Making, fill, number};

const QUIET: &str = "quiet";
const LOUD: &str = "loud";
/// The account that is held to its share.
const LIMITED: &str = "limited";

const DAYS: &str = "datetime_from=2026-01-01&datetime_to=2026-03-31";
const QUESTIONS: [&str; 5] =
    ["product/routes", "product/features", "product/filters", "product/client-errors", "product/charts/active-users"];

/// For so long after it began an account may ask far more without being known for it: told apart.
const BEGINNING: Duration = Duration::from_secs(2);

/// What the other account does meanwhile.
#[derive(Clone, Copy)]
enum Other {
    /// Asks nothing.
    Nothing,
    /// Asks as much as the quiet one.
    Share,
    /// Asks ten times as much.
    Tenfold,
    /// Asks ten times as much, and may not.
    TenfoldLimited,
    /// Asks without end, on 32 connections.
    Endless,
}

impl Other {
    const ALL: [Self; 5] = [Self::Nothing, Self::Share, Self::TenfoldLimited, Self::Tenfold, Self::Endless];

    const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Share => "its share",
            Self::Tenfold => "ten times its share",
            Self::TenfoldLimited => "ten times its share, held to it by a limit",
            Self::Endless => "without end, 32 at once",
        }
    }
}

fn main() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure())?;
    leave(0)
}

async fn measure() -> Result<(), Failure> {
    let events: u64 = number("EVENTS")?.unwrap_or(2_000_000);
    let rate = number("RATE")?.unwrap_or(4);
    let secs = Duration::from_secs(number("SECS")?.unwrap_or(30));
    let rounds = number("REPEAT")?.unwrap_or(3);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("target/bench-fairness/{events}"));
    let mut config = config();
    config.server.accounts = [QUIET, LOUD, LIMITED].map(str::parse).into_iter().collect::<Result<_, _>>()?;
    config.limits.account_limits = vec![format!("{LIMITED}:queries_per_minute={}", rate * 60).parse()?];
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
    make(&config, &clickhouse, &folder, events).await?;
    let app = application(&config, clickhouse).await?;
    let address = serve(&config, app).await?.address;
    let measured = tokio::task::spawn_blocking(move || compare(&address, rate, secs, rounds));
    measured.await??;
    Ok(())
}

async fn make(config: &Config, clickhouse: &ClickHouse, folder: &Path, events: u64) -> Result<(), Failure> {
    for account in &config.server.accounts {
        let database = account.analytics_database();
        let making = Making {
            statement: include_str!("product.sql"),
            database: &database,
            of: "sessions",
            all: (events / 20).max(1),
            at_once: 20_000,
            tables: &["product_telemetry_events", "product_facts", "product_uses_1d", "product_presence_15m"],
        };
        for (table, time) in making.tables.iter().zip(["occurred_at", "time", "bucket", "bucket"]) {
            let kept = format!("ALTER TABLE `{database}`.{table} MODIFY TTL toDateTime({time}) + INTERVAL 50 YEAR");
            clickhouse.execute(&kept).await?;
        }
        fill(clickhouse, &folder.join(format!("filled-{account}")), &making).await?;
    }
    Ok(())
}

/// All kinds of rounds in turn, again and again.
fn compare(address: &str, rate: u64, secs: Duration, rounds: u64) -> Result<(), Failure> {
    let mut at_first: [Vec<f64>; Other::ALL.len()] = Default::default();
    let mut waited: [Vec<f64>; Other::ALL.len()] = Default::default();
    let mut answered = [0; Other::ALL.len()];
    // What was never read is not in the page cache; and a limit lets as much through at once as in a minute.
    round(address, Other::Endless, rate, Duration::from_secs(5), 0)?;
    round(address, Other::TenfoldLimited, rate * 5, Duration::from_secs(5), 0)?;
    let beginning = (rate * BEGINNING.as_secs()) as usize;
    for number in 0..rounds {
        for (index, other) in Other::ALL.into_iter().enumerate() {
            let (quiet, of_other) = round(address, other, rate, secs, number)?;
            let (first, then) = quiet.split_at(beginning.min(quiet.len()));
            at_first[index].extend(first);
            waited[index].extend(then);
            answered[index] += of_other;
        }
    }
    let share = Other::ALL.iter().position(|other| matches!(other, Other::Share)).expect("one of all");
    let base = quantile(&mut waited[share], 0.99);
    println!("milliseconds of the quiet account; the first {} s of each round apart", BEGINNING.as_secs());
    println!(
        "{:44}{:>7}{:>7}{:>7}{:>10}{:>11}{:>9}{:>16}",
        "the other account asks", "p50", "p90", "p99", "of share", "first p50", "longest", "its answers/s"
    );
    for (index, other) in Other::ALL.into_iter().enumerate() {
        let [p50, p90, p99] = [0.5, 0.9, 0.99].map(|rank| quantile(&mut waited[index], rank));
        let [first, longest] = [0.5, 1.0].map(|rank| quantile(&mut at_first[index], rank));
        let per_second = f64::from(answered[index]) / (secs.as_secs_f64() * rounds as f64);
        println!(
            "{:44}{p50:7.1}{p90:7.1}{p99:7.1}{:10.2}{first:11.1}{longest:9.1}{per_second:16.1}",
            other.name(),
            p99 / base
        );
    }
    Ok(())
}

/// What the quiet account waited, and how many answers the other one had.
fn round(address: &str, other: Other, rate: u64, secs: Duration, seed: u64) -> Result<(Vec<f64>, u32), Failure> {
    let (account, connections, others_rate) = match other {
        Other::Nothing => (LOUD, 0, rate),
        Other::Share => (LOUD, 4, rate),
        Other::Tenfold => (LOUD, 32, rate * 10),
        Other::TenfoldLimited => (LIMITED, 32, rate * 10),
        Other::Endless => (LOUD, 32, u64::MAX),
    };
    let (turn, answered, stop) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    let began = Instant::now();
    let ask_as_other = |mut client: Client| -> Result<(), Failure> {
        while !stop.load(Ordering::Relaxed) {
            let number = turn.fetch_add(1, Ordering::Relaxed);
            let within = fastrand::Rng::with_seed(seed << 32 | number).f64();
            wait_until(began + due(number as f64 + within, others_rate));
            if client.try_ask(&question(number))? == 200 {
                answered.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        for _ in 0..connections {
            let client = client(address, account)?;
            scope.spawn(|| ask_as_other(client));
        }
        // Each question is due at its time, however long the one before took.
        let ask_as_quiet = || -> Result<Vec<f64>, Failure> {
            let (mut asker, mut waited) = (client(address, QUIET)?, Vec::new());
            for number in 0..rate * secs.as_secs() {
                let due = began + due(number as f64, rate);
                wait_until(due);
                asker.ask(&question(number))?;
                waited.push(due.elapsed().as_secs_f64() * 1e3);
            }
            Ok(waited)
        };
        let waited = ask_as_quiet();
        // Whatever came of it, the others are to end.
        stop.store(true, Ordering::Relaxed);
        Ok((waited?, answered.load(Ordering::Relaxed) as u32))
    })
}

fn due(number: f64, rate: u64) -> Duration {
    if rate == u64::MAX { Duration::ZERO } else { Duration::from_secs_f64(number / rate as f64) }
}

fn wait_until(due: Instant) {
    std::thread::sleep(due.saturating_duration_since(Instant::now()));
}

fn question(number: u64) -> String {
    format!("{}?{DAYS}", QUESTIONS[number as usize % QUESTIONS.len()])
}
