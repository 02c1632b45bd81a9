//! What tests stand on: the engine of this process, and clients of it over both ways.

use std::sync::OnceLock;

use chartwell::clickhouse::embedded::{Engine, EngineConfig, serve_tcp};
use chartwell::clickhouse::{ClickHouse, Place};
use chartwell::config::{Account, ClickHouseConfig, QueryConfig};
use chartwell::migrations::{Migrator, Target, migrations};
use tokio::net::TcpListener;

/// The engine of this test process, in a folder that goes with it.
pub fn engine() -> &'static Engine {
    static ENGINE: OnceLock<&'static Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder").keep();
        let config = EngineConfig { library: None, folder, memory_bytes: 4 << 30 };
        Engine::start(&config).expect("the engine starts")
    })
}

/// How a test reaches the engine: as the program does by default, or as it reaches a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    Pipe,
    Tcp,
}

pub async fn clickhouse(via: Via) -> ClickHouse {
    clickhouse_with(via, &QueryConfig::default()).await
}

pub async fn clickhouse_with(via: Via, limits: &QueryConfig) -> ClickHouse {
    match via {
        Via::Pipe => ClickHouse::new(Place::Embedded(engine()), limits),
        Via::Tcp => {
            let url = serve_engine().await;
            ClickHouse::new(Place::Server(&ClickHouseConfig::default(), &url), limits)
        }
    }
}

/// Serves the engine on a socket and returns its URL.
pub async fn serve_engine() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(serve_tcp(engine(), listener));
    format!("http://{address}")
}

pub fn account(name: &str) -> Account {
    name.parse().expect("an account name")
}

pub fn target(name: &str) -> Target {
    Target { account: account(name), cluster: None, retention_days: 90 }
}

/// Brings the tables of an account up to date.
pub async fn migrate(clickhouse: &ClickHouse, name: &str) {
    let migrations = migrations().expect("the migrations are in order");
    let migrator = Migrator {
        clickhouse,
        target: target(name),
        migrations: &migrations,
        is_alone: false,
        may_shorten_retention: false,
    };
    migrator.run().await.unwrap_or_else(|error| panic!("{error}"));
}
