//! Names from the operational database.
//!
//! Each question reads them anew, so that a rename shows at once; but that database is somebody else's, and may be slow
//! or gone. So nobody waits for it longer than a bound, one reading at a time serves all who came before it began, what
//! was known last is used meanwhile, and after a failure nothing is asked for a while.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use clickhouse::Row;
use serde::Deserialize;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::clickhouse::{ClickHouse, QueryError};
use crate::config::{Account, AdminDb, ClickHouseConfig};

/// A table of our own is as quick as the question itself.
const PATIENCE_WITH_STAND_IN: Duration = Duration::from_secs(10);
/// The engine tries to connect for two seconds: what takes longer than this hangs.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(10);
/// Readings that may hang. The engine cannot end one that waits for a lost connection, and each holds a thread.
const MOST_HANGING: usize = 4;
/// After one failure nothing is asked for this long; twice as long after each that follows.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Names that one account may have.
const MOST_NAMES: usize = 50_000;
/// Characters of a name that are shown.
const LONGEST_NAME: usize = 200;

/// The operational databases of all accounts.
pub struct OperationalDatabase {
    accounts: HashMap<Account, Reading>,
}

/// What is known of the names of an account's assistants.
#[derive(Debug, Clone, Default)]
pub struct Known {
    pub names: Arc<AssistantNames>,
    /// Whether that is what the operational database says now.
    pub is_present: bool,
    /// What a reader should know about them.
    pub notes: Vec<String>,
}

/// Codes, and beside each its name.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct AssistantNames {
    pub codes: Vec<String>,
    pub names: Vec<String>,
}

/// How it is with the operational database of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {
    /// None is configured.
    StandIn,
    Answers,
    DoesNotAnswer,
}

/// The names of one account, and the task that reads them.
struct Reading {
    asked: Arc<Asked>,
    state: watch::Receiver<State>,
    patience: Duration,
    is_remote: bool,
    task: JoinHandle<()>,
}

/// Questions for names, by their number.
#[derive(Default)]
struct Asked {
    newest: AtomicU64,
    wake: Notify,
}

#[derive(Debug, Clone, Default)]
struct State {
    /// The newest question that came before the last reading began.
    covers: u64,
    names: Option<(DateTime<Utc>, Arc<AssistantNames>)>,
    has_failed: bool,
    /// Nobody asks before.
    pause_until: Option<Instant>,
    /// Since when a reading has been under way.
    began: Option<Instant>,
}

impl OperationalDatabase {
    /// Reads for these accounts, each from a database of its own.
    pub fn new(clickhouse: &ClickHouse, config: &ClickHouseConfig, accounts: &[Account]) -> Self {
        let reading = |account: &Account| (account.clone(), Reading::start(clickhouse, config, account));
        Self { accounts: accounts.iter().map(reading).collect() }
    }

    /// The present names of an account's assistants, as far as they can be told in time.
    pub async fn assistant_names(&self, account: &Account) -> Known {
        match self.accounts.get(account) {
            Some(reading) => reading.known().await,
            None => Known::default(),
        }
    }

    /// Whether the operational database of an account answers now.
    pub async fn connection(&self, account: &Account) -> Connection {
        let is_remote = self.accounts.get(account).is_some_and(|reading| reading.is_remote);
        if !is_remote {
            return Connection::StandIn;
        }
        if self.assistant_names(account).await.is_present { Connection::Answers } else { Connection::DoesNotAnswer }
    }
}

/// Reads the names of an account's assistants once; for how long at the most, the engine decides.
pub async fn read_assistant_names(
    clickhouse: &ClickHouse,
    account: &Account,
    admin_db: Option<&AdminDb>,
) -> Result<AssistantNames, QueryError> {
    #[derive(Row, Deserialize)]
    struct NameRow {
        code: String,
        name: String,
    }
    let sql = format!(
        "SELECT code, substringUTF8(ifNull(name, ''), 1, {LONGEST_NAME}) AS name FROM `{}`.assistants LIMIT {MOST_NAMES}",
        account.admin_database()
    );
    let asked = clickhouse.ask(|client| {
        let query = client.query_raw(&sql).with_setting("max_threads", "1");
        async move { query.fetch_all().await }
    });
    let rows: Vec<NameRow> = asked.await.map_err(|error| {
        let message = match admin_db {
            Some(admin_db) => admin_db.without_password(&error.message).into_owned(),
            None => error.message,
        };
        QueryError { message, ..error }
    })?;
    let (codes, names) = rows.into_iter().map(|row| (row.code, row.name)).unzip();
    Ok(AssistantNames { codes, names })
}

