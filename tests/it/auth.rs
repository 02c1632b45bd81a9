//! Tokens: what is let in, what is not, and that nothing is said about why (RFC 8725).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::program::Program;
use crate::support::{
    SECRET, TestApp, Via, claims, eventually, granted, json_of, limited, message, now, series, sign, with, with_names,
};

const QUESTION: &str =
    "/api/v1/recommendations/charts/series?datetime_from=2026-02-01&datetime_to=2026-02-01&aggregation_level=day";

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A token whose parts are as given, signed with HS256 and a secret.
fn forged(header: &Value, claims: &Value, secret: &str) -> String {
    let text = format!("{}.{}", part(header), part(claims));
    let key = EncodingKey::from_secret(secret.as_bytes());
    let signature = jsonwebtoken::crypto::sign(text.as_bytes(), &key, Algorithm::HS256).unwrap();
    format!("{text}.{signature}")
}

fn good_claims(app: &TestApp) -> Value {
    serde_json::to_value(app.claims()).unwrap()
}

fn hs256() -> Value {
    json!({"alg": "HS256", "typ": "JWT"})
}

#[tokio::test]
async fn every_bad_token_gets_the_same_answer() {
    let app = TestApp::start("bad_tokens").await;
    let good = good_claims(&app);
    let with = |changes: Value| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        claims
    };
    let without = |name: &str| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(name);
        claims
    };
    let valid = forged(&hs256(), &good, SECRET);
    let pieces: Vec<&str> = valid.split('.').collect();
    let (header, payload, signature) = (pieces[0], pieces[1], pieces[2]);
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let rsa_key = EncodingKey::from_rsa_pem(&pem(AsDer::<Pkcs8V1Der<'_>>::as_der(&rsa).unwrap().as_ref())).unwrap();
    let mut tampered = signature.to_owned();
    tampered.replace_range(0..1, if signature.starts_with('A') { "B" } else { "A" });

    let mut tokens: Vec<(&str, Option<String>)> = vec![
        ("no header", None),
        ("an empty header", Some(String::new())),
        ("no scheme", Some(valid.clone())),
        ("another scheme", Some(format!("Basic {valid}"))),
        ("no token", Some("Bearer ".to_owned())),
        ("two tokens", Some(format!("Bearer {valid} {valid}"))),
        ("one part", Some(format!("Bearer {header}"))),
        ("two parts", Some(format!("Bearer {header}.{payload}"))),
        ("four parts", Some(format!("Bearer {valid}.{signature}"))),
        ("no signature", Some(format!("Bearer {header}.{payload}."))),
        ("a changed signature", Some(format!("Bearer {header}.{payload}.{tampered}"))),
        ("a signature cut off", Some(format!("Bearer {header}.{payload}.{}", &signature[..20]))),
        (
            "the signature of another",
            Some(format!("Bearer {header}.{}.{signature}", part(&with(json!({"sub": "other"}))))),
        ),
        ("padding", Some(format!("Bearer {header}.{payload}.{signature}="))),
        ("other base64", Some(format!("Bearer {header}.{payload}.{}+/", &signature[2..]))),
        ("a token that is far too long", Some(format!("Bearer {header}.{}.{signature}", "A".repeat(30_000)))),
        ("not ASCII", Some("Bearer ÿÿÿ".to_owned())),
    ];
    let mut bearer = |name: &'static str, token: String| tokens.push((name, Some(format!("Bearer {token}"))));
    for algorithm in ["none", "None", "NONE", "nOnE", ""] {
        let unsigned = format!("{}.{}", part(&json!({"alg": algorithm, "typ": "JWT"})), part(&good));
        bearer("no algorithm, no signature", format!("{unsigned}."));
        bearer("no algorithm, some signature", format!("{unsigned}.{signature}"));
    }
    for algorithm in ["HS384", "HS512", "RS256", "RS512", "PS256", "ES256", "ES384", "EdDSA", "hs256", "HS1"] {
        bearer("an algorithm that the key is not for", forged(&json!({"alg": algorithm, "typ": "JWT"}), &good, SECRET));
    }
    bearer("no algorithm named", forged(&json!({"typ": "JWT"}), &good, SECRET));
    bearer("a header that is no object", format!("{}.{payload}.{signature}", part(&json!("HS256"))));
    bearer(
        "a type of token that is not for access",
        forged(&json!({"alg": "HS256", "typ": "dpop+jwt"}), &good, SECRET),
    );
    bearer(
        "critical extensions",
        forged(&json!({"alg": "HS256", "typ": "JWT", "crit": ["exp"], "exp": 1}), &good, SECRET),
    );
    bearer("claims that are no object", forged(&hs256(), &json!([1, 2]), SECRET));
    bearer("claims that are no JSON", format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode("{")));
    bearer("another secret", forged(&hs256(), &good, "another secret, also long enough to be one"));
    bearer("an empty secret", forged(&hs256(), &good, ""));
    bearer(
        "an asymmetric key that is not known",
        encode(&Header { kid: Some("k".to_owned()), ..Header::new(Algorithm::RS256) }, &good, &rsa_key).unwrap(),
    );
    bearer("no exp", forged(&hs256(), &without("exp"), SECRET));
    bearer("no sub", forged(&hs256(), &without("sub"), SECRET));
    bearer("no account", forged(&hs256(), &without("account"), SECRET));
    bearer("an empty sub", forged(&hs256(), &with(json!({"sub": ""})), SECRET));
    bearer("a sub that is a number", forged(&hs256(), &with(json!({"sub": 7})), SECRET));
    bearer("an account that is a list", forged(&hs256(), &with(json!({"account": [app.account]})), SECRET));
    bearer("an exp that is a text", forged(&hs256(), &with(json!({"exp": "never"})), SECRET));
    bearer("an exp that is negative", forged(&hs256(), &with(json!({"exp": -1})), SECRET));
    bearer("an exp that is null", forged(&hs256(), &with(json!({"exp": null})), SECRET));
    bearer("not yet valid", forged(&hs256(), &with(json!({"nbf": now() + 120})), SECRET));
    bearer("grants that are a list", forged(&hs256(), &with(json!({"grants": ["profile_code"]})), SECRET));
    bearer("grants of one text", forged(&hs256(), &with(json!({"grants": {"profile_code": "a"}})), SECRET));
    bearer("grants of numbers", forged(&hs256(), &with(json!({"grants": {"profile_code": [1]}})), SECRET));
    bearer("limits of nothing", forged(&hs256(), &with(json!({"limits": {"requests_per_minute": 0}})), SECRET));
    bearer("limits that are not known", forged(&hs256(), &with(json!({"limits": {"requests_per_hour": 9}})), SECRET));
    bearer("a scope that is a list", forged(&hs256(), &with(json!({"scope": ["recommendations:read"]})), SECRET));

    assert!(tokens.len() >= 40, "{}", tokens.len());
    let mut bodies = std::collections::BTreeSet::new();
    for (name, authorization) in tokens {
        let mut request = app.request(QUESTION).header("x-request-id", "same");
        if let Some(authorization) = &authorization {
            request = request
                .header("authorization", reqwest::header::HeaderValue::from_bytes(authorization.as_bytes()).unwrap());
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{name}");
        assert_eq!(response.headers()["www-authenticate"], r#"Bearer error="invalid_token""#, "{name}");
        let body = json_of(response).await;
        assert_eq!(body["code"], "invalid_token", "{name}");
        bodies.insert(body.to_string());
    }
    assert_eq!(bodies.len(), 1, "{bodies:?}");
}

#[tokio::test]
async fn an_expired_token_is_told_so_after_a_little_leeway() {
    let app = TestApp::start("expired").await;
    let ask = async |exp: u64| {
        let claims = chartwell::auth::Claims { exp, ..app.claims() };
        let response = app.request(QUESTION).bearer_auth(sign(&claims)).send().await.unwrap();
        (response.status(), json_of(response).await["code"].clone())
    };
    assert_eq!(ask(now() - 5).await.0, StatusCode::OK);
    assert_eq!(ask(now() - 61).await, (StatusCode::UNAUTHORIZED, json!("token_expired")));
}

#[tokio::test]
async fn an_account_that_is_not_served_is_forbidden() {
    let app = TestApp::start("known_account").await;
    let response = app.request(QUESTION).bearer_auth(sign(&claims("another_account"))).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(json_of(response).await["code"], "unknown_account");
}

/// The code of a problem; the errors of OTLP have it at the beginning of their message.
fn code_of(problem: &Value) -> &str {
    let message = problem["message"].as_str().and_then(|message| message.split(':').next());
    problem["code"].as_str().or(message).unwrap_or_default()
}

#[tokio::test]
async fn every_route_asks_for_a_token_for_its_own_scope_and_for_its_own_account() {
    let app = TestApp::start_with("all_routes", Via::Pipe, |config| {
        config.server.accounts.push("all_routes_other".parse().unwrap());
    })
    .await;
    let description = serde_json::to_value(chartwell::app::description()).unwrap();
    let mut guarded = 0;
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Some(scopes) = operation.pointer("/security/0/bearer").and_then(Value::as_array) else {
                assert!(["/healthz", "/readyz", "/metrics"].contains(&path.as_str()), "{path} is open");
                continue;
            };
            guarded += 1;
            let request = |token: Option<String>| {
                let path = with_names(path, operation);
                let request = if method == "post" { app.post(&path) } else { app.request(&path) };
                match token {
                    Some(token) => request.bearer_auth(token),
                    None => request,
                }
            };
            let answer = async |token: Option<String>| {
                let response = request(token).send().await.unwrap();
                (response.status(), json_of(response).await)
            };
            assert_eq!(answer(None).await.0, StatusCode::UNAUTHORIZED, "{path}");
            let (_, problem) = answer(Some(sign(&claims("nobody")))).await;
            assert_eq!(code_of(&problem), "unknown_account", "{path}");
            if let Some(scope) = scopes.first().and_then(Value::as_str) {
                let others = app.claims().scope.replace(scope, "");
                let (status, problem) =
                    answer(Some(sign(&chartwell::auth::Claims { scope: others, ..app.claims() }))).await;
                assert_eq!((status, code_of(&problem)), (StatusCode::FORBIDDEN, "insufficient_scope"), "{path}");
                assert!(problem.to_string().contains(scope), "{path}");
                let only = chartwell::auth::Claims { scope: scope.to_owned(), ..app.claims() };
                let (status, problem) = answer(Some(sign(&only))).await;
                // Nothing was posted, and nothing has the name that is in a path.
                let is_fine = status.is_success() || method == "post" || code_of(&problem) == "not_found";
                assert!(is_fine, "{path}: {problem}");
            }
        }
    }
    assert!(guarded >= 13);

    // What one account stores, the other does not see.
    app.store(&[message("2026-02-01T10:00:00Z", &[])]).await;
    let own = app.get(QUESTION).await;
    let other = app.request(QUESTION).bearer_auth(sign(&claims("all_routes_other"))).send().await.unwrap();
    assert_eq!(series(&own), "messages: [1]\n");
    assert_eq!(series(&json_of(other).await), "messages: [0]\n");
}

