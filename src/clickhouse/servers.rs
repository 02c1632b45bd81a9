//! The servers of ClickHouse: each question goes to the next of those that answer.
//!
//! A server that cannot be reached is found out at once by its refusal, or by a question that is asked of each server
//! all the time and is not answered in time: a server that hangs does not say so. What was asked of it is asked of
//! another, which is safe: questions change nothing, and inserts carry a token.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use clickhouse::Client;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::error::{Failure, QueryError};

/// Every server is asked this often whether it is there.
const ASKED_EVERY: Duration = Duration::from_secs(1);
/// A server that has not answered after this is away.
const PATIENCE: Duration = Duration::from_secs(5);
/// So many failures in a row mean that a server is away: one may be the fault of a connection.
const FAILURES: u32 = 2;

/// All servers, or the engine of this process.
pub(super) struct Servers {
    servers: Vec<Arc<Server>>,
    turn: AtomicUsize,
    checks: Vec<JoinHandle<()>>,
}

/// One server.
struct Server {
    /// Host and port, for people.
    name: String,
    client: Client,
    /// Or why it does not.
    answers: watch::Sender<Result<(), String>>,
    suspected: Notify,
}

impl Servers {
    /// The engine of this process, which needs no looking after.
    pub(super) fn embedded(client: Client) -> Self {
        Self { servers: vec![Arc::new(Server::new("embedded".to_owned(), client))], turn: 0.into(), checks: Vec::new() }
    }

    /// Servers with their names; looks after them from now on.
    pub(super) fn new(servers: impl IntoIterator<Item = (String, Client)>) -> Self {
        let servers: Vec<_> = servers.into_iter().map(|(name, client)| Arc::new(Server::new(name, client))).collect();
        let checks = servers.iter().map(|server| tokio::spawn(Arc::clone(server).look_after())).collect();
        // Instances that start together do not begin with the same server.
        Self { turn: fastrand::usize(..servers.len()).into(), servers, checks }
    }

    /// The client of one that answers.
    pub(super) fn client(&self) -> &Client {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        &self.from(turn).find(|server| server.is_there()).unwrap_or(&self.servers[0]).client
    }

    /// Asks one server, and while they cannot answer the others, each once: last those that are said to be away.
    pub(super) async fn ask<T, F>(&self, ask: impl Fn(Client) -> F) -> Result<T, QueryError>
    where
        F: Future<Output = Result<T, QueryError>>,
    {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let (there, away): (Vec<&Server>, Vec<&Server>) = self.from(turn).partition(|server| server.is_there());
        let mut failed = None;
        for server in there.into_iter().chain(away) {
            match server.ask(&ask).await {
                Err(error) if error.is_of_the_server() => failed = Some(error),
                answered => return answered,
            }
        }
        Err(failed.expect("there is a server"))
    }

    /// All of them, beginning with the one whose turn it is.
    fn from(&self, turn: usize) -> impl Iterator<Item = &Server> {
        let first = turn % self.servers.len();
        self.servers[first..].iter().chain(&self.servers[..first]).map(Arc::as_ref)
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        self.checks.iter().for_each(JoinHandle::abort);
    }
}

impl Server {
    fn new(name: String, client: Client) -> Self {
        Self { name, client, answers: watch::Sender::new(Ok(())), suspected: Notify::new() }
    }

    fn is_there(&self) -> bool {
        self.answers.borrow().is_ok()
    }

    /// What it answers, unless it turns out to be away.
    async fn ask<T, F>(&self, ask: impl Fn(Client) -> F) -> Result<T, QueryError>
    where
        F: Future<Output = Result<T, QueryError>>,
    {
        tokio::select! {
            answered = ask(self.client.clone()) => {
                if answered.as_ref().is_err_and(|error| error.failure == Failure::Unavailable) {
                    self.suspected.notify_one();
                }
                answered
            }
            reason = self.is_away() => Err(QueryError::unavailable(format!("{} does not answer: {reason}", self.name))),
        }
    }

    /// Resolves when the server is away, with why. One that is so from the beginning has some time to come back.
    async fn is_away(&self) -> String {
        let mut answers = self.answers.subscribe();
        let _ = tokio::time::timeout(PATIENCE, answers.wait_for(Result::is_ok)).await;
        let away = answers.wait_for(Result::is_err).await.map(|reason| (*reason).clone());
        away.map_or_else(|_| "it is not asked any more".to_owned(), |reason| reason.err().unwrap_or_default())
    }

    /// Asks it again and again whether it is there.
    async fn look_after(self: Arc<Self>) {
        let mut failures = 0;
        loop {
            metrics::gauge!("chartwell_clickhouse_server_up", "server" => self.name.clone())
                .set(f64::from(u8::from(self.is_there())));
            tokio::select! {
                () = tokio::time::sleep(ASKED_EVERY) => {}
                () = self.suspected.notified() => {}
            }
            match self.check().await {
                Ok(()) => {
                    failures = 0;
                    if self.answers.send_replace(Ok(())).is_err() {
                        tracing::info!(server = self.name, "ClickHouse answers again");
                    }
                }
                Err(reason) => {
                    failures += 1;
                    if failures >= FAILURES && self.answers.send_replace(Err(reason.clone())).is_ok() {
                        tracing::warn!(
                            server = self.name,
                            reason,
                            "ClickHouse does not answer; it is asked nothing until it does"
                        );
                    }
                }
            }
        }
    }

    async fn check(&self) -> Result<(), String> {
        // The log of the server is for questions.
        let asked = self.client.query_raw("SELECT toUInt8(1)").with_setting("log_queries", "0").fetch_one::<u8>();
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(answered) => answered.map(drop).map_err(|error| error.to_string()),
            Err(_) => Err(format!("no answer for {} s", PATIENCE.as_secs())),
        }
    }
}
