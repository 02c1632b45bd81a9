//! What tests stand on: the engine of this process, clients of it over both ways, and a whole
//! application with an account of its own.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chartwell::alerts::watch::Watch;
use chartwell::app::{App, Serving};
use chartwell::auth::{Claims, Limits, Scope, Tokens};
use chartwell::clickhouse::embedded::{Engine, EngineConfig, serve_tcp};
use chartwell::clickhouse::{ClickHouse, Place};
use chartwell::config::{Account, ClickHouseConfig, Config, QueryConfig, Secret};
use chartwell::ingest::Intake;
use chartwell::ingest::endpoints::Ingestion;
use chartwell::migrations::Target;
use chartwell::studio::Studio;
use chartwell::telemetry;
use chartwell::writer::Writer;
use chrono::{DateTime, Datelike, Utc};
use chrono_tz::Tz;
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::databases::migrate;

/// Clusters of one and of two shards, all of which are this engine; and what Replicated tables need to be created. They
/// stay read-only: this Keeper cannot be written to.
pub const CLUSTERS: &str = "<clickhouse>
    <tcp_port>9000</tcp_port>
    <remote_servers>
        <one><shard><replica><host>127.0.0.1</host><port>9000</port></replica></shard></one>
        <two>
            <shard><replica><host>127.0.0.1</host><port>9000</port></replica></shard>
            <shard><replica><host>127.0.0.1</host><port>9000</port></replica></shard>
        </two>
    </remote_servers>
    <zookeeper><implementation>testkeeper</implementation></zookeeper>
    <macros><shard>01</shard><replica>replica-1</replica></macros>
</clickhouse>";

/// The folder of the engine of this test process.
pub fn engine_folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        // Settings that a test has laid there, or those that all others share.
        let laid = std::env::var_os("CHARTWELL_TEST_ENGINE_FOLDER").map(PathBuf::from);
        laid.unwrap_or_else(|| {
            let folder = tempfile::tempdir().expect("a temporary folder").keep();
            // What an engine finds in this folder are further settings.
            let further = folder.join("engine.d");
            std::fs::create_dir(&further)
                .and_then(|()| std::fs::write(further.join("cluster.xml"), CLUSTERS))
                .expect("a folder");
            folder
        })
    })
}

/// The engine of this test process.
pub fn engine() -> &'static Engine {
    static ENGINE: OnceLock<&'static Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let folder = engine_folder().to_owned();
        // All tests have their tables in one engine, which counts a buffer of 1 MiB for each.
        let backups = folder.join("backups");
        let config = EngineConfig { library: None, folder, memory_bytes: 12 << 30, backups };
        Engine::start(&config).expect("the engine starts")
    })
}

/// How a test reaches the engine: as the program does by default, or as it reaches a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    Pipe,
    Tcp,
}

pub const BOTH_WAYS: [Via; 2] = [Via::Pipe, Via::Tcp];

pub async fn clickhouse(via: Via) -> ClickHouse {
    clickhouse_with(via, &QueryConfig::default()).await
}

pub async fn clickhouse_with(via: Via, limits: &QueryConfig) -> ClickHouse {
    match via {
        Via::Pipe => {
            ClickHouse::new(Place::Embedded { engine: engine(), others_insert: false }, limits).expect("a client")
        }
        Via::Tcp => clickhouse_at(&serve_engine().await, limits),
    }
}

/// A server.
fn clickhouse_at(url: &str, limits: &QueryConfig) -> ClickHouse {
    clickhouse_of(&[url], limits)
}

/// Several servers.
pub fn clickhouse_of(urls: &[&str], limits: &QueryConfig) -> ClickHouse {
    let urls = urls.iter().map(|url| url.parse().expect("a URL")).collect();
    let servers = ClickHouseConfig { clickhouse_url: urls, ..ClickHouseConfig::default() };
    ClickHouse::new(Place::Servers(&servers), limits).expect("a client")
}

/// Serves the engine on a socket and returns its URL.
pub async fn serve_engine() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(serve_tcp(engine(), listener));
    format!("http://{address}")
}

pub fn account(name: &str) -> Account {
    name.parse().expect("an account name")
}

pub fn target(name: &str) -> Target {
    Target { account: account(name), cluster: None, retention_days: 90, kafka_brokers: None, admin_db: None }
}

