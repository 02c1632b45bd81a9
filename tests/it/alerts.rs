//! Alerts, from the rule to whoever is told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration as Time;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chartwell::alerts::book::{Book, Outcome};
use chartwell::alerts::metric::{Metric, Span, reader};
use chartwell::alerts::watch::Watch;
use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::program::Program;
use crate::support::{TestApp, Via, account, granted, json_of, sign, span, with};

/// What came to each path, with its headers.
type Heard = Arc<Mutex<Vec<(String, HeaderMap, String)>>>;

/// A place that alerts are told to: `/ok` takes them, `/never` hangs, `/broken` and `/elsewhere` do not take them.
async fn listener() -> (String, Heard) {
    async fn hear(State(heard): State<Heard>, Path(path): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
        let body = String::from_utf8(body.to_vec()).unwrap();
        heard.lock().unwrap().push((path.clone(), headers, body));
        match path.as_str() {
            "never" => {
                tokio::time::sleep(Time::from_secs(600)).await;
                StatusCode::OK.into_response()
            }
            "broken" => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            "elsewhere" => (StatusCode::FOUND, [(header::LOCATION, "/ok")]).into_response(),
            _ => StatusCode::NO_CONTENT.into_response(),
        }
    }
    let heard = Heard::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/{path}", post(hear)).with_state(Arc::clone(&heard));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, heard)
}

async fn app(name: &str, rules: &str) -> TestApp {
    let folder = tempfile::tempdir().unwrap().keep();
    let file = folder.join("rules.toml");
    std::fs::write(&file, rules).unwrap();
    TestApp::start_with(name, Via::Pipe, |config| config.alerts.alerts = Some(file)).await
}

fn channels(url: &str) -> String {
    ["ok", "never", "broken", "elsewhere"]
        .map(|path| format!("[channel.{path}]\nurl = \"{url}/{path}\"\nallow_private = true\nsecret = \"{SECRET}\"\n"))
        .concat()
}

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A minute that is over, in which runs can be stored.
fn minute() -> DateTime<Utc> {
    let minutes_ago = Utc::now() - Duration::minutes(30);
    DateTime::from_timestamp(minutes_ago.timestamp() / 60 * 60, 0).unwrap()
}

async fn store_runs(app: &TestApp, start: DateTime<Utc>, runs: u64, failed: u64) {
    let number = start.timestamp().unsigned_abs();
    let spans: Vec<Value> = (0..runs)
        .map(|run| {
            let code = if run < failed { 2 } else { 1 };
            let of_run = span(number * 1_000 + run, 0, start + Duration::seconds(run as i64 % 50), 900, &json!({}));
            with(of_run, json!({"status": {"code": code}}))
        })
        .collect();
    app.store_spans(&spans).await;
}

/// Sends what is due, until nothing is.
async fn deliver(watch: &mut Watch, now: DateTime<Utc>) {
    for sent in watch.due(now) {
        let sent = sent.await;
        watch.note(sent, now).await;
    }
}

