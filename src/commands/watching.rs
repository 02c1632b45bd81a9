//! Who watches for alerts: one instance at a time, and somebody always.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::program::target;
use crate::alerts::watch::Watch;
use crate::app::Kept;
use crate::clickhouse::ClickHouse;
use crate::config::Config;
use crate::http::message_of;
use crate::migrations::{Lock, Target, WATCH};

/// How long it takes until something is tried again, and how long the end of watching is waited for.
const PAUSE: Duration = Duration::from_secs(10);

/// What watches for alerts, if anything does.
pub(super) struct Watching(Option<(oneshot::Sender<()>, JoinHandle<()>)>);

impl Watching {
    pub(super) fn none() -> Self {
        Self(None)
    }

    pub(super) fn start(watch: Option<Watch>, kept: &Kept, config: &Config) -> Self {
        Self(watch.map(|watch| {
            let (stop, stopped) = oneshot::channel();
            let target = target(config, &config.server.accounts[0]);
            (stop, tokio::spawn(watch_alone(watch, kept.clickhouse.clone(), target, stopped)))
        }))
    }

    pub(super) async fn stop(self) {
        if let Some((stop, task)) = self.0 {
            drop(stop);
            let _ = tokio::time::timeout(PAUSE, task).await;
        }
    }
}

/// Watches for alerts, whenever no other instance does, until it is to stop.
async fn watch_alone(mut watch: Watch, clickhouse: ClickHouse, target: Target, stopped: oneshot::Receiver<()>) {
    let mut held = None;
    let watching = async {
        watch.begin();
        loop {
            // No other instance can reach an embedded engine.
            if !clickhouse.is_embedded() {
                held = Some(lock(&clickhouse, &target).await);
            }
            let lost = async {
                match &held {
                    Some(lock) => lock.lost().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = without_end(&mut watch, |watch| Box::pin(watch.run())) => {}
                () = lost => {}
            }
            watch.rest();
        }
    };
    tokio::select! {
        () = watching => {}
        _ = stopped => {}
    }
    watch.end();
    if let Some(lock) = held {
        lock.release().await;
    }
}

/// The right to watch, as soon as no other instance has it.
async fn lock(clickhouse: &ClickHouse, target: &Target) -> Lock {
    loop {
        match Lock::acquire(clickhouse, target, WATCH, false).await {
            Ok(lock) => return lock,
            Err(error) => {
                tracing::warn!(%error, "it cannot be told who watches for alerts");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Does what is to have no end. When it ends all the same, or panics, it is begun again.
async fn without_end<W>(watch: &mut W, run: impl Fn(&mut W) -> BoxFuture<'_, ()>) {
    loop {
        let outcome = AssertUnwindSafe(run(watch)).catch_unwind().await;
        let reason = outcome.as_ref().map_or_else(|panic| message_of(&**panic), |()| "it has ended");
        tracing::error!(reason, "watching for alerts was broken off; it begins again");
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn watching_that_panics_or_ends_begins_again_after_a_pause() {
        let (mut times, began) = (Vec::new(), tokio::time::Instant::now());
        let watching = without_end(&mut times, |times| {
            Box::pin(async move {
                times.push(began.elapsed());
                match times.len() {
                    1 => panic!("at the first time"),
                    2 => {}
                    _ => std::future::pending().await,
                }
            })
        });
        assert!(tokio::time::timeout(10 * PAUSE, watching).await.is_err());
        assert_eq!(times, [Duration::ZERO, PAUSE, 2 * PAUSE]);
    }
}
