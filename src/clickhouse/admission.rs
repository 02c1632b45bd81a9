//! Admission: how many questions run at once, whose turn it is, and how long the others wait.
//!
//! Two cores answer two questions at a time; running ten at once makes all ten slow. So one more runs than there are
//! cores (while one is handed over, the others compute: with as many as cores, a fifth of the machine was idle), a short
//! queue waits with a deadline, and the rest is told to come back.
//!
//! Accounts share the engine. Each has a queue of its own, and the turn is that of the account that has used the engine
//! least lately; while others ask as well, none has all places, so that a question of a quiet account begins at once. And
//! what runs of an account that has used far more than the others pauses meanwhile: the engine does that, by priorities.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::QueryError;
use crate::config::{Account, QueryConfig};

/// For so long after an insert another one is expected.
const INSERTING_FOR: Duration = Duration::from_secs(1);
/// For so long after a question of an account another one is expected.
const ASKING_FOR: Duration = Duration::from_secs(10);
/// What was used counts half after this: an account that begins to ask far more is known as such within a second.
const HALF_LIFE: Duration = Duration::from_secs(2);
/// Questions that each server runs at once.
const OF_A_SERVER: usize = 16;
/// An account that has used so many times what accounts use on average has used more than its share.
const FAR_MORE: f64 = 1.5;

/// Lets questions in. Cheap to clone.
#[derive(Clone)]
pub struct Admission {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Mutex<Shared>,
    concurrency: usize,
    /// Of this machine, where the engine is; servers have their own, which are not known.
    cores: Option<usize>,
    queue: usize,
    patience: Duration,
    began: Instant,
    /// Until when rows come in, in milliseconds since it began.
    inserting_until: AtomicU64,
}

#[derive(Default)]
struct Shared {
    running: usize,
    /// Those of accounts within their share.
    running_first: usize,
    accounts: HashMap<Account, Of>,
}

/// The questions of one account.
struct Of {
    /// When those that run began.
    running: Vec<Instant>,
    waiting: VecDeque<oneshot::Sender<Admitted>>,
    /// Seconds of the engine, halved again and again, as of an instant.
    used: f64,
    as_of: Instant,
    asked: Instant,
}

/// The right to run one question; given back when dropped.
pub struct Admitted {
    /// Threads that it may use: one for each core when it runs alone; one when others run or wait, or rows come
    /// in: beside a busy core, the work of two threads ends when the slower one does. 0 = as many as a server gives it.
    pub threads: usize,
    /// Whether what runs of others pauses for it, or it for them; where only one account asks, neither.
    pub priority: Priority,
    account: Account,
    began: Instant,
    admission: Admission,
    is_given_back: bool,
}

/// Which questions go before others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    None,
    First,
    Second,
}

impl Priority {
    /// As the engine's setting has it.
    pub const fn number(self) -> u8 {
        match self {
            Self::None => 0,
            Self::First => 1,
            Self::Second => 2,
        }
    }
}

