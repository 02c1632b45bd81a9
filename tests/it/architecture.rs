//! The shape of the house: arrows point down only.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

pub fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            // Tests may look wherever they want.
            let text = text.split("#[cfg(test)]").next().unwrap().to_owned();
            files.push((path, text));
        }
    }
    files
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The modules of the crate that a text uses.
fn used(text: &str) -> Vec<&str> {
    text.split("crate::")
        .skip(1)
        .map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap())
        .collect()
}

#[track_caller]
fn assert_uses_only(module: &str, allowed: &[&str]) {
    let place = root().join(module);
    let files = if place.is_dir() {
        sources(&place)
    } else {
        vec![(place.with_extension("rs"), fs::read_to_string(place.with_extension("rs")).unwrap())]
    };
    assert!(!files.is_empty());
    for (path, text) in files {
        for used in used(&text) {
            let own = module.split('/').next().unwrap();
            assert!(used == own || allowed.contains(&used), "{} uses {used}", path.display());
        }
    }
}

#[test]
fn arrows_point_down_only() {
    assert_uses_only("query", &[]);
    assert_uses_only("statistics", &[]);
    assert_uses_only("answer", &["query"]);
    assert_uses_only("config", &["query"]);
    assert_uses_only("outbound", &[]);
    assert_uses_only("auth", &["config", "outbound", "query"]);
    assert_uses_only("json", &["query"]);
    assert_uses_only("traces", &["config", "outbound"]);
    assert_uses_only("clickhouse", &["config", "json", "outbound", "query", "traces"]);
    assert_uses_only("rows", &["clickhouse", "config", "json"]);
    assert_uses_only("spool", &["config", "rows"]);
    assert_uses_only("writer", &["clickhouse", "config", "rows", "spool", "traces"]);
    assert_uses_only(
        "ingest",
        &[
            "auth",
            "clickhouse",
            "config",
            "error",
            "http",
            "json",
            "migrations",
            "outbound",
            "query",
            "rows",
            "spool",
            "topics",
        ],
    );
    assert_uses_only("import", &["clickhouse", "config", "ingest", "json", "rows"]);
    assert_uses_only("demo", &["ingest", "json", "rows"]);
    assert_uses_only("topics", &["clickhouse", "config", "rows", "spool", "writer"]);
    assert_uses_only("migrations", &["clickhouse", "config", "rows"]);
    assert_uses_only("repository", &["auth", "clickhouse", "config", "query"]);
    assert_uses_only("latencies", &["answer", "clickhouse", "query"]);
    assert_uses_only("service", &["answer", "auth", "clickhouse", "config", "query", "repository"]);
    assert_uses_only("error", &["auth", "clickhouse", "query", "repository", "service"]);
    assert_uses_only("http", &["answer", "auth", "config", "error", "json", "query", "traces"]);
}

#[test]
fn a_domain_imports_no_other_and_its_layers_point_down() {
    for domain in
        fs::read_dir(root().join("domains")).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir())
    {
        let name = domain.file_name().into_string().unwrap();
        for (path, text) in sources(&domain.path()) {
            let file = path.file_name().unwrap().to_str().unwrap();
            assert!(
                !text.contains("crate::domains::") && !text.contains("crate::app"),
                "{} looks up or aside",
                path.display()
            );
            if file == "repository.rs" {
                assert!(
                    !text.contains("super::service")
                        && !text.contains("super::endpoints")
                        && !text.contains("super::schemas"),
                    "{}",
                    path.display()
                );
            }
            if file == "service.rs" {
                assert!(!text.contains("super::endpoints") && !text.contains("axum"), "{name}: the service knows HTTP");
            }
            if file == "endpoints.rs" {
                assert!(
                    !text.contains("super::repository") && !text.contains("crate::clickhouse"),
                    "{name}: an endpoint reaches past the service"
                );
            }
        }
    }
}

#[test]
fn the_database_client_is_named_in_few_places() {
    for (path, text) in sources(&root()) {
        let place = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        let may = ["clickhouse/", "migrations/"].iter().any(|may| place.starts_with(may));
        for line in text.lines().filter(|line| line.trim_start().starts_with("use clickhouse::")) {
            let row_derives_only =
                ["use clickhouse::Row;", "use clickhouse::{RowOwned, RowRead};"].contains(&line.trim());
            assert!(may || row_derives_only, "{place}: {line}");
        }
    }
}

#[test]
fn handlers_are_short_and_files_are_of_one_idea() {
    for (path, text) in sources(&root()) {
        let lines = text.lines().count();
        assert!(lines <= 500, "{} has {lines} lines", path.display());
        if path.ends_with("endpoints.rs") {
            for handler in text.split("pub async fn ").skip(1) {
                let body: Vec<&str> =
                    handler.split("{\n").nth(1).unwrap_or_default().split("\n}").next().unwrap().lines().collect();
                assert!(
                    body.len() <= 15,
                    "{}: {} has {} lines",
                    path.display(),
                    handler.split('(').next().unwrap(),
                    body.len()
                );
            }
        }
    }
}

#[test]
fn every_schema_of_the_description_has_a_name_of_its_own() {
    let mut known: BTreeMap<String, PathBuf> = BTreeMap::new();
    for (path, text) in sources(&root()) {
        let lines: Vec<&str> = text.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            let name_of = |rest: &str| rest.split(|c: char| !c.is_alphanumeric()).next().map(str::to_owned);
            let declared = match line.strip_prefix("word!(") {
                Some(rest) => name_of(rest),
                None if line.starts_with("#[derive(") && line.contains("ToSchema") => {
                    lines[index..].iter().find_map(|line| {
                        name_of(line.strip_prefix("pub struct ").or_else(|| line.strip_prefix("pub enum "))?)
                    })
                }
                None => None,
            };
            // Where two have the same name, the description has but one of them, for both.
            let Some(name) = declared else { continue };
            if let Some(other) = known.insert(name.clone(), path.clone()) {
                panic!("{name} is in {} and in {}", path.display(), other.display());
            }
        }
    }
    assert!(known.len() > 50);
}