#[tokio::test]
async fn an_alert_is_told_once_signed_and_when_it_is_over() {
    let (url, heard) = listener().await;
    let rules = format!(
        "{}
        [[rule]]
        name = \"errors\"
        metric = \"assistants.error_rate\"
        window = \"1m\"
        above = 0.5
        recovers_at = 0.2
        for = \"1m\"
        severity = \"page\"
        channel = \"ok\"
        summary = \"Look at it.\"
        [[rule]]
        name = \"volume\"
        metric = \"assistants.runs\"
        window = \"1m\"
        above = 3.0
        for = \"1m\"
        channel = \"ok\"
        [[rule]]
        name = \"elsewhere\"
        metric = \"assistants.runs\"
        window = \"1m\"
        filters = \"assistant_codes=nobody\"
        above = 0.0
        channel = \"ok\"",
        channels(&url)
    );
    let mut app = app("alerts_told", &rules).await;
    let mut watch = app.watch.take().unwrap();
    watch.recall().await.unwrap();
    let start = minute();
    let at = |minute: i64| start + Duration::minutes(minute) + Duration::seconds(5);
    // Bad for three minutes, in between for one, then well.
    for (minute, failed) in [(0, 9), (1, 9), (2, 9), (3, 3), (4, 0), (5, 0)] {
        store_runs(&app, start + Duration::minutes(minute), 10, failed).await;
    }
    let states = async |app: &TestApp| -> Vec<(String, Value)> {
        let alerts = app.get("/api/v1/alerts").await;
        let of = |alert: &Value| (alert["state"].as_str().unwrap().to_owned(), alert["value"].clone());
        alerts["items"].as_array().unwrap().iter().map(of).collect()
    };
    let told = |state: &str, value: f64| (state.to_owned(), json!(value));
    watch.evaluate(at(1)).await;
    assert_eq!(states(&app).await, [told("pending", 0.9), told("pending", 10.0), told("ok", 0.0)]);
    watch.evaluate(at(2)).await;
    assert_eq!(states(&app).await, [told("firing", 0.9), told("firing", 10.0), told("ok", 0.0)]);
    deliver(&mut watch, at(2)).await;

    // Both together, in one message that is signed.
    let (path, headers, body) = heard.lock().unwrap().pop().unwrap();
    assert_eq!((path.as_str(), heard.lock().unwrap().len()), ("ok", 0));
    let message: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(message["type"], "alerts.changed");
    let alerts = message["data"]["alerts"].as_array().unwrap();
    assert_eq!(alerts.iter().map(|alert| alert["rule"].as_str().unwrap()).collect::<Vec<_>>(), ["errors", "volume"]);
    assert_eq!(
        (&alerts[0]["state"], &alerts[0]["severity"], &alerts[0]["value"]),
        (&json!("firing"), &json!("page"), &json!(0.9))
    );
    let text = message["text"].as_str().unwrap();
    assert!(
        text.contains("alerts_told: errors fires") && text.contains("90.00 %") && text.contains("Look at it."),
        "{text}"
    );
    let of = |name: &str| headers[name].to_str().unwrap().to_owned();
    let signed = format!("{}.{}.{body}", of("webhook-id"), of("webhook-timestamp"));
    let key = STANDARD.decode(SECRET.strip_prefix("whsec_").unwrap()).unwrap();
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &key);
    let wanted = STANDARD.encode(aws_lc_rs::hmac::sign(&key, signed.as_bytes()));
    assert_eq!(of("webhook-signature"), format!("v1,{wanted}"));

    // Another instance goes on where this one stopped, and tells nothing twice.
    watch.recall().await.unwrap();
    watch.evaluate(at(3)).await;
    deliver(&mut watch, at(3)).await;
    watch.evaluate(at(4)).await;
    assert_eq!(states(&app).await[0], told("firing", 0.3));
    watch.evaluate(at(5)).await;
    assert_eq!(states(&app).await[0], told("recovering", 0.0));
    watch.evaluate(at(6)).await;
    assert_eq!(states(&app).await[0], told("ok", 0.0));
    // Nothing came in any more: nothing can be said of errors, and nobody ran.
    watch.evaluate(at(7)).await;
    assert_eq!(states(&app).await, [("no_data".to_owned(), Value::Null), told("recovering", 0.0), told("ok", 0.0)]);
    deliver(&mut watch, at(7)).await;
    let heard = std::mem::take(&mut *heard.lock().unwrap());
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert!(heard[0].2.contains("errors is over"), "{}", heard[0].2);
    let alerts = app.get("/api/v1/alerts").await;
    assert_eq!(alerts["deliveries"], json!({"waiting": 0, "dead": 0, "reason": null}));

    // Who may not see alerts does not.
    let mut claims = app.claims();
    claims.scope = "assistants:read".to_owned();
    let response = app.request("/api/v1/alerts").bearer_auth(sign(&claims)).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(json_of(response).await["code"], "insufficient_scope");
}

#[tokio::test]
async fn what_is_about_all_of_an_account_is_not_for_a_token_with_grants() {
    let app = TestApp::start("alerts_granted").await;
    let token = sign(&granted(app.claims(), "profile_code", &["a"]));
    let ask = async |path: &str| {
        let response = app.request(path).bearer_auth(&token).send().await.unwrap();
        (response.status(), json_of(response).await)
    };
    for path in ["/api/v1/alerts", "/api/v1/freshness"] {
        let (status, problem) = ask(path).await;
        assert_eq!((status, &problem["code"]), (StatusCode::FORBIDDEN, &json!("outside_grant")), "{path}");
        app.get(path).await;
    }
    // What is in force for the account is in force for the token.
    let (status, current) = ask("/api/v1/accounts/current").await;
    assert_eq!((status, &current["account"]), (StatusCode::OK, &json!("alerts_granted")));
}