impl Admission {
    /// `servers` = how many there are to ask; none where the engine is on this machine.
    pub fn new(config: &QueryConfig, servers: Option<usize>) -> Self {
        let cores = servers.is_none().then(|| std::thread::available_parallelism().map_or(2, usize::from));
        let usual = cores.map_or_else(|| servers.unwrap_or(1) * OF_A_SERVER, |cores| cores + 1);
        let concurrency = if config.query_concurrency == 0 { usual } else { config.query_concurrency };
        let inner = Inner {
            shared: Mutex::default(),
            concurrency,
            cores,
            queue: config.query_queue,
            patience: Duration::from_secs(config.query_wait_seconds),
            began: Instant::now(),
            inserting_until: AtomicU64::new(0),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Waits for a turn; refuses when the account's queue is full or the wait takes too long.
    pub async fn admit(&self, account: &Account) -> Result<Admitted, QueryError> {
        let turn = {
            let mut shared = self.shared();
            let now = Instant::now();
            let of = shared.of(account, now);
            of.asked = now;
            if of.waiting.is_empty() && shared.has_room(account, self.inner.concurrency, now) {
                return Ok(self.begin(&mut shared, account, now));
            }
            let of = shared.of(account, now);
            // Those who stopped waiting are not in the way.
            of.waiting.retain(|waiting| !waiting.is_closed());
            if of.waiting.len() >= self.inner.queue {
                return Err(QueryError::overloaded(format!("{} questions are waiting already", self.inner.queue)));
            }
            let (turn, wait) = oneshot::channel();
            of.waiting.push_back(turn);
            wait
        };
        match tokio::time::timeout(self.inner.patience, turn).await {
            Ok(admitted) => Ok(admitted.expect("whoever waits is called")),
            Err(_) => Err(QueryError::overloaded(format!("waited {} s for a turn", self.inner.patience.as_secs()))),
        }
    }

    /// Sets the gauges of the metrics.
    pub fn measure(&self) {
        let shared = self.shared();
        let waiting: usize = shared.accounts.values().map(|of| of.waiting.len()).sum();
        metrics::gauge!("chartwell_queries_running").set(shared.running as f64);
        metrics::gauge!("chartwell_queries_waiting").set(waiting as f64);
    }

    /// Notes that rows come in.
    pub fn note_insert(&self) {
        let until = self.inner.began.elapsed() + INSERTING_FOR;
        self.inner.inserting_until.store(until.as_millis() as u64, Ordering::Relaxed);
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.inner.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, shared: &mut Shared, account: &Account, now: Instant) -> Admitted {
        let priority = shared.priority(account, now);
        // Those that pause are not in the way.
        let (running, is_anybody_waiting) = match priority {
            Priority::None | Priority::Second => (shared.running, shared.is_anybody_waiting(|_| true)),
            Priority::First => {
                let is_first = |other: &Account| shared.priority(other, now) == Priority::First;
                (shared.running_first, shared.is_anybody_waiting(is_first))
            }
        };
        let is_alone = running == 0
            && !is_anybody_waiting
            && self.inner.began.elapsed().as_millis() as u64 >= self.inner.inserting_until.load(Ordering::Relaxed);
        shared.running += 1;
        shared.running_first += usize::from(priority != Priority::Second);
        shared.of(account, now).running.push(now);
        Admitted {
            threads: self.inner.cores.map_or(0, |cores| if is_alone { cores } else { 1 }),
            priority,
            account: account.clone(),
            began: now,
            admission: self.clone(),
            is_given_back: false,
        }
    }

    /// Calls those whose turn it is, for as long as there is room.
    fn call(&self, shared: &mut Shared, now: Instant) {
        while let Some(account) = shared.next(self.inner.concurrency, now) {
            let turn = shared.of(&account, now).waiting.pop_front();
            let Some(turn) = turn.filter(|turn| !turn.is_closed()) else { continue };
            let admitted = self.begin(shared, &account, now);
            // Who has just stopped waiting gives it back, but not before this is done.
            if let Err(mut admitted) = turn.send(admitted) {
                shared.end(&admitted, now);
                admitted.is_given_back = true;
            }
        }
    }
}

impl Shared {
    fn of(&mut self, account: &Account, now: Instant) -> &mut Of {
        self.accounts.entry(account.clone()).or_insert_with(|| Of {
            running: Vec::new(),
            waiting: VecDeque::new(),
            used: 0.0,
            as_of: now,
            asked: now,
        })
    }

    /// Accounts that have asked just now.
    fn asking(&self, now: Instant) -> impl Iterator<Item = (&Account, &Of)> {
        self.accounts.iter().filter(move |(_, of)| now - of.asked < ASKING_FOR)
    }

    fn is_anybody_waiting(&self, which: impl Fn(&Account) -> bool) -> bool {
        self.accounts.iter().any(|(account, of)| !of.waiting.is_empty() && which(account))
    }

    fn priority(&self, account: &Account, now: Instant) -> Priority {
        let used: Vec<f64> = self.asking(now).map(|(_, of)| of.used_at(now)).collect();
        if used.len() < 2 {
            return Priority::None;
        }
        let average = used.iter().sum::<f64>() / used.len() as f64;
        let own = self.accounts.get(account).map_or(0.0, |of| of.used_at(now));
        if own > FAR_MORE * average { Priority::Second } else { Priority::First }
    }

    /// Whether one more question of an account may run.
    fn has_room(&self, account: &Account, concurrency: usize, now: Instant) -> bool {
        let others_ask = self.asking(now).any(|(other, _)| other != account);
        let most = if others_ask { (concurrency - 1).max(1) } else { concurrency };
        let running = self.accounts.get(account).map_or(0, |of| of.running.len());
        self.running < concurrency && running < most
    }

    /// The account whose turn it is.
    fn next(&self, concurrency: usize, now: Instant) -> Option<Account> {
        let waiting = self.accounts.iter().filter(|(_, of)| !of.waiting.is_empty());
        let may = waiting.filter(|(account, _)| self.has_room(account, concurrency, now));
        let least = may.min_by(|(_, one), (_, other)| one.used_at(now).total_cmp(&other.used_at(now)));
        least.map(|(account, _)| account.clone())
    }

    fn end(&mut self, admitted: &Admitted, now: Instant) {
        let took = (now - admitted.began).as_secs_f64();
        metrics::histogram!("chartwell_account_query_seconds", "account" => admitted.account.to_string()).record(took);
        self.running -= 1;
        self.running_first -= usize::from(admitted.priority != Priority::Second);
        let of = self.of(&admitted.account, now);
        let ended = of.running.iter().position(|began| *began == admitted.began);
        of.running.swap_remove(ended.expect("what ends has begun"));
        (of.used, of.as_of) = (of.ended_at(now) + took, now);
    }
}

impl Of {
    /// What it has used: less, the longer ago that was.
    fn used_at(&self, now: Instant) -> f64 {
        self.ended_at(now) + self.running.iter().map(|began| (now - *began).as_secs_f64()).sum::<f64>()
    }

    /// What those that have ended used.
    fn ended_at(&self, now: Instant) -> f64 {
        self.used * 0.5_f64.powf((now - self.as_of).as_secs_f64() / HALF_LIFE.as_secs_f64())
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        if self.is_given_back {
            return;
        }
        let admission = self.admission.clone();
        let (mut shared, now) = (admission.shared(), Instant::now());
        shared.end(self, now);
        admission.call(&mut shared, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clickhouse::Failure;

    fn admission(concurrency: usize, queue: usize) -> Admission {
        let limits = QueryConfig {
            query_concurrency: concurrency,
            query_queue: queue,
            query_wait_seconds: 1,
            ..QueryConfig::default()
        };
        Admission::new(&limits, None)
    }

    #[tokio::test(start_paused = true)]
    async fn servers_have_cores_of_their_own() {
        let admission = Admission::new(&QueryConfig { query_queue: 0, ..QueryConfig::default() }, Some(2));
        let mut running = Vec::new();
        while let Ok(admitted) = admission.admit(&account("demo")).await {
            assert_eq!(admitted.threads, 0);
            running.push(admitted);
        }
        assert_eq!(running.len(), 2 * OF_A_SERVER);
    }

    fn account(name: &str) -> Account {
        name.parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_alone_gets_all_cores_and_others_one_each() {
        let (admission, demo) = (admission(2, 4), account("demo"));
        let all = admission.inner.cores.unwrap();
        let first = admission.admit(&demo).await.unwrap();
        assert_eq!(first.threads, all);
        assert_eq!(admission.admit(&demo).await.unwrap().threads, 1);
        drop(first);
        assert_eq!(admission.admit(&demo).await.unwrap().threads, all);
        admission.note_insert();
        assert_eq!(admission.admit(&demo).await.unwrap().threads, 1);
        tokio::time::advance(INSERTING_FOR).await;
        assert_eq!(admission.admit(&demo).await.unwrap().threads, all);
    }

    #[tokio::test(start_paused = true)]
    async fn the_queue_is_bounded_in_length_and_time() {
        let (admission, demo) = (admission(1, 1), account("demo"));
        let running = admission.admit(&demo).await.unwrap();
        let (waited, refused) = tokio::join!(admission.admit(&demo), admission.admit(&demo));
        assert_eq!(refused.err().unwrap().message, "1 questions are waiting already");
        assert_eq!(waited.err().unwrap().failure, Failure::Overloaded);
        drop(running);
        assert!(admission.admit(&demo).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn while_others_ask_no_account_has_all_places() {
        let (admission, loud, quiet) = (admission(3, 4), account("loud"), account("quiet"));
        let three = [admission.admit(&loud).await, admission.admit(&loud).await, admission.admit(&loud).await];
        assert!(three.iter().all(Result::is_ok));
        drop(three);
        drop(admission.admit(&quiet).await.unwrap());
        let two = (admission.admit(&loud).await.unwrap(), admission.admit(&loud).await.unwrap());
        let waiting = admission.clone();
        let third = tokio::spawn(async move { waiting.admit(&account("loud")).await });
        tokio::task::yield_now().await;
        // The place that is left is for the other one, at once.
        let own = admission.admit(&quiet).await.unwrap();
        assert!(!third.is_finished());
        drop(own);
        tokio::task::yield_now().await;
        assert!(!third.is_finished());
        drop(two);
        assert!(third.await.unwrap().is_ok());
        tokio::time::advance(ASKING_FOR).await;
        let three = [admission.admit(&loud).await, admission.admit(&loud).await, admission.admit(&loud).await];
        assert!(three.iter().all(Result::is_ok));
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_used_far_more_pauses_for_the_others() {
        let (admission, loud, quiet) = (admission(3, 4), account("loud"), account("quiet"));
        let use_it = async |account: &Account, millis| {
            let admitted = admission.admit(account).await.unwrap();
            tokio::time::advance(Duration::from_millis(millis)).await;
            admitted.priority
        };
        assert_eq!(use_it(&loud, 900).await, Priority::None);
        assert_eq!(use_it(&quiet, 100).await, Priority::First);
        let running = admission.admit(&loud).await.unwrap();
        assert_eq!((running.priority, running.threads), (Priority::Second, admission.inner.cores.unwrap()));
        // What pauses is not in the way.
        let first = admission.admit(&quiet).await.unwrap();
        assert_eq!((first.priority, first.threads), (Priority::First, admission.inner.cores.unwrap()));
        assert_eq!(admission.admit(&quiet).await.unwrap().threads, 1);
        drop((running, first));
        // Whoever uses as much is no better than the other one.
        assert_eq!(use_it(&quiet, 500).await, Priority::First);
        assert_eq!(use_it(&loud, 0).await, Priority::First);
        tokio::time::advance(ASKING_FOR).await;
        assert_eq!(use_it(&loud, 0).await, Priority::None);
        let shared = admission.shared();
        assert_eq!((shared.running, shared.running_first), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn what_still_runs_counts_as_used_and_is_soon_forgotten() {
        let (admission, loud, quiet) = (admission(3, 4), account("loud"), account("quiet"));
        let priority = async |account: &Account| admission.admit(account).await.unwrap().priority;
        assert_eq!(priority(&quiet).await, Priority::None);
        let endless = admission.admit(&loud).await.unwrap();
        assert_eq!(endless.priority, Priority::First);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!((priority(&loud).await, priority(&quiet).await), (Priority::Second, Priority::First));
        drop(endless);
        assert_eq!(priority(&loud).await, Priority::Second);
        // A quarter of what it used is left, and the other one has used a tenth of it since.
        tokio::time::advance(HALF_LIFE * 2).await;
        let own = admission.admit(&quiet).await.unwrap();
        tokio::time::advance(Duration::from_millis(100)).await;
        assert_eq!(priority(&loud).await, Priority::First);
        drop(own);
        let shared = admission.shared();
        assert!((shared.accounts[&loud].used - 0.25).abs() < 0.01, "{}", shared.accounts[&loud].used);
    }

    #[tokio::test(start_paused = true)]
    async fn the_turn_is_of_who_has_used_least() {
        let (admission, loud, quiet) = (admission(1, 9), account("loud"), account("quiet"));
        let running = admission.admit(&loud).await.unwrap();
        tokio::time::advance(Duration::from_millis(500)).await;
        let order = Arc::new(Mutex::new(Vec::new()));
        let ask = |account: &Account, name: &'static str| {
            let (admission, account, order) = (admission.clone(), account.clone(), Arc::clone(&order));
            tokio::spawn(async move {
                let admitted = admission.admit(&account).await.unwrap();
                tokio::time::advance(Duration::from_millis(100)).await;
                order.lock().unwrap().push(name);
                drop(admitted);
            })
        };
        let mut asked = Vec::new();
        for (account, name) in [(&loud, "l1"), (&loud, "l2"), (&quiet, "q1"), (&quiet, "q2"), (&loud, "l3")] {
            asked.push(ask(account, name));
            tokio::task::yield_now().await;
        }
        // One who has stopped waiting is passed over, and takes no place with them.
        let gone = ask(&quiet, "gone");
        tokio::task::yield_now().await;
        gone.abort();
        drop(running);
        for asked in asked {
            asked.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), ["q1", "q2", "l1", "l2", "l3"]);
        assert_eq!(admission.shared().running, 0);
        assert!(admission.shared().accounts.values().all(|of| of.running.is_empty() && of.waiting.is_empty()));
    }
}