pub const SECRET: &str = "a secret of the tests, and long enough";

/// A whole application, on a socket, with one account that is named after the test.
pub struct TestApp {
    pub url: String,
    pub account: String,
    pub clickhouse: ClickHouse,
    pub intake: Arc<Intake>,
    pub ingestion: Ingestion,
    /// What watches for alerts, which nobody has started.
    pub watch: Option<Watch>,
    http: reqwest::Client,
    _writer: Writer,
    data_dir: tempfile::TempDir,
    _stop: oneshot::Sender<()>,
}

impl TestApp {
    pub async fn start(account: &str) -> Self {
        Self::start_with(account, Via::Pipe, |_| {}).await
    }

    /// Starts with other settings than the defaults.
    pub async fn start_with(account: &str, via: Via, change: impl FnOnce(&mut Config)) -> Self {
        let (config, data_dir) = Self::config(account, change);
        let clickhouse = clickhouse_with(via, &config.query).await;
        Self::start_on(clickhouse, config, data_dir).await
    }

    /// Starts with an engine that is behind a URL.
    pub async fn start_at(account: &str, url: &str, change: impl FnOnce(&mut Config)) -> Self {
        let (config, data_dir) = Self::config(account, change);
        Self::start_on(clickhouse_at(url, &config.query), config, data_dir).await
    }

    fn config(account: &str, change: impl FnOnce(&mut Config)) -> (Config, tempfile::TempDir) {
        let mut config = Config::default();
        config.server.accounts = vec![account.parse().expect("an account name")];
        config.auth.jwt_secret = Some(Secret::new(SECRET));
        // Tests write events of years that are easy to read.
        config.ingest.retention_days = 0;
        let data_dir = tempfile::tempdir().expect("a temporary folder");
        config.server.data_dir = data_dir.path().to_owned();
        change(&mut config);
        (config, data_dir)
    }

    async fn start_on(clickhouse: ClickHouse, config: Config, data_dir: tempfile::TempDir) -> Self {
        for account in &config.server.accounts {
            let retention_days = config.ingest.retention_days;
            let kafka_brokers = config.ingest.kafka_brokers.clone();
            let admin_db = config.clickhouse.admin_db_url.as_ref().map(|admin_db| admin_db.of(account));
            let target = Target { account: account.clone(), cluster: None, retention_days, kafka_brokers, admin_db };
            migrate(&clickhouse, target).await;
        }
        telemetry::metrics();
        let app = App::new(&config, clickhouse.clone(), Studio::new(None)).await.expect("the application starts");
        let Serving { router, ingestion, watch, .. } = app.serving;
        let listener = chartwell::http::listen((Ipv4Addr::LOCALHOST, 0).into()).expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let (stop, stopped) = oneshot::channel();
        let max_connections = config.server.max_connections;
        tokio::spawn(async move {
            chartwell::http::serve(listener, router, max_connections, async {
                let _ = stopped.await;
            })
            .await
        });
        // Reading the certificates of a system takes longer than starting the application.
        let http = reqwest::Client::builder().timeout(Duration::from_secs(60)).tls_certs_only([]);
        let http = http.build().expect("a client");
        Self {
            url,
            account: config.server.accounts[0].to_string(),
            clickhouse,
            intake: Arc::clone(&ingestion.intake),
            ingestion,
            watch,
            http,
            _writer: app.writer,
            data_dir,
            _stop: stop,
        }
    }

    /// The folder of its spool.
    pub fn data_dir(&self) -> &Path {
        self.data_dir.path()
    }

    /// A token for every scope.
    pub fn token(&self) -> String {
        sign(&self.claims())
    }

    /// Claims for every scope, to be changed.
    pub fn claims(&self) -> Claims {
        claims(&self.account)
    }

