//! The demo, as a process: what it makes, and that it goes on where it was.

use std::fs;
use std::path::Path;

use chrono::{Duration, Utc};
use serde_json::{Value, json};

use crate::program::Program;
use crate::support::{claims, json_of, sign};

/// Starts the demo, asks a question, and stops it.
async fn ask_demo(folder: &Path, flags: &[&str], path: &str) -> Value {
    let mut program = Program::start_demo(folder, flags);
    let request = reqwest::Client::new().get(format!("{}/api/v1/{path}", program.url));
    let answer = json_of(request.bearer_auth(sign(&claims("demo"))).send().await.unwrap()).await;
    program.signal("-TERM");
    assert!(program.wait().success());
    answer
}

fn told(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("demo.json")).unwrap()).unwrap()
}

/// Codes and runs of the assistants of an answer.
fn runs(answer: &Value) -> Vec<(String, u64)> {
    let of = |row: &Value| (row["assistant_code"].as_str().unwrap().to_owned(), row["runs"].as_u64().unwrap());
    let mut runs: Vec<_> = answer["items"].as_array().unwrap().iter().map(of).collect();
    runs.sort();
    runs
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_of_the_release_before_gains_assistants_once() {
    let folder = tempfile::tempdir().unwrap();
    let now = Utc::now();
    let (from, incident) = (now - Duration::days(20), now - Duration::days(14));
    let before = json!({"seed": 1, "events": 3_000, "from": from, "to": now, "incident": incident});
    fs::write(folder.path().join("demo.json"), before.to_string()).unwrap();
    let question = format!("assistants?datetime_from={}&datetime_to={}", from.date_naive(), now.date_naive());

    let first = runs(&ask_demo(folder.path(), &[], &question).await);
    let codes: Vec<_> = first.iter().map(|(code, _)| code.as_str()).collect();
    let expected = ["billing-help", "claims-intake", "order-status", "phone-concierge", "returns-desk", "tech-triage"];
    assert_eq!(codes, expected);
    let assistants = told(folder.path())["assistants"].clone();
    assert_eq!(assistants["runs"], 240);
    // A run that would begin before the story is not told.
    assert!((235..=240).contains(&first.iter().map(|(_, runs)| runs).sum::<u64>()), "{first:?}");

    let again = ask_demo(folder.path(), &["--events", "5000"], &question).await;
    let since: u64 = runs(&again).iter().zip(&first).map(|((_, now), (_, before))| now - before).sum();
    let counted = told(folder.path())["assistants"]["runs"].as_u64().unwrap() - 240;
    assert!(since <= counted && counted < 5, "{since} {counted}");
}