#[tokio::test]
async fn a_place_that_hangs_breaks_or_redirects_changes_nothing_else() {
    let (url, heard) = listener().await;
    let rule = |channel: &str| {
        format!(
            "[[rule]]\nname = \"{channel}\"\nmetric = \"assistants.runs\"\nwindow = \"1m\"\nbelow = 1.0\nchannel = \"{channel}\"\n"
        )
    };
    let rules = channels(&url) + &["never", "broken", "elsewhere", "ok"].map(rule).concat();
    let mut app = app("alerts_places", &rules).await;
    let mut watch = app.watch.take().unwrap();
    let now = minute();
    watch.evaluate(now).await;
    let mut sending: Vec<_> = watch.due(now).into_iter().map(tokio::spawn).collect();
    assert_eq!(sending.len(), 4);
    // The one that hangs keeps its channel, and no other one.
    assert_eq!(watch.due(now).len(), 0);
    let mut took = 0;
    while sending.len() > 1 {
        let (sent, _, rest) = futures::future::select_all(sending).await;
        watch.note(sent.unwrap(), now).await;
        (sending, took) = (rest, took + 1);
    }
    assert_eq!(took, 3);
    let paths: Vec<String> = heard.lock().unwrap().iter().map(|(path, ..)| path.clone()).collect();
    assert_eq!(paths.iter().filter(|path| *path == "ok").count(), 1, "the redirect was followed: {paths:?}");
    let later = now + Duration::seconds(11);
    assert_eq!(watch.due(later).len(), 2, "those that broke are sent again");
    let alerts = app.get("/api/v1/alerts").await;
    assert_eq!(alerts["deliveries"]["waiting"], 3, "{alerts}");
    assert!(alerts["deliveries"]["reason"].as_str().unwrap().starts_with("it answered"), "{alerts}");
    assert!(!alerts.to_string().contains(&url), "{alerts}");
    // It is given up after ten seconds, and tried again.
    let sent = sending.pop().unwrap().await.unwrap();
    watch.note(sent, later).await;
    let alerts = app.get("/api/v1/alerts").await;
    assert_eq!(alerts["deliveries"]["reason"], "it did not answer within 10 s");
}

#[tokio::test]
async fn a_name_that_leads_to_a_private_network_is_not_followed() {
    let rules = "[channel.inside]\nurl = \"https://localhost:1/x\"\n[[rule]]\nname = \"r\"\nmetric = \"assistants.runs\"\nwindow = \"1m\"\nbelow = 1.0\nchannel = \"inside\"";
    let mut app = app("alerts_private", rules).await;
    let mut watch = app.watch.take().unwrap();
    let now = minute();
    watch.evaluate(now).await;
    deliver(&mut watch, now).await;
    let alerts = app.get("/api/v1/alerts").await;
    assert_eq!(alerts["deliveries"]["reason"], "localhost is on a private network");
}