    pub fn request(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.url))
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.url))
    }

    /// Asks with a token, and returns the JSON of a 200.
    #[track_caller]
    pub fn get(&self, path: &str) -> impl Future<Output = Value> {
        let request = self.request(path).bearer_auth(self.token());
        let path = path.to_owned();
        async move {
            let response = request.send().await.expect("an answer");
            let status = response.status();
            let body = json_of(response).await;
            assert_eq!(status, StatusCode::OK, "{path}: {body}");
            body
        }
    }

    /// Asks with a token, and returns status and JSON of whatever comes.
    pub async fn ask(&self, path: &str) -> (StatusCode, Value) {
        let response = self.request(path).bearer_auth(self.token()).send().await.expect("an answer");
        (response.status(), json_of(response).await)
    }

    /// Stores events, which must all be accepted.
    pub async fn store(&self, events: &[Value]) {
        let response =
            self.post("/api/v1/events").bearer_auth(self.token()).json(events).send().await.expect("an answer");
        let (status, body) = (response.status(), json_of(response).await);
        assert_eq!(status, StatusCode::ACCEPTED, "{body}");
        assert_eq!(body, json!({"accepted": events.len(), "duplicates": 0, "rejected": []}));
        self.intake.settled().await;
    }

    /// Stores spans of one resource, which must all be accepted.
    pub async fn store_spans(&self, spans: &[Value]) {
        let export = json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]});
        let response = self.post("/v1/traces").bearer_auth(self.token()).json(&export).send().await.expect("an answer");
        let (status, body) = (response.status(), json_of(response).await);
        assert_eq!((status, body), (StatusCode::OK, json!({})));
        self.intake.settled().await;
    }
}

/// Claims for every scope.
pub fn claims(account: &str) -> Claims {
    Claims {
        sub: "tester".to_owned(),
        account: account.to_owned(),
        exp: now() + 600,
        scope: Scope::ALL.map(Scope::name).join(" "),
        grants: Default::default(),
        limits: None,
        iss: None,
        aud: None,
    }
}

pub fn limited(claims: Claims, requests_per_minute: u32) -> Claims {
    Claims { limits: Some(Limits { requests_per_minute }), ..claims }
}

pub fn granted(claims: Claims, field: &str, values: &[&str]) -> Claims {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    Claims { grants: [(field.to_owned(), values)].into(), ..claims }
}

pub fn sign(claims: &Claims) -> String {
    Tokens { secret: &Secret::new(SECRET), issuer: None, audience: None }.sign(claims)
}

pub fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is after 1970").as_secs()
}

