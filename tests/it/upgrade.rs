//! Data folders of earlier releases open with this program, and answer what they answered then.
//!
//! `tests/data/upgrade/` has a folder of each release, and beside it what was asked and answered. With
//! `UPDATE_FIXTURES=1` a folder of the present version is made, and answers are told anew, where they became better ones;
//! a folder that is there is never made again.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::program::Program;
use crate::support::{claims, eventually, sign};

const ACCOUNT: &str = "kept";
/// Rows are of a fixed day, and stay for ever.
const SETTINGS: [(&str, &str); 1] = [("CHARTWELL_RETENTION_DAYS", "0")];
/// What was accepted in all, of which some waited in the spool when the process was killed.
const MESSAGES: u64 = 300;

const QUESTIONS: [&str; 9] = [
    "recommendations/charts/series?datetime_from=2026-02-03&datetime_to=2026-02-03&aggregation_level=hour&split_by=profile_code",
    "recommendations/charts/assisted-text-per-source?datetime_from=2026-02-03&datetime_to=2026-02-03",
    "recommendations/agents?datetime_from=2026-02-03&datetime_to=2026-02-03&filter=data.text_length:gt:10",
    "assistants/charts/latency?datetime_from=2026-02-03&datetime_to=2026-02-03&verify=true",
    "assistants/models?datetime_from=2026-02-03&datetime_to=2026-02-03",
    "assistants/traces/0af7651916cd43dd8448eb211c80319c",
    "experiments/checkout/results?datetime_from=2026-02-03&datetime_to=2026-02-04&goal_event=purchase",
    "voice-agents/totals?datetime_from=2026-02-03&datetime_to=2026-02-03",
    "experiments?datetime_from=2026-02-03&datetime_to=2026-02-04",
];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/upgrade")
}

async fn post(url: &str, path: &str, body: &Value) {
    let request = reqwest::Client::new().post(format!("{url}{path}")).bearer_auth(sign(&claims(ACCOUNT))).json(body);
    let response = request.send().await.unwrap();
    assert!(response.status().is_success(), "{path}: {}", response.text().await.unwrap());
}

/// An answer without what is another one each time.
async fn answer(url: &str, path: &str) -> Value {
    let request = reqwest::Client::new().get(format!("{url}/api/v1/{path}")).bearer_auth(sign(&claims(ACCOUNT)));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    let mut answer: Value = response.json().await.unwrap();
    if let Some(meta) = answer.get_mut("meta").and_then(Value::as_object_mut) {
        for name in ["elapsed_ms", "query_id", "rows_read", "fresh_as_of"] {
            meta.remove(name);
        }
    }
    answer
}

async fn answers(url: &str) -> BTreeMap<String, Value> {
    let mut answers = BTreeMap::new();
    for path in QUESTIONS {
        answers.insert(path.to_owned(), answer(url, path).await);
    }
    answers
}

async fn are_there(url: &str, messages: u64) {
    let path = "recommendations/totals?datetime_from=2026-02-03&datetime_to=2026-02-03";
    eventually(Duration::from_secs(60), || async {
        let totals = answer(url, path).await;
        let cards = totals["totals"].as_array().unwrap();
        cards.iter().any(|card| card["id"] == "messages" && card["value"] == messages)
    })
    .await;
}

fn message(number: u64) -> Value {
    json!({
        "event": "Send Message", "event_id": Uuid::from_u64_pair(7, number),
        "time_utc": format!("2026-02-03T{:02}:{:02}:00Z", number % 24, number % 60),
        "profile_code": (["support", "sales"][(number % 2) as usize]), "agent_id": format!("agent-{}", number % 5),
        "data": {"text_length": 20 + number % 30, "channel": "chat", "suggestions": [
            {"id": format!("r{number}"), "source": (["gpt", "trie", "url"][(number % 3) as usize]), "len_text": 12, "edited": number.is_multiple_of(4)}]},
    })
}

