//! `chartwell serve`

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use super::Failure;
use super::program::{Program, target};
use crate::alerts::rules::Rules;
use crate::alerts::watch::Watch;
use crate::app::App;
use crate::clickhouse::ClickHouse;
use crate::clickhouse::embedded::release_start_up_pages;
use crate::config::Config;
use crate::http::{Shutdown, serve as serve_http};
use crate::migrations::{Lock, Target, WATCH};
use crate::page::Page;

pub fn serve(config: &Config, no_migrate: bool) -> Result<(), Failure> {
    // Before anything is touched: a rule that cannot be right stops the start.
    Rules::of(config)?;
    let program = Program::start(config)?;
    if config.auth.accepts_no_token() {
        tracing::warn!(
            "no token can be accepted: set CHARTWELL_JWT_SECRET, or CHARTWELL_JWKS_URL, or CHARTWELL_JWKS_FILE"
        );
    }
    program.runtime.block_on(async {
        if !no_migrate {
            program.migrate(config, false).await?;
        }
        let app = App::new(config, program.clickhouse.clone(), Page::new(None)).await?;
        run(config, app, |_| {}).await
    })
}

/// Serves until a signal comes; `listening` is told the URL.
pub async fn run(config: &Config, app: App, listening: impl FnOnce(&str)) -> Result<(), Failure> {
    let stop = stop_signal()?;
    let address = config.server.listen;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("cannot listen on {address}: {error} (CHARTWELL_LISTEN names another address)"))?;
    release_start_up_pages();
    let url = format!("http://{}", listener.local_addr()?);
    tracing::info!("listening on {url}");
    listening(&url);
    let gatekeeper = Arc::clone(&app.gatekeeper);
    let forgetting = tokio::spawn(async move { gatekeeper.rate_limits.forget_quiet_subjects().await });
    let (stop_watching, stopped) = oneshot::channel();
    let watching = app.watch.map(|watch| {
        let target = target(config, &config.server.accounts[0]);
        tokio::spawn(watch_alone(watch, app.clickhouse, target, stopped))
    });
    let shutdown = serve_http(listener, app.router, config.server.max_connections, stop).await;
    forgetting.abort();
    drop(stop_watching);
    if let Some(watching) = watching {
        let _ = tokio::time::timeout(WRITER_PATIENCE, watching).await;
    }
    app.writer.stop(WRITER_PATIENCE).await;
    app.ingestion.intake.close();
    match shutdown {
        Shutdown::Drained => tracing::info!("stopped"),
        Shutdown::Cut => tracing::warn!("stopped; some requests took too long and were cut off"),
    }
    Ok(())
}

/// Watches for alerts, while no other instance does, until it is to stop.
async fn watch_alone(watch: Watch, clickhouse: ClickHouse, target: Target, stopped: oneshot::Receiver<()>) {
    let mut held = None;
    let watching = async {
        while !clickhouse.is_embedded() && held.is_none() {
            match Lock::acquire(&clickhouse, &target, WATCH, false).await {
                Ok(lock) => held = Some(lock),
                Err(error) => {
                    tracing::warn!(%error, "it cannot be told who watches for alerts");
                    tokio::time::sleep(WRITER_PATIENCE).await;
                }
            }
        }
        watch.run().await;
    };
    tokio::select! {
        () = watching => {}
        _ = stopped => {}
    }
    if let Some(lock) = held {
        lock.release().await;
    }
}

/// How long the end of the program waits for rows to be inserted; the rest waits in the spool.
pub const WRITER_PATIENCE: Duration = Duration::from_secs(10);

/// Resolves at SIGTERM or SIGINT.
pub fn stop_signal() -> Result<impl Future<Output = ()>, std::io::Error> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
    })
}
