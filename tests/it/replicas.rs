//! The program beside a cluster, some of whose replicas do not know yet what others were told.

use std::path::Path;
use std::time::Duration;

use chartwell::clickhouse::{ClickHouse, Place};
use chartwell::config::{ClickHouseConfig, QueryConfig};
use chartwell::ingest::PriceBook;
use chartwell::migrations::Target;
use chartwell::prices::{Recompute, Window};
use chrono::{TimeDelta, Utc};
use serde_json::json;

use crate::program::Program;
use crate::standing_in::{CLUSTER, StandIn};
use crate::support::{Via, claims, clickhouse, eventually, json_of, message, sign, span, target, with};

const PATIENCE: Duration = Duration::from_secs(20);

/// Starts an instance beside a server of a cluster.
async fn instance(folder: &Path, account: &'static str, server: &StandIn) -> Program {
    let (folder, url) = (folder.to_owned(), server.url.clone());
    let starting = tokio::task::spawn_blocking(move || {
        let settings = [("CHARTWELL_CLICKHOUSE_URL", &*url), ("CHARTWELL_CLICKHOUSE_CLUSTER", CLUSTER)];
        Program::start_with(&folder, account, &settings)
    });
    starting.await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_instances_that_start_at_once_are_of_one_mind() {
    let (direct, account) = (clickhouse(Via::Pipe).await, "replicas_instances");
    let servers = [StandIn::start(&[]).await, StandIn::start(&["_account_settings", "_migration_history"]).await];
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let start = |number: usize| instance(folders[number].path(), account, &servers[number]);
    let (first, second) = tokio::join!(start(0), start(1));
    let mut programs = [first, second];
    assert!(servers.iter().map(StandIn::on_cluster).sum::<u64>() > 100);

    let (http, token) = (reqwest::Client::new(), sign(&claims(account)));
    for program in &programs {
        let event = with(message(&Utc::now().to_rfc3339(), &[("gpt", 9, false)]), json!({"user_id": "jane"}));
        let sent = http.post(format!("{}/api/v1/events", program.url)).bearer_auth(&token).json(&event);
        assert_eq!(json_of(sent.send().await.unwrap()).await["accepted"], 1);
    }
    let asked = async |sql: &str| direct.fetch::<u64>(sql).await.unwrap();
    // Who she is they say alike: there is one salt.
    let events = format!("SELECT arrayJoin([count(), uniqExact(visitor_id)]) FROM {account}_analytics.events");
    eventually(PATIENCE, || async { asked(&events).await == [2, 1] }).await;
    let salts = format!("SELECT count() FROM {account}_analytics._account_settings WHERE name = 'salt'");
    assert_eq!(asked(&salts).await, [1]);
    let repeated =
        format!("SELECT toUInt64(count() - uniqExact(version)) FROM {account}_analytics._migration_history_local");
    assert_eq!(asked(&repeated).await, [0]);
    for program in &mut programs {
        let asked = http.get(format!("{}/api/v1/recommendations/totals?range=24h", program.url)).bearer_auth(&token);
        assert_eq!(json_of(asked.send().await.unwrap()).await["totals"][0]["value"], 2);
        program.signal("-TERM");
        assert!(program.wait().success(), "{}", program.log());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prices_change_rows_and_rollups_alike() {
    let (direct, account, folder) = (clickhouse(Via::Pipe).await, "replicas_prices", tempfile::tempdir().unwrap());
    let program = instance(folder.path(), account, &StandIn::start(&[]).await).await;
    let (http, now) = (reqwest::Client::new(), Utc::now());
    let call = json!({"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-5",
        "gen_ai.usage.input_tokens": 1_000_000, "gen_ai.usage.output_tokens": 0});
    let export = json!({"resourceSpans": [{"scopeSpans": [{"spans": [span(1, 0, now, 5, &call)]}]}]});
    let sent = http.post(format!("{}/v1/traces", program.url)).bearer_auth(sign(&claims(account))).json(&export);
    assert!(sent.send().await.unwrap().status().is_success());
    let costs = format!(
        "SELECT arrayJoin([(SELECT ifNull(sum(cost_usd), 0) FROM {account}_analytics.assistants_tracing_spans),
                           (SELECT ifNull(sum(cost_usd), 0) FROM {account}_analytics.assistant_spans_1h)]::Array(Float64))"
    );
    let told = async || direct.fetch::<f64>(&costs).await.unwrap();
    eventually(PATIENCE, || async { told().await == [1.25, 1.25] }).await;

    // Asked what it has noted, it does not know yet.
    let behind = StandIn::start(&["_price_changes"]).await;
    let servers = ClickHouseConfig {
        clickhouse_url: vec![behind.url.parse().unwrap()],
        clickhouse_cluster: Some(CLUSTER.to_owned()),
        ..ClickHouseConfig::default()
    };
    let clickhouse = ClickHouse::new(Place::Servers(&servers), &QueryConfig::default()).unwrap();
    let target = Target { cluster: servers.clickhouse_cluster.clone(), ..target(account) };
    let prices = "[[price]]\nprovider = 'openai'\nmodel_pattern = 'gpt-5'\nvalid_from = '2020-01-01'\ninput = '3'\ncache_read = '0'\noutput = '0'\ncache_mode = 'subtract'\n";
    let window = Window { from: now - TimeDelta::days(1), to: now + TimeDelta::days(1) };
    let recompute = Recompute { clickhouse: &clickhouse, target: &target };
    assert_eq!(recompute.run(window, &PriceBook::read(prices).unwrap(), &|_| {}).await.unwrap(), 1);
    assert_eq!(told().await, [3.0, 3.0]);
}
