//! ClickHouse inside this process, reached like a server.
//!
//! The `clickhouse` crate stays the only client: a connector hands it one end of an in-memory pipe,
//! and [`http`] answers at the other end. No port is opened. Commands that look after the data of a running
//! program reach its engine by a socket in its folder, which nobody but its user may open.

mod call;
mod engine;
mod format;
mod http;
mod library;
mod snapshot;
mod socket;
mod statement;
mod tuning;

use std::future::{Future, ready};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::Uri;
use hyper::rt::ReadBufCursor;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::TcpListener;

pub use engine::{Engine, EngineConfig, StartError};
pub use library::{VERSION as ENGINE_VERSION, leave, release_start_up_pages};
pub use socket::{Socket, SocketConnector, serve_socket};

/// Bytes that may wait in a pipe, in each direction.
const PIPE_BYTES: usize = 256 << 10;

/// Connects to the engine of this process.
#[derive(Clone)]
pub struct PipeConnector {
    pub engine: &'static Engine,
}

impl tower::Service<Uri> for PipeConnector {
    type Response = Wire<DuplexStream>;
    type Error = io::Error;
    type Future = std::future::Ready<Result<Self::Response, io::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        tokio::spawn(serve(self.engine, TokioIo::new(far)));
        ready(Ok(Wire(TokioIo::new(near))))
    }
}

/// Answers on every connection that `listener` accepts, until it is dropped: for tests.
pub async fn serve_tcp(engine: &'static Engine, listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        tokio::spawn(serve(engine, TokioIo::new(stream)));
    }
}

fn serve<I>(engine: &'static Engine, io: I) -> impl Future<Output = ()>
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin + 'static,
{
    let service = service_fn(move |request| http::handle(engine, request));
    let connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(io, service);
    async move {
        // A connection that breaks has no one left to tell.
        let _ = connection.await;
    }
}

/// The client's end of a connection.
pub struct Wire<T>(TokioIo<T>);

impl<T> Connection for Wire<T> {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl<T: AsyncRead + Unpin> hyper::rt::Read for Wire<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<T: AsyncWrite + Unpin> hyper::rt::Write for Wire<T> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
