//! The part of `make cluster-check` that speaks HTTP, against two servers over one engine.

use std::process::Command;

use super::root;
use crate::support::TestApp;

/// Runs commands with what `cluster-check.sh` has; returns what they print.
async fn run(apps: [&TestApp; 2], commands: &str) -> Result<String, String> {
    let script = format!("set -euo pipefail; source scripts/cluster-http.sh\n{commands}");
    let mut bash = Command::new("bash");
    bash.args(["-c", &script]).current_dir(root()).env("TOKEN", apps[0].token());
    bash.env("first", &apps[0].url).env("second", &apps[1].url);
    let output = tokio::task::spawn_blocking(move || bash.output().unwrap()).await.unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(told.trim().to_owned()) } else { Err(format!("{told}{error}")) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sent_to_one_instance_is_counted_by_the_other() {
    let one = TestApp::start("deploy_cluster_check").await;
    let other = TestApp::start("deploy_cluster_check").await;
    let done = run(
        [&one, &other],
        r#"is_ready "$first" && is_ready "$second"
        events a 0 300 | post "$first" | is_accepted 300 0
        eventually 10 counts "$second" a 300
        events a 0 300 | post "$first" | is_accepted 0 300
        send_until_accepted "$first" a 200 200
        eventually 10 counts "$second" a 400
        eventually 10 counts "$first" a 400
        counted "$second" b"#,
    );
    assert_eq!(done.await, Ok("0".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_hold_is_noticed() {
    let app = TestApp::start("deploy_cluster_noticed").await;
    for commands in [
        r#"events a 0 3 | post "$first" | is_accepted 4 0"#,
        r#"events a 0 3 | post http://127.0.0.1:9 | is_accepted 3 0"#,
        r#"TOKEN=none; events a 5 3 | post "$first" | is_accepted 3 0"#,
        r#"counts "$first" a 1000"#,
        r#"counts http://127.0.0.1:9 a 0"#,
        r#"eventually 1 counts "$first" a 1000"#,
        r#"is_ready http://127.0.0.1:9"#,
        r#"is_ready "$first/nowhere""#,
    ] {
        assert!(run([&app, &app], commands).await.is_err(), "{commands}");
    }
}
