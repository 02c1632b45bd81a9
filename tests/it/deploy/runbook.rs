//! What the runbook says to look at is there: questions to the program, statements for servers, commands, and texts of the
//! log.

use std::process::Command;

use regex::Regex;

use super::{root, text};
use crate::cluster::fill;
use crate::support::TestApp;

fn found<const N: usize>(pattern: &str) -> Vec<[String; N]> {
    let runbook = text("docs/runbook.md");
    let pattern = Regex::new(pattern).unwrap();
    let found: Vec<[String; N]> =
        pattern.captures_iter(&runbook).map(|found| found.extract::<N>().1.map(str::to_owned)).collect();
    assert!(!found.is_empty());
    found
}

#[tokio::test]
async fn its_questions_are_answered() {
    let app = TestApp::start("deploy_runbook").await;
    fill(&app).await;
    let questions = found::<1>(r"`api '?([a-z][\w/?=&.,:-]+)'?`");
    assert!(questions.len() > 20, "{}", questions.len());
    for [question] in questions {
        let (status, body) = app.ask(&format!("/api/v1/{question}")).await;
        // Without alerts there is no list of them.
        assert!(status == 200 || question == "alerts" && status == 404, "{question}: {body}");
    }
}

#[tokio::test]
async fn its_statements_are_ones() {
    let app = TestApp::start("deploy_statements").await;
    let statements = found::<1>(r#"`ask clickhouse-\d "([^"]+)"`"#);
    assert!(statements.len() > 10, "{}", statements.len());
    for [statement] in statements {
        // This engine has no replicas, and no table about Keeper.
        let is_known = !statement.contains("system.zookeeper_connection");
        if is_known && !statement.starts_with("SYSTEM ") && !statement.contains('…') {
            let asked = app.clickhouse.execute(&format!("EXPLAIN QUERY TREE {statement}")).await;
            asked.unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
    }
}

#[test]
fn its_commands_and_texts_are_there() {
    for [command] in found::<1>(r"`docker compose (?:exec -T|run --rm) chartwell-1 (?:chartwell )?([a-z -]+?)`") {
        let words: Vec<&str> = command.split_whitespace().collect();
        let is_name = |word: &&&str| !word.starts_with('-') && **word != "assistant-errors";
        let mut help = Command::new(env!("CARGO_BIN_EXE_chartwell"));
        let output = help.args(words.iter().filter(is_name)).arg("--help").output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{command}");
        for flag in words.iter().filter(|word| word.starts_with("--")) {
            assert!(told.contains(flag), "{command}: there is no {flag}");
        }
    }
    let sources: String = crate::architecture::sources(&root().join("src")).into_iter().map(|(_, text)| text).collect();
    for [logged] in found::<1>(r#"grep '"(a [^"']+)"?'"#) {
        assert!(sources.contains(&format!("\"{logged}")), "nothing logs {logged}");
    }
    // Reasons and codes that it names are those of the program.
    let known = text("openapi/openapi.json");
    for code in [
        "engine_unavailable",
        "overloaded",
        "query_timeout",
        "query_too_large",
        "ingestion_unavailable",
        "invalid_signature",
        "replayed",
    ] {
        assert!(known.contains(&format!("\"{code}\"")), "{code}");
    }
    for reason in ["expired", "signature", "unknown key", "keys unavailable", "unknown account", "missing", "malformed"]
    {
        assert!(sources.contains(&format!("\"{reason}\"")), "{reason}");
    }
}
