//! What is sent is analysed, and what cannot be is refused, all of it at once.

use std::io::Write;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{TestApp, json_of, with};

const PATH: &str = "/api/v1/experiments/analyze";

async fn send(app: &TestApp, body: &Value) -> (StatusCode, Value) {
    let response = app.post(PATH).bearer_auth(app.token()).json(body).send().await.unwrap();
    (response.status(), json_of(response).await)
}

async fn analysis(app: &TestApp, body: &Value) -> Value {
    let (status, answer) = send(app, body).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer
}

/// The places and codes of what is wrong.
async fn problems(app: &TestApp, body: &Value) -> Vec<(String, String)> {
    let (status, problem) = send(app, body).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {problem}");
    let told = |error: &Value| {
        (error["pointer"].as_str().unwrap_or("?").to_owned(), error["code"].as_str().unwrap().to_owned())
    };
    problem["errors"].as_array().unwrap().iter().map(told).collect()
}

fn sales(baseline: Value, variant: Value, kind: &str) -> Value {
    json!({"baseline": "A", "metrics": [{"id": "sales", "type": kind, "variants": {"A": baseline, "B": variant}}]})
}

#[track_caller]
fn close(value: &Value, wanted: f64) {
    assert!((value.as_f64().unwrap() - wanted).abs() < 5e-5, "{value}, not {wanted}");
}

#[tokio::test]
async fn conversions_are_compared_as_the_definitions_say() {
    let app = TestApp::start("analyze").await;
    let answer =
        analysis(&app, &sales(json!({"n": 1000, "sum": 200}), json!({"n": 1000, "sum": 250}), "conversion")).await;
    let (baseline, variant) = (&answer["metrics"][0]["variants"][0], &answer["metrics"][0]["variants"][1]);
    let names: Vec<&String> = baseline.as_object().unwrap().keys().collect();
    assert_eq!(names, ["variant", "units", "numerator", "denominator", "value", "interval"]);
    assert_eq!(
        (&variant["test"], &variant["notes"], &variant["cuped"]),
        (&json!("two_proportion_z"), &json!([]), &Value::Null)
    );
    for (place, wanted) in [
        ("/value", 0.25),
        ("/interval/0", 0.224_15),
        ("/interval/1", 0.277_76),
        ("/p_value", 0.007_42),
        ("/p_log10", -2.129_62),
        ("/p_value_adjusted", 0.007_42),
        ("/absolute/value", 0.05),
        ("/absolute/standard_error", 0.018_64),
        ("/absolute/interval/0", 0.013_40),
        ("/absolute/interval/1", 0.086_45),
        ("/relative/value", 0.25),
        ("/relative/standard_error", 0.104_58),
        ("/relative/interval/0", 0.044_90),
        ("/relative/interval/1", 0.455_10),
        ("/sequential/p_value", 0.132_53),
        ("/sequential/absolute_interval/0", -0.008_23),
        ("/sequential/relative_interval/1", 0.576_69),
        ("/bayesian/chance_to_win", 0.991_59),
        ("/bayesian/risk/0", 0.250_29),
        ("/bayesian/risk/1", 0.000_29),
    ] {
        close(variant.pointer(place).unwrap_or_else(|| panic!("{place} is missing")), wanted);
    }
    assert_eq!(answer["decision"]["code"], "continue");
    assert_eq!(answer["decision"]["reasons"], json!(["sequential_interval_includes_zero"]));
    assert_eq!(answer["health"]["multiple_exposures"], json!({"units": 0, "handling": "exclude"}));
    assert_eq!(answer["health"]["srm"]["alarm"], false);
}

