//! The socket of a running program, in its data folder.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use hyper::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::{UnixListener, UnixStream};

use super::engine::Engine;
use super::{Wire, serve};

/// Where the engine of a data folder is reached by other processes of the same user.
#[derive(Debug, Clone)]
pub struct Socket {
    folder: PathBuf,
}

impl Socket {
    /// The socket of a data folder.
    pub fn of(data_dir: &Path) -> Self {
        Self { folder: data_dir.join("run") }
    }

    fn path(&self) -> PathBuf {
        self.folder.join("engine.sock")
    }

    /// Whether a process has opened it; that may be gone since.
    pub fn is_there(&self) -> bool {
        self.path().exists()
    }

    /// Opens it. The process must have the data folder for itself: one of before is replaced.
    pub fn listen(&self) -> io::Result<UnixListener> {
        // The folder is closed to others before there is anything in it.
        fs::create_dir_all(&self.folder)?;
        fs::set_permissions(&self.folder, Permissions::from_mode(0o700))?;
        match fs::remove_file(self.path()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        UnixListener::bind(self.path())
    }
}

/// Answers other processes, until it is dropped.
pub async fn serve_socket(engine: &'static Engine, listener: UnixListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            serve(engine, TokioIo::new(stream)).await;
            // Whatever it was, answers of before may no longer be right.
            engine.note_guest();
        });
    }
}

/// Connects to the engine of another process.
#[derive(Clone)]
pub struct SocketConnector {
    pub socket: Socket,
}

impl tower::Service<Uri> for SocketConnector {
    type Response = Wire<UnixStream>;
    type Error = io::Error;
    type Future = BoxFuture<'static, Result<Self::Response, io::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let path = self.socket.path();
        async move { Ok(Wire(TokioIo::new(UnixStream::connect(path).await?))) }.boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_its_user_may_open_it_and_one_of_before_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let socket = Socket::of(folder.path());
        assert!(!socket.is_there());
        drop(socket.listen().unwrap());
        assert!(socket.is_there());
        let _listener = socket.listen().unwrap();
        let mode = fs::metadata(&socket.folder).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        assert!(UnixStream::connect(socket.path()).await.is_ok());
    }
}