/// Events, exposures with their goals, calls, and spans.
async fn fill(url: &str) {
    post(url, "/api/v1/events", &(0..MESSAGES / 2).map(message).collect()).await;
    let at = |minute: u64| format!("2026-02-03T12:{minute:02}:00Z");
    let units = (0..40_u64).flat_map(|unit| {
        let visitor = format!("visitor-{unit}");
        let variant = ["A", "B"][(unit % 2) as usize];
        let exposed = json!({"event": "exposure", "event_id": Uuid::from_u64_pair(8, unit), "time_utc": at(unit),
            "visitor_id": visitor, "data": {"experiment_id": "checkout", "variant": variant}});
        let bought = json!({"event": "purchase", "event_id": Uuid::from_u64_pair(9, unit), "time_utc": at(unit + 10),
            "visitor_id": visitor, "data": {"value": unit}});
        [Some(exposed), Some(bought).filter(|_| unit % 3 == 0)].into_iter().flatten()
    });
    post(url, "/api/v1/events", &units.collect()).await;
    let call = |number: u64| {
        json!({"event": "voice_call_ended", "event_id": Uuid::from_u64_pair(10, number), "time_utc": at(number),
            "conversation_id": format!("call-{number}"), "data": {"duration_ms": 60_000 + number, "direction": "inbound",
            "outcome": (["contained", "transferred"][(number % 2) as usize])}})
    };
    post(url, "/api/v1/events", &(0..10).map(call).collect()).await;
    // 2026-02-03T12:00:00Z, and so many milliseconds later.
    let nanos = |millis: u64| (1_770_120_000_000 + millis).to_string() + "000000";
    let attribute = |name: &str, value: &str| json!({"key": name, "value": {"stringValue": value}});
    let spans: Vec<Value> = (0..20_u64)
        .flat_map(|number| {
            let trace = if number == 0 { "0af7651916cd43dd8448eb211c80319c".to_owned() } else { format!("{number:032x}") };
            let (run, call) = (format!("{:016x}", 2 * number + 1), format!("{:016x}", 2 * number + 2));
            let start = number * 60_000;
            [
                json!({"traceId": trace, "spanId": run, "name": "invoke_agent triage", "kind": 1,
                    "startTimeUnixNano": nanos(start), "endTimeUnixNano": nanos(start + 500 + number),
                    "attributes": [attribute("gen_ai.operation.name", "invoke_agent"), attribute("gen_ai.agent.id", "triage")]}),
                json!({"traceId": trace, "spanId": call, "parentSpanId": run, "name": "chat gpt-4o", "kind": 3,
                    "startTimeUnixNano": nanos(start + 10), "endTimeUnixNano": nanos(start + 400),
                    "attributes": [attribute("gen_ai.operation.name", "chat"), attribute("gen_ai.provider.name", "openai"),
                        attribute("gen_ai.request.model", "gpt-4o"),
                        json!({"key": "gen_ai.usage.input_tokens", "value": {"intValue": "100"}}),
                        json!({"key": "gen_ai.usage.output_tokens", "value": {"intValue": "20"}})]}),
            ]
        })
        .collect();
    post(url, "/v1/traces", &json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]})).await;
}

/// Makes the folder of the present version, where there is none yet.
async fn make(archive: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut program = Program::start_with(folder, ACCOUNT, &SETTINGS);
    fill(&program.url).await;
    post(&program.url, "/api/v1/events", &(MESSAGES / 2..MESSAGES).map(message).collect()).await;
    program.signal("-KILL");
    program.wait();
    fs::create_dir_all(fixtures()).unwrap();
    // What a process has open is not data.
    let archive = archive.to_str().unwrap();
    let options = ["--sort=name", "--owner=0", "--group=0", "--exclude=./run", "-czf", archive, "-C"];
    assert!(Command::new("tar").args(options).arg(folder).arg(".").status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_of_earlier_releases_open_and_answer_as_they_did() {
    let version = env!("CARGO_PKG_VERSION");
    let of = |version: &str, kind: &str| fixtures().join(format!("{version}.{kind}"));
    let is_update = std::env::var_os("UPDATE_FIXTURES").is_some();
    if is_update && !of(version, "tar.gz").exists() {
        make(&of(version, "tar.gz")).await;
    }
    let entries = fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let releases: Vec<String> = entries.filter_map(|name| Some(name.strip_suffix(".tar.gz")?.to_owned())).collect();
    assert!(!releases.is_empty());
    for release in releases {
        let folder = tempfile::tempdir().unwrap();
        let archive = of(&release, "tar.gz");
        let unpacked = Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(folder.path()).status().unwrap();
        assert!(unpacked.success());
        let program = Program::start_with(folder.path(), ACCOUNT, &SETTINGS);
        are_there(&program.url, MESSAGES).await;
        if is_update {
            let told = serde_json::to_vec_pretty(&answers(&program.url).await).unwrap();
            fs::write(of(&release, "json"), told).unwrap();
        }
        let told: BTreeMap<String, Value> = serde_json::from_slice(&fs::read(of(&release, "json")).unwrap()).unwrap();
        for (path, told) in told {
            assert_eq!(answer(&program.url, &path).await, told, "{release}: {path}");
        }
        // It goes on: rows are taken, and each once.
        post(&program.url, "/api/v1/events", &json!([message(MESSAGES), message(MESSAGES)])).await;
        are_there(&program.url, MESSAGES + 1).await;
    }
}

#[test]
fn the_changelog_has_what_comes_and_what_has_come() {
    let changelog = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("CHANGELOG.md")).unwrap();
    let headings: Vec<&str> = changelog.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert_eq!(headings[0], "Unreleased");
    let present = headings[1].split(" — ").next().unwrap();
    assert_eq!(present, env!("CARGO_PKG_VERSION"), "the release is the newest one that the changelog has");
    for heading in &headings[1..] {
        let date = heading.split(" — ").nth(1).unwrap_or_default();
        assert!(date.parse::<chrono::NaiveDate>().is_ok(), "{heading}: `## 1.2.3 — 2026-02-03`");
        assert!(fixtures().join(format!("{}.tar.gz", heading.split(" — ").next().unwrap())).exists(), "{heading}");
    }
}
