//! SQL templates: every one rendered into a snapshot with its values, and accepted by the engine.

use std::collections::BTreeSet;
use std::fmt::Write;

use chartwell::clickhouse::template;
use chartwell::verification::{statements, verify_templates};

use crate::databases::migrate;
use crate::support::{Via, account, clickhouse, target};

#[tokio::test]
async fn every_template_is_rendered_and_accepted() {
    let clickhouse = clickhouse(Via::Pipe).await;
    migrate(&clickhouse, target("templates")).await;
    let statements = statements(&clickhouse, &account("templates")).await.unwrap();
    let rendered: BTreeSet<&str> = statements.keys().copied().collect();
    // Frames and facts are part of others, and are seen there; maintenance is no question.
    const PARTS: [&str; 1] = ["experiments/units.sql"];
    let is_own = |name: &&str| {
        let is_facts = name.contains("/facts_") || name.ends_with("_raw.sql");
        !name.starts_with("shared/") && !name.starts_with("maintenance/") && !is_facts && !PARTS.contains(name)
    };
    let own: BTreeSet<&str> = template::names().filter(is_own).collect();
    assert_eq!(rendered, own);
    for (name, statements) in &statements {
        let mut text = String::new();
        for (sql, values) in statements {
            writeln!(text, "{}\n", sql.lines().filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join("\n"))
                .unwrap();
            // Days that follow the clock are no part of the snapshot.
            let values: Vec<String> = values
                .iter()
                .map(|(name, value)| format!("-- {name} = {}", serde_json::to_string(value).unwrap()))
                .collect();
            writeln!(text, "{}\n\n", values.join("\n")).unwrap();
        }
        let mut settings = insta::Settings::clone_current();
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots"));
        settings.bind(|| insta::assert_snapshot!(name.trim_end_matches(".sql").replace('/', "."), text));
    }
}

#[tokio::test]
async fn they_are_accepted_over_a_socket_too() {
    let clickhouse = clickhouse(Via::Tcp).await;
    migrate(&clickhouse, target("templates_tcp")).await;
    assert!(verify_templates(&clickhouse, &account("templates_tcp")).await.unwrap() > 20);
}

#[test]
fn every_template_says_what_it_asks_and_names_no_table_itself() {
    for name in template::names() {
        let text = template::source(name).unwrap();
        assert!(text.starts_with("-- "), "{name} does not begin with its question");
        assert!(
            !text.contains('?') || text.lines().filter(|line| line.contains('?')).all(|line| line.starts_with("--")),
            "{name} has a `?`, which clients take for a bind"
        );
        let code: Vec<&str> = text.lines().filter(|line| !line.starts_with("--")).collect();
        let words: Vec<&str> = code.iter().flat_map(|line| line.split_whitespace()).collect();
        for three in words.windows(3) {
            let names_a_table = three[1] == "FROM" || (three[1] == "JOIN" && three[0] != "ARRAY");
            assert!(!names_a_table || three[2] == "(" || three[2] == "{{", "{name}: {}", three.join(" "));
        }
    }
}

#[test]
fn what_is_asked_for_the_snapshots_is_of_fixed_days() {
    let asked = include_str!("../../src/verification.rs");
    assert!(!asked.contains("\"range=") && !asked.contains("&range="), "tomorrow it would be another statement");
}
