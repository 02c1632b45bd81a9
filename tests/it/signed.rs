//! Signed requests: what a webhook of any vendor sends is taken in, once.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::support::{TestApp, Via, json_of, now};

const FIRST: &str = "first-secret-of-the-tests-0123";
const SECOND: &str = "second-secret-of-the-tests-0123";
const EVENTS: &str = "/api/v1/events";
const EVENT: &str = r#"{"event":"e","time_utc":"2026-02-01T10:00:00Z"}"#;

async fn start(account: &str) -> TestApp {
    TestApp::start_with(account, Via::Pipe, |config| {
        let keys = [format!("k1:{account}:{FIRST}"), format!("k2:{account}:{SECOND}"), format!("k3:elsewhere:{FIRST}")];
        config.ingest.hmac_secrets = keys.iter().map(|key| key.parse().unwrap()).collect();
    })
    .await
}

fn sign(secret: &str, id: &str, timestamp: u64, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    format!("v1,{}", STANDARD.encode(hmac::sign(&key, format!("{id}.{timestamp}.{body}").as_bytes())))
}

async fn post(app: &TestApp, path: &str, key: &str, id: &str, timestamp: u64, signature: &str, body: &str) -> Response {
    let request = app.post(path).header("content-type", "application/json").header("x-key-id", key);
    let request =
        request.header("webhook-id", id).header("webhook-timestamp", timestamp).header("webhook-signature", signature);
    request.body(body.to_owned()).send().await.unwrap()
}

async fn code(response: Response) -> (StatusCode, Value) {
    (response.status(), json_of(response).await["code"].clone())
}

#[tokio::test]
async fn a_signed_request_is_taken_in_once_with_either_secret() {
    let app = start("signed").await;
    for (key, secret, id) in [("k1", FIRST, "m1"), ("k2", SECOND, "m2")] {
        let at = now();
        let signature = sign(secret, id, at, EVENT);
        assert_eq!(post(&app, EVENTS, key, id, at, &signature, EVENT).await.status(), StatusCode::ACCEPTED);
        let replayed = post(&app, EVENTS, key, id, at, &signature, EVENT).await;
        assert_eq!(code(replayed).await, (StatusCode::CONFLICT, json!("replayed")));
    }
    app.intake.settled().await;
    let count: Vec<u64> = app.clickhouse.fetch("SELECT count() FROM signed_analytics.events").await.unwrap();
    assert_eq!(count, [2]);
    // A request that failed may be sent again under its id.
    let at = now();
    let signature = sign(FIRST, "m3", at, "{");
    for _ in 0..2 {
        assert_eq!(
            code(post(&app, EVENTS, "k1", "m3", at, &signature, "{").await).await,
            (StatusCode::BAD_REQUEST, json!("malformed_body"))
        );
    }
}

#[tokio::test]
async fn a_wrong_signature_an_old_one_and_one_of_another_account_are_refused() {
    let app = start("unsigned").await;
    let refused = (StatusCode::UNAUTHORIZED, json!("invalid_signature"));
    let good = sign(FIRST, "m1", now(), EVENT);
    for (key, id, timestamp, signature, body) in [
        ("k1", "m1", now(), good.as_str(), r#"{"event":"forged"}"#),
        ("k2", "m1", now(), &good, EVENT),
        ("k3", "m1", now(), &good, EVENT),
        ("k9", "m1", now(), &good, EVENT),
        ("k1", "m2", now(), &good, EVENT),
        ("k1", "m1", now() - 301, &sign(FIRST, "m1", now() - 301, EVENT), EVENT),
        ("k1", "m1", now() + 302, &sign(FIRST, "m1", now() + 302, EVENT), EVENT),
        ("k1", "m1", now(), "v1,", EVENT),
    ] {
        assert_eq!(
            code(post(&app, EVENTS, key, id, timestamp, signature, body).await).await,
            refused,
            "{key} {id} {signature}"
        );
    }
    // A signature lets rows in, and no answers out.
    let request = app.request("/api/v1/me").header("x-key-id", "k1").header("webhook-id", "m1");
    let response = request.header("webhook-timestamp", now()).header("webhook-signature", good).send().await.unwrap();
    assert_eq!(code(response).await, (StatusCode::UNAUTHORIZED, json!("invalid_token")));
    let large = " ".repeat((8 << 20) + 1);
    let signature = sign(FIRST, "m4", now(), &large);
    assert_eq!(
        code(post(&app, EVENTS, "k1", "m4", now(), &signature, &large).await).await,
        (StatusCode::PAYLOAD_TOO_LARGE, json!("body_too_large"))
    );
}