#[tokio::test]
async fn a_grant_restricts_every_answer_and_cannot_be_widened() {
    let app = TestApp::start("grants").await;
    let time = "2026-02-01T10:00:00Z";
    app.store(&[
        with(message(time, &[("gpt", 1, false)]), json!({"profile_code": "a"})),
        with(message(time, &[("gpt", 2, false)]), json!({"profile_code": "b"})),
        with(message(time, &[("gpt", 44_444, false)]), json!({"profile_code": "c"})),
        with(message(time, &[("gpt", 88_800, false)]), json!({"profile_code": null})),
    ])
    .await;
    let token = sign(&granted(app.claims(), "profile_code", &["a", "b"]));
    let ask = async |path: String| {
        let response = app.request(&path).bearer_auth(&token).send().await.unwrap();
        (response.status(), json_of(response).await)
    };
    for (filter, expected) in [
        ("", "messages: [2]\n"),
        ("&profile_codes=a", "messages: [1]\n"),
        ("&filter=profile_code:ne:a", "messages: [1]\n"),
        ("&filter=agent_email:is_null", "messages: [2]\n"),
    ] {
        let (status, chart) = ask(format!("{QUESTION}{filter}")).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(series(&chart), expected, "{filter}");
    }
    for outside in [
        "profile_codes=c",
        "profile_codes=a&profile_codes=c",
        "filter=profile_code:eq:c",
        "filter=profile_code:in:a,c",
        "filter=platform:eq:genesys|profile_code:eq:c",
        "filter=profile_code:is_null",
        "profile_codes=A",
    ] {
        let (status, problem) = ask(format!("{QUESTION}&{outside}")).await;
        assert_eq!((status, problem["code"].as_str()), (StatusCode::FORBIDDEN, Some("outside_grant")), "{outside}");
    }
    for path in [
        "charts/assisted-text-per-source",
        "charts/acceptance-rate",
        "charts/assisted-share",
        "funnel",
        "totals",
        "agents",
    ] {
        let (status, mut answer) =
            ask(format!("/api/v1/recommendations/{path}?datetime_from=2026-02-01&datetime_to=2026-02-01")).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer.as_object_mut().unwrap().remove("meta");
        // 44444, 44447, 88800, 88803, 133244, 133247
        let told = answer.to_string();
        assert!(
            !["4444", "8880", "13324"].iter().any(|sum| told.contains(sum)),
            "{path} counts what was not granted: {told}"
        );
    }
    let elsewhere = sign(&granted(app.claims(), "team", &["x"]));
    let response = app.request(QUESTION).bearer_auth(elsewhere).send().await.unwrap();
    assert_eq!(json_of(response).await["code"], "outside_grant");
    let nothing = sign(&granted(app.claims(), "profile_code", &[]));
    let response = app.request(QUESTION).bearer_auth(nothing).send().await.unwrap();
    assert_eq!(json_of(response).await["code"], "outside_grant");
}

