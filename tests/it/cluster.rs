//! What can be known of a cluster without one: its statements are accepted, its tables are those of one process, and over
//! two shards every question has the answer that it has over one. `docs/operations.md` says what that leaves open.

use std::collections::BTreeSet;

use chartwell::clickhouse::ClickHouse;
use chartwell::clickhouse::template;
use chartwell::migrations::{Migration, Target, migrations};
use chartwell::verification::{statements, verify_templates};
use chrono::{DateTime, Duration, Utc};
use regex::Regex;
use serde_json::{Value, json};

use crate::databases::migrate;
use crate::standing_in::{CLUSTER, alone};
use crate::support::{TestApp, Via, account, clickhouse, message, recommendation, target, with};

fn on_cluster(account: &str) -> Target {
    Target { cluster: Some(CLUSTER.to_owned()), ..target(account) }
}

/// The tables that are Distributed on a cluster.
fn distributed() -> Vec<String> {
    let name = |migration: &Migration| {
        let (_, rest) = migration.text.split_once("{{ distributed(\"")?;
        Some(rest.split_once('"')?.0.to_owned())
    };
    let names: BTreeSet<String> = migrations().unwrap().iter().filter_map(name).collect();
    names.into_iter().collect()
}

/// Makes the databases of an account anew.
async fn databases(clickhouse: &ClickHouse, account: &str) {
    for database in [format!("{account}_analytics"), format!("{account}_admin_db")] {
        clickhouse.execute(&format!("DROP DATABASE IF EXISTS {database} SYNC")).await.unwrap();
        clickhouse.execute(&format!("CREATE DATABASE {database}")).await.unwrap();
    }
}

async fn columns(clickhouse: &ClickHouse, database: &str, table: &str) -> Vec<String> {
    clickhouse
        .fetch(&format!(
            "SELECT concat(name, ' ', type, ' ', default_kind, ' ', default_expression, ' ', compression_codec, ' ', comment)
             FROM system.columns WHERE database = '{database}' AND table = '{table}' ORDER BY position"
        ))
        .await
        .unwrap()
}

/// Engine, keys, partitions, retention and settings of a table.
async fn layout(clickhouse: &ClickHouse, database: &str, table: &str) -> Vec<String> {
    let sql = format!("SELECT engine_full FROM system.tables WHERE database = '{database}' AND name = '{table}'");
    clickhouse.fetch(&sql).await.unwrap()
}

#[tokio::test]
async fn every_statement_of_a_cluster_is_parsed_and_every_table_created() {
    let clickhouse = clickhouse(Via::Pipe).await;
    let target = on_cluster("cluster_replicated");
    databases(&clickhouse, "cluster_replicated").await;
    let on_cluster = target.on_cluster().to_string();
    let mut replicated = 0;
    for migration in migrations().unwrap() {
        let statement = target.render(&migration).unwrap().unwrap();
        assert!(statement.contains(&on_cluster), "{}", migration.file);
        let quoted = statement.replace('\\', "\\\\").replace('\'', "\\'");
        let parsed = clickhouse.fetch::<String>(&format!("SELECT formatQuery('{quoted}')")).await;
        parsed.unwrap_or_else(|error| panic!("{}: {error}", migration.file));
        if statement.contains("ENGINE = Replicated") {
            // Nobody distributes statements here. The table stays read-only: nothing can be written to this Keeper.
            let created = clickhouse.execute(&statement.replace(&on_cluster, "")).await;
            created.unwrap_or_else(|error| panic!("{}: {error}", migration.file));
            replicated += 1;
        }
    }
    let waits = "SELECT formatQuery('SYSTEM SYNC REPLICA ON CLUSTER `one` `a`.`b_local` LIGHTWEIGHT')";
    assert_eq!(
        clickhouse.fetch::<String>(waits).await.unwrap(),
        ["SYSTEM SYNC REPLICA ON CLUSTER one a.b_local LIGHTWEIGHT"]
    );
    let created = "SELECT toUInt64(countIf(startsWith(engine, 'Replicated'))) FROM system.tables WHERE database LIKE 'cluster_replicated%'";
    assert_eq!(clickhouse.fetch::<u64>(created).await.unwrap(), [replicated]);
    clickhouse.execute("DROP DATABASE cluster_replicated_analytics SYNC").await.unwrap();
    clickhouse.execute("DROP DATABASE cluster_replicated_admin_db SYNC").await.unwrap();
}

