//! Accounts that come and go while the program runs, and what each may use.

use std::fs;
use std::path::Path;
use std::time::Duration;

use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::program::Program;
use crate::support::{claims, eventually, sign};

/// A running program, asked by one client, whose connections stay open.
struct Asked {
    program: Program,
    http: reqwest::Client,
}

impl Asked {
    fn start(folder: &Path) -> Self {
        Self { program: Program::start(folder, ""), http: reqwest::Client::new() }
    }

    fn get(&self, account: &str, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.program.url)).bearer_auth(sign(&claims(account)))
    }

    async fn ask(&self, account: &str, path: &str) -> (StatusCode, Value) {
        let response = self.get(account, path).send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    /// Sends so many messages, with ids from `first` on.
    async fn send(&self, account: &str, first: u128, count: u128) -> reqwest::Response {
        let events: Vec<Value> = (first..first + count)
            .map(|id| json!({"event": "Send Message", "event_id": uuid::Uuid::from_u128(id), "data": {"text_length": 1}}))
            .collect();
        let url = format!("{}/api/v1/events", self.program.url);
        self.http.post(url).bearer_auth(sign(&claims(account))).json(&events).send().await.unwrap()
    }

    /// Has other settings read, and waits until the log says how that went.
    async fn read_again(&self, settings: &str, folder: &Path, told: &str) {
        fs::write(folder.join("chartwell.toml"), settings).unwrap();
        self.hang_up(told).await;
    }

    async fn hang_up(&self, told: &str) {
        let before = self.program.log().matches(told).count();
        self.program.signal("-HUP");
        eventually(Duration::from_secs(60), || async { self.program.log().matches(told).count() > before }).await;
    }
}

const AGAIN: &str = "the settings were read again";
const REFUSED: &str = "the settings stay as they were";

