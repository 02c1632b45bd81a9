//! The balancer with its own settings, before two servers that are not ready, gone, or there.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::text;

/// Stands for an instance: it says who it is.
struct Instance {
    port: u16,
    ready: Arc<AtomicBool>,
    serving: JoinHandle<()>,
}

impl Instance {
    async fn start(name: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let ready = Arc::new(AtomicBool::new(true));
        let answer = async move |State(ready): State<Arc<AtomicBool>>, uri: Uri| {
            let is_refused = uri.path() == "/readyz" && !ready.load(Ordering::Relaxed);
            (if is_refused { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }, name)
        };
        let router = Router::new().fallback(answer).with_state(Arc::clone(&ready));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { port, ready, serving }
    }
}

/// A running HAProxy; it is killed when this is dropped.
struct Balancer {
    child: Child,
    url: String,
    own: String,
    _folder: tempfile::TempDir,
}

impl Drop for Balancer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Balancer {
    /// Starts it with the settings of the stack, but for addresses: names of containers are known to nobody here.
    fn start(instances: [&Instance; 2]) -> Self {
        let (public, own) = (free_port(), free_port());
        let mut settings = text("deploy/haproxy/haproxy.cfg");
        let changes = [
            ("bind :8080", format!("bind 127.0.0.1:{public}"), 1),
            ("bind :8404", format!("bind 127.0.0.1:{own}"), 1),
            (" init-addr none resolvers containers resolve-prefer ipv4", String::new(), 1),
            ("chartwell-1:8080", format!("127.0.0.1:{}", instances[0].port), 2),
            ("chartwell-2:8080", format!("127.0.0.1:{}", instances[1].port), 2),
        ];
        for (from, to, count) in changes {
            assert_eq!(settings.matches(from).count(), count, "{from}");
            settings = settings.replace(from, &to);
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("haproxy.cfg");
        std::fs::write(&file, settings).unwrap();
        // Debian has it where not everybody looks for programs.
        let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap());
        let child = Command::new("haproxy")
            .env("PATH", path)
            .arg("-db")
            .arg("-f")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("HAProxy is missing: run `make deploy-tools`");
        let at = |port: u16| format!("http://127.0.0.1:{port}");
        Self { child, url: at(public), own: at(own), _folder: folder }
    }

    async fn get(&self, path: &str) -> (StatusCode, String) {
        self.get_from("127.0.0.1", path).await
    }

    /// Asks from another address of this machine; each request on a connection of its own.
    async fn get_from(&self, address: &str, path: &str) -> (StatusCode, String) {
        let client = reqwest::Client::builder().local_address(Some(address.parse().unwrap())).build().unwrap();
        let answer = client.get(format!("{}{path}", self.url)).send().await;
        match answer {
            Ok(answer) => (answer.status(), answer.text().await.unwrap()),
            Err(_) => (StatusCode::BAD_GATEWAY, String::new()),
        }
    }

    /// Asks until an answer is as it should be.
    async fn eventually(&self, path: &str, wanted: impl Fn(StatusCode, &str) -> bool) {
        let mut last = None;
        for _ in 0..200 {
            let (status, body) = self.get(path).await;
            if wanted(status, &body) {
                return;
            }
            last = Some((status, body));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{path}: {last:?}");
    }
}

const QUESTION: &str = "/api/v1/assistants";
const INGESTION: &str = "/api/v1/events";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_stays_with_one_instance_and_moves_when_that_is_not_ready() {
    let instances = [Instance::start("one").await, Instance::start("two").await];
    let balancer = Balancer::start([&instances[0], &instances[1]]);
    balancer.eventually(QUESTION, |status, _| status == 200).await;

    // One client is always with the same instance, whatever it asks or sends; of many clients, each has some.
    let mut clients: BTreeMap<String, usize> = BTreeMap::new();
    for number in 1..40 {
        let address = format!("127.0.0.{number}");
        let (_, whose) = balancer.get_from(&address, QUESTION).await;
        for path in [QUESTION, INGESTION, "/v1/traces"] {
            assert_eq!(balancer.get_from(&address, path).await, (StatusCode::OK, whose.clone()), "{address} {path}");
        }
        *clients.entry(whose).or_default() += 1;
    }
    assert!(clients.len() == 2 && clients.values().all(|count| *count > 5), "{clients:?}");

    let (_, mine) = balancer.get(QUESTION).await;
    let (with_me, other) = if mine == "one" { (&instances[0], "two") } else { (&instances[1], "one") };
    with_me.ready.store(false, Ordering::Relaxed);
    balancer.eventually(QUESTION, |_, whose| whose == other).await;
    // It still takes in rows: it knows the ids that it has taken in, and has a spool.
    assert_eq!(balancer.get(INGESTION).await.1, mine);

    // Without anybody who can answer, questions are told so, and rows are taken in all the same.
    instances.iter().for_each(|instance| instance.ready.store(false, Ordering::Relaxed));
    balancer.eventually(QUESTION, |status, _| status == 503).await;
    assert_eq!(balancer.get(INGESTION).await, (StatusCode::OK, mine.clone()));

    instances.iter().for_each(|instance| instance.ready.store(true, Ordering::Relaxed));
    balancer.eventually(QUESTION, |_, whose| whose == mine).await;
    // One that is gone: not a single request fails, also before that was noticed.
    with_me.serving.abort();
    let _ = tokio::time::timeout(Duration::from_secs(5), async {
        while !with_me.serving.is_finished() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    for path in [QUESTION, INGESTION] {
        assert_eq!(balancer.get(path).await, (StatusCode::OK, other.to_owned()), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_are_for_prometheus_alone() {
    let instances = [Instance::start("one").await, Instance::start("two").await];
    let balancer = Balancer::start([&instances[0], &instances[1]]);
    balancer.eventually(QUESTION, |status, _| status == 200).await;
    assert_eq!(balancer.get("/metrics").await.0, StatusCode::NOT_FOUND);
    let own = reqwest::get(format!("{}/metrics", balancer.own)).await.unwrap().text().await.unwrap();
    // What the alert of an instance that is not ready reads.
    assert!(own.contains(r#"haproxy_server_status{proxy="questions",server="chartwell-1",state="UP"} 1"#), "{own}");
    assert_eq!(reqwest::get(format!("{}/healthz", balancer.own)).await.unwrap().status(), 200);
    assert_eq!(reqwest::get(format!("{}/", balancer.own)).await.unwrap().status(), 404);
}