#[tokio::test]
async fn the_tables_of_a_cluster_are_those_of_one_process() {
    let clickhouse = clickhouse(Via::Pipe).await;
    migrate(&clickhouse, target("cluster_of_one")).await;
    databases(&clickhouse, "cluster_of_many").await;
    let of_cluster = on_cluster("cluster_of_many");
    for migration in migrations().unwrap() {
        let statement = alone(&of_cluster.render(&migration).unwrap().unwrap());
        clickhouse.execute(&statement).await.unwrap_or_else(|error| panic!("{}: {error}", migration.file));
    }
    let (one, many) = ("cluster_of_one_analytics", "cluster_of_many_analytics");
    let tables: Vec<String> = clickhouse
        .fetch(&format!(
            "SELECT name FROM system.tables WHERE database = '{one}' AND engine != 'MaterializedView' AND name != '_migration_lock'
             ORDER BY name"
        ))
        .await
        .unwrap();
    assert!(tables.len() > 25, "{tables:?}");
    let distributed = distributed();
    let name = |column: &String| column.split(' ').next().unwrap().to_owned();
    for table in &tables {
        let (wanted, local) = (columns(&clickhouse, one, table).await, format!("{table}_local"));
        assert_eq!(columns(&clickhouse, many, &local).await, wanted, "{local}");
        assert_eq!(layout(&clickhouse, many, &local).await, layout(&clickhouse, one, table).await, "{local}");
        if distributed.contains(table) {
            let read: Vec<String> = columns(&clickhouse, many, table).await.iter().map(name).collect();
            assert_eq!(read, wanted.iter().map(name).collect::<Vec<_>>(), "{table}");
        }
    }
    // What questions read is Distributed. The rest keeps nothing, or is the same on all servers.
    let others: Vec<&String> = tables.iter().filter(|table| !distributed.contains(table)).collect();
    assert_eq!(others, ["_migration_history", "experiment_told", "voice_told"]);

    // The same rows again, under the same token, change nothing in the tables and in what views make of them.
    for _ in 0..2 {
        let insert = format!(
            "INSERT INTO {many}.events (event_id, time_utc, event, profile_code, data, ingested_at)
             SETTINGS insert_deduplication_token = 'once', deduplicate_blocks_in_dependent_materialized_views = 1, distributed_foreground_insert = 1
             SELECT toUUID('01890f5a-7b2c-7d4e-9a1b-2c3d4e5f6a7b'), now64(6), 'Send Message', 'p', '{{\"text_length\":3}}', now64(6)"
        );
        clickhouse.execute(&insert).await.unwrap();
    }
    let events = format!("SELECT toUInt64(count()) FROM {many}.events");
    let messages = format!("SELECT toUInt64(sum(messages)) FROM {many}.recommendations_1h");
    assert_eq!(clickhouse.fetch::<u64>(&events).await.unwrap(), [1]);
    assert_eq!(clickhouse.fetch::<u64>(&messages).await.unwrap(), [1]);
    clickhouse
        .execute(&format!(
            "ALTER TABLE {many}.events_local DELETE WHERE event = 'Send Message' SETTINGS mutations_sync = 2"
        ))
        .await
        .unwrap();
    assert_eq!(clickhouse.fetch::<u64>(&events).await.unwrap(), [0]);
}

#[tokio::test]
async fn the_engines_of_a_cluster_name_shard_and_replica() {
    let target = on_cluster("acme");
    let all = migrations().unwrap();
    let rendered = |file: &str| {
        let migration = all.iter().find(|migration| migration.file.contains(file)).unwrap();
        target.render(migration).unwrap().unwrap()
    };
    let events = rendered("create_table_events");
    assert!(
        events.contains("ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/events_local', '{replica}')"),
        "{events}"
    );
    assert!(events.contains("`acme_analytics`.`events_local` ON CLUSTER `one`"), "{events}");
    let history = rendered("create_table_migration_history");
    let of_all = "ReplicatedMergeTree('/clickhouse/tables/{database}/_migration_history_local', '{shard}-{replica}')";
    assert!(history.contains(of_all), "{history}");
    let distributed = rendered("create_distributed_events");
    assert!(
        distributed.contains("Distributed('one', 'acme_analytics', 'events_local', cityHash64(`event_id`))"),
        "{distributed}"
    );
}