#[tokio::test]
async fn every_metric_has_a_value_and_changes_are_those_since_the_days_before() {
    let rules = "[[rule]]\nname = \"doubled\"\nmetric = \"assistants.runs\"\nwindow = \"5m\"\ncompared_with = \"2d\"\nabove = 0.9";
    let mut app = app("alerts_metrics", rules).await;
    let mut watch = app.watch.take().unwrap();
    let end = minute();
    store_runs(&app, end - Duration::minutes(2), 12, 3).await;
    for days in 1..=2 {
        store_runs(&app, end - Duration::days(days) - Duration::minutes(2), 4 + 2 * days.unsigned_abs(), 0).await;
    }
    let reader = reader(&account(&app.account));
    let zone = chrono_tz::Tz::UTC;
    let day = (end - Duration::days(1)).date_naive();
    let mut values = HashMap::new();
    for name in Metric::names() {
        let metric = Metric::by_name(&name).unwrap();
        assert_eq!(metric.name(), name);
        let span = Span { from: end - Duration::minutes(5), to: end, day: metric.is_of_days().then_some((day, zone)) };
        let value =
            watch.questions().value(&reader, metric, "", span).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        values.insert(name, value);
    }
    assert_eq!(values["assistants.runs"], Some(12.0));
    assert_eq!(values["assistants.error_rate"], Some(0.25));
    assert_eq!(values["assistants.latency_p95"], Some(900.0));
    assert_eq!(values["assistants.tool_success_rate"], None);
    assert_eq!(values["recommendations.messages"], Some(0.0));
    assert_eq!(values["voice_agents.containment_rate"], None);
    assert_eq!(values["product.active_users"], Some(0.0));
    assert!(values["assistants.objectives_at_risk"].is_some());
    // 12 runs, where 6 and 8 were on the days before: 5/7 more.
    watch.evaluate(end).await;
    let alerts = app.get("/api/v1/alerts").await;
    let value = alerts["items"][0]["value"].as_f64().unwrap();
    assert!((value - 5.0 / 7.0).abs() < 1e-12, "{alerts}");
    assert_eq!((&alerts["items"][0]["state"], &alerts["items"][0]["compared_with"]), (&json!("ok"), &json!("2d")));

    // Whatever is on a card can be watched.
    for domain in ["recommendations", "assistants", "voice-agents"] {
        let totals = app.get(&format!("/api/v1/{domain}/totals")).await;
        for card in totals["totals"].as_array().unwrap() {
            let name = format!("{}.{}", domain.replace('-', "_"), card["id"].as_str().unwrap());
            assert!(Metric::by_name(&name).is_some(), "{name}");
        }
    }
}

#[tokio::test]
async fn what_was_delivered_is_not_read_again_but_for_summaries() {
    let (url, heard) = listener().await;
    let rules = channels(&url)
        + "[[rule]]\nname = \"quiet\"\nmetric = \"assistants.runs\"\nwindow = \"1m\"\nbelow = 1.0\nchannel = \"ok\"\n"
        + "[[rule]]\nname = \"unheard\"\nmetric = \"assistants.runs\"\nwindow = \"1m\"\nbelow = 1.0\nchannel = \"broken\"\n"
        + "[[summary]]\nevery = \"day\"\nat = \"00:00\"\nchannel = \"elsewhere\"\n"
        + "[[summary]]\nevery = \"day\"\nat = \"00:00\"\nchannel = \"ok\"\n";
    let mut app = app("alerts_delivered", &rules).await;
    let mut watch = app.watch.take().unwrap();
    let now: DateTime<Utc> = "2026-02-04T00:00:05Z".parse().unwrap();
    watch.evaluate(now).await;
    // The alert, and the summary after it.
    deliver(&mut watch, now).await;
    deliver(&mut watch, now).await;
    let paths: Vec<String> = heard.lock().unwrap().iter().map(|(path, ..)| path.clone()).collect();
    assert_eq!(paths.iter().filter(|path| *path == "ok").count(), 2, "{paths:?}");
    let known = Book::new(app.clickhouse.clone()).known(&account(&app.account)).await.unwrap();
    assert_eq!(known.standings.len(), 2);
    let mut messages: Vec<(&str, Outcome, bool)> = known
        .messages
        .values()
        .map(|message| (message.channel.as_str(), message.outcome, message.id.starts_with("summary-")))
        .collect();
    messages.sort_by_key(|(channel, ..)| *channel);
    let waiting = Outcome::Waiting;
    assert_eq!(messages, [("broken", waiting, false), ("elsewhere", waiting, true), ("ok", Outcome::Delivered, true)]);
    assert!(known.messages.values().all(|message| message.body["text"].is_string()));
    let alerts = app.get("/api/v1/alerts").await;
    assert_eq!(alerts["deliveries"]["waiting"], 2, "{alerts}");
    assert_eq!(alerts["items"][0]["state"], "firing", "{alerts}");
}

