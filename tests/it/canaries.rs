//! Canaries: a thousand personal values and secrets, in every place of events and spans and in every
//! disguise, and none of them in what is stored or logged.

use std::io::Write;
use std::path::Path;

use aho_corasick::AhoCorasick;
use chartwell::config::UnknownEvents;
use serde_json::{Value, json};

use crate::program::Program;
use crate::support::{TestApp, Via, claims, json_of, sign, with};

/// A value, and what of it must be nowhere.
struct Canary {
    value: String,
    trace: String,
}

fn canary(value: impl Into<String>, trace: impl Into<String>) -> Canary {
    Canary { value: value.into(), trace: trace.into() }
}

fn luhn(digits: &str) -> String {
    let sum: u32 = digits
        .chars()
        .rev()
        .map(|c| c.to_digit(10).unwrap())
        .enumerate()
        .map(|(i, d)| if i % 2 == 0 { d * 2 / 10 + d * 2 % 10 } else { d })
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

fn iban(country: &str, bban: &str) -> String {
    let numbers: String = format!("{bban}{country}00").chars().map(|c| c.to_digit(36).unwrap().to_string()).collect();
    let rest = numbers.bytes().fold(0_u32, |rest, digit| (rest * 10 + u32::from(digit - b'0')) % 97);
    format!("{country}{:02}{bban}", 98 - rest)
}

/// A thousand of them, of ten kinds.
fn canaries() -> Vec<Canary> {
    let mut all = Vec::new();
    for n in 0..100_u32 {
        let name = format!("canary{n:03}x");
        all.push(canary(format!("{name}@mail.example"), name.clone()));
        // With the country: eight digits alone are in one of so many hashes by chance.
        all.push(canary(format!("+316{:08}", 12_345_000 + n), format!("316{:08}", 12_345_000 + n)));
        let card = luhn(&format!("411111{:09}", 770_000_000 + n));
        all.push(canary(card.clone(), card));
        let account = iban("NL", &format!("ABNA{:010}", 417_164_000 + n));
        all.push(canary(account.clone(), account[8..].to_owned()));
        all.push(canary(format!("10.77.{}.{}", n, 101 + n % 100), format!("10.77.{n}.")));
        all.push(canary(format!("536-77-{:04}", 4_300 + n), format!("536-77-{:04}", 4_300 + n)));
        all.push(canary(format!("https://shop.example/cart?who=query{n:03}y"), format!("query{n:03}y")));
        all.push(canary(format!("Bearer tok{n:03}enabcdefghijkl"), format!("tok{n:03}en")));
        all.push(canary(format!("sk-proj-key{n:03}abcdefghijklmnopq"), format!("key{n:03}abc")));
        all.push(canary(format!("2001:db8:77::{:x}:8a2e", 0x7000 + n), format!("::{:x}:8a2e", 0x7000 + n)));
    }
    assert_eq!(all.len(), 1_000);
    all
}

/// A value as it may be written.
fn disguised(value: &str, number: usize) -> String {
    match number % 9 {
        0 => value.to_owned(),
        1 => format!("Please write this down: {value}, thank you."),
        // Full-width forms.
        2 => value
            .chars()
            .map(|c| if ('!'..='~').contains(&c) { char::from_u32(c as u32 + 0xfee0).unwrap() } else { c })
            .collect(),
        // Characters that nobody sees.
        3 => value.chars().flat_map(|c| [c, '\u{200b}']).collect(),
        4 => value.replace('@', "%40").replace('.', "%2E").replace('-', "%2d"),
        5 => format!(
            "{{\"said\": \"{}\"}}",
            value.replace('@', "\\u0040").replace('+', "\\u002b").replace('-', "\\u002D")
        ),
        6 => format!("<p>{}</p>", value.replace('@', "&#64;").replace('-', "&#x2d;")),
        7 => format!("né le 1er mai, {value}"),
        _ => format!("({value})"),
    }
}

/// An event with values in every place that a sender fills, but for the columns of the agent.
fn event(values: &[String]) -> Value {
    let [a, b, c, d, e, f, g, h, i, j] = values else { panic!("ten") };
    json!({
        "event": "Send Message", "time_utc": chrono::Utc::now().to_rfc3339(), "visitor_id": a, "conversation_id": b, "session_id": c,
        "top_level": d,
        "data": {
            "message": e, "nested": {"deep": {"deeper": [f, {"in_list": g}]}}, (h.as_str()): 1,
            "suggestions": [{"id": i, "source": "gpt", "len_text": 1, "note": j}],
        },
    })
}

fn span(values: &[String], number: usize) -> Value {
    let [a, b, c, d, e, f, g, h, i, j] = values else { panic!("ten") };
    let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let nanos = chrono::Utc::now().timestamp_nanos_opt().unwrap();
    let span = json!({
        "traceId": format!("{:032x}", number + 1), "spanId": format!("{:016x}", number + 1), "name": a, "startTimeUnixNano": nanos.to_string(),
        "endTimeUnixNano": nanos.to_string(), "status": {"code": 2, "message": b}, "traceState": c,
        "attributes": [
            text("gen_ai.prompt", d), text("output.value", e), text("gen_ai.conversation.id", f), text("user.id", a), text(g, "x"),
            {"key": "list", "value": {"arrayValue": {"values": [{"stringValue": h}, {"kvlistValue": {"values": [text("inner", i)]}}]}}},
        ],
        "events": [{"name": "exception", "timeUnixNano": nanos.to_string(), "attributes": [text("exception.message", j)]}],
        "links": [{"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "attributes": [text("why", b)]}],
    });
    json!({"resource": {"attributes": [text("host.owner", c)]}, "scopeSpans": [{"scope": {"name": d}, "spans": [span]}]})
}

fn gzip(content: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// Sends all canaries, in events and in spans, plain and compressed.
async fn send(url: &str, token: &str, canaries: &[Canary]) {
    let client = reqwest::Client::new();
    // Each value comes once in each disguise, and so in other places.
    for round in 0..9 {
        let values: Vec<String> =
            canaries.iter().enumerate().map(|(number, canary)| disguised(&canary.value, number + round)).collect();
        let tens: Vec<Vec<String>> = (0..100)
            .map(|group| (0..10).map(|place| values[(group * 10 + (place + round) % 10) % 1_000].clone()).collect())
            .collect();
        let events: Vec<Value> = tens.iter().map(|ten| event(ten)).collect();
        let spans: Vec<Value> = tens.iter().enumerate().map(|(number, ten)| span(ten, round * 100 + number)).collect();
        for (path, body) in
            [("/api/v1/events", json!(events).to_string()), ("/v1/traces", json!({"resourceSpans": spans}).to_string())]
        {
            let request =
                client.post(format!("{url}{path}")).bearer_auth(token).header("content-type", "application/json");
            let request = if round % 2 == 0 {
                request.body(body)
            } else {
                request.header("content-encoding", "gzip").body(gzip(&body))
            };
            let response = request.send().await.unwrap();
            let status = response.status();
            let text = response.text().await.unwrap();
            assert!(
                status.is_success() && !text.contains("rejectedSpans") && !text.contains("\"code\""),
                "{status} {text}"
            );
        }
    }
}

/// Looks for all of them at once. It takes longer to make than to search a file.
fn traces(canaries: &[Canary]) -> AhoCorasick {
    let traces = canaries.iter().map(|canary| canary.trace.as_bytes());
    AhoCorasick::builder().ascii_case_insensitive(true).build(traces).unwrap()
}

#[track_caller]
fn assert_none(place: &str, content: &[u8], traces: &AhoCorasick) {
    let mut found: Vec<String> = traces
        .find_iter(content)
        .map(|found| {
            let around = &content[found.start().saturating_sub(60)..(found.end() + 60).min(content.len())];
            String::from_utf8_lossy(around).into_owned()
        })
        .collect();
    let count = found.len();
    found.truncate(10);
    assert!(found.is_empty(), "{count} in {place}: {found:#?}");
}

#[tokio::test]
async fn no_personal_value_is_in_any_table_or_in_the_spool() {
    let app = TestApp::start("canaries").await;
    let canaries = canaries();
    let traces = traces(&canaries);
    send(&app.url, &app.token(), &canaries).await;
    app.intake.settled().await;
    let tables: Vec<String> = app
        .clickhouse
        .fetch("SELECT name FROM system.tables WHERE database = 'canaries_analytics' AND engine LIKE '%MergeTree'")
        .await
        .unwrap();
    assert!(tables.len() >= 8, "{tables:?}");
    for table in tables {
        // As bytes: what rollups have of sets and of newest values is no text.
        let sql = format!("SELECT * FROM canaries_analytics.`{table}`");
        let mut cursor = app.clickhouse.client().query_raw(&sql).fetch_bytes("JSONEachRow").unwrap();
        let rows = cursor.collect().await.unwrap();
        assert_none(&table, &rows, &traces);
        if table == "events" || table == "assistants_tracing_spans" {
            let rows = std::str::from_utf8(&rows).unwrap();
            assert_eq!(rows.lines().count(), 900, "{table}");
            assert!(rows.contains("<email>") && rows.contains("<card>"));
        }
    }
    search_folder(app.data_dir(), &traces);
}

/// A product event with a value in one of its places.
fn product_event(value: &str, place: usize) -> Value {
    let event = json!({
        "name": "feature_viewed", "schema_version": "2026-05-telemetry-v1", "session_id": "session-0f9a8b7c6d5e",
        "org_id_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "anonymous_user_id": "visitor-0f9a8b7c6d5e",
        "route_pattern": "/reports/:id", "payload": {"feature": "saved-views", "surface": "sidebar"},
    });
    let changes = match place {
        0 => json!({"payload": {"feature": value}}),
        1 => json!({"payload": {"feature": format!("opened by {value}"), "surface": "sidebar"}}),
        2 => json!({"payload": {"feature": "saved-views", "selected": value}}),
        3 => json!({"payload": {(value): "saved-views"}}),
        4 => json!({"route_pattern": format!("/people/{value}/edit")}),
        5 => json!({"name": "page_viewed", "payload": {"previousRoutePattern": format!("/{value}")}}),
        6 => json!({"session_id": value}),
        7 => json!({"anonymousUserId": value, "anonymous_user_id": null}),
        8 => json!({"org_id_hash": value}),
        9 => json!({"schema_version": value}),
        10 => json!({"source": value}),
        11 => json!({(value): 1}),
        12 => json!({"user": {"id": value}}),
        // Counted as one that nobody knows, and nothing else is kept of it.
        _ => json!({"name": value, "payload": {"any": value}}),
    };
    with(event, changes)
}
const PRODUCT_PLACES: usize = 14;

#[tokio::test]
async fn no_personal_value_in_any_place_of_a_product_event_is_stored() {
    let app = TestApp::start_with("product_canaries", Via::Pipe, |config| {
        config.product.product_unknown_events = UnknownEvents::Count;
    })
    .await;
    let canaries = canaries();
    let traces = traces(&canaries);
    for place in 0..PRODUCT_PLACES {
        // Of each kind some as they are, and some in a disguise.
        for (is_disguised, step) in [(false, 3), (true, 7)] {
            let events: Vec<Value> = canaries
                .iter()
                .step_by(step)
                .enumerate()
                .map(|(number, canary)| {
                    product_event(&disguised(&canary.value, if is_disguised { number } else { 0 }), place)
                })
                .collect();
            let request = app.post("/api/v1/product-events").bearer_auth(app.token()).json(&events);
            let answer = json_of(request.send().await.unwrap()).await;
            let is_counted = place == PRODUCT_PLACES - 1;
            let refused = answer["errors"].as_array().or(answer["rejected"].as_array()).map_or(0, Vec::len);
            let wanted = if is_counted { 0 } else { events.len() };
            let told = answer.to_string();
            let stored: Vec<&String> = events
                .iter()
                .enumerate()
                .filter(|(index, _)| !told.contains(&format!("\"/{index}/")))
                .map(|(index, _)| &canaries[index * step].value)
                .take(5)
                .collect();
            assert_eq!(refused, wanted, "place {place}, not refused: {stored:?}");
        }
    }
    app.intake.settled().await;
    for table in ["product_telemetry_events", "product_facts", "product_uses_1d", "product_presence_15m"] {
        let sql = format!("SELECT * FROM product_canaries_analytics.{table}");
        let mut cursor = app.clickhouse.client().query_raw(&sql).fetch_bytes("JSONEachRow").unwrap();
        let rows = cursor.collect().await.unwrap();
        assert!(!rows.is_empty(), "{table}");
        assert_none(table, &rows, &traces);
    }
    search_folder(app.data_dir(), &traces);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_personal_value_is_in_the_files_or_the_log_of_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), "canaries_of_files");
    let canaries = canaries();
    let traces = traces(&canaries);
    send(&program.url, &sign(&claims("canaries_of_files")), &canaries).await;
    // What is refused is told to the sender, and to nobody else.
    let client = reqwest::Client::new();
    for canary in canaries.iter().step_by(50) {
        let events = json!([with(json!({"event": "e"}), json!({"time_utc": canary.value})), {"event": "e", "event_id": canary.value}]);
        let response = client
            .post(format!("{}/api/v1/events", program.url))
            .bearer_auth(sign(&claims("canaries_of_files")))
            .json(&events)
            .send();
        assert_eq!(response.await.unwrap().status().as_u16(), 422);
    }
    search_folder(folder.path(), &traces);
    assert_none("the log", program.log().as_bytes(), &traces);
}

fn search_folder(folder: &Path, traces: &AhoCorasick) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            search_folder(&path, traces);
        } else if let Ok(content) = std::fs::read(&path) {
            assert_none(&path.display().to_string(), &content, traces);
        }
    }
}