/// Sub-queries of a query over a table itself that are not GLOBAL: on a cluster each shard would run them.
fn not_global(statement: &str) -> Vec<&str> {
    let (mut found, mut reads_a_table) = (Vec::new(), vec![false]);
    let words: Vec<(usize, &str)> = Regex::new(r"[(]|[)]|[^\s()]+")
        .unwrap()
        .find_iter(statement)
        .map(|word| (word.start(), word.as_str()))
        .collect();
    for (index, (place, word)) in words.iter().enumerate() {
        let after = |count: usize| words.get(index + count).map_or("", |(_, word)| *word);
        let before = |count: usize| index.checked_sub(count).map_or("", |index| words[index].1);
        match *word {
            "(" => reads_a_table.push(false),
            ")" if reads_a_table.len() > 1 => drop(reads_a_table.pop()),
            "FROM" => {
                *reads_a_table.last_mut().unwrap() |=
                    after(1).starts_with('`') || after(1) == "{{" && after(2) == "table";
            }
            "JOIN" | "IN" if *reads_a_table.last().unwrap() => {
                let is_subquery = *word == "JOIN" && before(1) != "ARRAY" || after(1) == "(" && after(2) == "SELECT";
                let is_global = (1..=4).any(|count| before(count) == "GLOBAL");
                found.extend((is_subquery && !is_global).then_some(&statement[*place..]));
            }
            _ => {}
        }
    }
    found
}

#[tokio::test]
async fn what_a_table_is_joined_with_is_global() {
    let bad = "SELECT a FROM `d`.`t` WHERE a IN ( SELECT b FROM `d`.`u` )";
    assert_eq!(not_global(bad).len(), 1);
    assert_eq!(
        not_global("SELECT a FROM ( SELECT a FROM `d`.`t` ) AS f LEFT JOIN ( SELECT b FROM `d`.`u` ) USING a").len(),
        0
    );
    assert_eq!(not_global("SELECT a FROM `d`.`t` AS f LEFT ANY JOIN ( SELECT b FROM `d`.`u` ) USING a").len(), 1);
    assert_eq!(not_global("SELECT a FROM {{ table(\"t\") }} WHERE a GLOBAL NOT IN ( SELECT b )").len(), 0);
    for name in template::names() {
        assert_eq!(not_global(template::source(name).unwrap()), [] as [&str; 0], "{name}");
    }
    let clickhouse = clickhouse(Via::Pipe).await;
    migrate(&clickhouse, target("cluster_global")).await;
    for (template, statements) in statements(&clickhouse, &account("cluster_global")).await.unwrap() {
        for (statement, _) in statements {
            assert_eq!(not_global(&statement), [] as [&str; 0], "{template}");
        }
    }
}

/// Events, spans and product events of the first quarter of 2026, by the statements of the benches.
pub async fn fill(app: &TestApp) {
    let making = [
        (include_str!("../../benches/spans.sql"), 1_500),
        (include_str!("../../benches/product.sql"), 1_000),
        (include_str!("../../benches/experiments.sql"), 2_000),
    ];
    for (statement, all) in making {
        let sql = statement
            .replace("{{database}}", &format!("{}_analytics", app.account))
            .replace("{{all}}", &all.to_string())
            .replace("{{from}}", "0")
            .replace("{{to}}", &all.to_string());
        app.clickhouse.execute(&sql).await.unwrap();
    }
    let first: DateTime<Utc> = "2026-03-01T00:20:00Z".parse().unwrap();
    let sources = ["gpt", "rec", "trie", "url", "search-default"];
    let events: Vec<Value> = (0..600_usize)
        .map(|number| {
            let time = (first + Duration::minutes(number as i64 * 73)).to_rfc3339();
            let source = sources[number % 5];
            let event = match number % 4 {
                0 => recommendation("Shown", &time, source),
                1 => recommendation("Accepted", &time, source),
                _ => message(&time, &[(source, (number % 90) as u32, number % 3 == 0), ("gpt", 7, false)]),
            };
            let who =
                json!({"agent_id": format!("agent-{}", number % 7), "profile_code": format!("profile-{}", number % 3)});
            with(event, who)
        })
        .collect();
    app.store(&events).await;
    let calls: Vec<Value> = (0..200_usize)
        .flat_map(|number| {
            let begins = first + Duration::hours(number as i64 * 3);
            let told = |event: &str, after: i64, data: Value| {
                json!({"event": event, "time_utc": (begins + Duration::seconds(after)).to_rfc3339(), "profile_code": "phone",
                    "conversation_id": format!("call-{number}"), "data": data})
            };
            let outcome = ["contained", "transferred", "abandoned"][number % 3];
            [
                told("voice_turn", 5, json!({"latency_ms": 300 + number * 7 % 900, "interrupted": number % 5 == 0})),
                told("voice_call_ended", 90, json!({"outcome": outcome, "duration_ms": 90_000, "transfer_reason": "asked"})),
            ]
        })
        .collect();
    app.store(&calls).await;
}

