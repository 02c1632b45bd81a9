//! The engine is away, or the way to it is bad: what was accepted waits and is stored once, what cannot be
//! accepted is told so, and questions are answered with what is the matter.
//!
//! `OUTAGE_SECONDS` sets how long it lasts, `make outage` two minutes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chartwell::clickhouse::ClickHouse;
use reqwest::{StatusCode, header};

use crate::proxy::{Proxy, Way};
use crate::sender::{Sender, load};
use crate::support::{TestApp, Via, clickhouse, serve_engine};

const QUESTION_SECONDS: u64 = 1;
/// Bytes of the spool: senders without pause fill it during an outage.
const SPOOL_BYTES: u64 = 300_000;

fn outage() -> Duration {
    Duration::from_secs(std::env::var("OUTAGE_SECONDS").map_or(10, |seconds| seconds.parse().unwrap()))
}

/// Rows, distinct ids, and the same rows as each view has counted them.
async fn stored(clickhouse: &ClickHouse, account: &str) -> Vec<u64> {
    let counts = [
        "count() FROM DB.events",
        "uniqExact(event_id) FROM DB.events",
        "sum(messages) FROM DB.recommendations_15m",
        "sum(messages) FROM DB.recommendations_1h",
        "sum(messages) FROM DB.recommendation_agents_15m",
        "sum(row_count) FROM DB.ingestion_15m WHERE table_name = 'events'",
    ];
    let mut stored = Vec::new();
    for count in counts {
        let (expression, from) = count.split_once(" FROM ").unwrap();
        let sql = format!("SELECT toUInt64({expression}) FROM {from}").replace("DB", &format!("{account}_analytics"));
        stored.extend(clickhouse.fetch::<u64>(&sql).await.unwrap());
    }
    stored
}

/// Asks until it is to stop; returns how often there was an answer, and how often there was none.
async fn ask(app: &TestApp, stop: &AtomicBool) -> (u64, u64) {
    let paths = ["/api/v1/recommendations/totals?datetime_from=2026-01-01", "/api/v1/freshness"];
    let (mut answered, mut refused) = (0, 0);
    for path in paths.iter().cycle() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let asked = Instant::now();
        let response = app.request(path).bearer_auth(app.token()).send().await.unwrap();
        match response.status() {
            StatusCode::OK => answered += 1,
            StatusCode::SERVICE_UNAVAILABLE => {
                assert!(response.headers().contains_key(header::RETRY_AFTER));
                refused += 1;
            }
            status => panic!("{path}: {status}"),
        }
        // A question is a few statements, one after the other; the first that fails ends it.
        assert!(asked.elapsed() < Duration::from_secs(3 * (QUESTION_SECONDS + 5)), "{path}: {:?}", asked.elapsed());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    (answered, refused)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_accepted_during_an_outage_of_any_kind_is_stored_once() {
    let account = "outage";
    let proxy = Proxy::start(&serve_engine().await).await;
    let app = TestApp::start_at(account, &proxy.url, |config| {
        config.ingest.spool_bytes = SPOOL_BYTES;
        config.query.query_timeout_seconds = QUESTION_SECONDS;
        config.query.query_cache = false;
    })
    .await;
    let stop = Arc::new(AtomicBool::new(false));
    let senders = (0..3).map(|seed| Sender::new(account, 300 + seed)).collect();
    let disturbances = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut tried = Vec::new();
        for way in Way::DISTURBED {
            let before = proxy.inserts();
            proxy.set(way);
            tokio::time::sleep(outage() / 5).await;
            tried.push((way, proxy.inserts() - before));
        }
        proxy.set(Way::Open);
        tokio::time::sleep(Duration::from_secs(1)).await;
        stop.store(true, Ordering::Relaxed);
        tried
    };
    let (mut senders, asked, tried) = tokio::join!(load(senders, &app.url, &stop), ask(&app, &stop), disturbances);
    for sender in &mut senders {
        while sender.pending.is_some() {
            assert!(sender.send(&app.url).await);
        }
    }
    // After a long outage the next try may be as far away as it lasted.
    let patience = Duration::from_secs(60) + 2 * outage();
    tokio::time::timeout(patience, app.intake.settled()).await.expect("what waits is inserted");
    let [acknowledged, refused] = [|sender: &Sender| sender.acknowledged, |sender: &Sender| sender.refused]
        .map(|of| senders.iter().map(of).sum::<u64>());
    println!(
        "{acknowledged} accepted, {refused} requests refused; questions answered and refused: {asked:?}; {tried:?}"
    );
    let stored = stored(&clickhouse(Via::Pipe).await, account).await;
    assert_eq!(stored, [acknowledged; 6]);
    assert!(refused > 5 && asked.0 > 1 && asked.1 > 5, "it was hardly an outage");
    assert!(tried[..2].iter().all(|(_, inserts)| *inserts > 0), "no insert was broken off: {tried:?}");
    assert_eq!(app.get("/api/v1/freshness").await["tables"][0]["dead_letters"], 0);
}
