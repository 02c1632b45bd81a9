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

/// How many of these runs are of the story of the assistants: the others are of an experiment.
fn of_assistants(runs: &[(String, u64)]) -> u64 {
    runs.iter().filter(|(code, _)| code != "shop-guide").map(|(_, runs)| runs).sum()
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
    let expected = [
        "billing-help",
        "claims-intake",
        "order-status",
        "phone-concierge",
        "returns-desk",
        "shop-guide",
        "tech-triage",
    ];
    assert_eq!(codes, expected);
    let assistants = told(folder.path())["assistants"].clone();
    assert_eq!(assistants["runs"], 240);
    // A run that would begin before the story is not told.
    assert!((235..=240).contains(&of_assistants(&first)), "{first:?}");

    let again = ask_demo(folder.path(), &["--events", "5000"], &question).await;
    let since = of_assistants(&runs(&again)) - of_assistants(&first);
    let counted = told(folder.path())["assistants"]["runs"].as_u64().unwrap() - 240;
    assert!(since <= counted && counted < 5, "{since} {counted}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_experiments_tell_which_to_ship_which_to_stop_and_which_to_distrust() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::start_demo(folder.path(), &["--events", "50000", "--days", "30"]);
    let client = reqwest::Client::new();
    let ask = async |path: &str| {
        let request = client.get(format!("{}/api/v1/{path}", program.url)).bearer_auth(sign(&claims("demo")));
        json_of(request.send().await.unwrap()).await
    };
    // To the end of today, so that it is all that was told.
    let from = (Utc::now() - Duration::days(31)).date_naive();
    let range = format!("datetime_from={from}&datetime_to={}", Utc::now().date_naive());

    let listed = ask(&format!("experiments?{range}&sort=experiment_id")).await;
    let of = |row: &Value| (row["experiment_id"].as_str().unwrap().to_owned(), row["srm"]["alarm"].as_bool().unwrap());
    let rows: Vec<_> = listed["items"].as_array().unwrap().iter().map(of).collect();
    let names = [("new-greeting", true), ("plan-first", false), ("suggested-replies", false)];
    assert_eq!(rows, names.map(|(name, alarm)| (name.to_owned(), alarm)), "{listed}");
    assert!(listed["items"].as_array().unwrap().iter().all(|row| row["is_running"] == true), "{listed}");

    let results = async |id: &str, more: &str| {
        ask(&format!("experiments/{id}/results?{range}&goal_event=success{more}")).await["decision"].clone()
    };
    let winning = results("suggested-replies", "").await;
    assert_eq!((&winning["code"], &winning["variant"]), (&json!("ship"), &json!("replies")), "{winning}");
    let flat = results("plan-first", "").await;
    assert_eq!(flat["code"], "continue", "{flat}");
    let flat = results("plan-first", "&minimum_effect=0.5").await;
    assert_eq!(flat["code"], "stop_no_effect", "{flat}");
    let losing = results("new-greeting", "").await;
    assert_eq!(
        (&losing["code"], &losing["reasons"]),
        (&json!("quarantine"), &json!(["sample_ratio_mismatch"])),
        "{losing}"
    );

    for (id, status) in [("suggested-replies", "healthy"), ("plan-first", "healthy"), ("new-greeting", "broken")] {
        let health = ask(&format!("experiments/{id}/health?{range}")).await;
        assert_eq!(health["status"], status, "{health}");
        let platforms = health["platforms"].as_array().unwrap();
        let alarms: Vec<&Value> =
            platforms.iter().filter(|cell| cell["alarm"] == true).map(|cell| &cell["value"]).collect();
        assert_eq!(alarms, if status == "broken" { vec!["zendesk"] } else { Vec::new() }, "{health}");
    }

    // Who thinks first is slower and dearer, as the spans of the same conversations say.
    let arms = "dimension=assistant_version&baseline=1.1.0&candidate=1.1.0-plan&assistant_codes=shop-guide";
    let regressions = ask(&format!("assistants/regressions?{range}&{arms}")).await;
    let reasons = regressions["verdict"]["reasons"].as_array().unwrap();
    assert!(reasons.contains(&json!("latency_p50_up")) && reasons.contains(&json!("cost_up")), "{regressions}");
    program.signal("-TERM");
    assert!(program.wait().success());
}
