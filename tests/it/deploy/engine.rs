//! The settings of ClickHouse, loaded by the engine that is embedded: it is of the same version. There is one engine in a
//! process and it reads settings when it starts, so each of these tests goes on in a process of its own.
//!
//! What it does not do: the log tables, the endpoint of Prometheus, Keeper, and what is in `access_control_improvements`.
//! It reads them, and has none of them. For want of the last one it refuses settings that a read-only user may change.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use chartwell::clickhouse::ClickHouse;
use chartwell::migrations::{Target, migrations};
use regex::Regex;

use super::dashboards::statements;
use super::text;
use crate::databases::migrate;
use crate::program::Program;
use crate::support::{CLUSTERS, Via, claims, clickhouse, json_of, message, sign, target};

const CONFIG: &str = "deploy/clickhouse/config.d/chartwell.xml";
const USERS: &str = "deploy/clickhouse/users.d/chartwell.xml";

/// What the image has as users before ours are read.
const USERS_OF_IMAGE: &str = "<clickhouse>
    <profiles><default/><readonly><readonly>1</readonly></readonly></profiles>
    <quotas><default/></quotas>
    <users><default>
        <password/><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>
        <access_management>1</access_management>
    </default></users>
</clickhouse>";

const ENVIRONMENT: [(&str, &str); 5] = [
    ("CHARTWELL_CLICKHOUSE_PASSWORD", "of the program"),
    ("CLICKHOUSE_BI_PASSWORD", "of people"),
    ("CLICKHOUSE_CLUSTER_SECRET", "of servers"),
    ("CLICKHOUSE_SHARD", "01"),
    ("CLICKHOUSE_REPLICA", "clickhouse-2"),
];

/// Lays users and settings where an engine in this folder finds them.
fn lay(folder: &Path, users: &str, settings: &str) {
    for further in ["engine.d", "users.d"] {
        std::fs::create_dir_all(folder.join(further)).unwrap();
    }
    let place = format!(
        "<clickhouse><users_config>{}</users_config></clickhouse>",
        folder.canonicalize().unwrap().join("users.xml").display()
    );
    for (file, text) in [
        ("users.xml", USERS_OF_IMAGE),
        ("users.d/chartwell.xml", users),
        ("engine.d/users.xml", &place),
        ("engine.d/chartwell.xml", settings),
    ] {
        std::fs::write(folder.join(file), text).unwrap();
    }
}

/// The users as an engine in a process can load them: somebody has to be there to ask, and what may be changed by a user
/// who only reads is left out.
fn loadable_users() -> String {
    let users = text(USERS);
    for left_out in ["<default remove=\"remove\"/>", "<changeable_in_readonly/>"] {
        assert_eq!(users.matches(left_out).count(), 1, "{left_out}");
    }
    users.replace("<default remove=\"remove\"/>", "").replace("<changeable_in_readonly/>", "")
}

/// Runs an ignored test of this file in a process whose engine is in a folder with the settings of the stack.
fn in_a_process_of_its_own(test: &str) {
    let folder = tempfile::tempdir().unwrap();
    lay(folder.path(), &loadable_users(), &text(CONFIG));
    run_in(folder.path(), test);
}

fn run_in(folder: &Path, test: &str) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("deploy::engine::{test}"), "--ignored", "--nocapture"])
        .env("CHARTWELL_TEST_ENGINE_FOLDER", folder)
        .envs(ENVIRONMENT)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let log = String::from_utf8_lossy(&output.stderr);
    let end: String = log.lines().filter(|line| !line.starts_with('{')).collect::<Vec<_>>().join("\n");
    assert!(output.status.success() && told.contains("1 passed"), "{told}\n{end}");
}

#[test]
fn its_settings_are_loaded_and_take_effect() {
    in_a_process_of_its_own("settings_of_servers");
}

#[test]
fn people_read_rollups_and_nothing_else() {
    in_a_process_of_its_own("rights_of_people");
}

