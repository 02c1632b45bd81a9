//! Taking in events: every form and spelling, every reason to refuse, and that nothing is lost.

use std::io::Write;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::program::Program;
use crate::support::{TestApp, Via, claims, json_of, message, sign};

const EVENTS: &str = "/api/v1/events";

async fn send(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    (response.status(), json_of(response).await)
}

async fn post(app: &TestApp, body: impl Into<reqwest::Body>) -> (StatusCode, Value) {
    send(app.post(EVENTS).bearer_auth(app.token()).header("content-type", "application/json").body(body)).await
}

/// The stored rows of an account, as JSON.
async fn stored(app: &TestApp, columns: &str) -> Vec<Value> {
    app.intake.settled().await;
    let sql =
        format!("SELECT toJSONString(tuple({columns})) FROM {}_analytics.events ORDER BY time_utc, event", app.account);
    let rows: Vec<String> = app.clickhouse.fetch(&sql).await.unwrap();
    rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect()
}

#[tokio::test]
async fn every_form_and_every_spelling_is_accepted() {
    let app = TestApp::start("forms").await;
    let event = |number: u32| json!({"event": format!("e{number}"), "time_utc": "2026-02-01T10:00:00Z"}).to_string();
    for (body, accepted) in [
        (event(1), 1),
        (format!("[{}, {}]", event(2), event(3)), 2),
        (format!("{{\"events\": [{}]}}", event(4)), 1),
        (format!("{}\n{}\n", event(5), event(6)), 2),
        ("[]".to_owned(), 0),
        (String::new(), 0),
    ] {
        assert_eq!(
            post(&app, body.clone()).await,
            (StatusCode::ACCEPTED, json!({"accepted": accepted, "duplicates": 0, "rejected": []})),
            "{body}"
        );
    }
    assert_eq!(stored(&app, "event").await, ["e1", "e2", "e3", "e4", "e5", "e6"].map(|name| json!([name])));
}

#[tokio::test]
async fn an_event_is_stored_as_it_was_sent() {
    let app = TestApp::start("as_sent").await;
    let event = json!({
        "event_id": "018f5a3e-7b2c-7d4e-9a1b-2c3d4e5f6a7b", "timestamp": "2026-02-01T12:00:00.123456+02:00", "event_type": "Send Message",
        "profile_code": "support", "session_id": "s1", "platform": "genesys", "agent_id": 17, "agent_email": "a@b.example", "agent_name": "",
        "user_id_hash": "h1", "conversation_id": "c1", "channel": "chat", "nested": {"a": {"b": [1, "x", null]}},
        "data": {"text_length": 120, "suggestions": [{"id": 7, "source": "gpt", "len_text": 80, "edited": true, "rank": 2}, {"source": "rec"}], "note": "\u{0} 💶 \"'\\"},
    });
    assert_eq!(post(&app, event.to_string()).await.0, StatusCode::ACCEPTED);
    let columns = "toString(event_id), toString(time_utc), event, profile_code, platform_session_id, platform, agent_id, agent_email, agent_name, visitor_id, conversation_id";
    assert_eq!(
        stored(&app, columns).await,
        [json!([
            "018f5a3e-7b2c-7d4e-9a1b-2c3d4e5f6a7b",
            "2026-02-01 10:00:00.123456",
            "Send Message",
            "support",
            "s1",
            "genesys",
            "17",
            "a@b.example",
            null,
            "h1",
            "c1"
        ])]
    );
    let columns = "suggestions.id, suggestions.source, suggestions.len_text, suggestions.edited, suggestions.rest, data.text_length, data.channel, data.note, toString(data.nested.a.b), attribution";
    assert_eq!(
        stored(&app, columns).await,
        [json!([
            ["7", ""], ["gpt", "rec"], [80, 0], [true, false], ["{\"rank\":2}", ""], 120, "chat", "\u{0} 💶 \"'\\", "[1,'x',NULL]",
            [{"source": "text-generation", "characters": 80, "unedited": 0, "edited": 1}],
        ])]
    );
}

