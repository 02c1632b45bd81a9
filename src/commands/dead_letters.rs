//! `chartwell dead-letters`

use std::sync::Arc;

use chrono::Utc;
use clap::{Args, Subcommand};
use uuid::Uuid;

use super::Failure;
use super::program::Program;
use crate::clickhouse::{ClickHouse, Freshness};
use crate::config::{Account, Config};
use crate::ingest::{PriceBook, Reading, stored_row};
use crate::migrations::salt;
use crate::rows::Counters;
use crate::writer::{DeadLetter, Inserter, ReplayError};

#[derive(Debug, Subcommand)]
pub enum DeadLettersCommand {
    /// List them: account, id, table, time, reason, row
    List(Chosen),
    /// Insert their rows again, each once, and remove those that were inserted
    Replay(Chosen),
}

#[derive(Debug, Args)]
pub struct Chosen {
    /// Only this account
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<Account>,
    /// Only these dead letters
    #[arg(value_name = "ID")]
    ids: Vec<Uuid>,
}

pub fn dead_letters(config: &Config, command: &DeadLettersCommand) -> Result<(), Failure> {
    let (chosen, is_replay) = match command {
        DeadLettersCommand::List(chosen) => (chosen, false),
        DeadLettersCommand::Replay(chosen) => (chosen, true),
    };
    if let Some(only) = chosen.account.as_ref().filter(|only| !config.server.accounts.contains(only)) {
        return Err(format!("{only} is not one of CHARTWELL_ACCOUNTS").into());
    }
    let prices = PriceBook::open(config.ingest.prices.as_deref())?;
    let program = Program::beside(config)?;
    program.runtime.block_on(async {
        let accounts =
            config.server.accounts.iter().filter(|account| chosen.account.as_ref().is_none_or(|only| only == *account));
        let freshness = Freshness::new(program.clickhouse.clone());
        let inserter = Inserter::new(program.clickhouse.clone(), Arc::new(freshness), Arc::new(Counters::default()));
        let (mut replayed, mut refused) = (0_u64, 0_u64);
        for account in accounts {
            let letters = inserter.dead_letters().list(account).await.map_err(|error| error.message)?;
            for letter in
                letters.iter().filter(|letter| chosen.ids.is_empty() || chosen.ids.contains(&letter.dead_letter_id))
            {
                let (id, table) = (letter.dead_letter_id, &letter.table_name);
                // One line each, whatever the engine said.
                let line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
                if !is_replay {
                    let (time, reason, row) =
                        (letter.dead_at.to_rfc3339(), line(&letter.reason), line(&letter.document));
                    println!("{account}\t{id}\t{table}\t{time}\t{reason}\t{row}");
                    continue;
                }
                match replay((config, &prices), &program.clickhouse, &inserter, account, letter).await {
                    Ok(()) => replayed += 1,
                    Err(error) => {
                        refused += 1;
                        println!("{account}\t{id}\t{table}\t{}", line(&error.to_string()));
                    }
                }
            }
        }
        if is_replay {
            println!("{replayed} replayed, {refused} still dead");
        }
        if refused > 0 {
            Err(format!("{refused} dead letters were refused again; the reasons are above").into())
        } else {
            Ok(())
        }
    })
}

/// Inserts the row of a letter. One that came from Kafka and could not be read is read as files are.
async fn replay(
    (config, prices): (&Config, &PriceBook),
    clickhouse: &ClickHouse,
    inserter: &Inserter,
    account: &Account,
    letter: &DeadLetter,
) -> Result<(), ReplayError> {
    let row = match letter.row()? {
        Some(row) => row,
        None => {
            let salt = salt(clickhouse, account).await.map_err(|error| ReplayError::Refused(error.message))?;
            let (now, retention_days) = (Utc::now(), config.retention().days(account));
            let reading = Reading { now, retention_days, salt: &salt };
            stored_row(letter.table()?, &letter.document, reading, prices)
                .map_err(|rejection| ReplayError::Unreadable(rejection.detail))?
        }
    };
    inserter.replay(account, letter, &row).await
}
