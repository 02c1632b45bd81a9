//! What the commands have in common: engine, runtime, migrations.

use tokio::runtime::Runtime;

use super::Failure;
use super::reach::reach;
use super::stop::stop_signal;
use crate::backup::Restoring;
use crate::clickhouse::embedded::{Engine, EngineConfig, Socket, StartError, serve_socket};
use crate::clickhouse::{ClickHouse, Place};
use crate::config::{Account, Config};
use crate::migrations::{Migrator, Target, migrations, unused_buffers_bytes};
use crate::prices::finish_broken_off;
use crate::telemetry;
use crate::topics::Topics;

/// A running program: the log, the engine where it is embedded, and the runtime.
pub struct Program {
    pub clickhouse: ClickHouse,
    pub runtime: Runtime,
    /// Whether the data folder is that of another process, which serves.
    pub is_beside: bool,
}

impl Program {
    /// Starts with the data folder for itself, where the engine is embedded.
    pub fn start(config: &Config) -> Result<Self, Failure> {
        Restoring::refuse(&config.server.data_dir)?;
        Self::start_to_restore(config)
    }

    /// Starts on a data folder that nobody else may have before all is there.
    pub fn start_to_restore(config: &Config) -> Result<Self, Failure> {
        telemetry::start(&config.log)?;
        if !config.clickhouse.clickhouse_url.is_empty() {
            return Self::on_servers(config);
        }
        // Before the runtime has threads: the engine wants the environment for itself.
        let engine = Engine::start(&engine_config(config)?)?;
        let others_insert = config.ingest.kafka_brokers.is_some();
        let program = Self::on(Place::Embedded { engine, others_insert }, config)?;
        let socket = Socket::of(&config.server.data_dir);
        let _guard = program.runtime.enter();
        match socket.listen() {
            Ok(listener) => drop(program.runtime.spawn(serve_socket(engine, listener))),
            Err(error) => tracing::warn!(%error, "other commands cannot be used on this data folder meanwhile"),
        }
        drop(_guard);
        Ok(program)
    }

    /// Starts with the data folder for itself, or beside the process that has it.
    pub fn beside(config: &Config) -> Result<Self, Failure> {
        match Self::start(config) {
            Err(error) => match error.downcast_ref() {
                Some(StartError::FolderInUse { .. }) => {
                    Self::on(Place::Beside(&Socket::of(&config.server.data_dir)), config)
                }
                _ => Err(error),
            },
            started => started,
        }
    }

    fn on_servers(config: &Config) -> Result<Self, Failure> {
        let program = Self::on(Place::Servers(&config.clickhouse), config)?;
        program.runtime.block_on(async {
            tokio::select! {
                reached = reach(&program.clickhouse, &config.clickhouse) => reached,
                // The first process of a container is not ended by a signal that nobody hears.
                () = stop_signal()? => Err("stopped before ClickHouse could be used".into()),
            }
        })?;
        Ok(program)
    }

    fn on(place: Place<'_>, config: &Config) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let _guard = runtime.enter();
        let clickhouse = ClickHouse::new(place, &config.query)?;
        drop(_guard);
        Ok(Self { clickhouse, runtime, is_beside: matches!(place, Place::Beside(_)) })
    }

    /// Brings the tables of every account up to date; of none, when one would keep its rows for too short a time.
    pub async fn migrate(&self, config: &Config, may_shorten_retention: bool) -> Result<(), Failure> {
        let migrations = migrations()?;
        let of_accounts = config.server.accounts.iter().map(|account| Migrator {
            clickhouse: &self.clickhouse,
            target: target(config, account),
            migrations: &migrations,
            is_alone: self.clickhouse.is_embedded(),
            may_shorten_retention,
        });
        let migrators: Vec<Migrator<'_>> = of_accounts.collect();
        for migrator in &migrators {
            migrator.check_retention().await?;
        }
        if let Some(brokers) = &config.ingest.kafka_brokers {
            Topics::create(brokers, &config.server.accounts).await?;
        }
        for migrator in &migrators {
            let outcome = migrator.run().await?;
            if !outcome.applied.is_empty() {
                let account = &migrator.target.account;
                tracing::info!(%account, files = outcome.applied.len(), "the tables are up to date");
            }
            finish_broken_off(&self.clickhouse, &migrator.target).await?;
        }
        Ok(())
    }
}

pub fn target(config: &Config, account: &Account) -> Target {
    Target {
        account: account.clone(),
        cluster: config.clickhouse.clickhouse_cluster.clone(),
        retention_days: config.retention().days(account),
        kafka_brokers: config.ingest.kafka_brokers.clone(),
        admin_db: config.clickhouse.admin_db_url.as_ref().map(|admin_db| admin_db.of(account)),
    }
}

fn engine_config(config: &Config) -> Result<EngineConfig, Failure> {
    let memory_bytes = match config.clickhouse.engine_memory_bytes {
        0 => machine_memory_bytes() / 10 * 6,
        bytes => bytes,
    };
    // Where a link leads is known once it is there. Who makes a backup is told when it cannot be.
    let _ = std::fs::create_dir_all(config.backup_dir());
    Ok(EngineConfig {
        library: config.clickhouse.engine_library.clone(),
        folder: config.server.data_dir.clone(),
        backups: config.backup_dir(),
        memory_bytes: memory_bytes + unused_buffers_bytes()? * config.server.accounts.len() as u64,
    })
}

/// Memory of the machine, or of the container where that has less.
fn machine_memory_bytes() -> u64 {
    const FALLBACK: u64 = 4 << 30;
    let of_machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        line.trim().trim_end_matches(" kB").parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
    });
    let of_container =
        std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse().ok());
    let of_machine = of_machine.unwrap_or(FALLBACK);
    of_container.map_or(of_machine, |of_container: u64| of_container.min(of_machine))
}
