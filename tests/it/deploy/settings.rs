//! What the stack tells the program: settings that there are, and values that it takes.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use chartwell::config::Config;
use regex::Regex;
use serde_json::json;

use super::{root, text};
use crate::support::{TestApp, json_of, span};

/// The names of all settings, as they are in the environment.
fn known() -> Vec<String> {
    Config::defaults().into_iter().map(|(name, _)| format!("CHARTWELL_{}", name.to_uppercase())).collect()
}

fn files_of(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_of(&path) } else { vec![path] }).collect()
}

#[test]
fn every_setting_that_is_given_is_one() {
    let mut files: Vec<_> =
        ["docker-compose.yml", "docker-compose.single.yml", "Dockerfile", ".env.example", "docs/runbook.md"]
            .map(|file| root().join(file))
            .into();
    files.extend(files_of(&root().join("deploy")));
    let (known, name) = (known(), Regex::new(r"CHARTWELL_[A-Z_]+[A-Z]").unwrap());
    // Names of Compose files alone: where to listen, and the tag of an image.
    let of_stack = ["CHARTWELL_PORT", "CHARTWELL_VERSION"];
    let mut seen = 0;
    for file in files {
        for found in name.find_iter(&std::fs::read_to_string(&file).unwrap()) {
            let name = found.as_str();
            assert!(of_stack.contains(&name) || known.iter().any(|known| known == name), "{}: {name}", file.display());
            seen += 1;
        }
    }
    assert!(seen > 40, "{seen}");
}

#[test]
fn files_of_settings_are_read() {
    for overlay in ["cluster", "embedded"] {
        let file = root().join(format!("deploy/kubernetes/{overlay}/chartwell.toml"));
        let config = Config::load(Some(&file), &Vec::new()).unwrap_or_else(|error| panic!("{overlay}: {error}"));
        assert_eq!(config.clickhouse.clickhouse_cluster.is_some(), overlay == "cluster");
        assert_eq!(config.alerts.alerts.as_deref(), Some(Path::new("/etc/chartwell/alerts.toml")));
    }
}

/// `.env` as the script makes it.
fn made_environment(folder: &Path) -> BTreeMap<String, String> {
    let file = folder.join("made.env");
    let made = Command::new(root().join("scripts/make-env.sh")).arg(&file).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let lines = std::fs::read_to_string(&file).unwrap();
    let pairs = lines.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn the_environment_of_an_instance_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let made = made_environment(folder.path());
    let compose = text("docker-compose.yml");
    let instance = compose.split("x-chartwell: &chartwell").nth(1).unwrap().split("x-clickhouse:").next().unwrap();
    let variable = Regex::new(r"\$\{(\w+)(?::[-?]([^}]*))?\}").unwrap();
    let setting = Regex::new(r"(?m)^    (CHARTWELL_\w+): (.+)$").unwrap();
    let put_in = |value: &str| {
        let with = |found: &regex::Captures<'_>| made.get(&found[1]).cloned().unwrap_or_else(|| found[2].to_owned());
        variable.replace_all(value, with).trim_matches('"').to_owned()
    };
    let mut environment: BTreeMap<&str, String> = setting
        .captures_iter(instance)
        .map(|found| (found.extract::<2>().1[0], put_in(found.extract::<2>().1[1])))
        .collect();
    assert!(environment.len() >= 10, "{environment:?}");
    // There are no servers of these names: it gets as far as that.
    environment.insert("CHARTWELL_CLICKHOUSE_WAIT_SECONDS", "0".to_owned());
    let output = Command::new(env!("CARGO_BIN_EXE_chartwell"))
        .arg("migrate")
        .current_dir(folder.path())
        .envs(&environment)
        .env("CHARTWELL_LOG", "error")
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    let reached = "ClickHouse at clickhouse-1:8123, clickhouse-2:8123 could not be used for 0 s";
    assert!(error.contains(reached) && error.lines().count() == 1, "{error}");
}

#[tokio::test]
async fn the_token_of_the_collector_lets_it_in_and_no_further() {
    let folder = tempfile::tempdir().unwrap();
    let made = made_environment(folder.path());
    let empty: Vec<_> = made.iter().filter(|(_, value)| value.is_empty()).collect();
    assert_eq!(empty, [] as [(&String, &String); 0]);
    let again = made_environment(folder.path());
    assert_eq!(again, made, "what is there stays");

    let secret = chartwell::config::Secret::new(&made["CHARTWELL_JWT_SECRET"]);
    let app =
        TestApp::start_with("demo", crate::support::Via::Pipe, |config| config.auth.jwt_secret = Some(secret)).await;
    let token = &made["COLLECTOR_TOKEN"];
    let spans = [span(0, 0, chrono::Utc::now(), 5, &json!({"gen_ai.operation.name": "invoke_agent"}))];
    let export = json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]});
    let sent = app.post("/v1/traces").bearer_auth(token).json(&export).send().await.unwrap();
    assert_eq!(sent.status(), 200);
    let asked = app.request("/api/v1/assistants").bearer_auth(token).send().await.unwrap();
    assert_eq!(json_of(asked).await["code"], "insufficient_scope");
}
