//! How many units an experiment takes.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::TestApp;

const PATH: &str = "/api/v1/experiments/sample-size";

#[tokio::test]
async fn a_size_is_that_of_textbooks_for_rates_and_means() {
    let app = TestApp::start("sample_size").await;
    for (query, units) in [
        ("baseline_rate=0.1&minimum_effect=0.2", 3_841),
        ("baseline_rate=0.1&minimum_difference=0.02", 3_841),
        ("baseline_rate=0.12&minimum_difference=-0.02", 3_841),
        ("standard_deviation=1&minimum_difference=0.5", 64),
        ("standard_deviation=10&minimum_difference=-2&alpha=0.05&power=0.8", 394),
    ] {
        let answer = app.get(&format!("{PATH}?{query}")).await;
        assert_eq!(answer["units_per_variant"], units, "{query}: {answer}");
    }
    let answer = app.get(&format!("{PATH}?baseline_rate=0.1&minimum_effect=0.2&power=0.9")).await;
    let variant = answer["variant_rate"].as_f64().unwrap();
    assert!((variant - 0.12).abs() < 1e-12 && answer["units_per_variant"].as_u64().unwrap() > 5_000, "{answer}");
    let tiny = app.get(&format!("{PATH}?baseline_rate=0.1&minimum_effect=1e-12")).await;
    assert_eq!(tiny["units_per_variant"], Value::Null);
}

#[tokio::test]
async fn a_size_of_nothing_is_refused() {
    let app = TestApp::start("sample_size_refused").await;
    for (query, parameter) in [
        ("", Value::Null),
        ("baseline_rate=0.1", Value::Null),
        ("baseline_rate=0.1&minimum_effect=0.2&standard_deviation=1", Value::Null),
        ("baseline_rate=0&minimum_effect=0.2", json!("baseline_rate")),
        ("baseline_rate=0.6&minimum_effect=0.9", json!("minimum_effect")),
        ("baseline_rate=0.6&minimum_effect=0", json!("minimum_effect")),
        ("baseline_rate=nan&minimum_effect=0.1", json!("baseline_rate")),
        ("standard_deviation=-1&minimum_difference=1", json!("standard_deviation")),
        ("standard_deviation=1&minimum_difference=0", json!("minimum_difference")),
        ("baseline_rate=0.1&minimum_effect=0.2&alpha=0", json!("alpha")),
        ("baseline_rate=0.1&minimum_effect=0.2&power=1", json!("power")),
        ("baseline_rate=0.1&minimum_effekt=0.2", json!("minimum_effekt")),
    ] {
        let (status, problem) = app.ask(&format!("{PATH}?{query}")).await;
        let named = problem["errors"].as_array().unwrap().iter().any(|error| error["parameter"] == parameter);
        assert!(status == StatusCode::UNPROCESSABLE_ENTITY && named, "{query}: {status} {problem}");
    }
}
