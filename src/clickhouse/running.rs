//! Questions that run on a server, and are ended there when nobody waits for them.

use std::time::Duration;

use clickhouse::Client;

/// Ending a question takes no longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A question that a server runs. Nobody waits for one that is dropped before its end: closing the connection alone
/// would leave it running there.
pub(super) struct Running {
    /// Nothing once it has ended.
    at: Option<(Client, String)>,
}

impl Running {
    pub(super) fn new(client: &Client, query_id: &str) -> Self {
        Self { at: Some((client.clone(), query_id.to_owned())) }
    }

    pub(super) fn ended(mut self) {
        self.at = None;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some((client, query_id)) = self.at.take() else { return };
        tokio::spawn(async move {
            let kill = client.query_raw("KILL QUERY WHERE query_id = {id:String} ASYNC").param("id", query_id.as_str());
            let killed = tokio::time::timeout(PATIENCE, kill.execute()).await;
            if !matches!(killed, Ok(Ok(()))) {
                tracing::warn!(
                    query_id,
                    "a question that nobody waits for could not be ended; it runs until its time is over"
                );
            }
        });
    }
}
