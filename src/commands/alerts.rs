//! `chartwell alerts`

use std::sync::Arc;

use chrono::Utc;
use clap::Subcommand;
use serde_json::json;

use super::Failure;
use super::program::Program;
use crate::alerts::book::{Message, Outcome};
use crate::alerts::courier::Courier;
use crate::alerts::metric::{Questions, reader};
use crate::alerts::rules::{Rule, Rules};
use crate::alerts::state::Standing;
use crate::alerts::watch::value;
use crate::clickhouse::Freshness;
use crate::config::Config;
use crate::domains::Domains;
use crate::repository::{OperationalDatabase, Repository};

#[derive(Debug, Subcommand)]
pub enum AlertsCommand {
    /// Evaluate a rule now, and tell nobody
    Test {
        /// Its name
        rule: String,
        /// Send a message to its channel, to see whether it arrives; nothing is evaluated
        #[arg(long)]
        send: bool,
    },
}

pub fn alerts(config: &Config, AlertsCommand::Test { rule, send }: &AlertsCommand) -> Result<(), Failure> {
    let file = config
        .alerts
        .file()
        .ok_or("there are no rules: CHARTWELL_ALERTS names no file, and there is no alerts.toml")?;
    let rules = Rules::of(config)?;
    let names: Vec<&str> = rules.rules.iter().map(|rule| rule.name.as_str()).collect();
    let rule = rules
        .rule(rule)
        .ok_or_else(|| format!("{} has no rule `{rule}`, only {}", file.display(), names.join(", ")))?;
    if *send { send_to_channel(rule, &rules) } else { evaluate(config, rule) }
}

fn send_to_channel(rule: &Rule, rules: &Rules) -> Result<(), Failure> {
    let name = rule.channel.as_ref().ok_or_else(|| format!("rule `{}` names no channel", rule.name))?;
    let channel = &rules.channels[name];
    let now = Utc::now();
    let text = format!("This is a test of rule `{}`: nothing has happened.", rule.name);
    let message = Message {
        id: format!("test-{}", uuid::Uuid::now_v7().simple()),
        channel: name.clone(),
        body: json!({"type": "alerts.test", "timestamp": now.to_rfc3339(), "text": text, "data": {"rule": rule.name}}),
        created_at: now,
        tries: 0,
        next_try: now,
        outcome: Outcome::Waiting,
        reason: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime
        .block_on(Courier::to(channel)?.send(&message, now))
        .map_err(|reason| format!("channel `{name}` did not take the message: {reason}"))?;
    println!("channel `{name}` has taken the message");
    Ok(())
}

fn evaluate(config: &Config, rule: &Rule) -> Result<(), Failure> {
    let program = Program::beside(config)?;
    program.runtime.block_on(async {
        let clickhouse = &program.clickhouse;
        let freshness = Arc::new(Freshness::new(clickhouse.clone()));
        let repository = Arc::new(Repository::new(clickhouse.clone(), freshness));
        let operational = OperationalDatabase::new(clickhouse, &config.clickhouse, &config.server.accounts);
        let questions = &Questions(Domains::new(repository, Arc::new(operational), config));
        for account in &rule.accounts {
            let now = Utc::now();
            let found = value(questions, &reader(account), rule, now).await.map_err(|error| error.to_string())?;
            let (at_once, _) = Standing::new(now).next(rule, found, now, false);
            let found = found.map_or_else(|| "no data".to_owned(), |value| value.to_string());
            let side = if rule.threshold.is_upper { "above" } else { "below" };
            println!(
                "{account}: {} is {found}; {side} {} counts: {}",
                rule.metric.name(),
                rule.threshold.value,
                at_once.state.name()
            );
        }
        Ok(())
    })
}
