//! Databases of accounts. Making them by all migrations takes the engine seconds, so that is done once, and laid down
//! again wherever a test needs some; when a test has ended, its databases leave the engine, which would look after the
//! tables of hundreds of tests otherwise.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::iter;
use std::sync::{Arc, LazyLock, mpsc};
use std::time::Duration;

use chartwell::clickhouse::ClickHouse;
use chartwell::config::Account;
use chartwell::migrations::{Migrator, Target, migrations};
use tokio::sync::Mutex;

use crate::support::{Via, clickhouse, target};

/// Brings the tables of an account up to date.
pub async fn migrate(clickhouse: &ClickHouse, target: Target) {
    lay_down(&target.account, target.retention_days).await;
    run_migrations(clickhouse, target).await;
}

async fn run_migrations(clickhouse: &ClickHouse, target: Target) {
    let migrations = migrations().expect("the migrations are in order");
    let migrator =
        Migrator { clickhouse, target, migrations: &migrations, is_alone: false, may_shorten_retention: false };
    migrator.run().await.unwrap_or_else(|error| panic!("{error}"));
}

/// Makes the databases of an account, where there are none, as migrations leave them.
async fn lay_down(account: &Account, retention_days: u32) {
    let clickhouse = clickhouse(Via::Pipe).await;
    let [analytics, admin] = names(account);
    let known = format!("SELECT name FROM system.databases WHERE name IN ('{analytics}', '{admin}')");
    if clickhouse.fetch::<String>(&known).await.expect("the engine answers").is_empty() {
        let Made { names: [made, made_admin], backup, views } = &*made(&clickhouse, retention_days).await;
        let laid = format!("RESTORE DATABASE {made} AS {analytics}, DATABASE {made_admin} AS {admin} FROM {backup}");
        let view = |(name, query): &(String, String)| {
            format!("ALTER TABLE {analytics}.{name} MODIFY QUERY {}", query.replace(made, &analytics))
        };
        for statement in iter::once(laid).chain(views.iter().map(view)) {
            clickhouse.execute(&statement).await.unwrap_or_else(|error| panic!("{error}: {statement}"));
        }
    }
    LEAVING.with_borrow_mut(|leaving| leaving.0.push(account.clone()));
}

/// Databases that are laid down again and again.
struct Made {
    names: [String; 2],
    backup: String,
    /// What the engine does not restore as it was, when the database has another name: it forgets what a view calls the
    /// table that it reads.
    views: Vec<(String, String)>,
}

/// Those with this retention; made by the first who needs them.
async fn made(clickhouse: &ClickHouse, retention_days: u32) -> Arc<Made> {
    static ALL: Mutex<BTreeMap<u32, Arc<Made>>> = Mutex::const_new(BTreeMap::new());
    let mut all = ALL.lock().await;
    if let Some(made) = all.get(&retention_days) {
        return Arc::clone(made);
    }
    let target = Target { retention_days, ..target(&format!("made_for_{retention_days}_days")) };
    let names = names(&target.account);
    let backup = format!("File('{}')", target.account);
    run_migrations(clickhouse, target).await;
    let [analytics, admin] = &names;
    for statement in [
        // Each account has a salt of its own.
        format!("TRUNCATE TABLE {analytics}._account_settings"),
        // One row after the other was inserted; now they are one file.
        format!("OPTIMIZE TABLE {analytics}._migration_history FINAL"),
        format!("BACKUP DATABASE {analytics}, DATABASE {admin} TO {backup}"),
    ] {
        clickhouse.execute(&statement).await.expect("databases are backed up");
    }
    let views = format!(
        "SELECT name, as_select FROM system.tables \
         WHERE database = '{analytics}' AND match(as_select, '{analytics}[.][a-z0-9_]+ AS ')"
    );
    let views = clickhouse.fetch(&views).await.expect("the engine answers");
    let made = Arc::new(Made { names, backup, views });
    all.insert(retention_days, Arc::clone(&made));
    made
}

fn names(account: &Account) -> [String; 2] {
    [account.analytics_database(), account.admin_database()]
}

/// Accounts whose databases leave the engine when the thread ends, which is when its test does.
struct Leaving(Vec<Account>);

thread_local! {
    static LEAVING: RefCell<Leaving> = const { RefCell::new(Leaving(Vec::new())) };
}

impl Drop for Leaving {
    fn drop(&mut self) {
        // Nobody is left to run statements on this thread.
        static ENDED: LazyLock<mpsc::Sender<Account>> = LazyLock::new(|| {
            let (sender, ended) = mpsc::channel();
            std::thread::spawn(move || detach(&ended));
            sender
        });
        self.0.drain(..).for_each(|account| ENDED.send(account).expect("its thread never ends"));
    }
}

/// Takes databases out of the engine. Their files stay; to remove them costs ten times as much.
fn detach(ended: &mpsc::Receiver<Account>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let clickhouse = clickhouse(Via::Pipe).await;
        for database in ended.iter().flat_map(|account| names(&account)) {
            // What the test has asked last may still be on its way.
            for _ in 0..10 {
                if clickhouse.execute(&format!("DETACH DATABASE IF EXISTS {database}")).await.is_ok() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    });
}
