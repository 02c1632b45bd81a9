//! A way to the engine that can be disturbed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, copy_bidirectional};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How it is with the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Open,
    /// Nobody listens.
    Closed,
    /// Connections are accepted, and nothing ever comes back.
    Silent,
    /// Connections break in the middle of a request.
    BreaksRequests,
    /// Connections break when the engine has answered, before the answer arrives: nobody can know the outcome.
    BreaksAnswers,
    /// A few bytes at a time.
    Slow,
}

impl Way {
    /// Those first in which most has to happen: the longer it lasts, the rarer are tries.
    pub const DISTURBED: [Self; 5] =
        [Self::BreaksAnswers, Self::BreaksRequests, Self::Silent, Self::Closed, Self::Slow];
}

/// Stands before the engine. A change of the way breaks the connections that there are.
pub struct Proxy {
    pub url: String,
    way: watch::Sender<Way>,
    inserts: Arc<AtomicU64>,
}

impl Proxy {
    pub async fn start(engine_url: &str) -> Self {
        let engine = engine_url.strip_prefix("http://").unwrap().parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (way, changes) = watch::channel(Way::Open);
        let inserts = Arc::new(AtomicU64::new(0));
        tokio::spawn(serve(listener, engine, changes, Arc::clone(&inserts)));
        Self { url, way, inserts }
    }

    pub fn set(&self, way: Way) {
        self.way.send_replace(way);
    }

    /// Connections so far that began with an insert.
    pub fn inserts(&self) -> u64 {
        self.inserts.load(Ordering::Relaxed)
    }
}

async fn serve(first: TcpListener, engine: SocketAddr, mut way: watch::Receiver<Way>, inserts: Arc<AtomicU64>) {
    let address = first.local_addr().unwrap();
    let mut listener = Some(first);
    loop {
        if *way.borrow_and_update() == Way::Closed {
            listener = None;
            if way.changed().await.is_err() {
                return;
            }
            continue;
        }
        if listener.is_none() {
            listener = TcpListener::bind(address).await.ok();
        }
        // Somebody else may have the port for a moment.
        let Some(open) = &listener else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        tokio::select! {
            Ok((client, _)) = open.accept() => {
                tokio::spawn(connect(client, engine, way.clone(), Arc::clone(&inserts)));
            }
            changed = way.changed() => if changed.is_err() {
                return;
            },
        }
    }
}

/// Carries what both sides say, as long as the way is as it was; then breaks off.
async fn connect(mut client: TcpStream, engine: SocketAddr, mut way: watch::Receiver<Way>, inserts: Arc<AtomicU64>) {
    let now = *way.borrow_and_update();
    let mut first = [0; 64];
    let length = client.peek(&mut first).await.unwrap_or(0);
    let is_insert = first[..length].windows(6).any(|word| word == b"INSERT");
    inserts.fetch_add(u64::from(is_insert), Ordering::Relaxed);
    let mut engine = TcpStream::connect(engine).await.unwrap();
    for stream in [&client, &engine] {
        stream.set_nodelay(true).unwrap();
    }
    let is_over = tokio::select! {
        is_over = carry(now, &mut client, &mut engine) => is_over,
        _ = way.changed() => false,
    };
    if !is_over {
        // With nothing to linger for, closing is a reset.
        let _ = (client.set_zero_linger(), engine.set_zero_linger());
    }
}

/// Whether both sides have said all they wanted to.
async fn carry(way: Way, client: &mut TcpStream, engine: &mut TcpStream) -> bool {
    match way {
        Way::Open => copy_bidirectional(client, engine).await.is_ok(),
        Way::Closed => false,
        Way::Silent => std::future::pending().await,
        Way::BreaksRequests => {
            let bytes = fastrand::u64(1..4_000);
            let _ = copy(&mut client.take(bytes), engine).await;
            false
        }
        Way::BreaksAnswers => {
            let ((mut from_client, _), (from_engine, mut to_engine)) = (client.split(), engine.split());
            tokio::select! {
                _ = copy(&mut from_client, &mut to_engine) => {}
                _ = from_engine.readable() => {}
            }
            false
        }
        Way::Slow => {
            let ((from_client, to_client), (from_engine, to_engine)) = (client.split(), engine.split());
            tokio::join!(drip(from_client, to_engine), drip(from_engine, to_client));
            true
        }
    }
}

async fn drip(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>) {
    let mut bytes = [0; 2_000];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        tokio::time::sleep(Duration::from_millis(10)).await;
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}
