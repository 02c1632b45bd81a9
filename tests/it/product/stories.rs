//! Questions about the product, with numbers that can be counted by hand; and what is refused.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::store;
use crate::support::{granted, json_of, series, sign, with};

fn event(user: &str, time: &str, name: &str, changes: Value) -> Value {
    let event = json!({
        "name": name, "schema_version": "v1", "org_id_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "session_id": format!("session-s0123456789-{user}"), "anonymous_user_id": format!("visitor-v0123456789-{user}"),
        "route_pattern": "/reports/:id", "occurred_at": time,
    });
    with(event, changes)
}

#[tokio::test]
async fn a_user_of_two_days_is_one_user_of_the_week() {
    let app = super::app("product_week").await;
    store(
        &app,
        &[
            event("a", "2026-02-02T22:30:00Z", "page_viewed", json!({})),
            event("a", "2026-02-03T10:00:00Z", "page_viewed", json!({})),
            event("b", "2026-02-03T23:30:00Z", "client_error", json!({})),
        ],
    )
    .await;
    let days = "datetime_from=2026-02-02&datetime_to=2026-02-04&aggregation_level=day";
    let chart = |window: &str| format!("/api/v1/product/charts/active-users?{days}&{window}");
    assert_eq!(series(&app.get(&chart("window=day")).await), "active_users: [1,2,0]\nstickiness: [1.0,1.0,null]\n");
    // In Amsterdam the last one came on the 4th; the first one came on the 2nd, an hour before midnight.
    let amsterdam = app.get(&chart("window=day&timezone=Europe/Amsterdam")).await;
    assert_eq!(series(&amsterdam), "active_users: [1,1,1]\nstickiness: [1.0,1.0,1.0]\n");
    let week = app.get(&chart("window=week")).await;
    assert!(series(&week).starts_with("active_users: [1,2,2]\n"), "{week}");
    // On average 3 ÷ 7 users a day, of 2.
    assert!((week["series"][1]["data"][2].as_f64().unwrap() - 3.0 / 14.0).abs() < 1e-12, "{week}");
    assert!(week["series"][0].get("stack").is_none(), "distinct users do not add up");
}

#[tokio::test]
async fn tables_come_as_csv_and_say_what_was_read() {
    let app = super::app("product_csv").await;
    let features = json!({"payload": {"feature": "export", "surface": "menu"}});
    store(
        &app,
        &[
            event("a", "2026-02-03T10:00:00Z", "feature_viewed", features.clone()),
            event("a", "2026-02-03T11:00:00Z", "feature_viewed", features.clone()),
            event("b", "2026-02-03T12:00:00Z", "feature_viewed", features),
            event("b", "2026-02-03T12:00:00Z", "feature_viewed", json!({})),
        ],
    )
    .await;
    let path = "/api/v1/product/features?datetime_from=2026-02-03&datetime_to=2026-02-03";
    let answer = app.request(path).bearer_auth(app.token()).header("accept", "text/csv").send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "feature,views,users,views_per_user\r\nexport,3,2,1.5\r\n,1,1,1.0\r\n");
    assert_eq!(app.get(path).await["meta"]["source"], "product_uses_1d");
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_with_what_can() {
    let app = super::app("product_refused").await;
    for (path, parameter) in [
        ("charts/active-users?window=fortnight", "window"),
        ("charts/active-users?aggregation_level=hour", "aggregation_level"),
        ("routes?sort=-clicks", "sort"),
        ("features?filter=email:eq:a", "filter"),
        ("filters?filter=value_count:contains:1", "filter"),
        ("adoption?features=export", "features"),
        ("paths", "route"),
        ("paths?route=/&top=0", "top"),
        ("sessions?visitor=a", "visitor"),
        ("retention?cohort_event=page_viewed", "return_event"),
        ("retention?cohort_event=page_viewed&return_event=a", "return_event"),
        ("retention?cohort_event=page_viewed&return_event=page_viewed&periods=27", "periods"),
        ("retention?cohort_event=page_viewed&return_event=page_viewed&period=hour", "period"),
    ] {
        let (status, problem) = app.ask(&format!("/api/v1/product/{path}")).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{path}: {problem}");
        assert_eq!(problem["errors"][0]["parameter"], parameter, "{path}: {problem}");
    }
}

#[tokio::test]
async fn a_grant_of_profiles_sees_nothing_of_the_product() {
    let app = super::app("product_granted").await;
    let token = sign(&granted(app.claims(), "profile_code", &["support"]));
    for path in ["charts/active-users", "routes", "adoption", "sessions", "funnel?steps=page_viewed&steps=page_viewed"]
    {
        let response = app.request(&format!("/api/v1/product/{path}")).bearer_auth(&token).send().await.unwrap();
        let (status, problem) = (response.status(), json_of(response).await);
        assert_eq!((status, &problem["code"]), (StatusCode::FORBIDDEN, &json!("outside_grant")), "{path}");
    }
}
