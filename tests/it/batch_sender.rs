//! The example `examples/batch-sender`: events of a desktop application, through a network that fails.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::front::{Front, Turn};
use crate::support::TestApp;

/// Settings that make small batches, and tests short.
fn settings() -> Value {
    json!({"batchEvents": 50, "firstRetryMs": 20, "longestRetryMs": 100})
}

/// A sender with a folder of its own.
struct Sender<'t> {
    url: &'t str,
    token: String,
    folder: &'t Path,
    settings: Value,
    patience: Duration,
}

impl<'t> Sender<'t> {
    fn new(front: &'t Front, app: &TestApp, folder: &'t Path) -> Self {
        let patience = Duration::from_secs(60);
        Self { url: &front.url, token: app.token(), folder, settings: settings(), patience }
    }

    fn spawn(&self) -> Child {
        Command::new("node")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/batch-sender/send.js"))
            .env("CHARTWELL_URL", self.url)
            .env("CHARTWELL_TOKEN", &self.token)
            .env("CHARTWELL_FOLDER", self.folder)
            .env("CHARTWELL_SETTINGS", self.settings.to_string())
            .env("CHARTWELL_PATIENCE_MS", self.patience.as_millis().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Sends events and ends; returns what the sender tells, a document a line.
    async fn send(&self, events: &[Value]) -> Vec<Value> {
        let (mut child, lines) = (self.spawn(), lines(events));
        // The application and the front answer on the thread of the test.
        let output = tokio::task::spawn_blocking(move || {
            child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
            child.wait_with_output().unwrap()
        });
        let output = output.await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let told = String::from_utf8(output.stdout).unwrap();
        told.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn lines(events: &[Value]) -> String {
    events.iter().map(|event| format!("{event}\n")).collect()
}

fn event(number: usize) -> Value {
    json!({"event": "interaction", "data": {"number": number, "latency_ms": 12.5, "outcome": "ok"}})
}

fn events(count: usize) -> Vec<Value> {
    (0..count).map(event).collect()
}

/// Rows, ids, and numbers: all are the same when each event is stored once.
async fn stored(app: &TestApp) -> [u64; 3] {
    app.intake.settled().await;
    let sql = format!(
        "SELECT arrayJoin([count(), uniqExact(event_id), uniqExact(toInt64(data.number))]) FROM {}_analytics.events",
        app.account
    );
    app.clickhouse.fetch::<u64>(&sql).await.unwrap().try_into().unwrap()
}

/// The documents that have a field.
fn those_with<'t>(told: &'t [Value], field: &str) -> Vec<&'t Value> {
    told.iter().filter(|document| !document[field].is_null()).collect()
}

#[tokio::test]
async fn each_of_a_thousand_events_is_stored_once_through_a_network_that_fails() {
    let app = TestApp::start("batch_sender").await;
    use Turn::{CutAnswer, Lose, Pass, Refuse};
    let turns = [Refuse, Refuse, Lose, CutAnswer, Pass, Pass, CutAnswer, CutAnswer, Refuse, Lose, Pass, CutAnswer];
    let front = Front::start(&app, &turns, Pass).await;
    let folder = tempfile::tempdir().unwrap();
    let mut all = events(1_000);
    all.insert(500, json!({"event": "interaction", "data": {"number": 1_000, "latency_ms": "fast"}}));
    let told = Sender::new(&front, &app, folder.path()).send(&all).await;

    assert_eq!(stored(&app).await, [1_000; 3]);
    assert_eq!(told.last().unwrap(), &json!({"left": 0}));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    // One event was refused for good; the others of its batch were not.
    let rejected = those_with(&told, "rejected");
    let [rejected] = rejected.as_slice() else { panic!("{told:?}") };
    assert_eq!((&rejected["code"], &rejected["rejected"]["data"]["number"]), (&json!("invalid_type"), &json!(1_000)));
    assert_eq!(those_with(&told, "dropped"), [] as [&Value; 0]);
    // A batch whose answer was cut off was sent again, and set aside.
    assert_eq!(app.get("/api/v1/freshness").await["tables"][0]["duplicates"], 4 * 50);
    // 21 batches, and as many tries more as failed; none before its time.
    let requests = front.requests();
    let failed = turns.iter().filter(|turn| **turn != Pass).count();
    assert_eq!((requests.len(), those_with(&told, "retry").len()), (21 + failed, failed));
    for pair in requests.windows(2).filter(|pair| pair[0].0 == Refuse) {
        let waited = pair[1].1 - pair[0].1;
        assert!(waited >= Duration::from_secs(1) && waited < Duration::from_secs(20), "{waited:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_sent_before_the_end_is_sent_at_the_next_start() {
    let app = TestApp::start("batch_sender_again").await;
    let refusing = Front::start(&app, &[], Turn::Refuse).await;
    let folder = tempfile::tempdir().unwrap();
    let sender = Sender { patience: Duration::from_millis(200), ..Sender::new(&refusing, &app, folder.path()) };
    let told = sender.send(&events(120)).await;
    assert_eq!(told.last().unwrap(), &json!({"left": 3}));
    // Batches of another account's token are kept as well: who may send is mended elsewhere.
    let passing = Front::start(&app, &[], Turn::Pass).await;
    let stranger = Sender { token: "nonsense".to_owned(), url: &passing.url, ..sender };
    let told = stranger.send(&[event(120)]).await;
    assert_eq!(told.last().unwrap(), &json!({"left": 4}));
    assert!(!passing.requests().is_empty());
    assert_eq!(stored(&app).await, [0; 3]);

    let told = Sender::new(&passing, &app, folder.path()).send(&[]).await;
    assert_eq!(told, [json!({"left": 0})]);
    assert_eq!(stored(&app).await, [121; 3]);
}

#[tokio::test]
async fn a_batch_on_disk_outlives_a_crash() {
    let app = TestApp::start("batch_sender_crash").await;
    // The first batch is stored, but the sender never learns of it.
    let front = Front::start(&app, &[Turn::CutAnswer], Turn::Refuse).await;
    let folder = tempfile::tempdir().unwrap();
    let batches = || std::fs::read_dir(folder.path()).into_iter().flatten().count();
    let mut child = Sender::new(&front, &app, folder.path()).spawn();
    child.stdin.as_mut().unwrap().write_all(lines(&events(120)).as_bytes()).unwrap();
    while batches() < 2 || front.requests().len() < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(stored(&app).await, [50; 3]);
    // What it was about to write.
    std::fs::write(folder.path().join("1770000000000-x.ndjson.gz.part"), "half").unwrap();

    let passing = Front::start(&app, &[], Turn::Pass).await;
    Sender::new(&passing, &app, folder.path()).send(&[]).await;
    assert_eq!((stored(&app).await, batches()), ([100; 3], 0));
}

#[tokio::test]
async fn a_folder_that_is_full_loses_the_oldest_and_says_so() {
    let app = TestApp::start("batch_sender_full").await;
    let refusing = Front::start(&app, &[], Turn::Refuse).await;
    let folder = tempfile::tempdir().unwrap();
    let tight = json!({"batchEvents": 10, "batchMs": 20, "queueBytes": 6_500, "firstRetryMs": 20});
    let sender =
        Sender { settings: tight, patience: Duration::from_millis(200), ..Sender::new(&refusing, &app, folder.path()) };
    // A few at a time, because what does not fit in one go is dropped as well, and then the newest.
    let mut told = Vec::new();
    for part in events(210).chunks(35) {
        told.extend(sender.send(part).await);
    }
    let dropped: u64 = those_with(&told, "dropped").iter().map(|told| told["dropped"].as_u64().unwrap()).sum();
    let size: u64 =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    assert!(dropped > 0 && dropped < 210 && size <= 6_500, "{dropped} dropped, {size} bytes");

    let passing = Front::start(&app, &[], Turn::Pass).await;
    Sender::new(&passing, &app, folder.path()).send(&[]).await;
    assert_eq!(stored(&app).await, [210 - dropped; 3]);
    let newest = "SELECT toInt64(max(toInt64(data.number))) FROM batch_sender_full_analytics.events";
    assert_eq!(app.clickhouse.fetch::<i64>(newest).await.unwrap(), [209]);
}

#[tokio::test]
async fn what_is_refused_for_good_is_told_and_not_sent_again() {
    let app = TestApp::start("batch_sender_refused").await;
    let front = Front::start(&app, &[], Turn::Pass).await;
    let folder = tempfile::tempdir().unwrap();
    let bad = [json!({"event": ""}), json!({"data": {"number": 1}}), json!({"event": "e", "event_id": "no id"})];
    let told = Sender::new(&front, &app, folder.path()).send(&bad).await;
    let codes: Vec<&Value> = those_with(&told, "rejected").iter().map(|told| &told["code"]).collect();
    assert_eq!(codes, ["invalid_event_name", "missing_event_name", "invalid_event_id"]);
    assert_eq!(told[1]["rejected"]["data"], json!({"number": 1}));
    assert_eq!((told.last().unwrap(), front.requests().len()), (&json!({"left": 0}), 1));
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_does_not_keep_events_from_the_server() {
    let app = TestApp::start("batch_sender_no_disk").await;
    let front = Front::start(&app, &[Turn::Refuse, Turn::CutAnswer], Turn::Pass).await;
    // A file stands where the folder should be.
    let file = tempfile::NamedTempFile::new().unwrap();
    let told = Sender::new(&front, &app, file.path()).send(&events(120)).await;
    assert_eq!(told.last().unwrap(), &json!({"left": 0}), "{told:?}");
    assert_eq!(stored(&app).await, [120; 3]);
}
