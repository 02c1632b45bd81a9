//! `chartwell erase`

use std::time::Duration;

use clap::Args;

use super::Failure;
use super::program::Program;
use super::serve::WRITER_PATIENCE;
use crate::app::App;
use crate::config::{Account, Config};
use crate::erasure::Erasure;
use crate::ingest::salt;
use crate::studio::Studio;

#[derive(Debug, Args)]
pub struct EraseFlags {
    /// Account that the visitor is of
    #[arg(long, value_name = "ACCOUNT")]
    account: Account,
    /// Id of the visitor, as it was sent
    #[arg(long, value_name = "ID")]
    visitor: String,
    /// Count the rows, and delete none
    #[arg(long)]
    dry_run: bool,
}

/// How long rows that were accepted wait at the most to be inserted, unless the engine is behind.
const UNTIL_INSERTED: Duration = Duration::from_secs(3);

pub fn erase(config: &Config, flags: &EraseFlags) -> Result<(), Failure> {
    if !config.server.accounts.contains(&flags.account) {
        return Err(format!("{} is not one of CHARTWELL_ACCOUNTS", flags.account).into());
    }
    if flags.visitor.trim().is_empty() {
        return Err("--visitor is empty: rows that name nobody are of nobody".into());
    }
    let program = Program::beside(config)?;
    program.runtime.block_on(async {
        if !program.is_beside {
            // What waits in the spool may be the visitor's as well.
            program.migrate(config, false).await?;
            let app = App::new(config, program.clickhouse.clone(), Studio::new(None)).await?;
            app.serving.ingestion.intake.settled().await;
            app.writer.stop(WRITER_PATIENCE).await;
            app.serving.ingestion.intake.close();
        }
        let salt = salt(&program.clickhouse, &flags.account).await.map_err(|error| error.message)?;
        let erasure = Erasure {
            clickhouse: &program.clickhouse,
            account: &flags.account,
            salt: &salt,
            is_dry_run: flags.dry_run,
        };
        let mut receipt = erasure.erase(&flags.visitor).await?;
        if program.is_beside && !flags.dry_run {
            // What was accepted just before is inserted by then.
            tokio::time::sleep(UNTIL_INSERTED).await;
            receipt.add(erasure.erase(&flags.visitor).await?);
        }
        println!("{}", serde_json::to_string_pretty(&receipt)?);
        Ok(())
    })
}