#[tokio::test(flavor = "multi_thread")]
async fn accounts_come_and_go_while_the_program_runs() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("chartwell.toml"), "accounts = [\"first\"]").unwrap();
    let asked = Asked::start(folder);
    let code = |answer: (StatusCode, Value)| (answer.0.as_u16(), answer.1["code"].as_str().unwrap_or("").to_owned());
    assert_eq!(asked.send("first", 1, 3).await.status(), StatusCode::ACCEPTED);
    let unknown = (403, "unknown_account".to_owned());
    assert_eq!(code(asked.ask("second", "/api/v1/me").await), unknown);

    let both = "accounts = [\"first\", \"second\"]
        account_limits = [\"second:queries_per_minute=4\", \"second:rows_per_minute=5\", \"second:retention_days=7\"]
        slow_query_ms = 5\n";
    asked.read_again(both, folder, AGAIN).await;
    assert!(asked.program.log().contains("wait for the next start"), "{}", asked.program.log());
    let (status, current) = asked.ask("second", "/api/v1/accounts/current").await;
    assert_eq!((status, &current["retention_days"]), (StatusCode::OK, &json!(7)), "{current}");
    let limits = json!({"queries_per_minute": 4, "rows_per_minute": 5, "rows_per_day": null, "rows_today": null});
    assert_eq!(current["limits"], limits);
    assert_eq!(asked.ask("first", "/api/v1/accounts/current").await.1["retention_days"], 90);

    // A request larger than the limit takes all of it, and the next one has to wait.
    assert_eq!(asked.send("second", 1, 6).await.status(), StatusCode::ACCEPTED);
    let refused = asked.send("second", 7, 1).await;
    assert_eq!(
        (refused.status(), refused.headers().contains_key("retry-after")),
        (StatusCode::TOO_MANY_REQUESTS, true)
    );
    let problem: Value = refused.json().await.unwrap();
    assert_eq!(problem["code"], "rate_limited");
    assert!(problem["detail"].as_str().unwrap().contains("5 rows a minute"), "{problem}");
    let limited = asked.get("second", "/api/v1/me").send().await.unwrap();
    assert_eq!(limited.headers()["ratelimit-policy"], "\"account\";q=4;w=60");
    for _ in 0..2 {
        assert_eq!(asked.ask("second", "/api/v1/me").await.0, StatusCode::OK);
    }
    assert_eq!(code(asked.ask("second", "/api/v1/me").await), (429, "rate_limited".to_owned()));
    assert_eq!(asked.ask("first", "/api/v1/me").await.0, StatusCode::OK);

    // What is wrong changes nothing.
    for (wrong, why) in [
        ("accounts = [\"First\"]", "is not an account"),
        ("accounts = [\"first\"]\naccount_limits = [\"first:retention_days=7\"]", "shorten"),
        ("accounts = [\"first\"", "chartwell.toml"),
    ] {
        asked.read_again(wrong, folder, REFUSED).await;
        let log = asked.program.log();
        assert!(log.lines().rfind(|line| line.contains(REFUSED)).unwrap().contains(why), "{log}");
        assert_eq!(code(asked.ask("second", "/api/v1/me").await).1, "rate_limited");
    }

    asked.read_again("accounts = [\"first\"]", folder, AGAIN).await;
    assert_eq!(code(asked.ask("second", "/api/v1/me").await), unknown);
    assert_eq!(asked.send("second", 8, 1).await.status(), StatusCode::FORBIDDEN);
    // What it was sent is kept, and known, when it comes back.
    asked.read_again("accounts = [\"second\", \"first\"]", folder, AGAIN).await;
    let again: Value = asked.send("second", 1, 7).await.json().await.unwrap();
    assert_eq!(again, json!({"accepted": 1, "duplicates": 6, "rejected": []}));
    let total = async |account: &str| {
        let (status, totals) = asked.ask(account, "/api/v1/recommendations/totals?range=24h").await;
        assert_eq!(status, StatusCode::OK, "{totals}");
        totals["totals"][0]["value"].clone()
    };
    eventually(Duration::from_secs(60), || async { total("second").await == json!(7) }).await;
    assert_eq!(total("first").await, json!(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_of_rows_is_counted_from_what_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let settings = "accounts = [\"daily\"]\naccount_limits = [\"*:rows_per_day=10\"]";
    fs::write(folder.join("chartwell.toml"), settings).unwrap();
    let asked = Asked::start(folder);
    assert_eq!(asked.send("daily", 1, 6).await.status(), StatusCode::ACCEPTED);
    let refused = asked.send("daily", 7, 5).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait: u32 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=86_400).contains(&wait));
    // Neither those that were refused nor those that were there already have used it up.
    assert_eq!(asked.send("daily", 1, 4).await.status(), StatusCode::ACCEPTED);
    let current = asked.ask("daily", "/api/v1/accounts/current").await.1;
    assert_eq!(current["limits"]["rows_today"], 6, "{current}");
    let mut program = asked.program;
    program.signal("-TERM");
    program.wait();
    // Another process knows it as well, as soon as it has looked.
    let asked = Asked::start(folder);
    let today = async || asked.ask("daily", "/api/v1/accounts/current").await.1["limits"]["rows_today"].clone();
    eventually(Duration::from_secs(60), || async { today().await == json!(6) }).await;
    assert_eq!(asked.send("daily", 7, 5).await.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(asked.send("daily", 7, 4).await.status(), StatusCode::ACCEPTED);
    assert_eq!(today().await, json!(10));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_changes_no_table_and_what_is_missing_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let kept = |grows: u32, shrinks: u32, more: &str| {
        format!(
            "accounts = [\"grows\", \"shrinks\"]\n\
             account_limits = [\"grows:retention_days={grows}\", \"shrinks:retention_days={shrinks}\"]\n{more}"
        )
    };
    let first = kept(30, 30, "");
    fs::write(folder.join("chartwell.toml"), &first).unwrap();
    fs::write(folder.join("alerts.toml"), "# No rules yet.").unwrap();
    let asked = Asked::start(folder);
    for (wrong, why) in [
        (kept(60, 7, ""), "shorten"),
        (kept(60, 30, "jwks_file = \"nowhere.json\""), "CHARTWELL_JWKS_FILE"),
        (kept(60, 30, "prices = \"nowhere.toml\""), "CHARTWELL_PRICES"),
        (kept(60, 30, "alerts = \"nowhere.toml\""), "nowhere.toml"),
    ] {
        asked.read_again(&wrong, folder, REFUSED).await;
        let log = asked.program.log();
        assert!(log.lines().rfind(|line| line.contains(REFUSED)).unwrap().contains(why), "{why}: {log}");
        // Rows that had been kept for longer meanwhile could not be kept for as long as before.
        asked.read_again(&first, folder, AGAIN).await;
    }
    for missing in ["chartwell.toml", "alerts.toml"] {
        let (there, away) = (folder.join(missing), folder.join("away"));
        fs::rename(&there, &away).unwrap();
        asked.hang_up(REFUSED).await;
        let log = asked.program.log();
        let refused = log.lines().rfind(|line| line.contains(REFUSED)).unwrap();
        assert!(refused.contains(&format!("{missing} is not there any more")), "{refused}");
        assert_eq!(asked.ask("grows", "/api/v1/me").await.0, StatusCode::OK);
        fs::rename(&away, &there).unwrap();
        asked.hang_up(AGAIN).await;
    }
}
