//! Analyses: a body is refused with places that it has, or every number of what it comes to is one.

use chartwell::domains::experiments::analysis::analyze;
use chartwell::domains::experiments::analyze::schemas::AnalyzeQuestion;
use chartwell::json::{Unreadable, read_as};
use chartwell::openapi::Example;
use chartwell::rows::Rows;
use serde_json::{Value, json};

pub fn seeds() -> Vec<Vec<u8>> {
    let body = Example::of("experiments/analyze").and_then(|example| example.body).expect("the example has a body");
    let arm = json!({"n": 9, "sum": 12.5, "sum_squares": 20, "denominator_sum": 30, "denominator_sum_squares": 110, "product_sum": 43});
    let ratio = json!({"baseline": "A", "test": "fixed", "correction": "holm", "correction_scope": "variant", "prior": "normal",
        "exposures": {"A": 9, "B": 9, "C": 0}, "weights": {"A": 1, "B": 1, "C": 0},
        "metrics": [{"id": "clicks", "type": "ratio", "variants": {"A": arm, "B": arm, "C": {"n": 0}}}]});
    vec![body.to_string().into_bytes(), ratio.to_string().into_bytes()]
}

pub fn check(input: &[u8]) -> Vec<Rows> {
    let Ok(text) = std::str::from_utf8(input) else { return Vec::new() };
    match read_as::<AnalyzeQuestion>(text) {
        Ok(AnalyzeQuestion(experiment)) => {
            let analysis = analyze(&experiment);
            assert_eq!(analysis, analyze(&experiment), "the same statistics come to something else");
            // As Rust shows it: JSON would hide what is no number.
            let shown = format!("{analysis:?}");
            let is_number = !["NaN", "inf,", "inf)", "inf]"].iter().any(|odd| shown.contains(odd));
            assert!(is_number && !shown.contains("p_value: 0.0,"), "{shown}");
            let answer = serde_json::to_value(&analysis).expect("it serialises");
            check_probabilities(&answer);
        }
        Err(Unreadable::Malformed(_)) => {}
        Err(Unreadable::Problems(problems)) => {
            let document: Value = serde_json::from_str(text).expect("what has problems is JSON");
            assert!(!problems.is_empty());
            for problem in problems.0 {
                let pointer = problem.pointer.expect("every problem has a place");
                assert!(problem.parameter.is_none() && !problem.detail.is_empty());
                // A field that is missing has its place in what is there.
                let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
                let is_there = document.pointer(&pointer).or_else(|| document.pointer(parent)).is_some();
                assert!(is_there, "{pointer} is nowhere");
            }
        }
    }
    Vec::new()
}

/// Every p-value and chance is above 0, or at least 0, and 1 at the most.
fn check_probabilities(value: &Value) {
    match value {
        Value::Array(items) => items.iter().for_each(check_probabilities),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| match value.as_f64() {
            Some(p) if name.ends_with("p_value") || name.ends_with("p_value_adjusted") => {
                assert!(p > 0.0 && p <= 1.0, "{name} is {p}");
            }
            Some(chance) if name == "chance_to_win" => assert!((0.0..=1.0).contains(&chance), "{chance}"),
            Some(logarithm) if name == "p_log10" => assert!(logarithm <= 0.0, "{logarithm}"),
            _ => check_probabilities(value),
        }),
        _ => {}
    }
}
