//! Crashes: the program is killed at random moments and at named places, its disk fails and fills up, its
//! engine goes away, and each accepted event is there afterwards, once.
//!
//! `make crash` runs 200 rounds; `CRASH_ROUNDS` sets another number.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::program::Program;
use crate::sender::{Sender, load};
use crate::support::{claims, sign};

/// Places where the program ends itself, as if it was killed there. An odd number: every other round takes the
/// next but one, and comes by all of them.
const PLACES: [&str; 9] = [
    "spool-before-write",
    "spool-after-write",
    "spool-before-answer",
    "writer-before-insert",
    "writer-after-insert",
    "writer-before-finish",
    "spool-recovery",
    "ids-before-flush",
    "ids-after-flush",
];

/// The smallest spool: its segments come and go, and known ids are flushed, all the time.
const SMALL_SPOOL: (&str, &str) = ("CHARTWELL_SPOOL_BYTES", "67108864");

/// The number of messages, as the rollup and as the raw rows have it.
async fn counts(program: &Program, account: &str) -> (u64, u64) {
    let ask = async |filter: &str| {
        let url = format!("{}/api/v1/recommendations/totals?datetime_from=2026-01-01&{filter}", program.url);

        let response = reqwest::Client::new().get(url).bearer_auth(sign(&claims(account))).send().await.unwrap();
        let totals: Value = response.json().await.unwrap();
        totals["totals"][0]["value"].as_u64().unwrap_or_else(|| panic!("{totals}"))
    };
    (ask("").await, ask("filter=data.text_length:gte:0").await)
}

/// Sends what is pending, waits until all is inserted, and compares.
async fn settle(program: &Program, account: &str, mut clients: Vec<Sender>) -> u64 {
    for client in &mut clients {
        while client.pending.is_some() {
            assert!(client.send(&program.url).await, "it answers: {}", program.log());
        }
    }
    let acknowledged: u64 = clients.iter().map(|client| client.acknowledged).sum();
    let deadline = Instant::now() + Duration::from_secs(300);
    let mut stored = counts(program, account).await;
    // An insert comes to the rows first, and to their rollups after.
    while stored.0.min(stored.1) < acknowledged && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(50)).await;
        stored = counts(program, account).await;
    }
    // What would be doubled comes now.
    tokio::time::sleep(Duration::from_millis(700)).await;
    stored = counts(program, account).await;
    let (lost, doubled) = (acknowledged.saturating_sub(stored.1), stored.1.saturating_sub(acknowledged));
    println!("{account}: {acknowledged} acknowledged, {lost} lost, {doubled} doubled, {} in the rollup", stored.0);
    assert_eq!(stored, (acknowledged, acknowledged), "rollup and raw; {}", program.log());
    acknowledged
}

fn rounds() -> usize {
    std::env::var("CRASH_ROUNDS").map_or(10, |rounds| rounds.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_accepted_is_lost_or_doubled_by_a_crash() {
    let account = "crashed";
    let folder = tempfile::tempdir().unwrap();
    let mut clients: Vec<Sender> = (0..4).map(|seed| Sender::new(account, seed)).collect();
    let mut random = fastrand::Rng::with_seed(7);
    let mut ended_there = 0;
    for round in 0..rounds() {
        // Every other round it is killed at a random moment, otherwise it ends itself at one of the places.
        let place = (round % 2 == 0).then(|| PLACES[round % PLACES.len()]);
        let points = place.map(|place| {
            let times = if place.starts_with("ids") { 2 } else { 12 };
            format!("{place}={}*off->return", random.usize(..times))
        });
        let points = points.iter().map(|points| ("FAILPOINTS", points.as_str()));
        let settings: Vec<(&str, &str)> = points.chain([SMALL_SPOOL]).collect();
        let Ok(mut program) = Program::try_start(folder.path(), account, &settings) else {
            // It ended while it read its spool.
            ended_there += 1;
            continue;
        };
        let stop = Arc::new(AtomicBool::new(false));
        let patience = Duration::from_millis(if place.is_some() { 3_000 } else { 50 + random.u64(..900) });
        let url = program.url.clone();
        let timer = async {
            tokio::time::sleep(patience).await;
            program.signal("-KILL");
            stop.store(true, Ordering::Relaxed);
        };
        let (loaded, ()) = tokio::join!(load(clients, &url, &stop), timer);
        clients = loaded;
        ended_there += usize::from(place.is_some() && program.wait().code().is_none());
        if round % 20 == 19 {
            println!("{} rounds", round + 1);
        }
    }
    assert!(ended_there >= rounds() / 4, "{ended_there}");
    let program = Program::start_with(folder.path(), account, &[SMALL_SPOOL]);
    let acknowledged = settle(&program, account, clients).await;
    assert!(acknowledged > 100 * rounds() as u64 / 10, "{acknowledged}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_fails_now_and_then_loses_nothing() {
    let account = "broken_disk";
    let folder = tempfile::tempdir().unwrap();
    // The first flush fails for certain: there are few in a minute.
    let points = "disk-sync=10%return;disk-write=5%return;ids-flush=1*return->30%return";
    let program = Program::start_with(folder.path(), account, &[("FAILPOINTS", points), SMALL_SPOOL]);
    let mut clients: Vec<Sender> = (0..4).map(|seed| Sender::new(account, 100 + seed)).collect();
    // For as long as it takes to see it fail: a machine may be slow.
    for seconds in 1.. {
        let stop = Arc::new(AtomicBool::new(false));
        let timer = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            stop.store(true, Ordering::Relaxed);
        };
        (clients, _) = tokio::join!(load(clients, &program.url, &stop), timer);
        let has_failed = program.log().contains("the index of known ids is broken");
        if has_failed && seconds >= 3 && clients.iter().map(|client| client.refused).sum::<u64>() > 5 {
            break;
        }
        assert!(seconds < 300, "the disk fails now and then");
    }
    settle(&program, account, clients).await;
}

/// A spool on a small file system of its own, seen by one process alone.
fn on_a_small_disk(folder: &Path) -> Vec<String> {
    let spool = folder.join("spool");
    std::fs::create_dir(&spool).unwrap();
    let mount = format!("mount -t tmpfs -o size=24m tmpfs '{}' && exec \"$@\"", spool.display());
    ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", &mount, "sh"].map(str::to_owned).into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_rows_and_takes_them_again_when_there_is_room() {
    let account = "full_disk";
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start_under(&on_a_small_disk(folder.path()), folder.path(), account, &[]);
    // Through the process, because nobody else sees its disk.
    let ballast = Path::new("/proc")
        .join(program.id().to_string())
        .join("root")
        .join(folder.path().strip_prefix("/").unwrap())
        .join("spool/ballast");
    let clients = (0..4).map(|seed| Sender::new(account, 200 + seed)).collect();
    let stop = Arc::new(AtomicBool::new(false));
    let timer = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        // Somebody else fills the disk.
        let full = std::fs::write(&ballast, vec![0; 32 << 20]);
        assert!(full.is_err(), "it holds more than it should");
        tokio::time::sleep(Duration::from_secs(2)).await;
        std::fs::remove_file(&ballast).unwrap();
        tokio::time::sleep(Duration::from_secs(2)).await;
        stop.store(true, Ordering::Relaxed);
    };
    let (clients, ()) = tokio::join!(load(clients, &program.url, &stop), timer);
    assert!(clients.iter().map(|client| client.refused).sum::<u64>() > 5, "it was never full: {}", program.log());
    settle(&program, account, clients).await;
}