#[tokio::test]
async fn messages_are_counted_and_those_to_a_channel_that_is_gone_are_given_up() {
    let (url, _) = listener().await;
    let rule = "[[rule]]\nname = \"quiet\"\nmetric = \"assistants.runs\"\nwindow = \"1m\"\nbelow = 1.0\n";
    let channel = format!("[channel.counted]\nurl = \"{url}/broken\"\nallow_private = true\n");
    let mut before = app("alerts_gone", &format!("{channel}{rule}channel = \"counted\"\n")).await;
    let gauges = async |app: &TestApp| -> Vec<String> {
        let metrics = app.request("/metrics").send().await.unwrap().text().await.unwrap();
        let of = |line: &&str| {
            line.starts_with("chartwell_alert_") && line.contains("\"counted\"") && !line.contains("deliveries")
        };
        let mut lines: Vec<String> = metrics.lines().filter(of).map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let counted = |waiting: u8, dead: u8| {
        [("dead", dead), ("waiting", waiting)]
            .map(|(name, count)| format!("chartwell_alert_messages_{name}{{channel=\"counted\"}} {count}"))
    };
    let mut watch = before.watch.take().unwrap();
    let now = minute();
    watch.recall().await.unwrap();
    assert_eq!(gauges(&before).await, counted(0, 0));
    watch.evaluate(now).await;
    deliver(&mut watch, now).await;
    assert_eq!(gauges(&before).await, counted(1, 0));
    let metrics = before.request("/metrics").send().await.unwrap().text().await.unwrap();
    let evaluated = metrics.lines().find_map(|line| line.strip_prefix("chartwell_alert_evaluated_timestamp_seconds "));
    assert!(evaluated.unwrap().parse::<f64>().unwrap() > 1.7e9, "{evaluated:?}");
    // Another one watches now.
    watch.rest();
    assert_eq!(gauges(&before).await, counted(0, 0));

    let mut after = app("alerts_gone", rule).await;
    after.watch.take().unwrap().recall().await.unwrap();
    assert_eq!(gauges(&after).await, counted(0, 1));
    let alerts = after.get("/api/v1/alerts").await;
    let wanted = json!({"waiting": 0, "dead": 1, "reason": "there is no such channel any more"});
    assert_eq!(alerts["deliveries"], wanted);
}

#[tokio::test]
async fn a_summary_comes_once_at_its_time() {
    let (url, heard) = listener().await;
    let rules = format!(
        "{}[[summary]]\nevery = \"day\"\nat = \"08:30\"\ntimezone = \"Asia/Kathmandu\"\nchannel = \"ok\"",
        channels(&url)
    );
    let mut app = app("alerts_summary", &rules).await;
    let mut watch = app.watch.take().unwrap();
    let noon: DateTime<Utc> = "2026-02-03T12:00:00Z".parse().unwrap();
    store_runs(&app, noon, 7, 1).await;
    // Half past eight in Nepal is a quarter to three in the night.
    for (time, comes) in [
        ("04T02:44:59", false),
        ("04T02:45:05", true),
        ("04T02:45:20", false),
        ("04T02:46:05", false),
        // Nobody watched then, and for hours.
        ("05T08:44:05", true),
        ("05T08:45:05", false),
        ("06T08:45:05", false),
    ] {
        let now: DateTime<Utc> = format!("2026-02-{time}Z").parse().unwrap();
        watch.recall().await.unwrap();
        watch.evaluate(now).await;
        deliver(&mut watch, now).await;
        let heard = std::mem::take(&mut *heard.lock().unwrap());
        assert_eq!(heard.len(), usize::from(comes), "{time}: {heard:?}");
        if let [(_, _, body)] = heard.as_slice() {
            let message: Value = serde_json::from_str(body).unwrap();
            let text = message["text"].as_str().unwrap();
            assert!(text.contains("alerts_summary: the last day"), "{text}");
            assert_eq!(text.contains("Runs 7"), time.starts_with("04"), "{text}");
            assert!(text.contains("No alert fires."), "{text}");
        }
    }
}

#[test]
fn a_rule_that_cannot_be_right_stops_the_start_before_anything_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.toml");
    std::fs::write(&file, "[[rule]]\nname = \"r\"\nmetric = \"assistants.error_rate\"\nwindow = \"5m\"\nabov = 1.0")
        .unwrap();
    let data = folder.path().join("data");
    let settings = [("CHARTWELL_ALERTS", file.to_str().unwrap()), ("CHARTWELL_DATA_DIR", data.to_str().unwrap())];
    let log = Program::try_start(folder.path(), "alerts_bad", &settings).err().expect("it does not start");
    let wanted = format!("{}, line 5: unknown field `abov`", file.display());
    assert!(log.contains(&wanted) && log.contains("CHARTWELL_ALERTS"), "{log}");
    assert!(!data.exists());
}
