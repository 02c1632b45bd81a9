//! What the commands have in common: engine, runtime, migrations.

use tokio::runtime::Runtime;

use super::Failure;
use super::reach::reach;
use crate::clickhouse::embedded::{Engine, EngineConfig};
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
}

impl Program {
    pub fn start(config: &Config) -> Result<Self, Failure> {
        telemetry::start_log(&config.log)?;
        // Before the runtime has threads: the engine wants the environment for itself.
        let is_embedded = config.clickhouse.clickhouse_url.is_empty();
        let engine = if is_embedded { Some(Engine::start(&engine_config(config)?)?) } else { None };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let _guard = runtime.enter();
        let place = match engine {
            Some(engine) => Place::Embedded { engine, others_insert: config.ingest.kafka_brokers.is_some() },
            None => Place::Servers(&config.clickhouse),
        };
        let clickhouse = ClickHouse::new(place, &config.query);
        drop(_guard);
        if !is_embedded {
            runtime.block_on(reach(&clickhouse, &config.clickhouse))?;
        }
        Ok(Self { clickhouse, runtime })
    }

    /// Brings the tables of every account up to date.
    pub async fn migrate(&self, config: &Config, may_shorten_retention: bool) -> Result<(), Failure> {
        if let Some(brokers) = &config.ingest.kafka_brokers {
            Topics::create(brokers, &config.server.accounts).await?;
        }
        let migrations = migrations()?;
        for account in &config.server.accounts {
            let migrator = Migrator {
                clickhouse: &self.clickhouse,
                target: target(config, account),
                migrations: &migrations,
                is_alone: self.clickhouse.is_embedded(),
                may_shorten_retention,
            };
            let outcome = migrator.run().await?;
            if !outcome.applied.is_empty() {
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
    Ok(EngineConfig {
        library: config.clickhouse.engine_library.clone(),
        folder: config.server.data_dir.clone(),
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
