//! Backups of a program that serves, and what comes back from them.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use chartwell::clickhouse::Values;
use chartwell::rows::Table;
use rdkafka::mocking::MockCluster;
use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::program::Program;
use crate::support::{SECRET, Via, claims, clickhouse, eventually, serve_engine, sign};

/// Runs a command on a data folder; gives what it says on both streams.
fn run(folder: &Path, account: &str, words: &[&str]) -> (bool, String) {
    run_with(folder, account, words, &[])
}

fn run_with(folder: &Path, account: &str, words: &[&str], settings: &[(&str, &str)]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_chartwell"))
        .args(words)
        .env("CHARTWELL_ACCOUNTS", account)
        .env("CHARTWELL_DATA_DIR", folder)
        .env("CHARTWELL_JWT_SECRET", SECRET)
        .envs(settings.iter().copied())
        .current_dir(folder)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout) + &text(&output.stderr))
}

#[track_caller]
fn done(folder: &Path, account: &str, words: &[&str]) -> String {
    let (is_done, said) = run(folder, account, words);
    assert!(is_done, "{words:?}: {said}");
    said
}

#[track_caller]
fn refused(folder: &Path, account: &str, words: &[&str], why: &str) {
    let (is_done, said) = run(folder, account, words);
    assert!(!is_done && said.contains(why), "{words:?}: {said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

const TOGETHER: u64 = 50;

/// Sends messages, with ids from `first` on; gives how many were accepted for the first time.
async fn send(url: &str, account: &str, first: u64, count: u64) -> u64 {
    let events: Vec<Value> = (first..first + count)
        .map(|id| {
            let data = json!({"text_length": 10, "suggestions": [{"id": "r", "source": "gpt", "len_text": 4, "edited": false}]});
            json!({"event": "Send Message", "event_id": Uuid::from_u64_pair(1, id), "profile_code": "p",
                   "visitor_id": format!("visitor-{}", id % 7), "data": data})
        })
        .collect();
    let token = sign(&claims(account));
    let response =
        reqwest::Client::new().post(format!("{url}/api/v1/events")).bearer_auth(token).json(&events).send().await;
    let response = response.unwrap();
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let accepted: Value = response.json().await.unwrap();
    accepted["accepted"].as_u64().unwrap()
}

async fn get(url: &str, account: &str, path: &str) -> Value {
    let request = reqwest::Client::new().get(format!("{url}{path}")).bearer_auth(sign(&claims(account)));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    response.json().await.unwrap()
}

const MESSAGES: &str = "/api/v1/recommendations/charts/series?range=24h&aggregation_level=hour&metric=messages";

/// Reads rows, since no rollup knows the field.
const OF_ROWS: &str = "&filter=data.text_length:gt:1";

/// Messages by the rollup.
async fn messages(url: &str, account: &str) -> u64 {
    counted(url, account, MESSAGES, "recommendations_1h").await
}

async fn messages_of_rows(url: &str, account: &str) -> u64 {
    counted(url, account, &format!("{MESSAGES}{OF_ROWS}"), "raw").await
}

async fn counted(url: &str, account: &str, path: &str, source: &str) -> u64 {
    let chart = get(url, account, path).await;
    assert_eq!(chart["meta"]["source"], source);
    chart["series"][0]["data"].as_array().unwrap().iter().filter_map(Value::as_u64).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_of_one_moment_and_what_it_has_is_known_again() {
    let (served, restored) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (served, restored) = (served.path(), restored.path());
    let account = "backed_up";
    let mut program = Program::start(served, account);
    send(&program.url, account, 0, TOGETHER).await;

    // Rows come in all the while.
    let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(TOGETHER)));
    let sending = {
        let (stop, sent, url) = (Arc::clone(&stop), Arc::clone(&sent), program.url.clone());
        tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let first = sent.fetch_add(TOGETHER, Ordering::Relaxed);
                assert_eq!(send(&url, account, first, TOGETHER).await, TOGETHER);
            }
        })
    };
    eventually(Duration::from_secs(60), || async { messages(&program.url, account).await >= 10 * TOGETHER }).await;
    let before = messages(&program.url, account).await;
    let folder = served.to_owned();
    let backups = tokio::task::spawn_blocking(move || {
        done(&folder, account, &["backup", "whole"]);
        done(&folder, account, &["backup", "differences", "--base", "whole"]);
        refused(&folder, account, &["backup", "whole"], "is there already");
        refused(&folder, account, &["backup", "more", "--base", "differences"], "name one that is whole");
        refused(&folder, account, &["backup", "../elsewhere"], "is no name of a backup");
        done(&folder, account, &["backup", "--list"])
    });
    let listed = backups.await.unwrap();
    let names: Vec<&str> = listed.lines().filter_map(|line| line.split('\t').next()).collect();
    assert_eq!(names, ["whole", "differences"]);
    stop.store(true, Ordering::Relaxed);
    sending.await.unwrap();
    let sent = sent.load(Ordering::Relaxed);
    eventually(Duration::from_secs(60), || async { messages(&program.url, account).await == sent }).await;
    program.signal("-TERM");
    program.wait();

    refused(served, account, &["restore", "differences"], "is there already");
    let differences = served.join("backups/differences");
    done(restored, account, &["restore", differences.to_str().unwrap()]);
    let mut program = Program::start(restored, account);
    let known = messages(&program.url, account).await;
    assert!((before..=sent).contains(&known), "{before} {known} {sent}");
    // Rows and rollups are of one moment.
    assert_eq!(messages_of_rows(&program.url, account).await, known);
    // What the backup has is not counted twice, and the rest is not lost to those who send it again.
    let mut accepted = 0;
    for first in (0..sent).step_by(1_000) {
        accepted += send(&program.url, account, first, 1_000.min(sent - first)).await;
    }
    assert_eq!(accepted, sent - known);
    eventually(Duration::from_secs(60), || async { messages(&program.url, account).await == sent }).await;
    program.signal("-TERM");
    program.wait();
    assert_eq!(done(served, account, &["backup", "last", "--keep", "1"]).lines().count(), 3);
    assert!(!differences.exists() && served.join("backups/last").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_backup_or_of_a_newer_release_is_refused() {
    let (served, restored) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (served, restored) = (served.path(), restored.path());
    refused(served, "quiet", &["backup"], "there is nothing to back up");
    done(served, "quiet", &["migrate"]);
    // Without a server it works as well.
    let made = done(served, "quiet", &["backup", "one"]);
    assert!(made.contains("2 databases"), "{made}");
    let manifest = served.join("backups/one/backup.json");
    let text = fs::read_to_string(&manifest).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let backup = served.join("backups/one");
    let backup = backup.to_str().unwrap();
    fs::write(&manifest, text.replace(&format!("\"{version}\""), "\"999.0.0\"")).unwrap();
    refused(restored, "quiet", &["restore", backup], "is of release 999.0.0");
    fs::remove_file(&manifest).unwrap();
    refused(restored, "quiet", &["restore", backup], "is no backup");
    refused(restored, "quiet", &["restore", "nothing"], "cannot be read");
    let url = [("CHARTWELL_CLICKHOUSE_URL", "http://127.0.0.1:1")];
    let output = Command::new(env!("CARGO_BIN_EXE_chartwell")).arg("backup").envs(url).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("docs/operations.md"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_is_erased_beside_the_server_and_the_next_answer_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let account = "erased_beside";
    let program = Program::start(folder, account);
    send(&program.url, account, 0, 70).await;
    eventually(Duration::from_secs(60), || async { messages_of_rows(&program.url, account).await == 70 }).await;
    let words = ["erase", "--account", account, "--visitor", "visitor-3"];
    let folder = folder.to_owned();
    let said = tokio::task::spawn_blocking(move || done(&folder, account, &words)).await.unwrap();
    let (receipt, _) = receipt_and_warning(&said);
    assert_eq!((&receipt["rows"]["events"], &receipt["complete"]), (&json!(10), &json!(false)), "{receipt}");
    assert_eq!(messages_of_rows(&program.url, account).await, 60);
}

/// What comes behind the receipt is on the other stream.
fn receipt_and_warning(said: &str) -> (Value, &str) {
    let mut values = serde_json::Deserializer::from_str(said).into_iter();
    let receipt = values.next().unwrap_or_else(|| panic!("{said}")).unwrap_or_else(|_| panic!("{said}"));
    (receipt, &said[values.byte_offset()..])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_is_erased_on_servers_while_an_instance_has_the_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let account = "erased_on_servers";
    let server = serve_engine().await;
    let on_servers = [("CHARTWELL_CLICKHOUSE_URL", server.as_str())];
    let program = Program::start_with(folder, account, &on_servers);
    send(&program.url, account, 0, 70).await;
    eventually(Duration::from_secs(60), || async { messages_of_rows(&program.url, account).await == 70 }).await;
    let words = ["erase", "--account", account, "--visitor", "visitor-3"];
    let (is_done, said) = tokio::task::block_in_place(|| run_with(folder, account, &words, &on_servers));
    assert!(is_done, "{said}");
    // What waits in the spool of an instance is not seen from here, and that is said.
    let (receipt, warning) = receipt_and_warning(&said);
    assert_eq!((&receipt["rows"]["events"], &receipt["complete"]), (&json!(10), &json!(false)), "{receipt}");
    assert!(warning.contains("chartwell_spool_rows"), "{warning}");
    assert_eq!(messages_of_rows(&program.url, account).await, 60);
    drop(program);

    // Where the command has the engine and the spool to itself, nothing is left out.
    let alone = tempfile::tempdir().unwrap();
    let account = "erased_alone";
    let mut program = Program::start(alone.path(), account);
    send(&program.url, account, 0, 70).await;
    program.signal("-KILL");
    program.wait();
    let words = ["erase", "--account", account, "--visitor", "visitor-3"];
    let (is_done, said) =
        tokio::task::block_in_place(|| run_with(alone.path(), account, &words, &[("CHARTWELL_LOG", "error")]));
    let receipt: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{is_done} {said}"));
    assert_eq!((&receipt["rows"]["events"], &receipt["complete"]), (&json!(10), &json!(true)), "{receipt}");
}

#[test]
fn a_restore_that_has_not_ended_is_nothing_to_serve() {
    let (served, restored) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (served, restored) = (served.path(), restored.path());
    let account = "half_restored";
    done(served, account, &["migrate"]);
    done(served, account, &["backup", "whole"]);
    done(served, account, &["backup", "differences", "--base", "whole"]);
    let backup = served.join("backups/differences");
    let restore = ["restore", backup.to_str().unwrap()];

    // Settings that it cannot be restored with leave nothing behind.
    let (is_done, said) = run_with(restored, account, &restore, &[("CHARTWELL_RETENTION_DAYS", "7")]);
    assert!(!is_done && said.contains("account half_restored: CHARTWELL_RETENTION_DAYS is for 7 days"), "{said}");
    assert_eq!(fs::read_dir(restored).unwrap().count(), 0);

    let (is_done, said) = run_with(restored, account, &restore, &[("FAILPOINTS", "restore-put-back=return")]);
    assert!(!is_done && said.contains("was made to fail"), "{said}");
    let unfinished = "restore-unfinished says that a restore into its folder has not ended";
    for words in [
        &["serve"][..],
        &["migrate"],
        &["backup", "another"],
        &["erase", "--account", account, "--visitor", "v"],
        &["dead-letters", "list", "--account", account],
        &restore,
    ] {
        refused(restored, account, words, unfinished);
    }
    let (is_done, said) = run(restored, account, &["check"]);
    assert!(!is_done && said.contains(unfinished), "{said}");
    for part in ["engine", "spool", "topics"] {
        let _ = fs::remove_dir_all(restored.join(part));
    }
    fs::remove_file(restored.join("restore-unfinished")).unwrap();
    done(restored, account, &restore);
    done(restored, account, &["check"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_reads_from_kafka_is_in_no_backup_and_is_made_again() {
    let (served, restored) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (served, restored) = (served.path(), restored.path());
    let account = "backed_up_kafka";
    let cluster = MockCluster::new(1).unwrap();
    let brokers = cluster.bootstrap_servers();
    let of_kafka = [("CHARTWELL_KAFKA_BROKERS", brokers.as_str())];
    let mut program = Program::start_with(served, account, &of_kafka);
    send(&program.url, account, 0, 10).await;
    eventually(Duration::from_secs(60), || async { messages_of_rows(&program.url, account).await == 10 }).await;
    let (is_done, said) = tokio::task::block_in_place(|| run_with(served, account, &["backup", "one"], &of_kafka));
    assert!(is_done, "{said}");
    program.signal("-TERM");
    program.wait();
    let backup = served.join("backups/one");
    let tables = fs::read_dir(backup.join(format!("engine/metadata/{account}_analytics"))).unwrap();
    let names: Vec<String> = tables.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(names.contains(&"events.sql".to_owned()), "{names:?}");
    assert!(!names.iter().any(|name| name.contains("_queue")), "{names:?}");

    let restore = ["restore", backup.to_str().unwrap()];
    let (is_done, said) = tokio::task::block_in_place(|| run_with(restored, account, &restore, &of_kafka));
    assert!(is_done, "{said}");
    let program = Program::start_with(restored, account, &of_kafka);
    assert_eq!(messages_of_rows(&program.url, account).await, 10);
    send(&program.url, account, 10, 5).await;
    // Kafka waits for most of a minute until it believes that a member of the group is gone, and here are two of before.
    eventually(Duration::from_secs(240), || async { messages_of_rows(&program.url, account).await == 15 }).await;
}

#[tokio::test]
async fn the_statements_for_servers_can_be_parsed_and_leave_out_what_they_should() {
    let text = include_str!("../../docs/operations.md");
    let block = text.split("```sql\n").find(|block| block.starts_with("BACKUP")).unwrap();
    let statements: Vec<&str> = block.split("```").next().unwrap().split_terminator(";\n").collect();
    assert!(statements.len() >= 2, "{statements:?}");
    let clickhouse = clickhouse(Via::Pipe).await;
    for statement in &statements {
        let mut values = Values::default();
        values.set("statement", chartwell::clickhouse::Value::Text((*statement).to_owned()));
        let parsed = clickhouse.fetch_of::<String>("SELECT formatQuery({statement:String})", &values).await;
        parsed.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
    for table in Table::ALL {
        for made in ["_queue", "_queue_view"] {
            let name = format!("{}{made}", table.name());
            assert!(statements[0].split([' ', ',', '\n']).any(|word| word == name), "{name}");
        }
    }
}
