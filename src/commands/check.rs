//! `chartwell check`

use super::Failure;
use super::program::{Program, target};
use crate::config::Config;
use crate::migrations::{Migrator, State, migrations};
use crate::verification::verify_templates;

pub fn check(config: &Config) -> Result<(), Failure> {
    println!("settings     ok");
    let program = Program::start(config)?;
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
            let templates = verify_templates(&program.clickhouse, account).await?;
            println!("templates    ok  {account}: {templates} statements accepted");
        }
        Ok(())
    })
}
