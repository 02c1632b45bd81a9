//! The parts of a question's way that need no engine.

use std::hint::black_box;

use chartwell::answer::{Grid, GroupedRow, Measure, Meta, Outline, chart};
use chartwell::domains::experiments::analysis::analyze;
use chartwell::domains::experiments::analyze::schemas::AnalyzeQuestion;
use chartwell::domains::recommendations::schemas::SeriesQuestion;
use chartwell::json::read_as;
use chartwell::openapi::Example;
use chartwell::query::{Aggregation, Level, Parameters, Range};
use criterion::{Criterion, criterion_group, criterion_main};

fn pure(criterion: &mut Criterion) {
    let query = "datetime_from=2026-01-01&datetime_to=2026-03-31&timezone=Europe/Amsterdam&split_by=source&profile_codes=a&profile_codes=b&filter=platform:in:x,y|agent_id:ne:z&compare=previous_period";
    criterion.bench_function("read a question", |bencher| {
        bencher.iter(|| Parameters::read::<SeriesQuestion>(black_box(query)).expect("a good question"));
    });
    let range = Range {
        zone: chrono_tz::Europe::Amsterdam,
        from: "2025-12-31T23:00:00Z".parse().expect("a time"),
        to: "2026-03-31T22:00:00Z".parse().expect("a time"),
    };
    criterion.bench_function("lay an axis of 90 days", |bencher| {
        bencher.iter(|| Aggregation(Level::Day).buckets(black_box(&range)).expect("few buckets"));
    });
    let buckets = Aggregation(Level::Day).buckets(&range).expect("few buckets");
    let rows: Vec<GroupedRow> = buckets
        .edges()
        .into_iter()
        .flat_map(|start| {
            (0..6).map(move |series| GroupedRow {
                start,
                series: format!("source {series}"),
                is_rest: 0,
                numerator: 5,
                denominator: 0,
            })
        })
        .collect();
    let outline = Outline { measure: Measure::Count, unit: "characters" };
    let draw = |rows: &[GroupedRow]| {
        let lines = Grid::new(&buckets, rows).lines(&buckets, outline.measure, None);
        chart(outline, &buckets, &lines, None, Meta::default())
    };
    criterion.bench_function("draw a chart of 90 days and 6 sources", |bencher| {
        bencher.iter(|| draw(black_box(&rows)));
    });
    let drawn = draw(&rows);
    criterion.bench_function("write it as JSON", |bencher| {
        bencher.iter(|| serde_json::to_vec(black_box(&drawn)).expect("it serialises"));
    });

    // Two variants; a conversion, and a count with CUPED.
    let body = Example::of("experiments/analyze").and_then(|example| example.body).expect("the example has a body");
    let mut larger = body.clone();
    let metrics = body["metrics"].as_array().expect("it has metrics");
    let metrics = (0..20).map(|index| {
        let mut metric = metrics[index % metrics.len()].clone();
        metric["id"] = format!("metric {index}").into();
        metric
    });
    larger["metrics"] = metrics.collect();
    for (name, body) in [("analyze 2 metrics", body), ("analyze 20 metrics", larger)] {
        let body = body.to_string();
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| {
                let AnalyzeQuestion(experiment) = read_as(black_box(&body)).expect("a good body");
                serde_json::to_vec(&analyze(&experiment)).expect("it serialises")
            });
        });
    }
}

criterion_group!(benches, pure);
criterion_main!(benches);