pub async fn json_of(response: Response) -> Value {
    let text = response.text().await.expect("a body");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A sent message with suggestions: (source, length, edited).
pub fn message(time: &str, suggestions: &[(&str, u32, bool)]) -> Value {
    let suggestions: Vec<Value> = suggestions
        .iter()
        .map(|(source, length, edited)| json!({"id": "r", "source": source, "len_text": length, "edited": edited}))
        .collect();
    json!({
        "event": "Send Message", "time_utc": time, "profile_code": "support", "platform": "genesys", "agent_id": "a1",
        "data": {"text_length": 100, "suggestions": suggestions},
    })
}

/// A recommendation that was shown, accepted or dismissed.
pub fn recommendation(event: &str, time: &str, source: &str) -> Value {
    json!({
        "event": format!("Recommendation {event}"), "time_utc": time, "profile_code": "support", "platform": "genesys", "agent_id": "a1",
        "data": {"recommendation_id": "r", "source": source, "rank": 0, "len_text": 10, "latency_ms": 12.5},
    })
}

/// A span in OTLP's JSON, by its number in its trace; number 0 is the root.
pub fn span(trace: u64, number: u64, start: DateTime<Utc>, millis: u64, attributes: &Value) -> Value {
    let attributes: Vec<Value> = attributes.as_object().expect("attributes").iter().map(attribute).collect();
    let nanos = start.timestamp_micros() * 1_000;
    json!({
        "traceId": format!("{:032x}", trace + 1), "spanId": format!("{:016x}", trace * 1_000 + number + 1),
        "parentSpanId": if number == 0 { String::new() } else { format!("{:016x}", trace * 1_000 + 1) },
        "name": "step", "kind": 1, "startTimeUnixNano": nanos.to_string(),
        "endTimeUnixNano": (nanos + 1_000_000 * millis as i64).to_string(), "attributes": attributes,
    })
}

fn attribute((key, value): (&String, &Value)) -> Value {
    let value = match value {
        Value::String(text) => json!({"stringValue": text}),
        Value::Number(number) if number.is_i64() => json!({"intValue": number.to_string()}),
        Value::Number(number) => json!({"doubleValue": number}),
        Value::Bool(truth) => json!({"boolValue": truth}),
        other => panic!("{other} is no attribute of these tests"),
    };
    json!({"key": key, "value": value})
}

/// A trace that is in no data but that of the test that asks for it.
pub const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// A path of the description, with something in the place of what it names, and with the parameters that must be given:
/// those that are required, and where none is and nothing has a default, those of the example.
pub fn with_names(path: &str, operation: &Value) -> String {
    let parameters = || operation["parameters"].as_array().into_iter().flatten();
    // Without a range of time there is nothing that stands in for what is not given.
    let has_range = parameters().any(|parameter| parameter["name"] == "range");
    let pairs: Vec<String> = parameters()
        .filter(|parameter| parameter["in"] == "query")
        .flat_map(|parameter| {
            let (name, is_required) = (parameter["name"].as_str().expect("a name"), parameter["required"] == true);
            let example = &parameter["example"];
            assert!(!example.is_null() || !is_required, "what must be given has an example");
            // What is repeatable has several.
            let examples = example.as_array().cloned().unwrap_or_else(|| vec![example.clone()]);
            let is_given = is_required || !has_range;
            let examples = examples.into_iter().filter_map(|example| example.as_str().map(str::to_owned));
            examples.filter(|_| is_given).map(|example| format!("{name}={example}")).collect::<Vec<_>>()
        })
        .collect();
    format!("{}?{}", path.replace("{trace_id}", TRACE).replace("{experiment_id}", "reply-tone"), pairs.join("&"))
}

/// The same event with other values in some fields.
pub fn with(mut event: Value, changes: Value) -> Value {
    let (Value::Object(event_fields), Value::Object(changes)) = (&mut event, changes) else { panic!("objects") };
    event_fields.extend(changes);
    event
}

/// The series of a chart as `id: values`, a line each.
pub fn series(chart: &Value) -> String {
    series_of(&chart["series"])
}

pub fn series_of(series: &Value) -> String {
    let mut text = String::new();
    for series in series.as_array().expect("series") {
        writeln!(text, "{}: {}", series["id"].as_str().expect("an id"), series["data"]).expect("memory");
    }
    text
}

/// Where the local clock of an instant stood, to the level: two instants are in one bucket when these
/// are equal. Independent of the arithmetic of buckets.
pub fn local_bucket(time: DateTime<Utc>, zone: Tz, level: &str) -> String {
    let local = time.with_timezone(&zone);
    match level {
        "minute" => local.format("%F %H:%M %z").to_string(),
        "hour" => local.format("%F %H %z").to_string(),
        "day" => local.format("%F").to_string(),
        "week" => format!("{:?}", local.iso_week()),
        _ => local.format("%Y-%m").to_string(),
    }
}

/// The quantile of some values as spreadsheets and NumPy have it: interpolated between neighbours.
pub fn quantile(values: &mut [f64], level: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = (values.len() - 1) as f64 * level;
    let (below, above) = (values[place.floor() as usize], values[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

/// Values of a chart by group and bucket.
pub type ChartValues = BTreeMap<(String, String), f64>;

/// The values that are not 0, by group and bucket.
pub fn values_of(chart: &Value, zone: Tz, level: &str) -> ChartValues {
    let time = |label: &Value| DateTime::parse_from_rfc3339(label.as_str().unwrap()).unwrap().to_utc();
    let axis = chart["xAxis"][0]["data"].as_array().unwrap().iter();
    let axis: Vec<String> = axis.map(|label| local_bucket(time(label), zone, level)).collect();
    let mut values = ChartValues::new();
    for series in chart["series"].as_array().unwrap() {
        for (bucket, value) in axis.iter().zip(series["data"].as_array().unwrap()) {
            if let Some(value) = value.as_f64().filter(|value| *value > 0.0) {
                values.insert((series["id"].as_str().unwrap().to_owned(), bucket.clone()), value);
            }
        }
    }
    values
}

/// Waits until something is so.
#[track_caller]
pub fn eventually<F: Future<Output = bool>>(patience: Duration, is_so: impl Fn() -> F) -> impl Future<Output = ()> {
    let place = std::panic::Location::caller();
    async move {
        let waiting = async {
            while !is_so().await {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let waited = tokio::time::timeout(patience, waiting).await;
        assert!(waited.is_ok(), "{place}: it is not so after {patience:?}");
    }
}
