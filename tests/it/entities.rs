//! Names in texts, found by a service that answers as the Presidio analyzer does, or as it should not.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::post;
use chartwell::config::{AnonymiseConfig, OnFailure};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{TestApp, Via, json_of, message, with};

const EVENTS: &str = "/api/v1/events";
const NAMES: [(&str, &str); 4] =
    [("Zoë Jansen", "PERSON"), ("Jane Smith", "PERSON"), ("Rotterdam", "LOCATION"), ("Dutch", "NRP")];

/// How the service answers.
#[derive(Debug, Clone)]
enum Answer {
    /// With the names in the text.
    Names,
    /// With the names in the text, and never again.
    NamesOnce,
    /// With these finds, whatever the text is.
    Finds(Value),
    /// With a status and a body.
    Broken(u16, &'static str),
    /// Not within any time that somebody waits.
    Never,
}

/// A service in place of the Presidio analyzer.
struct Analyzer {
    url: String,
    answer: Arc<Mutex<Answer>>,
    questions: Arc<Mutex<Vec<Value>>>,
}

impl Analyzer {
    async fn start(answer: Answer) -> Self {
        let (answer, questions) = (Arc::new(Mutex::new(answer)), Arc::new(Mutex::new(Vec::new())));
        let (told, asked) = (Arc::clone(&answer), Arc::clone(&questions));
        let analyze = move |axum::Json(question): axum::Json<Value>| async move {
            let (text, answer) = (question["text"].as_str().unwrap().to_owned(), told.lock().unwrap().clone());
            asked.lock().unwrap().push(question);
            match answer {
                Answer::Names => axum::Json(names_in(&text)).into_response(),
                Answer::NamesOnce => {
                    *told.lock().unwrap() = Answer::Broken(500, "");
                    axum::Json(names_in(&text)).into_response()
                }
                Answer::Finds(finds) => axum::Json(finds).into_response(),
                Answer::Broken(status, body) => (StatusCode::from_u16(status).unwrap(), body).into_response(),
                Answer::Never => std::future::pending().await,
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let service = Router::new().route("/analyze", post(analyze));
        tokio::spawn(async { axum::serve(listener, service).await });
        Self { url, answer, questions }
    }

    fn answers(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    fn questions(&self) -> Vec<Value> {
        std::mem::take(&mut self.questions.lock().unwrap())
    }

    /// An application that asks it.
    async fn app(&self, account: &str, change: impl FnOnce(&mut AnonymiseConfig)) -> TestApp {
        TestApp::start_with(account, Via::Pipe, |config| {
            config.anonymise.entity_service_url = Some(self.url.clone());
            change(&mut config.anonymise);
        })
        .await
    }
}

/// What Presidio answers: places are counted in characters of Python, which are code points.
fn names_in(text: &str) -> Value {
    let finds = NAMES.iter().flat_map(|(name, kind)| {
        text.match_indices(name).map(move |(place, _)| {
            let start = text[..place].chars().count();
            let end = start + name.chars().count();
            json!({"entity_type": kind, "start": start, "end": end, "score": 0.85, "analysis_explanation": null,
                "recognition_metadata": {"recognizer_name": "SpacyRecognizer"}})
        })
    });
    finds.collect()
}

fn find(start: i64, end: i64) -> Value {
    json!({"entity_type": "PERSON", "start": start, "end": end, "score": 0.85})
}

fn said(text: &str) -> Value {
    with(message("2026-02-01T10:00:00Z", &[]), json!({"data": {"note": text}}))
}

async fn send(app: &TestApp, event: &Value) -> (u16, Option<String>, Value) {
    let response = app.post(EVENTS).bearer_auth(app.token()).json(event).send().await.unwrap();
    let retry_after = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
    (response.status().as_u16(), retry_after, json_of(response).await)
}

/// The notes that are stored.
async fn notes(app: &TestApp) -> Vec<String> {
    app.intake.settled().await;
    let sql = format!("SELECT toString(data.note) FROM {}_analytics.events ORDER BY 1", app.account);
    app.clickhouse.fetch(&sql).await.unwrap()
}

#[tokio::test]
async fn names_are_replaced_wherever_a_text_is() {
    let analyzer = Analyzer::start(Answer::Names).await;
    let app = analyzer.app("entities", |_| {}).await;
    let event = with(
        message("2026-02-01T10:00:00Z", &[]),
        json!({"agent_name": "Jane Smith", "data": {
            "note": "👩🏽‍💻🎉 Zoë Jansen of Rotterdam, a Dutch town",
            "nested": {"list": ["Ask Jane Smith at jane@example.org", {"deep": "Jane Smith"}]},
            "suggestions": [{"id": "r1", "source": "gpt", "len_text": 5, "note": "Dear Jane Smith,"}],
        }}),
    );
    assert_eq!(send(&app, &event).await.0, 202);
    app.intake.settled().await;
    let columns = "data.note, data.nested.list, suggestions.rest, agent_name, event";
    let sql = format!("SELECT toJSONString(tuple({columns})) FROM entities_analytics.events");
    let rows: Vec<String> = app.clickhouse.fetch(&sql).await.unwrap();
    let row: Value = serde_json::from_str(&rows[0]).unwrap();
    assert_eq!(row[0], "👩🏽‍💻🎉 <person> of <location>, a <nrp> town");
    let row = row.to_string();
    assert!(
        row.contains("Ask <person> at <email>") && row.contains("Dear <person>,") && row.contains(r#""Send Message""#),
        "{row}"
    );
    // Only the column of the agent, who works there, keeps a name.
    assert_eq!(row.matches("Jane Smith").count(), 1, "{row}");
    let questions = analyzer.questions();
    let [question] = questions.as_slice() else { panic!("all texts of a request are asked at once: {questions:?}") };
    assert_eq!(
        (&question["language"], &question["entities"], &question["score_threshold"]),
        (&json!("en"), &json!(["PERSON", "LOCATION", "NRP"]), &json!(0.5))
    );
    // The service is told no more than it must know.
    assert!(!question["text"].as_str().unwrap().contains("jane@example.org"));

    let span = json!({
        "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "name": "chat", "startTimeUnixNano": "1770000000000000000",
        "endTimeUnixNano": "1770000001000000000", "attributes": [{"key": "output.value", "value": {"stringValue": "Good morning, Zoë Jansen!"}}],
        "events": [{"name": "note", "timeUnixNano": "1770000000000000000", "attributes": [{"key": "by", "value": {"stringValue": "Jane Smith"}}]}],
    });
    let export = json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]});
    let response = app.post("/v1/traces").bearer_auth(app.token()).json(&export).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    app.intake.settled().await;
    let sql = "SELECT toJSONString(tuple(output, attributes, events)) FROM entities_analytics.assistants_tracing_spans";
    let rows: Vec<String> = app.clickhouse.fetch(sql).await.unwrap();
    assert_eq!(rows[0].matches("Good morning, <person>!").count(), 2, "{rows:?}");
    assert!(rows[0].contains(r#""by":"<person>""#) && !rows[0].contains("Jane"), "{rows:?}");

    let report = app.get("/api/v1/freshness").await;
    let counted = report["anonymised"].as_array().unwrap().iter().find(|count| count["kind"] == "name");
    assert_eq!(counted.unwrap()["count"], 9, "{report}");
}

#[tokio::test]
async fn nothing_is_asked_without_a_text_or_for_an_account_that_wants_no_names() {
    let analyzer = Analyzer::start(Answer::Names).await;
    let app = analyzer.app("entities_no_text", |_| {}).await;
    let event = json!({"event": "e", "time_utc": "2026-02-01T10:00:00Z", "data": {"word": "Rotterdam", "number": "12 34", "empty": ""}});
    assert_eq!(send(&app, &event).await.0, 202);
    let app = analyzer.app("entities_no_names", |config| config.anonymise = vec!["*:email".parse().unwrap()]).await;
    assert_eq!(send(&app, &said("Jane Smith of Rotterdam")).await.0, 202);
    assert_eq!(notes(&app).await, ["Jane Smith of Rotterdam"]);
    assert_eq!(analyzer.questions(), [] as [Value; 0]);
}

#[tokio::test]
async fn while_it_does_not_answer_nothing_is_accepted() {
    let analyzer = Analyzer::start(Answer::Names).await;
    let app = analyzer.app("entities_closed", |config| config.entity_service_timeout_ms = 200).await;
    for broken in [
        Answer::Broken(500, r#"{"error": "out of memory"}"#),
        Answer::Broken(404, ""),
        Answer::Broken(200, ""),
        Answer::Broken(200, "<html>the proxy's page</html>"),
        Answer::Broken(200, r#"[{"entity_type": "PERSON", "start": 0"#),
        Answer::Finds(json!({"error": "No text provided"})),
        Answer::Finds(json!([{"entity_type": "PERSON"}])),
        Answer::Finds(json!([find(-3, 5)])),
        Answer::Finds(json!([{"entity_type": "PERSON", "start": 0.5, "end": 4, "score": 1}])),
        Answer::Never,
    ] {
        analyzer.answers(broken.clone());
        let (status, retry_after, problem) = send(&app, &said("Jane Smith asks")).await;
        assert_eq!((status, problem["code"].as_str()), (503, Some("ingestion_unavailable")), "{broken:?}");
        assert_eq!(retry_after.as_deref(), Some("5"), "{broken:?}");
        assert!(!problem.to_string().contains(&analyzer.url), "{problem}");
    }
    // An exporter reads the same in its own words.
    let export = include_str!("../../openapi/examples/ingestion/traces.json");
    let export: Value = serde_json::from_str(&export.replace("I'm a server span", "Jane Smith asks")).unwrap();
    let response = app.post("/v1/traces").bearer_auth(app.token()).json(&export["body"]).send().await.unwrap();
    assert_eq!((response.status().as_u16(), &response.headers()["retry-after"]), (503, &"5".parse().unwrap()));
    assert_eq!(json_of(response).await["code"], 14);
    assert_eq!(notes(&app).await, [] as [&str; 0]);

    // What was refused was not noted as known either.
    let event = with(said("Jane Smith asks"), json!({"event_id": "018f5a3e-7b2c-7d4e-9a1b-000000000001"}));
    analyzer.answers(Answer::Broken(500, ""));
    assert_eq!(send(&app, &event).await.0, 503);
    analyzer.answers(Answer::Names);
    assert_eq!(send(&app, &event).await.2, json!({"accepted": 1, "duplicates": 0, "rejected": []}));
    assert_eq!(notes(&app).await, ["<person> asks"]);
}

#[tokio::test]
async fn a_service_that_is_not_there_is_one_that_does_not_answer() {
    let unused = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", unused.local_addr().unwrap());
    drop(unused);
    let app = TestApp::start_with("entities_absent", Via::Pipe, |config| {
        config.anonymise.entity_service_url = Some(url);
    })
    .await;
    assert_eq!(send(&app, &said("Jane Smith asks")).await.0, 503);
    assert_eq!(notes(&app).await, [] as [&str; 0]);
}

#[tokio::test]
async fn where_the_settings_let_rows_pass_only_names_stay_in_them() {
    let analyzer = Analyzer::start(Answer::Never).await;
    let pass = |config: &mut AnonymiseConfig| {
        config.entity_service_failure = OnFailure::Pass;
        config.entity_service_timeout_ms = 200;
    };
    let app = analyzer.app("entities_pass", pass).await;
    let event = said("Jane Smith wrote from jane@example.org");
    assert_eq!(send(&app, &event).await.2, json!({"accepted": 1, "duplicates": 0, "rejected": []}));
    analyzer.answers(Answer::Broken(200, "nonsense"));
    assert_eq!(send(&app, &event).await.0, 202);
    analyzer.answers(Answer::Names);
    assert_eq!(send(&app, &event).await.0, 202);
    let (without, with) = ("<person> wrote from <email>", "Jane Smith wrote from <email>");
    assert_eq!(notes(&app).await, [without, with, with]);

    // Long texts are asked one by one, and what was found before a failure is replaced.
    let app = analyzer.app("entities_pass_in_part", pass).await;
    analyzer.answers(Answer::NamesOnce);
    let long = |greeting: &str| said(&format!("{greeting} Jane Smith{}", " and so on".repeat(5_000)));
    let events = json!([long("Dear"), long("My dear")]);
    assert_eq!(send(&app, &events).await.2["accepted"], 2);
    let begins: Vec<String> = notes(&app).await.iter().map(|note| note.chars().take(18).collect()).collect();
    assert_eq!(begins, ["Dear <person> and ", "My dear Jane Smith"]);
}

#[tokio::test]
async fn a_service_that_hangs_holds_nobody_longer_than_its_time() {
    let analyzer = Analyzer::start(Answer::Never).await;
    let app = analyzer.app("entities_hang", |config| config.entity_service_timeout_ms = 2_000).await;
    let began = Instant::now();
    let (noted, plain) = (said("Jane Smith asks"), json!({"event": "e", "data": {"word": "one"}}));
    let waiting = futures::future::join_all((0..50).map(|_| send(&app, &noted)));
    let passing = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let (status, ..) = send(&app, &plain).await;
        (status, began.elapsed())
    };
    let (waiting, (status, passed)) = tokio::join!(waiting, passing);
    assert!(waiting.iter().all(|(status, ..)| *status == 503));
    let waited = began.elapsed();
    assert!(waited >= Duration::from_secs(2) && waited < Duration::from_secs(30), "{waited:?}");
    assert!(status == 202 && passed < waited, "an event without a text waited, {passed:?}");
}

#[tokio::test]
async fn places_that_cannot_be_are_taken_as_far_as_they_can() {
    let analyzer = Analyzer::start(Answer::Names).await;
    let app = analyzer.app("entities_places", |_| {}).await;
    // Two texts of ten characters each are asked together: 0..10 and, after an empty line, 12..22.
    let (ann, cy) = ("Ann 😀 Bell", "Cy D. Dale");
    let event = json!({"event": "e", "time_utc": "2026-02-01T10:00:00Z", "data": {"note": ann, "other": cy}});
    let unsure = with(find(0, 3), json!({"score": 0.49}));
    for (number, (finds, note, other)) in [
        (vec![find(0, 3), find(18, 22)], "<person> 😀 Bell", "Cy D. <person>"),
        (vec![find(18, 22), find(6, 10), find(6, 10), find(0, 3)], "<person> 😀 <person>", "Cy D. <person>"),
        (vec![find(18, 1_000)], ann, "Cy D. <person>"),
        (vec![find(1_000, 2_000), find(i64::MAX - 1, i64::MAX)], ann, cy),
        (vec![find(0, i64::MAX)], "<person>", "<person>"),
        (vec![find(5, 2), find(3, 3), find(10, 12), unsure], ann, cy),
        (vec![find(0, 5), find(3, 10)], "<person>", cy),
        (vec![find(0, 10), find(6, 8), find(3, 4)], "<person>", cy),
        (vec![find(0, 3), find(3, 10)], "<person><person>", cy),
        // Where one sentence ends and another begins is a guess.
        (vec![find(6, 14)], "Ann 😀 <person>", "<person> D. Dale"),
    ]
    .into_iter()
    .enumerate()
    {
        analyzer.answers(Answer::Finds(json!(finds)));
        let numbered = with(event.clone(), json!({"profile_code": format!("p{number}")}));
        assert_eq!(send(&app, &numbered).await.0, 202, "{finds:?}");
        assert_eq!(analyzer.questions()[0]["text"], format!("{ann}\n\n{cy}"));
        app.intake.settled().await;
        let sql = format!(
            "SELECT concat(toString(data.note), ' | ', toString(data.other)) FROM entities_places_analytics.events WHERE profile_code = 'p{number}'"
        );
        assert_eq!(app.clickhouse.fetch::<String>(&sql).await.unwrap(), [format!("{note} | {other}")], "{finds:?}");
    }
}