#[tokio::test]
async fn me_says_who_asks_and_what_is_in_force() {
    let app = TestApp::start("me").await;
    let claims = limited(granted(app.claims(), "profile_code", &["a"]), 60);
    let claims =
        chartwell::auth::Claims { scope: "traces:read unknown:thing recommendations:read".to_owned(), ..claims };
    let me = json_of(app.request("/api/v1/me").bearer_auth(sign(&claims)).send().await.unwrap()).await;
    assert_eq!(
        me,
        json!({
            "subject": "tester", "account": "me", "scopes": ["recommendations:read", "traces:read"],
            "grants": {"profile_code": ["a"]}, "limits": {"requests_per_minute": 60},
        })
    );
}

#[tokio::test]
async fn a_subject_beyond_its_rate_is_told_when_to_come_back() {
    let app = TestApp::start("rates").await;
    let token = sign(&limited(app.claims(), 3));
    let ask = async || app.request("/api/v1/me").bearer_auth(&token).send().await.unwrap();
    for remaining in [2, 1, 0] {
        let response = ask().await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["ratelimit-policy"], r#""query";q=3;w=60"#);
        let limit = response.headers()["ratelimit"].to_str().unwrap();
        assert!(limit.starts_with(&format!(r#""query";r={remaining};t="#)), "{limit}");
    }
    let asked = Instant::now();
    let response = ask().await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    // Who goes on without end is held up, and holds up nobody.
    assert!(asked.elapsed() >= Duration::from_millis(100));
    let seconds: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=20).contains(&seconds));
    assert_eq!(json_of(response).await["code"], "rate_limited");
    assert!(app.request("/api/v1/me").bearer_auth(app.token()).send().await.unwrap().status().is_success());
}

/// A provider of keys, whose keys and mood can be changed.
struct Provider {
    url: String,
    asked: Arc<AtomicUsize>,
    keys: Arc<std::sync::Mutex<Option<Value>>>,
}

async fn provider(keys: Value) -> Provider {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let keys = Arc::new(std::sync::Mutex::new(Some(keys)));
    let state = (Arc::clone(&asked), Arc::clone(&keys));
    let router = axum::Router::new().route(
        "/jwks.json",
        axum::routing::get(move || {
            let (asked, keys) = state.clone();
            async move {
                asked.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(50)).await;
                let keys = keys.lock().unwrap().clone();
                keys.map(|keys| axum::Json(json!({"keys": keys}))).ok_or(StatusCode::BAD_GATEWAY)
            }
        }),
    );
    tokio::spawn(async move { axum::serve(listener, router).await });
    Provider { url, asked, keys }
}