#[tokio::test]
async fn a_raw_user_id_is_hashed_with_the_accounts_salt_and_not_kept() {
    let app = TestApp::start("hashed").await;
    let event = |visitor: Value| {
        crate::support::with(json!({"event": "e", "time_utc": "2026-02-01T10:00:00Z"}), visitor).to_string()
    };
    for visitor in [
        json!({"user_id": "jane@example.org"}),
        json!({"user_id": "jane@example.org", "x": 1}),
        json!({"visitor_id": "v", "user_id": "jane@example.org"}),
    ] {
        assert_eq!(post(&app, event(visitor)).await.0, StatusCode::ACCEPTED);
    }
    let rows = stored(&app, "visitor_id, toString(data)").await;
    let text = json!(rows).to_string();
    assert!(!text.contains("jane"), "{text}");
    let visitors: Vec<&str> = rows.iter().map(|row| row[0].as_str().unwrap()).collect();
    assert!(visitors.contains(&"v"));
    let hashes: std::collections::BTreeSet<&&str> = visitors.iter().filter(|visitor| **visitor != "v").collect();
    assert_eq!((hashes.len(), hashes.first().unwrap().len()), (1, 64));

    let other = TestApp::start("hashed_elsewhere").await;
    assert_eq!(post(&other, event(json!({"user_id": "jane@example.org"}))).await.0, StatusCode::ACCEPTED);
    assert_ne!(stored(&other, "visitor_id").await[0][0], **hashes.first().unwrap());
}

