//! `chartwell migrate`

use clap::Args;

use super::Failure;
use super::program::{Program, target};
use crate::config::{Account, Config};
use crate::migrations::{Migrator, State, migrations};

#[derive(Debug, Args)]
pub struct MigrateFlags {
    /// Print applied, pending and edited migrations, and change nothing
    #[arg(long, conflicts_with = "dry_run")]
    status: bool,
    /// Print the statements that would run, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Then run every file once more, also those that were applied: servers that were added to a cluster get their tables
    #[arg(long, conflicts_with_all = ["status", "dry_run"])]
    again: bool,
    /// Only this account
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<Account>,
    /// Delete raw rows that are older than CHARTWELL_RETENTION_DAYS, where they were kept longer before
    #[arg(long)]
    shorten_retention: bool,
}

pub fn migrate(config: &Config, flags: &MigrateFlags) -> Result<(), Failure> {
    let mut config = config.clone();
    if let Some(only) = &flags.account {
        if !config.server.accounts.contains(only) {
            return Err(format!("{only} is not one of CHARTWELL_ACCOUNTS").into());
        }
        config.server.accounts = vec![only.clone()];
    }
    let program = Program::start(&config)?;
    program.runtime.block_on(async {
        if !flags.status && !flags.dry_run {
            program.migrate(&config, flags.shorten_retention).await?;
            if !flags.again {
                println!("up to date");
                return Ok(());
            }
        }
        let migrations = migrations()?;
        for account in &config.server.accounts {
            let migrator = Migrator {
                clickhouse: &program.clickhouse,
                target: target(&config, account),
                migrations: &migrations,
                is_alone: program.clickhouse.is_embedded(),
                may_shorten_retention: false,
            };
            if flags.again {
                migrator.run_again().await?;
                println!("{account}\tup to date on every server");
            } else if flags.status {
                for status in migrator.status().await? {
                    let state = match status.state {
                        State::Applied => "applied",
                        State::Pending => "pending",
                        State::Edited => "edited",
                    };
                    println!("{account}\t{state}\t{}", status.file);
                }
            } else {
                let statements = migrator.dry_run().await?;
                if statements.is_empty() {
                    println!("-- {account}: nothing is pending");
                }
                for (file, statement) in statements {
                    println!("-- {account}: {file}\n{statement};\n");
                }
            }
        }
        Ok(())
    })
}
