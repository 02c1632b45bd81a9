//! `chartwell check`

use std::time::Duration;

use super::Failure;
use super::program::{Program, target};
use crate::alerts::rules::Rules;
use crate::config::Config;
use crate::ingest::PriceBook;
use crate::migrations::{Migrator, State, migrations};
use crate::repository::read_assistant_names;
use crate::verification::verify_templates;

pub fn check(config: &Config) -> Result<(), Failure> {
    crate::app::check(config)?;
    println!("settings     ok");
    let prices = PriceBook::open(config.ingest.prices.as_deref())?;
    println!("price book   ok  {} prices", prices.len());
    println!("alerts       ok  {} rules", Rules::of(config)?.rules.len());
    let program = Program::beside(config)?;
    program.runtime.block_on(async {
        let version: Vec<String> = program.clickhouse.fetch("SELECT version()").await?;
        println!("engine       ok  ClickHouse {}", version.concat());
        let migrations = migrations()?;
        for account in &config.server.accounts {
            let migrator = Migrator {
                clickhouse: &program.clickhouse,
                target: target(config, account),
                migrations: &migrations,
                is_alone: program.clickhouse.is_embedded(),
                may_shorten_retention: false,
            };
            let status = migrator.status().await?;
            if let Some(status) = status.iter().find(|status| status.state != State::Applied) {
                let (file, state) = (&status.file, status.state);
                return Err(format!("account {account}: migration {file} is {state:?}; run `chartwell migrate`")
                    .to_lowercase()
                    .into());
            }
            println!("migrations   ok  {account}: {} applied", status.len());
            check_admin_db(config, &program, &migrator).await?;
            let templates = verify_templates(&program.clickhouse, account).await?;
            println!("templates    ok  {account}: {templates} statements accepted");
        }
        Ok(())
    })
}

/// The engine gives up on connecting before.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads from the operational database of an account, where there is one.
async fn check_admin_db(config: &Config, program: &Program, migrator: &Migrator<'_>) -> Result<(), Failure> {
    let account = &migrator.target.account;
    let outdated = migrator.is_admin_db_outdated().await?;
    if outdated {
        return Err(format!(
            "account {account}: the table of the operational database is not as CHARTWELL_ADMIN_DB_URL says; run `chartwell migrate`"
        )
        .into());
    }
    if config.clickhouse.admin_db_url.is_none() {
        return Ok(());
    }
    let admin_db = migrator.target.admin_db.as_ref();
    let read = read_assistant_names(&program.clickhouse, account, admin_db);
    let read = tokio::time::timeout(PATIENCE, read).await;
    let read = read.map_err(|_| "it does not answer".to_owned()).and_then(|read| read.map_err(|error| error.message));
    match read {
        Ok(names) => println!("admin db     ok  {account}: {} assistants", names.codes.len()),
        Err(reason) => {
            let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
            return Err(format!(
                "account {account}: the operational database cannot be read: {reason} (CHARTWELL_ADMIN_DB_URL)"
            )
            .into());
        }
    }
    Ok(())
}
