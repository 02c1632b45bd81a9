//! `chartwell erase`

use std::time::Duration;

use clap::Args;

use super::Failure;
use super::program::Program;
use super::serve::WRITER_PATIENCE;
use crate::app::App;
use crate::config::{Account, Config};
use crate::erasure::Erasure;
use crate::migrations::salt;
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

/// How long the spool may take to be empty.
const SPOOL_PATIENCE: Duration = Duration::from_secs(600);

const NOT_COMPLETE: &str = "this receipt lacks what was accepted before and still waited to be inserted: run the command again when \
                            `chartwell_spool_rows` of every instance has been 0 since, and Kafka's topics, where there are any, \
                            are read to their end";

pub fn erase(config: &Config, flags: &EraseFlags) -> Result<(), Failure> {
    if !config.server.accounts.contains(&flags.account) {
        return Err(format!("{} is not one of CHARTWELL_ACCOUNTS", flags.account).into());
    }
    if flags.visitor.trim().is_empty() {
        return Err("--visitor is empty: rows that name nobody are of nobody".into());
    }
    let program = Program::beside(config)?;
    program.runtime.block_on(async {
        // Beside servers an instance may have the data folder, and each has a spool of its own: they are let be.
        let is_alone = !program.is_beside && config.clickhouse.clickhouse_url.is_empty();
        let is_settled = is_alone && settle(&program, config).await?;
        let salt = salt(&program.clickhouse, &flags.account).await.map_err(|error| error.message)?;
        let mut erasure = Erasure::new(&program.clickhouse, &flags.account, &salt, &flags.visitor, flags.dry_run);
        erasure.pass().await?;
        if !is_settled && !flags.dry_run {
            // What was accepted just before is inserted by then, as a rule.
            tokio::time::sleep(UNTIL_INSERTED).await;
            erasure.pass().await?;
        }
        let receipt = erasure.receipt(is_settled);
        println!("{}", serde_json::to_string_pretty(&receipt)?);
        if !receipt.complete {
            tracing::warn!("{NOT_COMPLETE}");
        }
        Ok(())
    })
}

/// Has what waits in the spool inserted, which may be the visitor's as well; `false` when that is not all there is.
async fn settle(program: &Program, config: &Config) -> Result<bool, Failure> {
    program.migrate(config, false).await?;
    let app = App::new(config, program.clickhouse.clone(), Studio::new(None)).await?;
    let settled = tokio::time::timeout(SPOOL_PATIENCE, app.serving.ingestion.intake.settled()).await;
    app.writer.stop(WRITER_PATIENCE).await;
    app.serving.ingestion.intake.close();
    Ok(settled.is_ok() && config.ingest.kafka_brokers.is_none())
}
