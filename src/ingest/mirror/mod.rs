//! The mirror: product events that are told elsewhere as well, when they were accepted.
//!
//! This is a boundary of privacy. Nothing is told unless a place is configured, and then only events and fields that
//! the settings name: what an adapter gets is a [`Mirrored`], which has nothing else. Pseudonyms and organisations can
//! not be named. A mirror is no store: it never holds an answer up, and what it cannot take is dropped and counted.

mod otlp;
mod selection;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use tokio::sync::mpsc;

pub use otlp::OtlpLogs;
pub use selection::{Selection, SelectionError};

use crate::config::{Account, ProductConfig};
use crate::outbound::ClientError;
use crate::rows::ProductEvent;

/// Requests whose events wait to be told.
const MOST_WAITING: usize = 256;

/// Somewhere else that events are told.
pub trait Mirror: Send + Sync + 'static {
    /// Tells events of one account.
    fn tell<'a>(&'a self, account: &'a Account, events: &'a [Mirrored]) -> BoxFuture<'a, Result<(), MirrorError>>;
}

/// What is told of an event: its name, its time, and the fields that may be told.
#[derive(Debug, Clone, PartialEq)]
pub struct Mirrored {
    pub name: String,
    pub occurred_at: DateTime<Utc>,
    pub fields: Vec<(&'static str, Told)>,
}

/// The value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    Word(String),
    Count(i64),
}

/// There can be no mirror as the settings say.
#[derive(Debug, thiserror::Error)]
pub enum MirrorSettingsError {
    #[error(transparent)]
    Selection(#[from] SelectionError),
    #[error("CHARTWELL_PRODUCT_MIRROR_URL: {0}")]
    Client(#[from] ClientError),
}

/// The other side did not take events.
#[derive(Debug, thiserror::Error)]
#[error("the mirror of product events does not take them: {0}")]
pub struct MirrorError(#[from] reqwest::Error);

/// Tells events, one request after the other, in the background.
pub struct Mirroring {
    selection: Selection,
    waiting: mpsc::Sender<(Account, Vec<Mirrored>)>,
}

impl Mirroring {
    /// The mirror of the settings, where there is one.
    pub fn start(config: &ProductConfig) -> Result<Option<Arc<Self>>, MirrorSettingsError> {
        let selection = Selection::new(config)?;
        let Some(url) = &config.product_mirror_url else { return Ok(None) };
        Ok(Some(Self::to(OtlpLogs::new(url)?, selection)))
    }

    /// Tells what is selected to a mirror.
    pub fn to(mirror: impl Mirror, selection: Selection) -> Arc<Self> {
        let (waiting, mut told) = mpsc::channel::<(Account, Vec<Mirrored>)>(MOST_WAITING);
        tokio::spawn(async move {
            while let Some((account, events)) = told.recv().await {
                if let Err(error) = mirror.tell(&account, &events).await {
                    note_dropped(events.len());
                    tracing::warn!(%error, events = events.len(), "product events are not told to the mirror");
                }
            }
        });
        Arc::new(Self { selection, waiting })
    }

    /// What may be told of an event, if anything.
    pub fn select(&self, event: &ProductEvent<'_>) -> Option<Mirrored> {
        self.selection.of(event)
    }

    /// Tells events that were accepted, soon.
    pub fn tell(&self, account: &Account, events: Vec<Mirrored>) {
        if events.is_empty() {
            return;
        }
        let count = events.len();
        if self.waiting.try_send((account.clone(), events)).is_err() {
            note_dropped(count);
        }
    }
}

fn note_dropped(events: usize) {
    metrics::counter!("chartwell_product_events_not_mirrored_total").increment(events as u64);
}
