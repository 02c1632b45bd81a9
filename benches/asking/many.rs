//! Many rows, made once by the engine itself, and questions that are asked of them again and again.

use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, fs};

use chartwell::clickhouse::ClickHouse;
use indicatif::{ProgressBar, ProgressStyle};

use crate::asking::{Asked, Client, Failure, busy_ms, quantile};

/// A question, and how long it may take.
pub struct Question {
    pub name: &'static str,
    /// Below `/api/v1/`; each time another one, in turn.
    pub paths: Vec<String>,
    pub goal_ms: Option<f64>,
}

/// Rows that one statement makes a part of: `{{database}}`, `{{all}}`, and what there is from `{{from}}` to `{{to}}`.
pub struct Making<'a> {
    pub statement: &'static str,
    pub database: &'a str,
    /// What is counted: traces, sessions.
    pub of: &'static str,
    pub all: u64,
    /// How many one statement makes.
    pub at_once: u64,
    /// The tables that they are in, and in rollups of.
    pub tables: &'static [&'static str],
}

/// A number of the environment.
pub fn number(name: &str) -> Result<Option<u64>, Failure> {
    let told = env::var(name).ok().filter(|told| !told.is_empty());
    Ok(told.map(|told| told.replace('_', "").parse()).transpose()?)
}

/// Makes what is not there yet; goes on where it was stopped.
pub async fn fill(clickhouse: &ClickHouse, mark: &Path, making: &Making<'_>) -> Result<(), Failure> {
    let mut made: u64 = fs::read_to_string(mark).map_or(Ok(0), |told| told.trim().parse())?;
    if made >= making.all {
        return Ok(());
    }
    let style = format!("making {}  {{bar:40}} {{human_pos}} of {{human_len}}  {{eta}} left", making.of);
    let progress = ProgressBar::new(making.all).with_style(ProgressStyle::with_template(&style)?).with_position(made);
    while made < making.all {
        let to = (made + making.at_once).min(making.all);
        let sql = [
            ("database", making.database),
            ("all", &making.all.to_string()),
            ("from", &made.to_string()),
            ("to", &to.to_string()),
        ]
        .iter()
        .fold(making.statement.to_owned(), |sql, (name, value)| sql.replace(&format!("{{{{{name}}}}}"), value));
        clickhouse.execute(&sql).await?;
        made = to;
        progress.set_position(made);
        fs::write(mark, made.to_string())?;
    }
    progress.finish_and_clear();
    for table in making.tables {
        clickhouse.execute(&format!("OPTIMIZE TABLE `{}`.{table} FINAL", making.database)).await?;
    }
    // Parts that were merged are still there for a while, and their files in the way.
    tokio::time::sleep(Duration::from_secs(10)).await;
    Ok(())
}

/// How large the tables are.
pub async fn tell_sizes(clickhouse: &ClickHouse, making: &Making<'_>) -> Result<(), Failure> {
    let sizes = format!(
        "SELECT concat(table, ': ', toString(sum(rows)), ' rows in ', toString(count()), ' parts, ', formatReadableSize(sum(bytes_on_disk)))
         FROM system.parts WHERE active AND database = '{}' AND rows > 0 AND table IN ('{}') GROUP BY table ORDER BY table",
        making.database,
        making.tables.join("', '"),
    );
    for line in clickhouse.fetch::<String>(&sizes).await? {
        println!("{line}");
    }
    Ok(())
}

/// Asks every question again and again, in turn, so that a busy moment is nobody's alone.
///
/// `REPEAT` says how often, `ONLY` which ones, by a part of their names.
pub fn ask(mut client: Client, mut questions: Vec<Question>) -> Result<(), Failure> {
    let repeat = number("REPEAT")?.unwrap_or(200);
    let only = env::var("ONLY").unwrap_or_default();
    questions.retain(|question| question.name.contains(&only));
    let mut asked: Vec<Vec<Asked>> = questions.iter().map(|_| Vec::new()).collect();
    let mut busy = vec![0.0; questions.len()];
    let began = Instant::now();
    for round in 0..=repeat {
        for ((question, asked), busy) in questions.iter().zip(&mut asked).zip(&mut busy) {
            let before = busy_ms()?;
            let answer = client.ask(&question.paths[round as usize % question.paths.len()])?;
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