/// Moves the rows of an account to two others, by the keys that a cluster goes by, and puts them together again as the
/// two shards of a fourth one.
async fn divide(clickhouse: &ClickHouse, whole: &str, shards: [&str; 2], together: &str) {
    let copied =
        [("events", "event_id"), ("assistants_tracing_spans", "trace_id"), ("product_telemetry_events", "event_id")];
    for (number, shard) in shards.iter().enumerate() {
        for (table, key) in copied {
            let names: Vec<String> = clickhouse
                .fetch(&format!(
                    "SELECT concat('`', name, '`') FROM system.columns WHERE database = '{shard}' AND table = '{table}'
                     AND default_kind NOT IN ('MATERIALIZED', 'ALIAS') ORDER BY position"
                ))
                .await
                .unwrap();
            let names = names.join(", ");
            let sql = format!(
                "INSERT INTO {shard}.{table} ({names}) SELECT {names} FROM {whole}.{table} WHERE cityHash64({key}) % 2 = {number}"
            );
            clickhouse.execute(&sql).await.unwrap();
        }
    }
    let views = format!("SELECT name FROM system.tables WHERE database = '{together}' AND engine = 'MaterializedView'");
    for view in clickhouse.fetch::<String>(&views).await.unwrap() {
        clickhouse.execute(&format!("DROP TABLE {together}.{view} SYNC")).await.unwrap();
    }
    for table in distributed() {
        let names: Vec<String> = clickhouse
            .fetch(&format!(
                "SELECT concat('`', name, '`') FROM system.columns WHERE database = '{whole}' AND table = '{table}' ORDER BY position"
            ))
            .await
            .unwrap();
        let names = names.join(", ");
        let statements = [
            format!("DROP TABLE {together}.{table} SYNC"),
            format!(
                "CREATE VIEW {together}.{table}_local AS SELECT {names} FROM {}.{table} WHERE shardNum() = 1
                 UNION ALL SELECT {names} FROM {}.{table} WHERE shardNum() = 2",
                shards[0], shards[1]
            ),
            format!(
                "CREATE TABLE {together}.{table} AS {}.{table} ENGINE = Distributed('two', '{together}', '{table}_local')",
                shards[0]
            ),
        ];
        for statement in statements {
            clickhouse.execute(&statement).await.unwrap();
        }
    }
}

const DAYS: &str = "datetime_from=2026-03-01&datetime_to=2026-03-30";
/// Between two steps of every rollup.
const ODD: &str = "datetime_from=2026-03-01T00:07:00Z&datetime_to=2026-03-20T11:11:00Z&timezone=Asia/Kathmandu";

