//! `chartwell prices`

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use super::Failure;
use super::import::while_it_serves;
use super::program::{Program, target};
use crate::answer::Money;
use crate::config::{Account, Config};
use crate::ingest::PriceBook;
use crate::prices::{CostChange, Recompute, UnpricedModel, Window, cost_changes, models_without_price};

#[derive(Debug, Subcommand)]
pub enum PricesCommand {
    /// List models that were called and have no price; fails when there are any
    Check {
        #[command(flatten)]
        chosen: Chosen,
        /// Days before now to look at
        #[arg(long, value_name = "DAYS", default_value_t = 30, conflicts_with_all = ["from", "to"])]
        days: u32,
        /// First moment to look at: YYYY-MM-DD, a day in UTC, or RFC 3339
        #[arg(long, value_name = "TIME", value_parser = first_moment)]
        from: Option<DateTime<Utc>>,
        /// End of what is looked at: YYYY-MM-DD includes that day; now, when not given
        #[arg(long, value_name = "TIME", value_parser = end, requires = "from")]
        to: Option<DateTime<Utc>>,
    },
    /// Compute costs again that were computed from the price book; again changes nothing
    Recompute {
        #[command(flatten)]
        chosen: Chosen,
        /// First moment of the calls: YYYY-MM-DD, a day in UTC, or RFC 3339
        #[arg(long, value_name = "TIME", value_parser = first_moment)]
        from: DateTime<Utc>,
        /// End of the calls: YYYY-MM-DD includes that day
        #[arg(long, value_name = "TIME", value_parser = end)]
        to: DateTime<Utc>,
        /// Print what would change, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Debug, Args)]
pub struct Chosen {
    /// Only this account
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<Account>,
}

fn first_moment(text: &str) -> Result<DateTime<Utc>, String> {
    moment(text, 0)
}

fn end(text: &str) -> Result<DateTime<Utc>, String> {
    moment(text, 1)
}

/// A moment, or the midnight so many days after a day.
fn moment(text: &str, days: i64) -> Result<DateTime<Utc>, String> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Ok(moment.to_utc());
    }
    let day: NaiveDate =
        text.parse().map_err(|_| "it is no day like 2026-02-01, and no time like 2026-02-01T10:00:00Z")?;
    let midnight = day.and_time(NaiveTime::MIN).and_utc().checked_add_signed(TimeDelta::days(days));
    midnight.ok_or_else(|| "that is too far away".to_owned())
}

pub fn prices(config: &Config, command: &PricesCommand) -> Result<(), Failure> {
    let (PricesCommand::Check { chosen, .. } | PricesCommand::Recompute { chosen, .. }) = command;
    if let Some(only) = chosen.account.as_ref().filter(|only| !config.server.accounts.contains(only)) {
        return Err(format!("{only} is not one of CHARTWELL_ACCOUNTS").into());
    }
    let window = window(command)?;
    let prices = PriceBook::open(config.ingest.prices.as_deref())?;
    let mut config = config.clone();
    if let Some(only) = &chosen.account {
        config.server.accounts = vec![only.clone()];
    }
    let program = match command {
        PricesCommand::Recompute { dry_run: false, .. } => Program::start(&config).map_err(while_it_serves)?,
        PricesCommand::Check { .. } | PricesCommand::Recompute { .. } => Program::beside(&config)?,
    };
    program.runtime.block_on(async {
        if !program.is_beside {
            program.migrate(&config, false).await?;
        }
        match command {
            PricesCommand::Check { .. } => check(&config, &program, window, &prices).await,
            PricesCommand::Recompute { dry_run: true, .. } => preview(&config, &program, window, &prices).await,
            PricesCommand::Recompute { .. } => recompute(&config, &program, window, &prices).await,
        }
    })
}

fn window(command: &PricesCommand) -> Result<Window, Failure> {
    let now = Utc::now();
    let window = match command {
        PricesCommand::Check { days, from: None, .. } => {
            Window { from: now - TimeDelta::days((*days).into()), to: now }
        }
        PricesCommand::Check { from: Some(from), to, .. } => Window { from: *from, to: to.unwrap_or(now) },
        PricesCommand::Recompute { from, to, .. } => Window { from: *from, to: *to },
    };
    if window.from >= window.to { Err("--from is not before --to".into()) } else { Ok(window) }
}