#[tokio::test]
async fn what_is_missing_is_made_and_time_is_now() {
    let app = TestApp::start("made").await;
    assert_eq!(post(&app, r#"{"event":"e"}"#).await.0, StatusCode::ACCEPTED);
    app.intake.settled().await;
    let sql = "SELECT toUInt8(abs(dateDiff('second', time_utc, now64(6))) < 60 AND event_id != toUUID('00000000-0000-0000-0000-000000000000')) FROM made_analytics.events";
    assert_eq!(app.clickhouse.fetch::<u8>(sql).await.unwrap(), [1]);
}

#[tokio::test]
async fn a_bad_event_is_named_with_its_reason_and_the_others_are_stored() {
    let app = TestApp::start_with("rejected", Via::Pipe, |config| config.ingest.retention_days = 90).await;
    let hours = |hours: i64| (Utc::now() + chrono::Duration::hours(hours)).to_rfc3339_opts(SecondsFormat::Micros, true);
    let deep = (0..70).fold(json!(1), |inner, _| json!([inner]));
    let wide: serde_json::Map<String, Value> = (0..300).map(|key| (key.to_string(), json!(0))).collect();
    let bad = [
        (json!(7), "malformed_event", ""),
        (json!({}), "missing_event_name", "/event"),
        (json!({"event": ""}), "invalid_event_name", "/event"),
        (json!({"event": "x".repeat(201)}), "invalid_event_name", "/event"),
        (json!({"event": 5}), "invalid_type", "/event"),
        (json!({"event": "a", "name": "b"}), "conflicting_fields", "/name"),
        (json!({"event": "e", "event_id": "not-a-uuid"}), "invalid_event_id", "/event_id"),
        (json!({"event": "e", "event_id": 7}), "invalid_type", "/event_id"),
        (json!({"event": "e", "time_utc": "yesterday"}), "invalid_time", "/time_utc"),
        (json!({"event": "e", "timestamp": "2026-02-01T10:00:00"}), "invalid_time", "/timestamp"),
        (json!({"event": "e", "time_utc": 1_770_000_000}), "invalid_type", "/time_utc"),
        (json!({"event": "e", "time_utc": hours(25)}), "in_the_future", "/time_utc"),
        (json!({"event": "e", "time_utc": hours(-91 * 24)}), "too_old", "/time_utc"),
        (json!({"event": "e", "time_utc": "0001-01-01T00:00:00Z"}), "too_old", "/time_utc"),
        (json!({"event": "e", "time_utc": "9999-12-31T23:59:59Z"}), "in_the_future", "/time_utc"),
        (json!({"event": "e", "platform": {"a": 1}}), "invalid_type", "/platform"),
        (json!({"event": "e", "platform": "p".repeat(2_000)}), "too_long", "/platform"),
        (json!({"event": "e", "data": [1]}), "invalid_type", "/data"),
        (json!({"event": "e", "x": 1, "data": {"x": 2}}), "conflicting_fields", "/x"),
        (json!({"event": "e", "data": {"latency_ms": "fast"}}), "invalid_type", "/data/latency_ms"),
        (json!({"event": "e", "latency_ms": {"a": 1}}), "invalid_type", "/data/latency_ms"),
        (json!({"event": "e", "data": {"text_length": -1}}), "invalid_type", "/data/text_length"),
        (json!({"event": "e", "data": {"text_length": 1.5}}), "invalid_type", "/data/text_length"),
        (json!({"event": "e", "data": {"text_length": 4_294_967_296_u64}}), "invalid_type", "/data/text_length"),
        (json!({"event": "e", "data": {"interrupted": "no"}}), "invalid_type", "/data/interrupted"),
        (json!({"event": "Send Message", "data": {"suggestions": {}}}), "invalid_type", "/data/suggestions"),
        (json!({"event": "Send Message", "data": {"suggestions": [1]}}), "invalid_type", "/data/suggestions/0"),
        (
            json!({"event": "Send Message", "data": {"suggestions": [{}, {"len_text": "x"}]}}),
            "invalid_type",
            "/data/suggestions/1/len_text",
        ),
        (json!({"event": "e", "data": {"a.b": 1, "a": {"b": 2}}}), "duplicate_path", "/data"),
        (json!({"event": "e", "data": {"deep": deep}}), "malformed_event", ""),
        (json!({"event": "e", "data": wide}), "malformed_event", ""),
        (json!({"event": "e", "data": {"x": "y".repeat(270_000)}}), "event_too_large", ""),
    ];
    let good = json!({"event": "good", "time_utc": hours(-1)});
    let mut events: Vec<Value> = bad.iter().map(|(event, _, _)| event.clone()).collect();
    events.push(good);
    let (status, body) = post(&app, json!(events).to_string()).await;
    assert_eq!((status, &body["accepted"]), (StatusCode::ACCEPTED, &json!(1)), "{body}");
    let rejected = body["rejected"].as_array().unwrap();
    assert_eq!(rejected.len(), bad.len());
    for (index, ((event, code, pointer), rejected)) in bad.iter().zip(rejected).enumerate() {
        let event = event.to_string();
        let shown: String = event.chars().take(100).collect();
        assert_eq!(
            (&rejected["index"], &rejected["code"], &rejected["pointer"]),
            (&json!(index), &json!(code), &json!(pointer)),
            "{shown}: {rejected}"
        );
        assert!(!rejected["detail"].as_str().unwrap().is_empty());
    }
    assert_eq!(stored(&app, "event").await, [json!(["good"])]);

    let (status, problem) = post(&app, json!([{"event": 5}, {"event": "e", "event_id": "nope"}]).to_string()).await;
    assert_eq!((status, problem["code"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, Some("all_rejected")));
    assert_eq!(problem["errors"][1]["pointer"], "/1/event_id");
}

#[tokio::test]
async fn ambiguous_json_is_refused() {
    let app = TestApp::start("ambiguous").await;
    for body in [r#"[{"event":"a","event":"b"}]"#, r#"[{"event":"a","data":{"x":1,"x":2}}]"#, r#"[{"event":"\ud800"}]"#]
    {
        let (status, problem) = post(&app, body).await;
        assert_eq!(
            (status, problem["errors"][0]["code"].as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, Some("malformed_event")),
            "{body}"
        );
    }
    for body in ["{", "nonsense", "[1,", "\u{1}", r#"{"event":"a"} trailing"#] {
        let (status, problem) = post(&app, body).await;
        assert_eq!((status, problem["code"].as_str()), (StatusCode::BAD_REQUEST, Some("malformed_body")), "{body}");
    }
    let (status, problem) = post(&app, vec![0xff, 0xfe, 0x00]).await;
    assert_eq!((status, problem["code"].as_str()), (StatusCode::BAD_REQUEST, Some("malformed_body")));
}

#[tokio::test]
async fn an_id_is_stored_once_within_a_request_and_across_them() {
    let app = TestApp::start("duplicates").await;
    let event = |id: &str, name: &str| json!({"event_id": id, "event": name, "time_utc": "2026-02-01T10:00:00Z"});
    let (a, b) = ("018f5a3e-7b2c-7d4e-9a1b-000000000001", "018f5a3e-7b2c-7d4e-9a1b-000000000002");
    let answer = |accepted: u64, duplicates: u64| {
        (StatusCode::ACCEPTED, json!({"accepted": accepted, "duplicates": duplicates, "rejected": []}))
    };
    assert_eq!(post(&app, json!([event(a, "first"), event(a, "second")]).to_string()).await, answer(1, 1));
    assert_eq!(post(&app, json!([event(a, "third"), event(b, "other")]).to_string()).await, answer(1, 1));
    // Another month, another spelling of the id: the same event.
    let moved = json!({"event_id": a.to_uppercase(), "event": "fourth", "time_utc": "2026-03-01T10:00:00Z"});
    assert_eq!(post(&app, moved.to_string()).await, answer(0, 1));
    assert_eq!(stored(&app, "event").await, [json!(["first"]), json!(["other"])]);

    let at_once = (0..8).map(|_| post(&app, message_with_id("018f5a3e-7b2c-7d4e-9a1b-000000000003").to_string()));
    let accepted: u64 =
        futures::future::join_all(at_once).await.iter().map(|(_, body)| body["accepted"].as_u64().unwrap()).sum();
    assert_eq!(accepted, 1);
    app.intake.settled().await;
    let sums = "SELECT toUInt64(sum(messages)) FROM duplicates_analytics.recommendations_15m";
    assert_eq!(app.clickhouse.fetch::<u64>(sums).await.unwrap(), [1]);
}

fn message_with_id(id: &str) -> Value {
    crate::support::with(message("2026-02-01T10:00:00Z", &[]), json!({"event_id": id}))
}

#[tokio::test]
async fn a_line_that_cannot_be_read_spoils_no_other() {
    let app = TestApp::start("bad_lines").await;
    let good =
        |id: u8| format!(r#"{{"event":"e","event_id":"018f5a3e-7b2c-7d4e-9a1b-2c3d4e5f6a{id:02}"}}"#).into_bytes();
    let lines =
        [good(1), br#"{"event":"cut"#.to_vec(), good(2), b"{\"event\":\"\xff\"}".to_vec(), b"null".to_vec(), good(3)];
    let request = app.post(EVENTS).bearer_auth(app.token()).header("content-type", "application/x-ndjson");
    let (status, body) = send(request.body(lines.join(&b'\n'))).await;
    assert_eq!((status, &body["accepted"]), (StatusCode::ACCEPTED, &json!(3)), "{body}");
    let rejected: Vec<(u64, &str)> = body["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rejected| (rejected["index"].as_u64().unwrap(), rejected["code"].as_str().unwrap()))
        .collect();
    assert_eq!(rejected, [(1, "malformed_event"), (3, "malformed_event"), (4, "malformed_event")], "{body}");
    assert_eq!(stored(&app, "event").await.len(), 3);
}

#[tokio::test]
async fn compressed_bodies_are_read_and_bombs_are_not() {
    let app = TestApp::start("compressed").await;
    let compressed = async |encoding: &str, body: Vec<u8>| {
        let request = app
            .post(EVENTS)
            .bearer_auth(app.token())
            .header("content-encoding", encoding)
            .header("content-type", "application/x-ndjson");
        send(request.body(body)).await
    };
    let gzip = |content: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    };
    let event = br#"{"event":"e","time_utc":"2026-02-01T10:00:00Z"}"#;
    assert_eq!(compressed("gzip", gzip(event)).await.0, StatusCode::ACCEPTED);
    assert_eq!(compressed("zstd", zstd::encode_all(event.as_slice(), 3).unwrap()).await.0, StatusCode::ACCEPTED);
    let code = |(status, problem): (StatusCode, Value)| (status, problem["code"].as_str().unwrap().to_owned());
    assert_eq!(
        code(compressed("gzip", b"not gzip".to_vec()).await),
        (StatusCode::BAD_REQUEST, "malformed_body".to_owned())
    );
    assert_eq!(
        code(compressed("gzip", gzip(event)[..20].to_vec()).await),
        (StatusCode::BAD_REQUEST, "malformed_body".to_owned())
    );
    assert_eq!(
        code(compressed("br", event.to_vec()).await),
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type".to_owned())
    );
    let bomb = gzip(&vec![b' '; 80 << 20]);
    assert!(bomb.len() < 100_000);
    assert_eq!(code(compressed("gzip", bomb).await), (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large".to_owned()));
    let bomb = zstd::encode_all(std::io::repeat(b' ').take_bytes(80 << 20), 3).unwrap();
    assert_eq!(code(compressed("zstd", bomb).await), (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large".to_owned()));
}

trait TakeBytes: std::io::Read + Sized {
    fn take_bytes(self, count: u64) -> std::io::Take<Self> {
        self.take(count)
    }
}

impl<R: std::io::Read> TakeBytes for R {}

#[tokio::test]
async fn bodies_and_batches_have_their_limits() {
    let app = TestApp::start("limits").await;
    let code = |(status, problem): (StatusCode, Value)| (status.as_u16(), problem["code"].as_str().unwrap().to_owned());
    assert_eq!(code(post(&app, vec![b' '; (8 << 20) + 1]).await), (413, "body_too_large".to_owned()));
    let many = format!("[{}]", vec![r#"{"event":"e"}"#; 10_001].join(","));
    assert_eq!(code(post(&app, many).await), (413, "body_too_large".to_owned()));
    let request = app.post(EVENTS).bearer_auth(app.token()).header("content-type", "application/xml").body("<e/>");
    assert_eq!(code(send(request).await), (415, "unsupported_media_type".to_owned()));
    let request = app.post(&format!("{EVENTS}?sync=1")).bearer_auth(app.token()).body("[]");
    assert_eq!(code(send(request).await), (422, "unknown_parameter".to_owned()));
}

#[tokio::test]
async fn freshness_says_what_became_of_what_was_sent() {
    let app = TestApp::start("fresh").await;
    let before = app.get("/api/v1/freshness").await;
    assert_eq!((&before["tables"][0]["table"], &before["tables"][0]["newest_row"]), (&json!("events"), &Value::Null));
    let id = "018f5a3e-7b2c-7d4e-9a1b-000000000001";
    let events = json!([
        {"event": "e", "event_id": id, "time_utc": "2026-02-01T10:00:00Z", "note": "jane@example.org and john@example.org"},
        {"event": "e", "event_id": id},
        {"event": "e", "note": "call +31 6 12345678"},
        {"event": 5},
        {"event": "e", "time_utc": "1999-01-01T00:00:00Z"},
    ]);
    let (status, _) = post(&app, events.to_string()).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    app.intake.settled().await;
    let report = app.get("/api/v1/freshness").await;
    let events = &report["tables"][0];
    assert_eq!((&events["accepted"], &events["duplicates"]), (&json!(2), &json!(1)));
    assert_eq!(events["rejected"], json!([{"code": "invalid_type", "count": 1}, {"code": "too_old", "count": 1}]));
    let age = Utc::now() - events["newest_row"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    assert!(age < chrono::Duration::seconds(60), "{events}");
    assert!(
        events["lag_ms_p50"].as_f64().unwrap() > 0.0 && events["lag_ms_p95"].as_f64() >= events["lag_ms_p50"].as_f64()
    );
    let count = |kind: &str| {
        report["anonymised"].as_array().unwrap().iter().find(|count| count["kind"] == kind).unwrap()["count"].clone()
    };
    assert_eq!((count("email"), count("phone"), count("iban")), (json!(2), json!(1), json!(0)));
    assert_eq!(report["spool"]["rows"], 0);

    let export = include_str!("../../openapi/examples/ingestion/traces.json");
    let export: Value = serde_json::from_str(export).unwrap();
    let request = app.post("/v1/traces").bearer_auth(app.token()).json(&export["body"]);
    assert_eq!(send(request).await.0, StatusCode::OK);
    let unknown =
        export["body"].to_string().replace("gpt-4o", "our-own-model").replace("eee19b7ec3c1b174", "eee19b7ec3c1b175");
    let request =
        app.post("/v1/traces").bearer_auth(app.token()).header("content-type", "application/json").body(unknown);
    assert_eq!(send(request).await.0, StatusCode::OK);
    let report = app.get("/api/v1/freshness").await;
    assert_eq!(
        (&report["tables"][1]["accepted"], &report["tables"][1]["rejected"][0]["code"]),
        (&json!(2), &json!("invalid_id"))
    );
    assert!(
        report["coverage"]
            .as_array()
            .unwrap()
            .contains(&json!({"column": "input_tokens", "attribute": "gen_ai.usage.input_tokens", "spans": 2}))
    );
    assert_eq!(report["models_without_price"], json!([{"provider": "openai", "model": "our-own-model", "spans": 1}]));
    let metrics = app.request("/metrics").send().await.unwrap().text().await.unwrap();
    for name in [
        "chartwell_rows_accepted_total{account=\"fresh\"",
        "chartwell_rows_duplicate_total",
        "chartwell_anonymised_total",
        "chartwell_spool_rows",
    ] {
        assert!(metrics.contains(name), "{name}");
    }
}

#[tokio::test]
async fn dates_from_many_months_are_stored() {
    let app = TestApp::start("months").await;
    // More than the engine takes in one insert, which is 100.
    let events: Vec<Value> = (0..110).map(|month| json!({"event": "e", "time_utc": format!("{}-{:02}-15T00:00:00Z", 2000 + month / 12, month % 12 + 1)})).collect();
    assert_eq!(post(&app, json!(events).to_string()).await.1["accepted"], 110);
    assert_eq!(stored(&app, "event").await.len(), 110);
}

#[tokio::test]
async fn an_accepted_event_is_read_at_once() {
    let app = TestApp::start("at_once_read").await;
    for expected in 1..=5 {
        app.store(&[message("2026-02-01T10:00:00Z", &[])]).await;
        let totals = app.get("/api/v1/recommendations/totals?datetime_from=2026-02-01&datetime_to=2026-02-01").await;
        assert_eq!(totals["totals"][0]["value"], expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let token = sign(&claims("killed"));
    let client = reqwest::Client::new();
    let mut acknowledged = 0;
    for round in 0..3 {
        let mut program = Program::start(folder.path(), "killed");
        let deadline = tokio::time::Instant::now() + Duration::from_millis(400 + 150 * round);
        let enough = acknowledged + 40;
        while tokio::time::Instant::now() < deadline || acknowledged < enough {
            let events: Vec<Value> =
                (0..20).map(|_| message(&DateTime::<Utc>::to_rfc3339(&Utc::now()), &[("gpt", 1, false)])).collect();
            let response =
                client.post(format!("{}{EVENTS}", program.url)).bearer_auth(&token).json(&events).send().await.unwrap();
            assert_eq!(response.status(), StatusCode::ACCEPTED);
            acknowledged += 20;
        }
        program.signal("-KILL");
        program.wait();
    }
    let program = Program::start(folder.path(), "killed");
    let url = format!("{}/api/v1/recommendations/totals?range=24h", program.url);
    assert!(acknowledged > 100);
    let totals = loop {
        let totals: Value = client.get(&url).bearer_auth(&token).send().await.unwrap().json().await.unwrap();
        if totals["totals"][0]["value"].as_u64() >= Some(acknowledged) {
            break totals;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(totals["totals"][0]["value"], acknowledged);
    assert_eq!(totals["totals"][3]["value"], acknowledged);
}
