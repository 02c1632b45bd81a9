//! `chartwell serve`

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use super::Failure;
use super::program::Program;
use super::stop::stop_signal;
use super::watching::Watching;
use crate::app::{App, Kept, Serving, check};
use crate::auth::KeySet;
use crate::clickhouse::embedded::release_start_up_pages;
use crate::config::{Account, Config, ConfigError};
use crate::http::{Routes, Shutdown, listen, serve as serve_http};
use crate::ingest::endpoints::Ingestion;
use crate::studio::Studio;
use crate::telemetry;

/// Reads the settings.
pub type Load<'a> = dyn Fn() -> Result<Config, ConfigError> + 'a;

pub fn serve(load: &Load<'_>, no_migrate: bool) -> Result<(), Failure> {
    let config = load()?;
    check(&config)?;
    let program = Program::start(&config)?;
    if config.auth.accepts_no_token() {
        tracing::warn!(
            "no token can be accepted: set CHARTWELL_JWT_SECRET, or CHARTWELL_JWKS_URL, or CHARTWELL_JWKS_FILE"
        );
    }
    program.runtime.block_on(async {
        // From here on, before the tables are ready, the signal no longer ends the program.
        let hangups = signal(SignalKind::hangup())?;
        let mut stop = Box::pin(stop_signal()?);
        let start = async {
            if !no_migrate {
                program.migrate(&config, false).await?;
            }
            Ok::<_, Failure>(App::new(&config, program.clickhouse.clone(), Studio::new(None)).await?)
        };
        let app = tokio::select! {
            app = start => app?,
            () = &mut stop => return Ok(()),
        };
        run(&config, app, stop, Some(Again { program: &program, load, no_migrate, hangups }), |_| {}).await
    })
}

/// Serves until `stop` resolves; `listening` is told the URL. With `again`, another signal has the settings read again.
pub async fn run(
    config: &Config,
    app: App,
    stop: impl Future<Output = ()>,
    again: Option<Again<'_>>,
    listening: impl FnOnce(&str),
) -> Result<(), Failure> {
    let address = config.server.listen;
    let listener = listen(address)
        .map_err(|error| format!("cannot listen on {address}: {error} (CHARTWELL_LISTEN names another address)"))?;
    release_start_up_pages();
    let url = format!("http://{}", listener.local_addr()?);
    tracing::info!("listening on {url}");
    listening(&url);
    let App { kept, writer, serving: Serving { router, ingestion, keys, watch } } = app;
    let counts = kept.request_counts.clone();
    let forgetting = tokio::spawn(async move { counts.forget_quiet_subjects().await });
    let keeping_up = tokio::spawn(telemetry::keep_up(telemetry::metrics()));
    let (replace, routes) = Routes::replaceable(router);
    let mut present = Present { ingestion, keys, watching: Watching::start(watch, &kept, config), replace };
    let reading_again = async {
        if let Some(again) = again {
            again.run(config.clone(), &kept, &mut present).await;
        }
        std::future::pending::<()>().await;
    };
    let shutdown = tokio::select! {
        shutdown = serve_http(listener, routes, config.server.max_connections, stop) => shutdown,
        () = reading_again => unreachable!("it never ends"),
    };
    forgetting.abort();
    keeping_up.abort();
    present.watching.stop().await;
    writer.stop(WRITER_PATIENCE).await;
    present.ingestion.intake.close();
    match shutdown {
        Shutdown::Drained => tracing::info!("stopped"),
        Shutdown::Cut => tracing::warn!("stopped; some requests took too long and were cut off"),
    }
    Ok(())
}

/// What is served by the settings that are in force.
struct Present {
    ingestion: Ingestion,
    keys: Option<Arc<KeySet>>,
    watching: Watching,
    replace: watch::Sender<Router>,
}

/// Reads the settings again, whenever SIGHUP comes. What is wrong with them is told, and nothing changes.
pub struct Again<'a> {
    program: &'a Program,
    load: &'a Load<'a>,
    no_migrate: bool,
    hangups: Signal,
}

impl Again<'_> {
    async fn run(mut self, mut config: Config, kept: &Kept, present: &mut Present) {
        while self.hangups.recv().await.is_some() {
            match self.once(&config, kept, present).await {
                Ok(taken) => config = taken,
                Err(error) => tracing::error!("the settings stay as they were: {error}"),
            }
        }
    }

    async fn once(&self, running: &Config, kept: &Kept, present: &mut Present) -> Result<Config, Failure> {
        let (config, waiting) = (self.load)()?.taken_by(running)?;
        check(&config)?;
        if !self.no_migrate {
            self.program.migrate(&config, false).await?;
        }
        let serving = kept.serve_again(&config, &present.ingestion.intake, present.keys.as_ref()).await?;
        let Serving { router, ingestion, keys, watch } = serving;
        (present.ingestion, present.keys, _) = (ingestion, keys, present.replace.send_replace(router));
        std::mem::replace(&mut present.watching, Watching::none()).stop().await;
        present.watching = Watching::start(watch, kept, &config);
        let accounts: Vec<&str> = config.server.accounts.iter().map(Account::as_str).collect();
        tracing::info!(accounts = accounts.join(","), "the settings were read again");
        if !waiting.is_empty() {
            tracing::warn!(settings = waiting.join(","), "some settings that were changed wait for the next start");
        }
        Ok(config)
    }
}

/// How long the end of the program waits for rows to be inserted; the rest waits in the spool.
pub const WRITER_PATIENCE: Duration = Duration::from_secs(10);
