//! Topics: with Kafka, accepted rows are handed to it, a JSON message each, under the id of the row.
//!
//! When [`Topics::commit`] returns `Ok`, all in-sync replicas have the rows. Whether an id comes twice is looked up
//! in an index of known ids, which counts duplicates and spares the topic most of them; what slips through, after
//! a crash or an answer that was lost, is left out by the view that takes rows off the topic.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::Utc;
use futures::future::join_all;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{DeliveryFuture, FutureProducer, FutureRecord, Producer};

use crate::clickhouse::ClickHouse;
use crate::config::Account;
use crate::rows::{Rows, Table};
use crate::spool::{Accepted, KnownIds, Lane, id_key};
use crate::writer::DeadLetters;

/// How long the brokers may take for a message, their retries included.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the start waits for the brokers.
const START_PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of messages that wait to be sent.
const QUEUE_KIBIBYTES: u32 = 64 << 10;
/// How long a message waits for room among them.
const WAIT_FOR_ROOM: Duration = Duration::from_secs(5);
/// How often what is known is made durable; a crash forgets what came since.
const FLUSH_EVERY: Duration = Duration::from_secs(30);

/// Hands rows to Kafka. Cheap to clone.
#[derive(Clone)]
pub struct Topics {
    inner: Arc<Inner>,
}

struct Inner {
    brokers: String,
    /// Made anew after an error that is fatal for it.
    producer: Mutex<FutureProducer>,
    known: Mutex<Known>,
    dead_letters: DeadLetters,
}

struct Known {
    ids: KnownIds,
    flushed: Instant,
}