struct Signer {
    key: EncodingKey,
    algorithm: Algorithm,
    id: String,
}

impl Signer {
    fn new(algorithm: Algorithm, id: &str) -> Self {
        let key = match algorithm {
            Algorithm::RS256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
                EncodingKey::from_rsa_pem(&pem(AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap().as_ref())).unwrap()
            }
            Algorithm::ES256 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
                EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref())
            }
            _ => EncodingKey::from_ed_der(Ed25519KeyPair::generate().unwrap().to_pkcs8v1().unwrap().as_ref()),
        };
        Self { key, algorithm, id: id.to_owned() }
    }

    fn jwk(&self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.key, self.algorithm).unwrap();
        jwk.common.key_id = Some(self.id.clone());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        serde_json::to_value(jwk).unwrap()
    }

    fn sign(&self, claims: &impl serde::Serialize) -> String {
        encode(&Header { kid: Some(self.id.clone()), ..Header::new(self.algorithm) }, claims, &self.key).unwrap()
    }
}

fn pem(der: &[u8]) -> Vec<u8> {
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n").into_bytes()
}

async fn app_of(provider: &Provider, account: &str) -> TestApp {
    let url = provider.url.clone();
    TestApp::start_with(account, Via::Pipe, |config| {
        config.auth.jwks_url = Some(url);
        config.auth.jwt_issuer = Some("https://id.example/".to_owned());
        config.auth.jwt_audience = Some("chartwell".to_owned());
    })
    .await
}

fn issued(app: &TestApp, changes: Value) -> Value {
    let mut claims = good_claims(app);
    claims["iss"] = json!("https://id.example/");
    claims["aud"] = json!("chartwell");
    claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    claims
}