impl Reading {
    fn start(clickhouse: &ClickHouse, config: &ClickHouseConfig, account: &Account) -> Self {
        let admin_db = config.admin_db_url.as_ref().map(|admin_db| admin_db.of(account));
        let is_remote = admin_db.is_some();
        let patience =
            if is_remote { Duration::from_millis(config.admin_db_timeout_ms) } else { PATIENCE_WITH_STAND_IN };
        let (clickhouse, account) = (clickhouse.clone(), account.clone());
        let read = move || {
            let (clickhouse, account, admin_db) = (clickhouse.clone(), account.clone(), admin_db.clone());
            async move {
                let names = read_assistant_names(&clickhouse, &account, admin_db.as_ref()).await;
                names.map_err(|error| format!("account {account}: {}", error.message))
            }
        };
        Self::of(read, patience, is_remote)
    }

    /// Reads with `read` whenever somebody asks.
    fn of<F>(read: impl Fn() -> F + Send + 'static, patience: Duration, is_remote: bool) -> Self
    where
        F: Future<Output = Result<AssistantNames, String>> + Send + 'static,
    {
        let asked = Arc::new(Asked::default());
        let (state, changes) = watch::channel(State::default());
        let task = tokio::spawn(keep_reading(read, Arc::clone(&asked), state));
        Self { asked, state: changes, patience, is_remote, task }
    }

    async fn known(&self) -> Known {
        let mut state = self.state.clone();
        let now = Instant::now();
        let is_hopeless = {
            let state = state.borrow();
            state.pause_until.is_some_and(|until| now < until)
                || state.began.is_some_and(|began| now > began + self.patience)
        };
        if is_hopeless {
            return state.borrow().known(false);
        }
        let number = self.asked.newest.fetch_add(1, Ordering::AcqRel) + 1;
        self.asked.wake.notify_one();
        let is_read = tokio::time::timeout(self.patience, state.wait_for(|state| state.covers >= number)).await.is_ok();
        let state = self.state.borrow();
        state.known(is_read && !state.has_failed)
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl State {
    fn known(&self, is_present: bool) -> Known {
        let mut notes = Vec::new();
        let names = self.names.as_ref().map(|(_, names)| Arc::clone(names)).unwrap_or_default();
        match &self.names {
            _ if is_present => {}
            None => notes.push("The operational database does not answer: assistants have no names.".to_owned()),
            Some((read_at, _)) => {
                let read_at = read_at.to_rfc3339_opts(SecondsFormat::Secs, true);
                notes.push(format!("The operational database does not answer: names are those of {read_at}."));
            }
        }
        if names.codes.len() == MOST_NAMES {
            notes.push(format!(
                "The operational database has {MOST_NAMES} assistants or more: some have no names here."
            ));
        }
        Known { names, is_present, notes }
    }
}

/// Reads whenever somebody has asked, one after the other; after a failure with a pause.
async fn keep_reading<F>(read: impl Fn() -> F, asked: Arc<Asked>, state: watch::Sender<State>)
where
    F: Future<Output = Result<AssistantNames, String>> + Send + 'static,
{
    let hanging = Arc::new(Semaphore::new(MOST_HANGING));
    let mut failures = 0_u32;
    loop {
        asked.wake.notified().await;
        state.send_modify(|state| state.began = Some(Instant::now()));
        let Ok(permit) = Arc::clone(&hanging).acquire_owned().await else { return };
        let covers = asked.newest.load(Ordering::Acquire);
        let reading = read();
        // A task of its own: one that is not waited for any more must not be ended, since it cannot be.
        let reading = tokio::spawn(async move {
            let outcome = reading.await;
            drop(permit);
            outcome
        });
        let outcome = match tokio::time::timeout(GIVEN_UP_AFTER, reading).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(broken)) => Err(broken.to_string()),
            Err(_) => Err(format!("nothing came for {} s", GIVEN_UP_AFTER.as_secs())),
        };
        let read_at = Utc::now();
        match outcome {
            Ok(names) => {
                if failures > 0 {
                    tracing::info!("the operational database answers again");
                }
                failures = 0;
                state.send_modify(|state| {
                    // Names that are the same stay the same, for those who compare.
                    let known = state.names.take().map(|(_, known)| known).filter(|known| **known == names);
                    let names = Some((read_at, known.unwrap_or_else(|| Arc::new(names))));
                    *state = State { covers, names, ..State::default() };
                });
            }
            Err(reason) => {
                if failures == 0 {
                    tracing::warn!(reason, "the operational database does not answer (CHARTWELL_ADMIN_DB_URL)");
                }
                let pause = LONGEST_PAUSE.min(FIRST_PAUSE * 2_u32.saturating_pow(failures));
                failures = failures.saturating_add(1);
                state.send_modify(|state| {
                    let names = state.names.take();
                    let pause_until = Some(Instant::now() + pause);
                    *state = State { covers, names, has_failed: true, pause_until, began: None };
                });
                tokio::time::sleep(pause).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::AtomicUsize;

    use tokio::time::sleep;

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(500);

    fn named(name: &str) -> AssistantNames {
        AssistantNames { codes: vec!["a".to_owned()], names: vec![name.to_owned()] }
    }

    /// A database that takes so long to say this, or never says anything.
    #[derive(Clone, Default)]
    struct Database(Arc<Mutex<(Option<Duration>, Option<&'static str>)>>, Arc<AtomicUsize>);

    impl Database {
        fn set(&self, delay: Option<Duration>, name: Option<&'static str>) {
            *self.0.lock().unwrap() = (delay, name);
        }

        fn readings(&self) -> usize {
            self.1.load(Ordering::Relaxed)
        }

        fn reading(&self) -> Reading {
            let database = self.clone();
            let read = move || {
                let (delay, name) = *database.0.lock().unwrap();
                database.1.fetch_add(1, Ordering::Relaxed);
                async move {
                    match delay {
                        Some(delay) => sleep(delay).await,
                        None => std::future::pending().await,
                    }
                    name.map(named).ok_or_else(|| "gone".to_owned())
                }
            };
            Reading::of(read, PATIENCE, true)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_gets_names_that_were_read_after_that() {
        let database = Database::default();
        database.set(Some(Duration::from_millis(100)), Some("before"));
        let reading = database.reading();
        let (first, second) = tokio::join!(reading.known(), async {
            sleep(Duration::from_millis(50)).await;
            // It was renamed while a reading was under way that saw the old name.
            database.set(Some(Duration::from_millis(100)), Some("after"));
            reading.known().await
        });
        assert_eq!((&first.names.names[0][..], first.is_present), ("before", true));
        assert_eq!((&second.names.names[0][..], second.is_present), ("after", true));
        assert_eq!(database.readings(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn many_who_ask_at_once_are_served_by_one_reading_or_two() {
        let database = Database::default();
        database.set(Some(Duration::from_millis(100)), Some("name"));
        let reading = database.reading();
        let all = futures::future::join_all((0..50).map(|_| reading.known())).await;
        assert!(all.iter().all(|known| known.is_present && known.names.names == ["name"]));
        assert!(database.readings() <= 2, "{}", database.readings());
    }

    #[tokio::test(start_paused = true)]
    async fn a_database_that_hangs_delays_one_question_and_is_asked_a_few_times_at_the_most() {
        let database = Database::default();
        database.set(Some(Duration::from_millis(1)), Some("name"));
        let reading = database.reading();
        assert!(reading.known().await.is_present);
        database.set(None, None);
        let mut waited = Duration::ZERO;
        for _ in 0..600 {
            let began = Instant::now();
            let known = reading.known().await;
            assert_eq!(known.names.names, ["name"]);
            assert!(known.notes[0].contains("names are those of "));
            assert!(began.elapsed() <= PATIENCE);
            waited += began.elapsed();
            sleep(Duration::from_millis(500)).await;
        }
        // One reading for each that hangs, and the one before.
        assert_eq!(database.readings(), 1 + MOST_HANGING);
        assert!(waited <= PATIENCE * 5, "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_failure_nobody_waits_and_after_a_pause_names_are_back() {
        let database = Database::default();
        database.set(Some(Duration::from_millis(200)), None);
        let reading = database.reading();
        let known = reading.known().await;
        assert_eq!(known.notes, ["The operational database does not answer: assistants have no names."]);
        let began = Instant::now();
        for _ in 0..100 {
            assert!(!reading.known().await.is_present);
        }
        assert_eq!((began.elapsed(), database.readings()), (Duration::ZERO, 1));
        database.set(Some(Duration::from_millis(1)), Some("name"));
        sleep(FIRST_PAUSE).await;
        let known = reading.known().await;
        assert_eq!((&known.names.names[0][..], known.is_present), ("name", true));
    }
}