fn questions() -> Vec<String> {
    let ranged = [
        "recommendations/charts/series?metric=messages&split_by=source",
        "recommendations/charts/series?split_by=agent&top=3&compare=previous_period",
        "recommendations/charts/assisted-text-per-source?aggregation_level=day",
        "recommendations/charts/acceptance-rate?aggregation_level=week",
        "recommendations/charts/assisted-share?filter=platform:is_null",
        "recommendations/funnel?",
        "recommendations/totals?",
        "recommendations/agents?limit=5",
        "assistants?",
        "assistants/totals?compare=previous_period",
        "assistants/charts/runs?split_by=assistant",
        "assistants/charts/latency?aggregation_level=day",
        "assistants/charts/latency?split_by=model&filter=duration_ms:gt:5",
        "assistants/charts/error-rate?split_by=model",
        "assistants/charts/tokens?split_by=model",
        "assistants/charts/cost?split_by=provider",
        "assistants/charts/time-to-first-token?aggregation_level=day",
        "assistants/models?",
        "assistants/tools?",
        "assistants/operations?",
        "assistants/customers?limit=7",
        "assistants/errors?",
        "assistants/traces?limit=20",
        "assistants/traces?limit=20&filter=tool_name:is_not_null&filter_on=any_span",
        "assistants/regressions?assistant_codes=order-status&candidate=1.2.0&baseline=1.1.0",
        "voice-agents/totals?",
        "voice-agents/charts/calls?aggregation_level=day",
        "voice-agents/charts/containment-rate?",
        "voice-agents/charts/response-latency?",
        "voice-agents/calls?limit=9",
        "voice-agents/transfer-reasons?",
        "experiments?",
        "experiments/reply-tone/results?goal_event=purchase",
        "experiments/reply-tone/results?goal_event=purchase&platforms=web&metric_type=mean&value_field=data.price&cuped_days=5",
        "experiments/reply-tone/results?goal_event=purchase&metric_type=ratio&denominator_event=page_viewed",
        "experiments/reply-tone/charts/exposures?",
        "experiments/reply-tone/charts/conversion?goal_event=purchase",
        "experiments/reply-tone/health?",
        "experiments/reply-tone/guardrails?",
        "product/charts/active-users?aggregation_level=day&window=week",
        "product/routes?",
        "product/features?",
        "product/filters?",
        "product/chart-interactions?",
        "product/client-errors?",
        "product/adoption?",
        "product/sessions?",
        "product/paths?route=/pages/calls",
        "product/funnel?steps=page_viewed&steps=filter_changed&steps=feature_viewed",
        "product/funnel?steps=page_viewed&steps=feature_viewed&unit=session&order=strict&split_by=source",
        "product/retention?cohort_event=page_viewed&return_event=page_viewed&period=week",
    ];
    let mut questions: Vec<String> = Vec::new();
    for path in ranged {
        let sign = if path.ends_with('?') { "" } else { "&" };
        questions.extend([DAYS, ODD].map(|days| format!("/api/v1/{path}{sign}{days}")));
    }
    questions.push("/api/v1/assistants/slo?at=2026-03-20T00:00:00Z".to_owned());
    questions
}

/// Whether two answers say the same: sums of fractions may be added in another order.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, value)| {
                    // How it was found, and when.
                    name == "meta" || other.get(name).is_some_and(|other| is_same(value, other))
                })
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Number(one), Value::Number(other)) => {
            let (one, other) = (one.as_f64().unwrap(), other.as_f64().unwrap());
            (one - other).abs() <= 1e-9 * one.abs().max(other.abs()).max(1.0)
        }
        _ => one == other,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn over_two_shards_every_question_has_the_answer_of_one() {
    let whole = TestApp::start("shards_whole").await;
    let together = TestApp::start("shards_together").await;
    let clickhouse = &whole.clickhouse;
    for shard in ["shards_one", "shards_two"] {
        migrate(clickhouse, Target { retention_days: 0, ..target(shard) }).await;
    }
    for account in ["shards_whole", "shards_one", "shards_two"] {
        for table in ["product_telemetry_events", "product_facts", "product_uses_1d", "product_presence_15m"] {
            clickhouse.execute(&format!("ALTER TABLE {account}_analytics.{table} REMOVE TTL")).await.unwrap();
        }
    }
    fill(&whole).await;
    divide(
        clickhouse,
        "shards_whole_analytics",
        ["shards_one_analytics", "shards_two_analytics"],
        "shards_together_analytics",
    )
    .await;
    // Where a table of a cluster is joined with another one, each shard would ask all others: the engine refuses that.
    verify_templates(clickhouse, &account("shards_together")).await.unwrap();
    let both = "SELECT toUInt64(count()) FROM shards_together_analytics.events GROUP BY shardNum()";
    assert_eq!(clickhouse.fetch::<u64>(both).await.unwrap().len(), 2);
    let traces = whole.get(&format!("/api/v1/assistants/traces?limit=3&{DAYS}")).await;
    let traces = traces["items"].as_array().unwrap().iter().map(|run| run["trace_id"].as_str().unwrap().to_owned());
    let mut paths = questions();
    paths.extend(traces.map(|trace| format!("/api/v1/assistants/traces/{trace}")));
    let mut empty = Vec::new();
    for path in paths {
        let (one, two) = (whole.ask(&path).await, together.ask(&path).await);
        assert_eq!((one.0.as_u16(), two.0.as_u16()), (200, 200), "{path}: {} {}", one.1, two.1);
        assert!(is_same(&one.1, &two.1), "{path}:\n{}\n{}", one.1, two.1);
        let said = one.1.to_string();
        empty.extend((said.len() < 300).then_some(path));
    }
    assert_eq!(empty, [] as [&str; 0], "these compare nothing");
}