#[tokio::test]
async fn means_and_ratios_are_compared_however_far_from_0_they_lie() {
    let app = TestApp::start("analyze_means").await;
    let welch = sales(
        json!({"n": 3407, "sum": 1396.87, "sum_squares": 52377.9767}),
        json!({"n": 3461, "sum": 2422.7, "sum_squares": 134698.29}),
        "mean",
    );
    let answer = analysis(&app, &with(welch, json!({"test": "fixed"}))).await;
    let variant = &answer["metrics"][0]["variants"][1];
    close(&variant["p_value"], 0.020_16);
    close(&variant["relative"]["value"], 0.707_32);
    close(&variant["relative"]["interval"][0], -0.035_26);
    assert_eq!((&variant["sequential"], &variant["test"]), (&Value::Null, &json!("welch_t")));

    // 10⁹ + {0, 1, 2} beside 10⁹ + {1, 2, 3}: the variance of each is 1.
    let far = sales(
        json!({"n": 3, "sum": 3_000_000_003_u64, "sum_squares": 3_000_000_006_000_000_005_u64}),
        json!({"n": 3, "sum": 3_000_000_006_u64, "sum_squares": 3_000_000_012_000_000_014_u64}),
        "mean",
    );
    let variant = &analysis(&app, &far).await["metrics"][0]["variants"][1];
    assert_eq!(variant["absolute"]["value"], 1.0);
    close(&variant["absolute"]["standard_error"], (2.0_f64 / 3.0).sqrt());
    // scipy.stats.ttest_ind([0, 1, 2], [1, 2, 3], equal_var=False)
    close(&variant["p_value"], 0.287_864);
    assert_eq!(variant["notes"], json!(["small_sample"]));

    let arm = |sum: u64| json!({"n": 100, "sum": sum, "sum_squares": 300, "denominator_sum": 400, "denominator_sum_squares": 2000, "product_sum": 700});
    let variant = &analysis(&app, &sales(arm(120), arm(150), "ratio")).await["metrics"][0]["variants"][1];
    assert_eq!(
        (&variant["numerator"], &variant["denominator"], &variant["value"]),
        (&json!(150), &json!(400), &json!(0.375))
    );
    assert_eq!(variant["test"], "delta_method_t");
}

#[tokio::test]
async fn an_arm_without_units_is_no_error() {
    let app = TestApp::start("analyze_empty").await;
    for kind in ["conversion", "mean", "count", "ratio"] {
        let some = json!({"n": 50, "sum": 20, "sum_squares": 20});
        let ratio = json!({"denominator_sum": 100, "denominator_sum_squares": 300, "product_sum": 50});
        let some = if kind == "ratio" { with(some, ratio) } else { some };
        let answer = analysis(&app, &sales(some.clone(), json!({"n": 0}), kind)).await;
        let variant = &answer["metrics"][0]["variants"][1];
        for name in [
            "value",
            "interval",
            "p_value",
            "p_log10",
            "p_value_adjusted",
            "absolute",
            "relative",
            "sequential",
            "bayesian",
        ] {
            assert_eq!(variant[name], Value::Null, "{kind} {name}: {variant}");
        }
        assert_eq!((&variant["units"], &variant["notes"]), (&json!(0), &json!(["empty_arm"])));
        assert_eq!(answer["decision"]["reasons"], json!(["no_data"]));
        let answer = analysis(&app, &sales(json!({"n": 0}), some, kind)).await;
        assert_eq!(answer["metrics"][0]["variants"][1]["notes"], json!(["baseline_empty"]));
        assert_eq!(answer["metrics"][0]["variants"][0]["notes"], json!(["empty_arm"]));
    }
}