/// Why nothing more of a submission was accepted.
#[derive(Debug, thiserror::Error)]
pub enum TopicsError {
    #[error("Kafka at {brokers} cannot be used: {error} (CHARTWELL_KAFKA_BROKERS)")]
    Brokers { brokers: String, error: KafkaError },
    #[error("Kafka does not take rows: {0}")]
    NotTaken(#[from] KafkaError),
    #[error("the index of known ids fails: {0}")]
    Ids(#[from] lsm_tree::Error),
    #[error("a row cannot be read: {0}")]
    Row(#[from] postcard::Error),
    #[error("a row that is too large for Kafka could not be kept elsewhere: {0}")]
    DeadLetter(String),
    #[error("the hand-over broke off: {0}")]
    BrokeOff(#[from] tokio::task::JoinError),
}

/// A row as a message.
struct Message<'r> {
    /// Its key in the index of known ids.
    key: Vec<u8>,
    topic: String,
    id: String,
    document: String,
    /// Where it comes from.
    rows: &'r Rows,
    index: usize,
}

impl Topics {
    pub fn open(brokers: &str, data_dir: &Path, clickhouse: ClickHouse) -> Result<Self, TopicsError> {
        let folder = data_dir.join("topics");
        let ids = KnownIds::open(&folder, Utc::now())?;
        let inner = Inner {
            brokers: brokers.to_owned(),
            producer: Mutex::new(producer(brokers)?),
            known: Mutex::new(Known { ids, flushed: Instant::now() }),
            dead_letters: DeadLetters::new(clickhouse),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Makes the topics of the accounts, where they are missing.
    pub async fn create(brokers: &str, accounts: &[Account]) -> Result<(), TopicsError> {
        let of = |error| TopicsError::Brokers { brokers: brokers.to_owned(), error };
        let admin: AdminClient<DefaultClientContext> =
            ClientConfig::new().set("bootstrap.servers", brokers).create().map_err(of)?;
        let admin = Arc::new(admin);
        for topic in accounts.iter().flat_map(|account| Table::ALL.map(|table| table.topic(account))) {
            let (asking, name) = (Arc::clone(&admin), topic.clone());
            // Many brokers make a topic when it is asked for.
            let asked = tokio::task::spawn_blocking(move || {
                let metadata = asking.inner().fetch_metadata(Some(&name), START_PATIENCE)?;
                Ok(metadata.topics().iter().any(|topic| topic.error().is_none() && !topic.partitions().is_empty()))
            });
            if asked.await?.map_err(of)? {
                continue;
            }
            // As many partitions and replicas as the broker makes by itself.
            let new = NewTopic::new(&topic, -1, TopicReplication::Fixed(-1));
            let options = AdminOptions::new().operation_timeout(Some(START_PATIENCE));
            for created in admin.create_topics([&new], &options).await.map_err(of)? {
                match created {
                    Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                    Err((_, code)) => return Err(of(KafkaError::AdminOp(code))),
                }
            }
        }
        Ok(())
    }

    /// Hands over rows of one account. When this returns `Ok`, Kafka has those that were not known; otherwise
    /// those that it has are known when they are sent again.
    pub async fn commit(&self, account: &Account, rows: Vec<Rows>) -> Result<Accepted, TopicsError> {
        let (inner, account) = (Arc::clone(&self.inner), account.clone());
        // A client that hangs up must not keep what Kafka has taken from being noted.
        tokio::spawn(async move { inner.commit(&account, rows).await }).await?
    }

    /// Makes durable what is known.
    pub fn flush(&self) {
        told(self.inner.known.lock().unwrap_or_else(PoisonError::into_inner).ids.flush());
    }
}

impl Inner {
    async fn commit(&self, account: &Account, submitted: Vec<Rows>) -> Result<Accepted, TopicsError> {
        let (mut messages, mut seen) = (Vec::new(), HashSet::new());
        for rows in &submitted {
            let keys: Vec<Vec<u8>> = rows.ids().map(|id| id_key(account, rows.table, id)).collect();
            let is_known = self.are_known(&keys)?;
            for (index, ((key, is_known), row)) in keys.into_iter().zip(is_known).zip(rows.iter()).enumerate() {
                if !is_known && seen.insert(key.clone()) {
                    messages.push(Message::new(account, rows, index, key, row)?);
                }
            }
        }
        let accepted = messages.len() as u64;
        let duplicates = submitted.iter().map(Rows::len).sum::<usize>() as u64 - accepted;
        let (taken, failure) = self.hand_over(account, messages).await;
        self.note(taken)?;
        match failure {
            None => Ok(Accepted { accepted, duplicates }),
            Some(error) => Err(error),
        }
    }

    /// Sends messages and waits until each is taken or not; gives the keys of those that were.
    async fn hand_over(&self, account: &Account, messages: Vec<Message<'_>>) -> (Vec<Vec<u8>>, Option<TopicsError>) {
        let producer = self.producer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (mut deliveries, mut failure) = (Vec::with_capacity(messages.len()), None);
        for message in &messages {
            match message.send(&producer).await {
                Ok(delivery) => deliveries.push(delivery),
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        let mut taken = Vec::with_capacity(deliveries.len());
        for (message, delivered) in messages.into_iter().zip(join_all(deliveries).await) {
            let delivered = match delivered {
                Ok(Ok(_)) => Ok(()),
                Ok(Err((error, _))) => self.bury_too_large(account, &message, error).await,
                Err(_) => Err(KafkaError::Canceled.into()),
            };
            match delivered {
                Ok(()) => taken.push(message.key),
                Err(error) => failure = Some(error),
            }
        }
        if failure.is_some() {
            self.replace_broken(&producer);
        }
        (taken, failure)
    }

    /// A row that no broker takes is kept among the dead letters.
    async fn bury_too_large(
        &self,
        account: &Account,
        message: &Message<'_>,
        error: KafkaError,
    ) -> Result<(), TopicsError> {
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::MessageSizeTooLarge) {
            return Err(error.into());
        }
        let row = message.rows.filtered(|index| index == message.index);
        let lane = Lane { account: account.clone(), table: row.table, month: row.month };
        let reason = "the message is larger than Kafka takes (message.max.bytes)";
        let buried = self.dead_letters.add(&lane, &row, reason, &format!("kafka-{}", message.id)).await;
        buried.map_err(|error| TopicsError::DeadLetter(error.message))
    }

    /// After an error that is fatal for an idempotent producer, it takes nothing any more.
    fn replace_broken(&self, used: &FutureProducer) {
        if let Some((code, reason)) = used.client().fatal_error() {
            tracing::error!(%code, reason, "the producer is broken and made anew");
            match producer(&self.brokers) {
                Ok(made) => *self.producer.lock().unwrap_or_else(PoisonError::into_inner) = made,
                Err(error) => tracing::error!(%error, "no producer can be made"),
            }
        }
    }

    fn are_known(&self, keys: &[Vec<u8>]) -> lsm_tree::Result<Vec<bool>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        keys.iter().map(|key| known.ids.contains(key)).collect()
    }

    fn note(&self, taken: Vec<Vec<u8>>) -> lsm_tree::Result<()> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.ids.note(taken, Utc::now())?;
        if known.ids.are_many() || known.flushed.elapsed() >= FLUSH_EVERY {
            known.ids.flush_beside(told)?;
            known.flushed = Instant::now();
        }
        Ok(())
    }
}

fn told(flushed: lsm_tree::Result<()>) {
    if let Err(error) = flushed {
        tracing::warn!(%error, "the index of known ids cannot be written: duplicates may be counted as accepted");
    }
}

impl<'r> Message<'r> {
    fn new(account: &Account, rows: &'r Rows, index: usize, key: Vec<u8>, row: &[u8]) -> Result<Self, TopicsError> {
        let table = rows.table;
        let document = table.document(row, rows.accepted_at())?.to_string();
        let id = rows.ids().nth(index).map(|id| table.id_text(id)).unwrap_or_default();
        Ok(Self { key, topic: table.topic(account), id, document, rows, index })
    }

    /// Puts it among the messages that wait to be sent.
    async fn send(&self, producer: &FutureProducer) -> Result<DeliveryFuture, TopicsError> {
        let mut record = FutureRecord::to(&self.topic).key(&self.id).payload(&self.document);
        let deadline = Instant::now() + WAIT_FOR_ROOM;
        loop {
            let full = KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull);
            record = match producer.send_result(record) {
                Ok(delivery) => return Ok(delivery),
                Err((error, record)) if error == full && Instant::now() < deadline => record,
                Err((error, _)) => return Err(error.into()),
            };
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn producer(brokers: &str) -> Result<FutureProducer, KafkaError> {
    ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("client.id", "chartwell")
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("compression.type", "lz4")
        .set("linger.ms", "3")
        .set("reconnect.backoff.max.ms", "1000")
        .set("message.timeout.ms", MESSAGE_TIMEOUT.as_millis().to_string())
        // The broker says how large a message may be.
        .set("message.max.bytes", "67108864")
        .set("queue.buffering.max.kbytes", QUEUE_KIBIBYTES.to_string())
        .set("queue.buffering.max.messages", "200000")
        .create()
}
