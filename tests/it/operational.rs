//! The operational database: names of assistants, from a real PostgreSQL that is renamed in, stopped, silent, locked
//! and wrong, while questions are answered.

use std::io::Write;
use std::process::Command;
use std::time::{Duration, Instant};

use chartwell::config::AdminDb;
use chartwell::migrations::{Migrator, Target, migrations};
use serde_json::{Value, json};

use crate::databases::migrate;
use crate::postgres::Postgres;
use crate::program::Program;
use crate::proxy::{Proxy, Way};
use crate::support::{SECRET, TestApp, Via, clickhouse, granted, json_of, sign, span, target};

const PASSWORD: &str = "p@ss'w\\ord/% 🔑";
const ENCODED_PASSWORD: &str = "p%40ss%27w%5Cord%2F%25%20%F0%9F%94%91";

/// Names that are hard to carry.
const NAMES: [(&str, &str); 5] = [
    ("triage", "Triage 🦀 \"first\" line"),
    ("answers", "O'Brien's \\ assistant\n\tof two lines"),
    ("it's", "quoted"),
    ("empty", ""),
    ("long", "n"),
];

/// A cluster with a database that has assistants, and a role that may read them.
fn postgres() -> Postgres {
    let postgres = Postgres::start();
    postgres.sql("postgres", "CREATE DATABASE ops");
    let password = PASSWORD.replace('\'', "''");
    postgres.sql(
        "ops",
        &format!(
            "CREATE TABLE assistants (code text PRIMARY KEY, name text, profile_code text, salary int);
             CREATE TABLE secrets (secret text);
             INSERT INTO secrets VALUES ('nobody may see this');
             SET standard_conforming_strings = on;
             CREATE ROLE reader LOGIN PASSWORD '{password}';
             GRANT SELECT (code, name, profile_code) ON assistants TO reader;"
        ),
    );
    let rows: Vec<String> = NAMES.iter().map(|(code, name)| row(code, name)).collect();
    postgres.sql("ops", &format!("INSERT INTO assistants VALUES {}, ('null', NULL, NULL, 1)", rows.join(", ")));
    postgres
}

fn row(code: &str, name: &str) -> String {
    format!("('{}', '{}', 'support', 1)", code.replace('\'', "''"), name.replace('\'', "''"))
}

fn rename(postgres: &Postgres, code: &str, name: &str) {
    postgres.sql("ops", &format!("UPDATE assistants SET name = '{name}' WHERE code = '{code}'"));
}

fn url(place: &str) -> String {
    format!("postgres://reader:{ENCODED_PASSWORD}@{place}/ops")
}

fn admin_db(url: &str) -> AdminDb {
    AdminDb::try_from(url.to_owned()).unwrap()
}

async fn start(account: &str, url: &str) -> TestApp {
    let admin_db = admin_db(url);
    let app = TestApp::start_with(account, Via::Pipe, |config| {
        config.clickhouse.admin_db_url = Some(admin_db);
        // A machine that is busy with other tests is slow.
        config.clickhouse.admin_db_timeout_ms = 2_000;
    })
    .await;
    let codes = NAMES.map(|(code, _)| code).into_iter().chain(["null", "unknown"]);
    let runs: Vec<Value> = codes.enumerate().map(|(number, code)| run(number as u64, code, "support")).collect();
    app.store_spans(&runs).await;
    app
}

fn run(number: u64, code: &str, profile_code: &str) -> Value {
    let attributes =
        json!({"gen_ai.agent.name": code, "gen_ai.operation.name": "invoke_agent", "profile_code": profile_code});
    span(number, 0, "2026-02-02T10:00:00Z".parse().unwrap(), 100, &attributes)
}

const PATH: &str = "/api/v1/assistants?datetime_from=2026-02-01&datetime_to=2026-02-03&limit=1000";

/// The name of an assistant in an answer.
fn name_of(answer: &Value, code: &str) -> Value {
    let items = answer["items"].as_array().unwrap();
    items.iter().find(|item| item["assistant_code"] == code).unwrap_or_else(|| panic!("{code}: {answer}"))
        ["assistant_name"]
        .clone()
}

