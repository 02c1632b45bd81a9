//! What tests stand on: the engine of this process, and clients of it.

use std::sync::OnceLock;

use chartwell::clickhouse::embedded::{Engine, EngineConfig, PipeConnector, serve_tcp};
use clickhouse::{Client, Compression};
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;

/// The engine of this test process, in a folder that goes with it.
pub fn engine() -> &'static Engine {
    static ENGINE: OnceLock<&'static Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder").keep();
        Engine::start(&EngineConfig { library: None, folder, memory_bytes: 4 << 30 }).expect("the engine starts")
    })
}

/// How a test reaches the engine.
#[derive(Debug, Clone, Copy)]
pub enum Via {
    Pipe,
    Tcp,
}

/// A client of the engine, over the pipe or over a socket.
pub async fn client(via: Via) -> Client {
    let client = match via {
        Via::Pipe => {
            let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new())
                .build(PipeConnector { engine: engine() });
            Client::with_http_client(http).with_url("http://embedded")
        }
        Via::Tcp => {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            let address = listener.local_addr().expect("it is bound");
            tokio::spawn(serve_tcp(engine(), listener));
            Client::default().with_url(format!("http://{address}"))
        }
    };
    client.with_compression(Compression::None)
}