async fn rows(clickhouse: &ClickHouse, sql: &str) -> Vec<String> {
    clickhouse.fetch(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

#[tokio::test]
#[ignore = "in a process of its own"]
async fn settings_of_servers() {
    let clickhouse = clickhouse(Via::Pipe).await;
    let of = |sql: &'static str| rows(&clickhouse, sql);
    let macros = of("SELECT concat(macro, '=', substitution) FROM system.macros ORDER BY macro").await;
    assert_eq!(macros, ["replica=clickhouse-2", "shard=01"]);
    let servers = of(
        "SELECT concat(cluster, ' ', toString(shard_num), ' ', toString(replica_num), ' ', host_name, ':', toString(port))
         FROM system.clusters ORDER BY replica_num",
    );
    assert_eq!(servers.await, ["main 1 1 clickhouse-1:9000", "main 1 2 clickhouse-2:9000"]);
    let settings = of("SELECT concat(name, '=', value) FROM system.server_settings
         WHERE name IN ('mark_cache_size', 'background_schedule_pool_size', 'max_server_memory_usage_to_ram_ratio') ORDER BY name");
    let wanted =
        ["background_schedule_pool_size=64", "mark_cache_size=268435456", "max_server_memory_usage_to_ram_ratio=0.8"];
    assert_eq!(settings.await, wanted);

    let users = of(
        "SELECT concat(name, ' ', storage, ' ', auth_type[1]) FROM system.users WHERE name != 'default' ORDER BY name",
    );
    assert_eq!(users.await, ["bi users_xml plaintext_password", "chartwell users_xml plaintext_password"]);
    let bounds = of(
        "SELECT concat(assumeNotNull(setting_name), '=', ifNull(value, ''), ' ', ifNull(min, ''), '-', ifNull(max, ''))
         FROM system.settings_profile_elements WHERE profile_name = 'bi' ORDER BY setting_name",
    );
    let bounds = bounds.await;
    for bound in ["readonly=1 -", "allow_ddl=0 -", "max_execution_time=30 1-60", "max_memory_usage=1073741824 -"] {
        assert!(bounds.iter().any(|known| known == bound), "{bound} is not among {bounds:?}");
    }
    let quota = of("SELECT concat(quota_name, ' ', toString(duration), ' ', toString(assumeNotNull(max_queries)), ' ', toString(assumeNotNull(max_read_rows)))
         FROM system.quota_limits WHERE quota_name = 'bi'");
    assert_eq!(quota.await, ["bi 3600 5000 50000000000"]);
    let whose = of("SELECT concat(name, ' ', toString(apply_to_list)) FROM system.quotas WHERE name = 'bi'");
    assert_eq!(whose.await, ["bi ['bi']"]);

    // What of it the engine does not look at is at least where a server looks for it.
    let (users, config) = (text(USERS), text(CONFIG));
    assert!(
        users.contains("<max_execution_time><min>1</min><max>60</max><changeable_in_readonly/></max_execution_time>")
    );
    assert!(config.contains("<settings_constraints_replace_previous>true</settings_constraints_replace_previous>"));
    // A log table of the server either has an end or is not there.
    for log in ["query_log", "part_log", "error_log", "crash_log"] {
        let part = config.split(&format!("<{log}>")).nth(1).and_then(|rest| rest.split(&format!("</{log}>")).next());
        assert!(part.is_some_and(|part| part.contains("<ttl>event_date + INTERVAL")), "{log}");
    }
    for log in
        ["metric_log", "asynchronous_metric_log", "trace_log", "text_log", "processors_profile_log", "query_metric_log"]
    {
        assert!(config.contains(&format!("<{log} remove=\"remove\"/>")), "{log}");
    }
}

/// Rollups that people may read: without texts, addresses, names or ids of anybody.
const OF_PEOPLE: [&str; 15] = [
    "assistant_latencies_1h",
    "assistant_latency_totals_1h",
    "assistant_spans_15m",
    "assistant_spans_1h",
    "assistant_totals_1h",
    "experiment_interactions_15m",
    "experiment_variants",
    "ingestion_15m",
    "product_presence_15m",
    "product_uses_1d",
    "recommendations_15m",
    "recommendations_1h",
    "voice_15m",
    "voice_1h",
    "voice_latencies_1h",
];

/// A view that is read with the rights of somebody else, whoever asks.
async fn read_as(clickhouse: &ClickHouse, user: &str, select: &str) -> Result<(), String> {
    let create = format!("CREATE OR REPLACE VIEW probes.probe DEFINER = {user} SQL SECURITY DEFINER AS {select}");
    clickhouse.execute(&create).await.map_err(|error| error.to_string())?;
    clickhouse.fetch::<u64>("SELECT count() FROM probes.probe").await.map(drop).map_err(|error| error.to_string())
}

#[tokio::test]
#[ignore = "in a process of its own"]
async fn rights_of_people() {
    let clickhouse = clickhouse(Via::Pipe).await;
    migrate(&clickhouse, target("demo")).await;
    migrate(&clickhouse, target("other")).await;
    clickhouse.execute("CREATE DATABASE probes").await.unwrap();
    let tables = "SELECT concat(database, '.', name) FROM system.tables
         WHERE (startsWith(database, 'demo_') OR startsWith(database, 'other_')) AND engine != 'MaterializedView' ORDER BY 1";
    let mut readable = BTreeSet::new();
    for table in rows(&clickhouse, tables).await {
        match read_as(&clickhouse, "bi", &format!("SELECT * FROM {table}")).await {
            Ok(()) => drop(readable.insert(table)),
            Err(error) => assert!(error.contains("Code: 497"), "{table}: {error}"),
        }
    }
    let wanted = OF_PEOPLE.iter().map(|table| format!("demo_analytics.{table}"));
    assert_eq!(readable, wanted.collect());

    let outside = [
        "SELECT name FROM system.users",
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SELECT * FROM url('http://127.0.0.1:9/', 'LineAsString')",
        "SELECT * FROM remote('127.0.0.1:9', 'demo_analytics', 'events')",
    ];
    for select in outside {
        let refused = read_as(&clickhouse, "bi", select).await.unwrap_err();
        assert!(refused.contains("Code: 497") || refused.contains("Code: 291"), "{select}: {refused}");
    }

    // Nor writes, even what may be read.
    for statement in [
        "CREATE TABLE probes.arrivals (source String) ENGINE = Null",
        "CREATE MATERIALIZED VIEW probes.writes TO demo_analytics.recommendations_1h DEFINER = bi SQL SECURITY DEFINER
         AS SELECT source FROM probes.arrivals",
    ] {
        clickhouse.execute(statement).await.unwrap();
    }
    let refused = clickhouse.execute("INSERT INTO probes.arrivals SELECT 'a'").await.unwrap_err().to_string();
    assert!(refused.contains("Code: 497") && refused.contains("INSERT"), "{refused}");

    // And all that the dashboards ask.
    for (place, statement) in statements("demo") {
        read_as(&clickhouse, "bi", &statement).await.unwrap_or_else(|error| panic!("{place}: {error}\n{statement}"));
    }
}

/// Users of whom the one that the engine knows has these grants.
fn only_with(grants: &str) -> String {
    USERS_OF_IMAGE.replace("<access_management>1</access_management>", grants)
}

/// What the user `chartwell` is granted.
fn grants_of_the_program() -> String {
    let users = text(USERS);
    let grants = Regex::new(r"(?s)<chartwell>.*?(<grants>.*?</grants>)").unwrap();
    grants.captures(&users).unwrap()[1].to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_needs_no_more_than_it_is_granted() {
    let folder = tempfile::tempdir().unwrap();
    lay(folder.path(), "<clickhouse/>", "<clickhouse/>");
    std::fs::write(folder.path().join("users.xml"), only_with(&grants_of_the_program())).unwrap();
    let mut program = Program::start(folder.path(), "demo");
    let (http, token) = (reqwest::Client::new(), sign(&claims("demo")));
    let now = chrono::Utc::now().to_rfc3339();
    let sent = http
        .post(format!("{}/api/v1/events", program.url))
        .bearer_auth(&token)
        .json(&message(&now, &[("gpt", 9, false)]));
    assert_eq!(json_of(sent.send().await.unwrap()).await["accepted"], 1);
    let asked = format!("{}/api/v1/recommendations/totals?range=24h", program.url);
    for _ in 0..200 {
        let totals = json_of(http.get(&asked).bearer_auth(&token).send().await.unwrap()).await;
        if totals["totals"][0]["value"] == 1 {
            program.signal("-TERM");
            assert!(program.wait().success());
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the event is not counted\n{}", program.log());
}

#[test]
fn the_program_makes_the_tables_of_a_cluster_with_what_it_is_granted() {
    let folder = tempfile::tempdir().unwrap();
    lay(folder.path(), "<clickhouse/>", CLUSTERS);
    std::fs::write(folder.path().join("users.xml"), only_with(&grants_of_the_program())).unwrap();
    run_in(folder.path(), "rights_of_the_program");
}

#[tokio::test]
#[ignore = "in a process of its own"]
async fn rights_of_the_program() {
    let clickhouse = clickhouse(Via::Pipe).await;
    let target = Target { cluster: Some("one".to_owned()), ..target("acme") };
    for database in ["acme_analytics", "acme_admin_db"] {
        clickhouse.execute(&format!("CREATE DATABASE {database}")).await.unwrap();
    }
    // Nobody distributes statements here.
    let on_cluster = target.on_cluster().to_string();
    let mut made = 0;
    for migration in migrations().unwrap() {
        let statement = target.render(&migration).unwrap().unwrap().replace(&on_cluster, "");
        match clickhouse.execute(&statement).await {
            Ok(()) => made += 1,
            // Without a Keeper a table cannot be altered, and a view cannot read the columns that it lacks.
            Err(error) => assert!(!error.to_string().contains("Not enough privileges"), "{}: {error}", migration.file),
        }
    }
    assert!(made > 85, "{made}");
    let others = [
        "CREATE OR REPLACE TABLE acme_admin_db.assistants (code String) ENGINE = PostgreSQL('127.0.0.1:9', 'a', 'b', 'c', 'd', '')",
        "CREATE TABLE acme_analytics.queue (n UInt8) ENGINE = Kafka SETTINGS kafka_broker_list = '127.0.0.1:9', kafka_topic_list = 'a', kafka_group_name = 'a', kafka_format = 'JSONEachRow'",
        "CREATE TABLE acme_analytics.own (n UInt8) ENGINE = MergeTree ORDER BY n",
        "INSERT INTO acme_analytics.own SELECT 1",
        "RENAME TABLE acme_analytics.own TO acme_analytics.other",
        "ALTER TABLE acme_analytics.other DELETE WHERE n = 1 SETTINGS mutations_sync = 2",
        "DROP TABLE acme_analytics.other SYNC",
        "DROP TABLE acme_analytics.queue SYNC",
    ];
    for statement in others {
        clickhouse.execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
    // May be asked, though there is nobody here to be waited for.
    let synchronised = clickhouse.execute("SYSTEM SYNC REPLICA acme_analytics.own_local LIGHTWEIGHT").await;
    assert!(!synchronised.unwrap_err().to_string().contains("Not enough privileges"));
    for statement in [
        "CREATE USER somebody",
        "GRANT SELECT ON *.* TO default",
        "DROP DATABASE acme_analytics",
        "CREATE FUNCTION twice AS n -> 2 * n",
        "SYSTEM SHUTDOWN",
        "SYSTEM DROP REPLICA 'a' FROM TABLE acme_analytics.events_local",
        "CREATE TABLE acme_analytics.file (n UInt8) ENGINE = File(CSV)",
        "CREATE TABLE acme_analytics.url (n UInt8) ENGINE = URL('http://127.0.0.1:9/', CSV)",
        "CREATE TABLE acme_analytics.bucket (n UInt8) ENGINE = S3('http://127.0.0.1:9/a/b', NOSIGN, 'CSV')",
    ] {
        let refused = clickhouse.execute(statement).await.expect_err(statement).to_string();
        assert!(refused.contains("Code: 497"), "{statement}: {refused}");
    }
    for select in [
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SELECT * FROM url('http://127.0.0.1:9/', 'LineAsString')",
    ] {
        let refused = clickhouse.fetch::<String>(select).await.expect_err(select).to_string();
        assert!(refused.contains("Code: 497"), "{select}: {refused}");
    }
}

#[test]
fn a_right_that_is_missing_is_noticed() {
    for right in ["INSERT", "CREATE DATABASE", "CREATE TABLE"] {
        let grants = grants_of_the_program();
        let fewer = grants.replace(&format!(", {right},"), ",");
        assert_ne!(fewer, grants);
        let folder = tempfile::tempdir().unwrap();
        lay(folder.path(), "<clickhouse/>", "<clickhouse/>");
        std::fs::write(folder.path().join("users.xml"), only_with(&fewer)).unwrap();
        let log = Program::try_start(folder.path(), "demo", &[]).err().expect("it does not start");
        assert!(log.contains("Not enough privileges"), "{right}: {log}");
    }
}

#[tokio::test]
async fn metrics_of_servers_have_the_names_that_alerts_and_dashboards_know() {
    let clickhouse = clickhouse(Via::Pipe).await;
    let known = |sql: &'static str| rows(&clickhouse, sql);
    let metrics: BTreeSet<String> = known("SELECT name FROM system.metrics").await.into_iter().collect();
    let events = known("SELECT event FROM system.events SETTINGS system_events_show_zero_values = 1").await;
    let events: BTreeSet<String> = events.into_iter().collect();
    let name = Regex::new(r"ClickHouse(Metrics|ProfileEvents)_(\w+)").unwrap();
    let mut seen = 0;
    for path in ["deploy/prometheus/rules.yml", "deploy/grafana/dashboards/service.json", "docs/runbook.md"] {
        for found in name.captures_iter(&text(path)) {
            let of_kind = if &found[1] == "Metrics" { &metrics } else { &events };
            assert!(of_kind.contains(&found[2]), "{path}: there is no {}", &found[0]);
            seen += 1;
        }
    }
    assert!(seen > 4);
}
