//! The commands of the program.

mod alerts;
mod backup;
mod check;
mod dead_letters;
mod demo;
mod erase;
mod import;
mod migrate;
mod prices;
mod program;
mod reach;
mod serve;
mod stop;
mod token;
mod watching;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::{Config, Flags};

/// Realtime analytics for AI assistants and agent-assist tools.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Settings file; without it, chartwell.toml where there is one
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Migrate, then serve API, docs and ingestion on one port
    Serve {
        /// Do not migrate; the tables must be up to date
        #[arg(long)]
        no_migrate: bool,
        #[command(flatten)]
        server: ServerFlags,
    },
    /// Apply pending migrations, and exit
    Migrate(migrate::MigrateFlags),
    /// Serve account `demo`, filled with deterministic, realistic data
    Demo {
        #[command(flatten)]
        demo: demo::DemoFlags,
        #[command(flatten)]
        server: ServerFlags,
    },
    /// Take in files of rows: NDJSON, CSV or Parquet; again changes nothing
    Import(import::ImportFlags),
    /// List or replay rows that were accepted and that the engine refused for good
    DeadLetters {
        #[command(subcommand)]
        command: dead_letters::DeadLettersCommand,
    },
    /// Delete what is known of one visitor, and print a receipt
    Erase(erase::EraseFlags),
    /// Back up the embedded engine, also while it serves
    Backup(backup::BackupFlags),
    /// Restore a backup into an empty data folder
    Restore(backup::RestoreFlags),
    /// List models without a price, or compute costs again by the prices of today
    Prices {
        #[command(subcommand)]
        command: prices::PricesCommand,
    },
    /// Try out a rule of alerts
    Alerts {
        #[command(subcommand)]
        command: alerts::AlertsCommand,
    },
    /// Print a signed development token
    Token(token::TokenFlags),
    /// Print the OpenAPI document
    Openapi,
    /// Verify settings, engine, migrations and SQL templates
    Check,
}

/// Settings that are often given on the command line.
#[derive(Debug, Args)]
struct ServerFlags {
    /// Address to listen on; port 0 is any free one
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Folder of the embedded engine
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<String>,
}

impl ServerFlags {
    fn settings(&self) -> Flags {
        let flags = [("listen", &self.listen), ("data_dir", &self.data_dir)];
        flags.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect()
    }
}

/// Why a command failed: one line, that says what to do.
pub type Failure = Box<dyn std::error::Error>;

/// Runs a command.
pub fn run(cli: Cli) -> Result<(), Failure> {
    let load = |flags: &Flags| Config::load(cli.config.as_deref(), flags);
    match cli.command {
        Command::Serve { no_migrate, server } => {
            let flags = server.settings();
            serve::serve(&|| Config::load(cli.config.as_deref(), &flags), no_migrate)
        }
        Command::Migrate(flags) => migrate::migrate(&load(&Flags::new())?, &flags),
        Command::Demo { demo, server } => demo::demo(load(&server.settings())?, &demo),
        Command::Import(flags) => import::import(&load(&Flags::new())?, &flags),
        Command::DeadLetters { command } => dead_letters::dead_letters(&load(&Flags::new())?, &command),
        Command::Erase(flags) => erase::erase(&load(&Flags::new())?, &flags),
        Command::Backup(flags) => backup::backup(&load(&Flags::new())?, &flags),
        Command::Restore(flags) => backup::restore(&load(&Flags::new())?, &flags),
        Command::Prices { command } => prices::prices(&load(&Flags::new())?, &command),
        Command::Alerts { command } => alerts::alerts(&load(&Flags::new())?, &command),
        Command::Token(flags) => token::token(&load(&Flags::new())?, &flags),
        Command::Openapi => {
            println!("{}", crate::app::description().to_pretty_json()?);
            Ok(())
        }
        Command::Check => check::check(&load(&Flags::new())?),
    }
}
