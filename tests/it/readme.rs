//! The README: its commands work as they are written, and what it names is there.

use std::path::Path;
use std::process::Command;

use crate::program::Program;
use crate::support::SECRET;

const README: &str = include_str!("../../README.md");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The commands of the blocks marked `sh`, continued lines joined.
fn commands() -> Vec<String> {
    let blocks = README.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap());
    let mut commands: Vec<String> = Vec::new();
    for line in blocks.flat_map(str::lines) {
        if let Some(last) =
            commands.last_mut().filter(|last| last.ends_with('\\') || last.matches('\'').count() % 2 == 1)
        {
            *last = format!("{}\n{line}", last.as_str());
        } else {
            commands.push(line.split("  #").next().unwrap().trim_end().to_owned());
        }
    }
    commands
}

/// Runs a command of the README with its program first in the path; returns what it prints.
fn run(command: &str, folder: &Path, token: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_chartwell")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    // An answer that is an error fails the command.
    let script = format!("set -euo pipefail; curl() {{ command curl -sS --fail-with-body \"$@\"; }}\n{command}");
    let output = Command::new("bash")
        .args(["-c", &script])
        .env("PATH", path)
        .env("TOKEN", token)
        .env("CHARTWELL_JWT_SECRET", SECRET)
        .current_dir(folder)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command}\n{told}{}", String::from_utf8_lossy(&output.stderr));
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_commands_work_as_they_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), "demo");
    let commands = commands();
    let token_command = commands.iter().find(|command| command.starts_with("chartwell token")).unwrap();
    let token = run(token_command, folder.path(), "").trim().to_owned();
    let (mut answers, makefile) = (Vec::new(), std::fs::read_to_string(root().join("Makefile")).unwrap());
    for command in &commands {
        if let Some(target) = command.strip_prefix("make ") {
            assert!(makefile.contains(&format!("\n{target}:")), "{command}");
        } else if command.starts_with("curl") {
            let here = command.replace("http://127.0.0.1:8080", &program.url);
            answers.push(run(&here, folder.path(), &token));
        } else if command.starts_with("export") {
            assert!(run(&format!("{command}; echo ${{#CHARTWELL_JWT_SECRET}}"), folder.path(), "").trim() >= "32");
        } else {
            assert!(command.starts_with("chartwell token") || command == "chartwell serve", "untested: {command}");
        }
    }
    assert!(answers[0].contains(r#""aggregation_level":"#), "{answers:?}");
    assert_eq!(answers[1], r#"{"accepted":1,"duplicates":0,"rejected":[]}"#);
}

#[test]
fn its_table_lists_the_commands_that_there_are() {
    let folder = tempfile::tempdir().unwrap();
    let help = run("chartwell --help", folder.path(), "");
    let told = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let there: Vec<&str> =
        told.lines().filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").collect();
    let rows = README.lines().filter_map(|line| line.strip_prefix("| `chartwell "));
    let listed: Vec<&str> = rows.map(|row| row.split('`').next().unwrap()).collect();
    assert_eq!(listed, there);
    for name in listed {
        let help = run(&format!("chartwell {name} --help"), folder.path(), "");
        assert!(help.lines().next().is_some_and(|line| line.len() > 10), "{name}: {help}");
    }
}

#[test]
fn its_map_names_what_is_there() {
    let map = README.split("## The map").nth(1).unwrap().split("```").nth(1).unwrap();
    let mut folder = String::new();
    for line in map.lines().filter(|line| !line.trim().is_empty()) {
        let is_inner = line.starts_with("  ");
        if !is_inner {
            folder = line.split_whitespace().next().unwrap().to_owned();
            assert!(root().join(&folder).exists(), "{folder}");
            continue;
        }
        for name in line.split_whitespace().take_while(|name| name.ends_with('/') || name.ends_with(".rs")) {
            assert!(root().join(&folder).join(name).exists(), "{folder}{name}");
        }
    }
    for link in README.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
        assert!(root().join(link).exists(), "{link}");
    }
}
