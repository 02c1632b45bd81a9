//! How the client connects, and what every statement says wherever it goes.

use std::time::Duration;

use clickhouse::{Client, Compression};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::embedded::{Engine, PipeConnector, Socket, SocketConnector};
use super::servers::Servers;
use crate::config::{ClickHouseConfig, ServerUrl};
use crate::outbound::{self, ClientError};

/// Where the client connects to.
#[derive(Clone, Copy)]
pub enum Place<'a> {
    /// `others_insert`: besides this process, the engine itself takes rows in.
    Embedded { engine: &'static Engine, others_insert: bool },
    /// The engine of another process, on this machine.
    Beside(&'a Socket),
    /// The servers that the settings name, of which there must be one; inside of a runtime.
    Servers(&'a ClickHouseConfig),
}

/// What statements on a cluster wait for.
const OF_A_CLUSTER: [(&str, &str); 6] = [
    // Until the shards have the rows; otherwise they are on their way when the insert is acknowledged.
    ("distributed_foreground_insert", "1"),
    // Until all replicas have changed what they hold, or are away for longer than this.
    ("alter_sync", "2"),
    ("mutations_sync", "2"),
    ("replication_wait_for_inactive_replica_timeout", "30"),
    // One that is away changes its tables when it is back.
    ("distributed_ddl_output_mode", "none_only_active"),
    // An answer without a shard would be too small, and not say so.
    ("skip_unavailable_shards", "0"),
];

/// The servers of a place, or its engine.
pub(super) fn connections(place: Place<'_>) -> Result<Servers, ClientError> {
    let http = || hyper_util::client::legacy::Client::builder(TokioExecutor::new());
    let embedded = |client: Client| Servers::embedded(with_common_settings(client.with_url("http://embedded")));
    Ok(match place {
        Place::Embedded { engine, .. } => embedded(Client::with_http_client(http().build(PipeConnector { engine }))),
        Place::Beside(socket) => {
            let connector = SocketConnector { socket: socket.clone() };
            embedded(Client::with_http_client(http().build(connector)))
        }
        Place::Servers(config) => {
            let urls = config.clickhouse_url.iter();
            let clients = urls.map(|url| Ok((url.authority().to_owned(), server_client(config, url)?)));
            Servers::new(clients.collect::<Result<Vec<_>, ClientError>>()?)
        }
    })
}

/// What every statement says, wherever it goes.
fn with_common_settings(client: Client) -> Client {
    client
        .with_compression(Compression::None)
        .with_setting("input_format_binary_read_json_as_string", "1")
        .with_setting("output_format_binary_write_json_as_string", "1")
        // The client reads the types of columns, and not their line breaks.
        .with_setting("print_pretty_type_names", "0")
        // On by default in newer servers: an insert must be stored when it is acknowledged.
        .with_setting("async_insert", "0")
}

fn server_client(config: &ClickHouseConfig, url: &ServerUrl) -> Result<Client, ClientError> {
    let mut tcp = HttpConnector::new();
    // Without it one insert in 24 took over 40 ms.
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(Duration::from_secs(5)));
    tcp.enforce_http(false);
    let mut http = hyper_util::client::legacy::Client::builder(TokioExecutor::new());
    // A server closes idle connections after three seconds.
    http.pool_idle_timeout(Duration::from_secs(2));
    let client = if url.is_https() {
        Client::with_http_client(http.build(outbound::https(tcp)?))
    } else {
        Client::with_http_client(http.build(tcp))
    };
    let client = with_common_settings(client)
        .with_url(url.as_str())
        .with_user(&config.clickhouse_user)
        .with_password(config.clickhouse_password.reveal());
    if config.clickhouse_cluster.is_none() {
        return Ok(client);
    }
    let client = OF_A_CLUSTER.iter().fold(client, |client, (name, value)| client.with_setting(*name, *value));
    Ok(client.with_setting("insert_quorum", config.clickhouse_insert_quorum.as_str()))
}