#[tokio::test]
async fn what_is_impossible_is_refused_where_it_is() {
    let app = TestApp::start("analyze_impossible").await;
    let good = json!({"n": 100, "sum": 20, "sum_squares": 20});
    let variant = "/metrics/0/variants/B";
    for (kind, changes, field) in [
        ("conversion", json!({"n": -1}), "n"),
        ("conversion", json!({"n": 1.5}), "n"),
        ("conversion", json!({"n": u64::MAX, "sum": u64::MAX, "sum_squares": u64::MAX}), "n"),
        ("conversion", json!({"n": null}), "n"),
        ("conversion", json!({"sum": 101, "sum_squares": 101}), "sum"),
        ("conversion", json!({"sum": -1, "sum_squares": 1}), "sum"),
        ("conversion", json!({"sum": 0.5, "sum_squares": 0.5}), "sum"),
        ("conversion", json!({"sum_squares": 30}), "sum_squares"),
        ("conversion", json!({"sum": null}), "sum"),
        ("mean", json!({"sum_squares": 3.9}), "sum_squares"),
        ("mean", json!({"sum_squares": -4}), "sum_squares"),
        ("mean", json!({"sum_squares": null}), "sum_squares"),
        ("mean", json!({"sum": "20"}), "sum"),
        ("mean", json!({"sum": 1e300}), "sum"),
        ("mean", json!({"n": 0}), "sum"),
        ("count", json!({"sum": 20.5}), "sum"),
        ("count", json!({"sum_squares": 10}), "sum_squares"),
        ("ratio", json!({}), "denominator_sum"),
        (
            "ratio",
            json!({"denominator_sum": 50, "denominator_sum_squares": 10, "product_sum": 10}),
            "denominator_sum_squares",
        ),
        ("ratio", json!({"denominator_sum": 50, "denominator_sum_squares": 50, "product_sum": 99}), "product_sum"),
        (
            "ratio",
            json!({"denominator_sum": 50, "denominator_sum_squares": 50, "product_sum": 10, "pre_sum": 1}),
            "pre_sum",
        ),
        ("mean", json!({"denominator_sum": 50}), "denominator_sum"),
        ("mean", json!({"pre_sum": 5, "pre_sum_squares": 5, "pre_product_sum": 90}), "pre_product_sum"),
        ("mean", json!({"pre_sum": 5, "pre_product_sum": 5}), "pre_sum_squares"),
        ("mean", json!({"sums": 5}), "sums"),
    ] {
        let told = problems(&app, &sales(good.clone(), with(good.clone(), changes.clone()), kind)).await;
        let place = format!("{variant}/{field}");
        assert!(told.iter().any(|(pointer, _)| *pointer == place), "{kind} {changes}: {told:?}");
    }
    // Others lack what one has of before.
    let before = with(good.clone(), json!({"pre_sum": 5, "pre_sum_squares": 5, "pre_product_sum": 5}));
    let told = problems(&app, &sales(good.clone(), before, "mean")).await;
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told.iter().all(|(pointer, _)| pointer.starts_with("/metrics/0/variants/A/pre_")), "{told:?}");
}

#[tokio::test]
async fn a_question_that_is_wrong_learns_all_of_it_at_once() {
    let app = TestApp::start("analyze_wrong").await;
    let good = json!({"n": 100, "sum": 20});
    let told = problems(&app, &json!({
        "baseline": "Z", "alpha": 0.9, "test": "sequentiel", "correction": "bonferroni", "weight": {}, "weights": {"A": 1, "C": 1},
        "exposures": {"A": -1, "B": 5},
        "metrics": [
            {"id": "one", "type": "conversion", "variants": {"A": good, "B": {"n": 100, "sum": 200}}},
            {"id": "one", "type": "conversion", "role": "gaol", "variants": {"A": good, "B": good}},
            {"id": "two", "type": "quantile", "variants": {"A": good, "B": good}},
            7,
        ],
    })).await;
    let wanted = [
        ("/weight", "unknown_parameter"),
        ("/alpha", "invalid_parameter"),
        ("/test", "invalid_parameter"),
        ("/correction", "invalid_parameter"),
        ("/exposures/A", "invalid_parameter"),
        ("/metrics/0/variants/B/sum", "invalid_parameter"),
        ("/metrics/1/role", "invalid_parameter"),
        ("/metrics/2/type", "invalid_parameter"),
        ("/metrics/3", "invalid_parameter"),
    ];
    assert_eq!(told, wanted.map(|(place, code)| (place.to_owned(), code.to_owned())));

    let base = sales(good.clone(), good.clone(), "conversion");
    for (changes, places) in [
        (json!({"baseline": "Z"}), vec!["/baseline"]),
        (json!({"weights": {"A": 1, "C": 1}}), vec!["/weights/C", "/weights/B"]),
        (json!({"weights": {"A": 0, "B": 1}}), vec!["/weights/A"]),
        (json!({"weights": {"A": 1, "B": 0}}), vec!["/weights"]),
        (json!({"exposures": {"A": 1}}), vec!["/exposures/B"]),
        (json!({"metrics": []}), vec!["/metrics"]),
        (json!({"metrics": null}), vec!["/metrics"]),
        (json!({"minimum_effect": -1}), vec!["/minimum_effect"]),
        (json!({"sequential_tuning": 0}), vec!["/sequential_tuning"]),
    ] {
        let told = problems(&app, &with(base.clone(), changes.clone())).await;
        assert_eq!(told.iter().map(|(place, _)| place.as_str()).collect::<Vec<_>>(), places, "{changes}");
    }
    let (_, problem) = send(&app, &with(base, json!({"test": "sequentiel"}))).await;
    assert_eq!(problem["code"], "invalid_parameter");
    let error = &problem["errors"][0];
    assert_eq!(error["allowed"], json!(["auto", "fixed", "sequential"]));
    assert!(error["detail"].as_str().unwrap().contains("did you mean `sequential`?"), "{problem}");
    let second = json!({"id": "two", "type": "conversion", "variants": {"A": good, "C": good}});
    let mut two = sales(good.clone(), good.clone(), "conversion");
    two["metrics"].as_array_mut().unwrap().extend([second.clone(), second]);
    let told = problems(&app, &two).await;
    let places: Vec<&str> = told.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(
        places,
        [
            "/metrics/1/variants/C",
            "/metrics/1/variants/B",
            "/metrics/2/id",
            "/metrics/2/variants/C",
            "/metrics/2/variants/B",
        ]
    );
}