async fn status(app: &TestApp, token: &str) -> StatusCode {
    app.request("/api/v1/me").bearer_auth(token).send().await.unwrap().status()
}

#[tokio::test]
async fn tokens_of_a_provider_are_checked_with_the_key_that_they_name() {
    let signers =
        [Signer::new(Algorithm::RS256, "r"), Signer::new(Algorithm::ES256, "e"), Signer::new(Algorithm::EdDSA, "d")];
    let provider = provider(json!(signers.iter().map(Signer::jwk).collect::<Vec<_>>())).await;
    let app = app_of(&provider, "jwks").await;
    for signer in &signers {
        assert_eq!(
            status(&app, &signer.sign(&issued(&app, json!({})))).await,
            StatusCode::OK,
            "{:?}",
            signer.algorithm
        );
        for wrong in [
            json!({"iss": "https://evil.example/"}),
            json!({"aud": "another"}),
            json!({"iss": null}),
            json!({"aud": null}),
            json!({"aud": []}),
        ] {
            assert_eq!(
                status(&app, &signer.sign(&issued(&app, wrong.clone()))).await,
                StatusCode::UNAUTHORIZED,
                "{wrong}"
            );
        }
        let several = issued(&app, json!({"aud": ["another", "chartwell"]}));
        assert_eq!(status(&app, &signer.sign(&several)).await, StatusCode::OK);
    }
    // Algorithm confusion: the public key as an HS256 secret, and a key used for another algorithm.
    let public = signers[0].jwk()["n"].as_str().unwrap().to_owned();
    let confused = forged(&json!({"alg": "HS256", "typ": "JWT", "kid": "r"}), &issued(&app, json!({})), &public);
    assert_eq!(status(&app, &confused).await, StatusCode::UNAUTHORIZED);
    let misnamed =
        Signer { key: Signer::new(Algorithm::ES256, "x").key, algorithm: Algorithm::ES256, id: "r".to_owned() };
    assert_eq!(status(&app, &misnamed.sign(&issued(&app, json!({})))).await, StatusCode::UNAUTHORIZED);
    assert_eq!(provider.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn the_provider_is_asked_once_however_many_unknown_keys_are_named_and_its_outage_is_survived() {
    let known = Signer::new(Algorithm::EdDSA, "known");
    let provider = provider(json!([known.jwk()])).await;
    let app = app_of(&provider, "jwks_outage").await;
    let token = known.sign(&issued(&app, json!({})));
    let all_at_once = futures::future::join_all((0..20).map(|_| status(&app, &token))).await;
    assert!(all_at_once.iter().all(|status| *status == StatusCode::OK));
    assert_eq!(provider.asked.load(Ordering::Relaxed), 1);
    for _ in 0..10 {
        let unknown = Signer::new(Algorithm::EdDSA, "unknown");
        assert_eq!(status(&app, &unknown.sign(&issued(&app, json!({})))).await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(provider.asked.load(Ordering::Relaxed), 1);
    *provider.keys.lock().unwrap() = None;
    assert_eq!(status(&app, &token).await, StatusCode::OK);
}

#[tokio::test]
async fn keys_that_cannot_be_had_are_no_fault_of_the_token() {
    let signer = Signer::new(Algorithm::EdDSA, "k");
    let provider = provider(json!([])).await;
    let app = app_of(&provider, "jwks_down").await;
    let response = app.request("/api/v1/me").bearer_auth(signer.sign(&issued(&app, json!({})))).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key("retry-after"));
}

#[tokio::test(flavor = "multi_thread")]
async fn known_keys_stay_when_the_settings_are_read_again_and_the_provider_is_away() {
    let signer = Signer::new(Algorithm::EdDSA, "k");
    let provider = provider(json!([signer.jwk()])).await;
    let folder = tempfile::tempdir().unwrap();
    let account = "jwks_again";
    let program = Program::start_with(folder.path(), account, &[("CHARTWELL_JWKS_URL", &provider.url)]);
    let ask = async || {
        let token = signer.sign(&claims(account));
        reqwest::Client::new()
            .get(format!("{}/api/v1/me", program.url))
            .bearer_auth(token)
            .send()
            .await
            .unwrap()
            .status()
    };
    assert_eq!(ask().await, StatusCode::OK);
    *provider.keys.lock().unwrap() = None;
    program.signal("-HUP");
    let is_read = || async { program.log().contains("the settings were read again") };
    eventually(Duration::from_secs(60), is_read).await;
    assert_eq!(ask().await, StatusCode::OK);
}
