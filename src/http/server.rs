//! Connections: accepted up to a cap, closed when they waste time, drained at the end.
//!
//! Three clocks, none of which a slow client can stop: a header must arrive within five seconds of
//! its first byte (or of the connection), an idle connection is closed after 75 seconds, and a body
//! must neither stall nor trickle.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use hyper::Request;
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, Sleep, sleep, sleep_until};
use tower::ServiceExt;

const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
const IDLE_TIMEOUT: Duration = Duration::from_secs(75);
/// A body may pause for this long …
const BODY_STALL: Duration = Duration::from_secs(10);
/// … and must come at this rate once it has taken as long as that.
const BODY_BYTES_PER_SECOND: u64 = 1_024;
/// Requests that were accepted have this long to finish at the end.
const DRAIN: Duration = Duration::from_millis(4_000);
/// Requests that are on their way when the end begins are still heard for this long.
const LAST_REQUESTS: Duration = Duration::from_millis(150);
/// Connections that wait to be accepted, or as many as the system allows (`somaxconn`). The system forgets those beyond,
/// while their clients believe in them.
const BACKLOG: u32 = 4_096;
/// Header bytes of a request.
const HEADER_BYTES: usize = 64 << 10;

/// How a server ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// Every accepted request was answered.
    Drained,
    /// Some took too long.
    Cut,
}

/// Where requests go. That may become another router at any time; what is on its way then stays with the one before.
#[derive(Clone)]
pub struct Routes(watch::Receiver<Router>);

impl Routes {
    /// Routes, and what replaces them.
    pub fn replaceable(router: Router) -> (watch::Sender<Router>, Self) {
        let (replace, routes) = watch::channel(router);
        (replace, Self(routes))
    }
}

impl From<Router> for Routes {
    fn from(router: Router) -> Self {
        Self::replaceable(router).1
    }
}

/// Listens on an address.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Connections that have just been closed are not in the way of the next start.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until `stop` resolves, then answers what was accepted.
pub async fn serve(
    listener: TcpListener,
    routes: impl Into<Routes>,
    max_connections: usize,
    stop: impl Future<Output = ()>,
) -> Shutdown {
    let routes = routes.into();
    let slots = Arc::new(Semaphore::new(max_connections));
    let graceful = GracefulShutdown::new();
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).max_buf_size(HEADER_BYTES).header_read_timeout(None);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(256).keep_alive_interval(Duration::from_secs(20));

    let begin = |stream: TcpStream, slot: OwnedSemaphorePermit| {
        let _ = stream.set_nodelay(true);
        let in_flight = Arc::new(AtomicUsize::new(0));
        let routes = routes.clone();
        let counted = Arc::clone(&in_flight);
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let counted = InFlight::enter(&counted);
            let router = routes.0.borrow().clone();
            let answer = router.oneshot(request.map(timed_body));
            async move {
                let answer = answer.await;
                drop(counted);
                answer
            }
        });
        let io = TokioIo::new(Patient::new(stream, in_flight));
        let connection = graceful.watch(builder.serve_connection(io, service).into_owned());
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error, "a connection broke");
            }
            drop(slot);
        });
    };

    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            accepted = accept(&listener, &slots) => if let Some((stream, slot)) = accepted { begin(stream, slot) },
        }
    }
    // Connections that the system has accepted for us already are served; then the door is closed. The
    // runtime may not have heard of them yet, so the system itself is asked.
    if let Ok(listener) = listener.into_std() {
        while let Ok((stream, _)) = listener.accept() {
            let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else { break };
            if let Ok(stream) = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream)) {
                begin(stream, slot);
            }
        }
    }
    // A connection whose first request was not read yet would be closed unheard.
    sleep(LAST_REQUESTS).await;
    tokio::select! {
        () = graceful.shutdown() => Shutdown::Drained,
        () = sleep(DRAIN) => Shutdown::Cut,
    }
}

/// The next connection, once there is room for one.
async fn accept(listener: &TcpListener, slots: &Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.expect("the semaphore is never closed");
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, slot)),
        Err(error) => {
            // Out of file descriptors, most likely: connections that close give some back.
            tracing::warn!(%error, "a connection could not be accepted");
            sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

/// Counts a request of a connection while it is being answered.
struct InFlight(Arc<AtomicUsize>);

impl InFlight {
    fn enter(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A socket that gives up on clients that do not send a header.
struct Patient {
    stream: TcpStream,
    in_flight: Arc<AtomicUsize>,
    phase: Phase,
    deadline: Pin<Box<Sleep>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Between two requests.
    Idle,
    /// Some of a header has arrived; or nothing at all yet, on a new connection.
    Header,
    /// A request is being answered: what it waits for is not the client.
    Answering,
}

impl Patient {
    fn new(stream: TcpStream, in_flight: Arc<AtomicUsize>) -> Self {
        Self { stream, in_flight, phase: Phase::Header, deadline: Box::pin(sleep(HEADER_TIMEOUT)) }
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        let timeout = if phase == Phase::Idle { IDLE_TIMEOUT } else { HEADER_TIMEOUT };
        self.deadline.as_mut().reset(Instant::now() + timeout);
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match (self.in_flight.load(Ordering::Relaxed) > 0, self.phase) {
            (true, _) => self.phase = Phase::Answering,
            (false, Phase::Answering) => self.enter(Phase::Idle),
            (false, _) => {}
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if read.is_pending() && self.phase != Phase::Answering {
            ready!(self.deadline.as_mut().poll(context));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        if buffer.filled().len() > before && self.phase == Phase::Idle {
            self.enter(Phase::Header);
        }
        read
    }
}

impl AsyncWrite for Patient {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

fn timed_body(body: Incoming) -> Body {
    if body.is_end_stream() {
        return Body::empty();
    }
    Body::new(TimedBody { body, started: None, received: 0, deadline: Box::pin(sleep(BODY_STALL)) })
}

/// A body that ends with an error when it stalls or trickles. Its clock runs from the first read.
struct TimedBody {
    body: Incoming,
    started: Option<Instant>,
    received: u64,
    deadline: Pin<Box<Sleep>>,
}

impl hyper::body::Body for TimedBody {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let now = Instant::now();
        if self.started.is_none() {
            self.started = Some(now);
            self.deadline.set(sleep_until(now + BODY_STALL));
        }
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if frame.is_pending() {
            ready!(self.deadline.as_mut().poll(context));
            return Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::TimedOut).into())));
        }
        if let Poll::Ready(Some(Ok(frame))) = &frame {
            self.received += frame.data_ref().map_or(0, |data| data.len() as u64);
            let earned = Duration::from_secs(self.received / BODY_BYTES_PER_SECOND);
            let in_all = self.started.unwrap_or(now) + BODY_STALL + earned;
            self.deadline.as_mut().reset(in_all.min(now + BODY_STALL));
        }
        frame.map(|frame| frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