#[tokio::test]
async fn a_body_is_json_of_a_bounded_size() {
    let app = TestApp::start("analyze_bodies").await;
    let good = sales(json!({"n": 100, "sum": 20}), json!({"n": 100, "sum": 25}), "conversion").to_string();
    let answer = async |text: Vec<u8>, content_type: &str, encoding: Option<&str>| {
        let request = app.post(PATH).bearer_auth(app.token()).header("content-type", content_type).body(text);
        let request =
            encoding.into_iter().fold(request, |request, encoding| request.header("content-encoding", encoding));
        let response = request.send().await.unwrap();
        (response.status().as_u16(), json_of(response).await["code"].as_str().unwrap_or_default().to_owned())
    };
    let json = "application/json";
    let of = |status: u16, code: &str| (status, code.to_owned());
    assert_eq!(answer(good.clone().into(), json, None).await, of(200, ""));
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(good.as_bytes()).unwrap();
    assert_eq!(answer(packed.finish().unwrap(), json, Some("gzip")).await, of(200, ""));
    let malformed = of(400, "malformed_body");
    let deep = "[".repeat(100_000);
    for text in ["", "{", "nonsense", r#"{"baseline":"A","baseline":"B"}"#, &good[1..], deep.as_str()] {
        assert_eq!(answer(text.into(), json, None).await, malformed, "{text}");
    }
    assert_eq!(answer(vec![0xff, 0xfe], json, None).await, malformed);
    assert_eq!(answer(good.clone().into(), "text/csv", None).await, of(415, "unsupported_media_type"));
    assert_eq!(answer(vec![b' '; 3 << 20], json, None).await, of(413, "body_too_large"));

    let many = |metrics: usize, variants: usize| {
        let variants: serde_json::Map<String, Value> = (0..variants)
            .map(|index| (format!("V{index}"), json!({"n": 100, "sum": 20 + index, "sum_squares": 20 + index})))
            .collect();
        let metric = |index| json!({"id": format!("metric {index}"), "type": "conversion", "variants": variants});
        json!({"baseline": "V0", "metrics": (0..metrics).map(metric).collect::<Vec<_>>()})
    };
    let answer = analysis(&app, &many(100, 50)).await;
    assert_eq!(answer["metrics"].as_array().unwrap().len(), 100);
    assert_eq!(answer["decision"]["variants"].as_array().unwrap().len(), 49);
    assert_eq!(problems(&app, &many(101, 2)).await[0].0, "/metrics");
    assert_eq!(problems(&app, &many(1, 51)).await[0].0, "/metrics/0/variants");
    assert_eq!(problems(&app, &many(1, 1)).await[0].0, "/metrics/0/variants");
}

#[tokio::test]
async fn names_are_the_senders_whatever_they_are() {
    let app = TestApp::start("analyze_names").await;
    for name in ["'; DROP TABLE events; --", "a/b~c", "💥\u{202e}", "{{ 7 * 7 }}", "\u{0}", " "] {
        let variants = json!({name: {"n": 100, "sum": 20}, "other": {"n": 100, "sum": 25}});
        let body = json!({"baseline": name, "metrics": [{"id": name, "type": "conversion", "variants": variants}]});
        let answer = analysis(&app, &body).await;
        assert_eq!((&answer["baseline"], &answer["metrics"][0]["id"]), (&json!(name), &json!(name)));
    }
    let query = app.post(&format!("{PATH}?x=1")).bearer_auth(app.token()).json(&json!({})).send().await.unwrap();
    assert_eq!(json_of(query).await["code"], "unknown_parameter");
}