/// What an answer says of the operational database.
fn note(answer: &Value) -> Option<String> {
    let notes = answer["meta"]["notes"].as_array().unwrap();
    let mut notes = notes.iter().map(|note| note.as_str().unwrap()).filter(|note| note.contains("operational"));
    notes.next().map(str::to_owned)
}

/// Asks until an answer is as it should be; what is asked for comes back when a pause is over.
async fn eventually(app: &TestApp, is_so: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let answer = app.get(PATH).await;
        if is_so(&answer) {
            return answer;
        }
        assert!(Instant::now() < deadline, "{answer}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Asks so many times; returns the longest that an answer took.
async fn slowest(app: &TestApp, times: u32, check: impl Fn(&Value)) -> Duration {
    let mut slowest = Duration::ZERO;
    for _ in 0..times {
        let began = Instant::now();
        check(&app.get(PATH).await);
        slowest = slowest.max(began.elapsed());
    }
    slowest
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_are_shown_and_a_rename_by_the_next_answer() {
    let postgres = postgres();
    let app = start("op_names", &url(&format!("127.0.0.1:{}", postgres.port))).await;
    let answer = app.get(PATH).await;
    for (code, name) in NAMES {
        let shown = if name.is_empty() { Value::Null } else { json!(name) };
        assert_eq!(name_of(&answer, code), shown);
    }
    assert_eq!((name_of(&answer, "null"), name_of(&answer, "unknown")), (Value::Null, Value::Null));
    assert_eq!(note(&answer), None);
    for round in 0..20 {
        let name = format!("Round {round}");
        rename(&postgres, "triage", &name);
        assert_eq!(name_of(&app.get(PATH).await, "triage"), json!(name));
    }
    // Sorted by present names, those without one last.
    let sorted = app.get(&format!("{PATH}&sort=assistant_name")).await;
    let sorted: Vec<&Value> = sorted["items"].as_array().unwrap().iter().map(|item| &item["assistant_name"]).collect();
    assert_eq!(sorted[..4], ["O'Brien's \\ assistant\n\tof two lines", "Round 19", "n", "quoted"], "{sorted:?}");
    let csv = app.request(PATH).bearer_auth(app.token()).header("accept", "text/csv").send().await.unwrap();
    assert!(csv.text().await.unwrap().contains("Round 19"));
    // Of names as long as a book, so much as fits.
    rename(&postgres, "long", &"é".repeat(100_000));
    assert_eq!(name_of(&app.get(PATH).await, "long"), json!("é".repeat(200)));
    let current = app.get("/api/v1/accounts/current").await;
    assert_eq!(current["operational_database"], "answers");
    // Nothing but what is white-listed was ever asked of it.
    let log = postgres.log();
    let copies: Vec<&str> = log.lines().filter(|line| line.contains("COPY")).collect();
    assert!(
        copies.len() > 20
            && copies.iter().all(|line| line.contains(r#"COPY (SELECT "code", "name" FROM "assistants" LIMIT "#)),
        "{copies:?}"
    );
    assert!(!log.contains("secrets\" ") && !log.contains("pg_tables"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_stopped_costs_the_names_and_nothing_else() {
    let mut postgres = postgres();
    postgres.stop();
    let app = start("op_stopped", &url(&format!("127.0.0.1:{}", postgres.port))).await;
    let never = app.get(PATH).await;
    assert_eq!(name_of(&never, "triage"), Value::Null);
    assert_eq!(note(&never).unwrap(), "The operational database does not answer: assistants have no names.");
    assert_eq!(app.get("/api/v1/accounts/current").await["operational_database"], "does_not_answer");
    // It can still be asked everything.
    assert_eq!(app.get("/readyz").await["status"], "ready");

    postgres.run();
    let back = eventually(&app, |answer| note(answer).is_none()).await;
    assert_eq!(name_of(&back, "triage"), json!(NAMES[0].1));

    postgres.stop();
    let slowest = slowest(&app, 20, |answer| {
        assert_eq!(name_of(answer, "triage"), json!(NAMES[0].1));
        assert!(note(answer).unwrap().starts_with("The operational database does not answer: names are those of 20"));
    })
    .await;
    assert!(slowest < Duration::from_secs(8), "{slowest:?}");
    postgres.run();
    rename(&postgres, "triage", "Renamed while away");
    let back = eventually(&app, |answer| note(answer).is_none()).await;
    assert_eq!(name_of(&back, "triage"), json!("Renamed while away"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_accepts_and_never_answers_delays_no_more_than_the_bound() {
    let mut postgres = postgres();
    let proxy = Proxy::start(&format!("http://127.0.0.1:{}", postgres.port)).await;
    let app = start("op_silent", &url(proxy.url.strip_prefix("http://").unwrap())).await;
    assert_eq!(name_of(&app.get(PATH).await, "triage"), json!(NAMES[0].1));
    let bound = Duration::from_secs(8);
    let cached = |answer: &Value| {
        assert_eq!(name_of(answer, "triage"), json!(NAMES[0].1));
        assert!(note(answer).is_some());
    };
    for way in [Way::Silent, Way::BreaksAnswers, Way::Closed] {
        proxy.set(way);
        let began = Instant::now();
        let slowest = slowest(&app, 30, cached).await;
        assert!(slowest < bound && began.elapsed() < 3 * bound, "{way:?}: {slowest:?}");
        proxy.set(Way::Open);
        eventually(&app, |answer| note(answer).is_none()).await;
    }
    // As a machine whose processes stand still.
    postgres.signal("-STOP");
    assert!(slowest(&app, 30, cached).await < bound);
    postgres.signal("-CONT");
    eventually(&app, |answer| note(answer).is_none()).await;
    postgres.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_is_locked_holds_up_one_reading_and_no_question() {
    let postgres = postgres();
    let app = start("op_locked", &url(&format!("127.0.0.1:{}", postgres.port))).await;
    assert_eq!(note(&app.get(PATH).await), None);
    let mut locking = postgres.client("ops");
    let mut session = locking.stdin.take().unwrap();
    session.write_all(b"BEGIN; LOCK TABLE assistants IN ACCESS EXCLUSIVE MODE; \\echo locked\n").unwrap();
    session.flush().unwrap();
    eventually(&app, |answer| note(answer).is_some()).await;
    // Longer than a reading is waited for: another begins, and hangs as well.
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(14) {
        let slowest = slowest(&app, 10, |answer| assert_eq!(name_of(answer, "triage"), json!(NAMES[0].1))).await;
        assert!(slowest < Duration::from_secs(8), "{slowest:?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'reader' AND wait_event_type = 'Lock'";
    let waiting: u32 = postgres.sql("ops", waiting).trim().parse().unwrap();
    assert!((1..=4).contains(&waiting), "{waiting} readings hang");
    session.write_all(b"UPDATE assistants SET name = 'Unlocked' WHERE code = 'triage'; COMMIT;\n").unwrap();
    drop(session);
    locking.wait().unwrap();
    let back = eventually(&app, |answer| note(answer).is_none()).await;
    assert_eq!(name_of(&back, "triage"), json!("Unlocked"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_it_costs_the_names_and_what_is_mended_brings_them_back() {
    let postgres = postgres();
    let place = format!("127.0.0.1:{}", postgres.port);
    let app = start("op_wrong", &url(&place)).await;
    let is_without = |answer: &Value| note(answer).is_some();
    assert_eq!(note(&app.get(PATH).await), None);
    for (broken, mended) in [
        ("ALTER TABLE assistants RENAME TO others", "ALTER TABLE others RENAME TO assistants"),
        ("ALTER TABLE assistants RENAME name TO title", "ALTER TABLE assistants RENAME title TO name"),
        ("REVOKE SELECT ON assistants FROM reader", "GRANT SELECT ON assistants TO reader"),
        ("ALTER ROLE reader NOLOGIN", "ALTER ROLE reader LOGIN"),
    ] {
        postgres.sql("ops", broken);
        // Of the columns, the right for the whole table is one of several.
        if broken.starts_with("REVOKE") {
            postgres.sql("ops", "REVOKE SELECT (code, name, profile_code) ON assistants FROM reader");
        }
        let without = eventually(&app, is_without).await;
        assert_eq!(name_of(&without, "triage"), json!(NAMES[0].1), "{broken}");
        postgres.sql("ops", mended);
        eventually(&app, |answer| !is_without(answer)).await;
    }
    let wrong = start("op_wrong_password", &format!("postgres://reader:wrong@{place}/ops")).await;
    let answer = wrong.get(PATH).await;
    assert_eq!((name_of(&answer, "triage"), is_without(&answer)), (Value::Null, true));
    // A database where `name` is no text is read as well.
    postgres.sql("ops", "DROP TABLE assistants; CREATE TABLE assistants (code varchar(20), name jsonb, profile_code char(3));
        INSERT INTO assistants VALUES ('triage', '{\"en\": \"Triage\"}', 'a'), ('triage', '2', 'b'); GRANT SELECT ON assistants TO reader");
    let answer = eventually(&app, |answer| name_of(answer, "triage") != json!(NAMES[0].1)).await;
    assert!([json!("{\"en\": \"Triage\"}"), json!("2")].contains(&name_of(&answer, "triage")), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_assistants_have_their_names() {
    let postgres = postgres();
    postgres.sql(
        "ops",
        "INSERT INTO assistants SELECT 'assistant-' || n, 'The assistant of team ' || n || ' 🦀 ''quoted''' FROM generate_series(1, 10000) n",
    );
    let app = start("op_many", &url(&format!("127.0.0.1:{}", postgres.port))).await;
    let runs: Vec<Value> =
        (1..=1_000).map(|number| run(100 + number, &format!("assistant-{}", number * 10), "support")).collect();
    app.store_spans(&runs).await;
    let began = Instant::now();
    let answer = app.get(&format!("{PATH}&sort=assistant_code&filter=assistant_code:starts_with:assistant-")).await;
    let items = answer["items"].as_array().unwrap();
    assert_eq!(items.len(), 1_000);
    for item in items {
        let number = item["assistant_code"].as_str().unwrap().strip_prefix("assistant-").unwrap();
        assert_eq!(item["assistant_name"], format!("The assistant of team {number} 🦀 'quoted'"));
    }
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_see_their_own_names_only_and_nobody_sees_another_table() {
    let postgres = postgres();
    for account in ["op_acme", "op_globex"] {
        postgres.sql(
            "ops",
            &format!(
                "CREATE SCHEMA {account}; CREATE TABLE {account}.assistants (code text, name text, profile_code text);
                 INSERT INTO {account}.assistants VALUES ('triage', 'Triage of {account}', 'support'), ('hidden', 'Hidden', 'sales');
                 GRANT USAGE ON SCHEMA {account} TO reader; GRANT SELECT ON {account}.assistants TO reader"
            ),
        );
    }
    let url = format!("postgres://reader:{ENCODED_PASSWORD}@127.0.0.1:{}/ops?schema={{account}}", postgres.port);
    for account in ["op_acme", "op_globex"] {
        let app = start(account, &url).await;
        app.store_spans(&[run(100, "hidden", "sales")]).await;
        let answer = app.get(PATH).await;
        assert_eq!(name_of(&answer, "triage"), json!(format!("Triage of {account}")));
        assert_eq!(name_of(&answer, "hidden"), json!("Hidden"));
        let narrow = granted(app.claims(), "profile_code", &["support"]);
        let narrow = json_of(app.request(PATH).bearer_auth(sign(&narrow)).send().await.unwrap()).await;
        assert_eq!(name_of(&narrow, "triage"), json!(format!("Triage of {account}")));
        assert!(!narrow.to_string().to_lowercase().contains("hidden"), "{narrow}");

        let tables = format!("SELECT name FROM system.tables WHERE database = '{account}_admin_db' ORDER BY name");
        let tables: Vec<String> = app.clickhouse.fetch(&tables).await.unwrap();
        assert_eq!(tables, ["assistants", "assistants_stand_in"]);
        for statement in [
            format!("SELECT * FROM {account}_admin_db.secrets"),
            format!("SELECT salary FROM {account}_admin_db.assistants"),
            format!("INSERT INTO {account}_admin_db.assistants SELECT 'x', 'y', 'z'"),
        ] {
            let refused = app.clickhouse.execute(&statement).await.unwrap_err().message;
            assert!(!refused.contains("nobody may see this") && !refused.contains(PASSWORD), "{refused}");
        }
        let shown = format!(
            "SELECT concat(create_table_query, engine_full, comment) FROM system.tables WHERE database = '{account}_admin_db'"
        );
        let shown: Vec<String> = app.clickhouse.fetch(&shown).await.unwrap();
        assert!(!shown.concat().contains("w\\") && shown.concat().contains("[HIDDEN]"), "{shown:?}");
    }
    assert_eq!(postgres.sql("ops", "SELECT count(*) FROM op_acme.assistants").trim(), "2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_stands_in_and_is_kept_while_another_is_read() {
    let postgres = postgres();
    let clickhouse = clickhouse(Via::Pipe).await;
    let remote = admin_db(&url(&format!("127.0.0.1:{}", postgres.port)));
    let without = || target("op_stand_in");
    let with = || Target { admin_db: Some(remote.clone()), ..without() };
    let names = async || -> Vec<String> {
        clickhouse
            .fetch("SELECT ifNull(name, '') AS name FROM op_stand_in_admin_db.assistants WHERE code = 'triage'")
            .await
            .unwrap()
    };
    let migrations = migrations().unwrap();
    let pending = async |target: Target| {
        let migrator = Migrator {
            clickhouse: &clickhouse,
            target,
            migrations: &migrations,
            is_alone: false,
            may_shorten_retention: false,
        };
        migrator.dry_run().await.unwrap()
    };
    migrate(&clickhouse, without()).await;
    clickhouse.execute("INSERT INTO op_stand_in_admin_db.assistants SELECT 'triage', 'Local', NULL").await.unwrap();
    let statements = pending(with()).await;
    assert_eq!(statements.len(), 2, "{statements:?}");
    assert!(statements[1].1.contains("'(secret)'") && !format!("{statements:?}").contains("ord/%"), "{statements:?}");
    // The same on a cluster, as the engine's own parser reads it.
    let on_cluster = pending(Target { cluster: Some("main".to_owned()), ..with() }).await;
    for (_, statement) in &on_cluster[on_cluster.len() - 2..] {
        assert!(statement.contains("ON CLUSTER `main`"), "{statement}");
        let statement = statement.replace('\\', "\\\\").replace('\'', "\\'");
        clickhouse.fetch::<String>(&format!("SELECT formatQuery('{statement}')")).await.unwrap();
    }
    for _ in 0..2 {
        migrate(&clickhouse, with()).await;
        assert_eq!(names().await, [NAMES[0].1]);
        assert_eq!(pending(with()).await, []);
        // Killed between the two statements: a table is renamed, and none is there yet.
        clickhouse.execute("DROP TABLE op_stand_in_admin_db.assistants SYNC").await.unwrap();
        migrate(&clickhouse, with()).await;
        assert_eq!(names().await, [NAMES[0].1]);
        migrate(&clickhouse, without()).await;
        assert_eq!(names().await, ["Local"]);
        assert_eq!(pending(without()).await, []);
    }
    // Another password is another statement.
    let other = AdminDb { password: chartwell::config::Secret::new("other"), ..remote.clone() };
    migrate(&clickhouse, with()).await;
    assert_eq!(pending(Target { admin_db: Some(other), ..without() }).await.len(), 1);

    let app = TestApp::start("op_local").await;
    app.store_spans(&[run(0, "triage", "support")]).await;
    assert_eq!(name_of(&app.get(PATH).await, "triage"), Value::Null);
    app.clickhouse.execute("INSERT INTO op_local_admin_db.assistants SELECT 'triage', 'Local', NULL").await.unwrap();
    assert_eq!(name_of(&app.get(PATH).await, "triage"), json!("Local"));
    assert_eq!(app.get("/api/v1/accounts/current").await["operational_database"], "stand_in");
}

/// What a command of the program prints, on both ways out.
fn printed(words: &[&str], folder: &std::path::Path, url: &str) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_chartwell"))
        .args(words)
        .env("CHARTWELL_DATA_DIR", folder)
        .env("CHARTWELL_ACCOUNTS", "op_program")
        .env("CHARTWELL_JWT_SECRET", SECRET)
        .env("CHARTWELL_LOG", "trace")
        .env("CHARTWELL_ADMIN_DB_URL", url)
        .env_remove("RUST_BACKTRACE")
        .current_dir(folder)
        .output()
        .unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&printed).into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_password_is_in_no_log_and_no_output_of_any_command() {
    let postgres = postgres();
    let folder = tempfile::tempdir().unwrap();
    let place = format!("127.0.0.1:{}", postgres.port);
    let good = format!("postgres://keeper:hunter2secret@{place}/ops");
    postgres.sql("ops", "CREATE ROLE keeper LOGIN PASSWORD 'hunter2secret'; GRANT SELECT ON assistants TO keeper");
    let mut all = String::new();
    let mut run = |words: &[&str], url: &str| {
        let (is_well, told) = printed(words, folder.path(), url);
        all += &told;
        (is_well, told)
    };
    let (is_well, told) = run(&["check"], &good);
    assert!(!is_well && told.contains("run `chartwell migrate`"), "{told}");
    let (_, told) = run(&["migrate", "--dry-run"], &good);
    assert!(told.contains("PostgreSQL('127.0.0.1:") && told.contains("'(secret)'"), "{told}");
    assert!(run(&["migrate"], &good).0);
    let (is_well, told) = run(&["check"], &good);
    assert!(is_well && told.contains("admin db     ok  op_program: 6 assistants"), "{told}");
    let (is_well, told) = run(&["check"], &good.replace("hunter2secret", "hunter2other"));
    assert!(!is_well && told.contains("is not as CHARTWELL_ADMIN_DB_URL says; run `chartwell migrate`"), "{told}");
    postgres.sql("ops", "REVOKE SELECT ON assistants FROM keeper");
    let (is_well, told) = run(&["check"], &good);
    assert!(!is_well && told.contains("permission denied") && told.contains("(CHARTWELL_ADMIN_DB_URL)"), "{told}");
    let (is_well, told) = run(&["check"], "postgres://keeper:hunter2secret@db");
    assert!(!is_well && told.contains("CHARTWELL_ADMIN_DB_URL: it names no database"), "{told}");

    let wrong = good.replace("hunter2secret", "hunter2wrong");
    let settings = [("CHARTWELL_ADMIN_DB_URL", &*wrong), ("CHARTWELL_LOG", "trace")];
    let program = Program::start_with(folder.path(), "op_program", &settings);
    let request = reqwest::Client::new()
        .get(format!("{}{PATH}", program.url))
        .bearer_auth(sign(&crate::support::claims("op_program")));
    let answer = json_of(request.send().await.unwrap()).await;
    assert!(note(&answer).is_some(), "{answer}");
    // What is logged is read as it comes.
    let mut log = program.log();
    for _ in 0..100 {
        if log.contains("password authentication failed for user \\\"keeper\\\"") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        log = program.log();
    }
    assert!(log.contains("password authentication failed for user \\\"keeper\\\""), "{log}");
    all += &log;
    all += &answer.to_string();
    assert!(
        !all.contains("hunter2"),
        "{}",
        all.lines().filter(|line| line.contains("hunter2")).collect::<Vec<_>>().join("\n")
    );
}
