//! `chartwell erase`

use clap::Args;

use super::Failure;
use super::import::while_it_serves;
use super::program::Program;
use crate::app::App;
use crate::config::{Account, Config};
use crate::erasure::Erasure;
use crate::ingest::salt;
use crate::page::Page;

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

pub fn erase(config: &Config, flags: &EraseFlags) -> Result<(), Failure> {
    if !config.server.accounts.contains(&flags.account) {
        return Err(format!("{} is not one of CHARTWELL_ACCOUNTS", flags.account).into());
    }
    if flags.visitor.trim().is_empty() {
        return Err("--visitor is empty: rows that name nobody are of nobody".into());
    }
    let program = Program::start(config).map_err(while_it_serves)?;
    program.runtime.block_on(async {
        program.migrate(config, false).await?;
        // What waits in the spool may be the visitor's as well.
        let app = App::new(config, program.clickhouse.clone(), Page::new(None)).await?;
        app.serving.ingestion.intake.settled().await;
        let salt = salt(&program.clickhouse, &flags.account).await.map_err(|error| error.message)?;
        let erasure = Erasure {
            clickhouse: &program.clickhouse,
            account: &flags.account,
            salt: &salt,
            is_dry_run: flags.dry_run,
        };
        let receipt = erasure.erase(&flags.visitor).await?;
        println!("{}", serde_json::to_string_pretty(&receipt)?);
        app.writer.stop(super::serve::WRITER_PATIENCE).await;
        app.serving.ingestion.intake.close();
        Ok(())
    })
}