async fn check(config: &Config, program: &Program, window: Window, prices: &PriceBook) -> Result<(), Failure> {
    const HEADER: [&str; 9] = [
        "account",
        "provider",
        "model",
        "calls",
        "input tokens",
        "output tokens",
        "first seen",
        "last seen",
        "priced now",
    ];
    let (mut rows, mut can_be_priced) = (vec![HEADER.map(str::to_owned).to_vec()], false);
    for account in &config.server.accounts {
        for unpriced in models_without_price(&program.clickhouse, &target(config, account), window, prices).await? {
            let UnpricedModel { provider, model, first_seen, last_seen, .. } = unpriced;
            can_be_priced |= unpriced.calls_with_price > 0;
            let [calls, input, output, priced] =
                [unpriced.calls, unpriced.input_tokens, unpriced.output_tokens, unpriced.calls_with_price]
                    .map(|number| number.to_string());
            rows.push(vec![account.to_string(), provider, model, calls, input, output, first_seen, last_seen, priced]);
        }
    }
    let models = rows.len() - 1;
    if models == 0 {
        println!("every model that was called has a price");
        return Ok(());
    }
    print_table(&rows);
    let hint =
        if can_be_priced { "; `chartwell prices recompute` gives a cost to calls that have a price now" } else { "" };
    let models = if models == 1 { "one model has".to_owned() } else { format!("{models} models have") };
    Err(format!("{models} no price: add it to the price book (CHARTWELL_PRICES){hint}").into())
}

/// What would change, by account, month and model.
async fn preview(config: &Config, program: &Program, window: Window, prices: &PriceBook) -> Result<(), Failure> {
    const HEADER: [&str; 7] = ["account", "month", "provider", "model", "calls", "cost before", "cost after"];
    let mut rows = vec![HEADER.map(str::to_owned).to_vec()];
    for account in &config.server.accounts {
        for change in cost_changes(&program.clickhouse, &target(config, account), window, prices).await? {
            let CostChange { month, provider, model, calls, before_usd, after_usd } = change;
            let month = format!("{}-{:02}", month / 100, month % 100);
            let [before_usd, after_usd] = [before_usd, after_usd].map(|cost: Money| cost.to_string());
            rows.push(vec![account.to_string(), month, provider, model, calls.to_string(), before_usd, after_usd]);
        }
    }
    if rows.len() == 1 {
        println!("nothing would change");
    } else {
        print_table(&rows);
    }
    Ok(())
}

async fn recompute(config: &Config, program: &Program, window: Window, prices: &PriceBook) -> Result<(), Failure> {
    let bar = ProgressBar::new_spinner();
    bar.set_style(ProgressStyle::with_template("{spinner} {msg}  {elapsed}")?);
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    for account in &config.server.accounts {
        let target = target(config, account);
        let kept_days = target.retention_days;
        if kept_days > 0 && window.from < Utc::now() - TimeDelta::days(kept_days.into()) {
            let kept = format!("calls are kept for {kept_days} days: the cost of what is older stays in the rollups");
            bar.suspend(|| println!("{account}\t{kept}"));
        }
        let recompute = Recompute { clickhouse: &program.clickhouse, target: &target };
        let tell = |step: &str| {
            bar.set_message(format!("{account}: {step}"));
            bar.suspend(|| println!("{account}\t{step}"));
        };
        let changed = recompute.run(window, prices, &tell).await?;
        bar.suspend(|| println!("{account}\t{changed} calls have another cost"));
    }
    bar.finish_and_clear();
    Ok(())
}

/// Prints rows under each other, the first of them the header. Names come from outside: they are told on one line.
fn print_table(rows: &[Vec<String>]) {
    let line = |text: &str| text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| line(cell)).collect()).collect();
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in &rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        println!("{}", cells.join("  ").trim_end());
    }
}
