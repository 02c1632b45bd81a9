//! The list of experiments is what a plain computation makes of their exposures.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::exposed::{self, Exposed, chi_squared, start, units};
use crate::support::{TestApp, granted, json_of, sign};

/// An instant as tables show it.
fn shown(at: i64) -> String {
    DateTime::from_timestamp_micros(at).unwrap().to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// The row of an experiment, without its p-value, which comes beside it; nothing where no unit was first exposed.
fn computed(
    of_experiment: &[Exposed],
    id: &str,
    range: [i64; 2],
    platform: Option<&str>,
) -> Option<(Value, Option<f64>)> {
    let passes = |of: &Exposed| platform.is_none_or(|platform| of.platform == platform);
    let units = units(of_experiment, id, range, passes);
    if units.is_empty() {
        return None;
    }
    let names: BTreeSet<&str> = of_experiment.iter().map(|of| of.variant.as_str()).collect();
    let mut counts: BTreeMap<&str, u64> = names.into_iter().map(|name| (name, 0)).collect();
    for unit in units.iter().filter(|unit| !unit.is_multiple()) {
        *counts.get_mut(unit.first.variant.as_str()).unwrap() += 1;
    }
    let arms: Vec<(u64, f64)> = counts.values().map(|units| (*units, 1.0)).collect();
    let p = chi_squared(&arms).map(|(_, p)| p);
    let total: u64 = counts.values().sum();
    let row = json!({
        "experiment_id": id,
        "units": total,
        "exposures": units.iter().map(|unit| unit.exposures).sum::<u64>(),
        "multiple_units": units.iter().filter(|unit| unit.is_multiple()).count(),
        "first_exposure": shown(of_experiment.iter().map(|of| of.at).min().unwrap()),
        "newest_exposure": shown(of_experiment.iter().map(|of| of.at).max().unwrap()),
        "is_running": false,
        "variants": counts.iter().map(|(variant, units)| json!({"variant": variant, "units": units})).collect::<Vec<_>>(),
        "alarm": total >= 100 && p.is_some_and(|p| p < 0.001),
    });
    Some((row, p))
}

#[tokio::test]
async fn the_list_is_what_a_plain_computation_makes_of_the_rows() {
    let seed = fastrand::u64(..1_000_000);
    let mut random = fastrand::Rng::with_seed(seed);
    let app = TestApp::start("experiment_list").await;
    let all = exposed::random(&mut random, 12);
    exposed::store(&app, &all).await;
    let mut by_experiment: BTreeMap<&str, Vec<Exposed>> = BTreeMap::new();
    all.iter().for_each(|of| by_experiment.entry(&of.experiment).or_default().push(of.clone()));
    for _ in 0..80 {
        let from = start() + Duration::minutes(random.i64(-1_440..25 * 1_440));
        let to = from + Duration::minutes(random.i64(1..40 * 1_440));
        let range = [from.timestamp_micros(), to.timestamp_micros()];
        let platform = [None, Some("web")][random.usize(..2)];
        // What the rollup does not tell, and what filters nothing, is answered from raw rows.
        let raw = ["", "&filter=agent_id:is_null"][random.usize(..2)];
        let (column, is_descending) = (
            ["units", "exposures", "multiple_units", "first_exposure", "newest_exposure"][random.usize(..5)],
            random.bool(),
        );
        let path = format!(
            "/api/v1/experiments?datetime_from={}&datetime_to={}&limit=1000&sort={}{column}{raw}{}",
            from.to_rfc3339_opts(SecondsFormat::Secs, true),
            to.to_rfc3339_opts(SecondsFormat::Secs, true),
            if is_descending { "-" } else { "" },
            platform.map_or(String::new(), |platform| format!("&platforms={platform}")),
        );
        let answer = app.get(&path).await;
        assert_eq!(answer["meta"]["source"], if raw.is_empty() { "experiment_units" } else { "raw" });
        let mut wanted: Vec<_> =
            by_experiment.iter().filter_map(|(id, of)| computed(of, id, range, platform)).collect();
        let order = |row: &Value| (row[column].as_u64(), row[column].as_str().map(str::to_owned));
        wanted.sort_by(|(one, _), (two, _)| {
            let by_column = order(one).cmp(&order(two));
            let by_column = if is_descending { by_column.reverse() } else { by_column };
            by_column.then_with(|| one["experiment_id"].as_str().cmp(&two["experiment_id"].as_str()))
        });
        assert_eq!(answer["page"]["total"], wanted.len(), "seed {seed}: {path}");
        let items = answer["items"].as_array().unwrap();
        assert_eq!(items.len(), wanted.len(), "seed {seed}: {path}");
        for (item, (row, p)) in items.iter().zip(wanted) {
            let mut told = item.clone();
            let srm = told.as_object_mut().unwrap().remove("srm").unwrap();
            told["alarm"] = srm["alarm"].clone();
            assert_eq!(told, row, "seed {seed}: {path}");
            match p {
                None => assert_eq!(srm["p_value"], Value::Null, "seed {seed}: {path}"),
                Some(p) => {
                    let told = srm["p_value"].as_f64().unwrap();
                    assert!((told - p).abs() <= 1e-9, "seed {seed}: {path} {told} is not {p}");
                }
            }
        }
    }
}

fn exposure(experiment: &str, visitor: &str, variant: &str, time: DateTime<Utc>) -> Value {
    let data = json!({"experiment_id": experiment, "variant": variant});
    let time = time.to_rfc3339_opts(SecondsFormat::Micros, true);
    json!({"event": "exposure", "profile_code": visitor, "visitor_id": visitor, "time_utc": time, "data": data})
}

#[tokio::test]
async fn an_experiment_runs_until_a_week_after_its_newest_exposure() {
    let app = TestApp::start("experiment_list_runs").await;
    let now = Utc::now();
    let (hour, week) = (now - Duration::hours(1), now - Duration::hours(7 * 24 + 1));
    app.store(&[
        exposure("running", "one", "A", week),
        exposure("running", "one", "A", hour),
        exposure("over", "one", "A", week),
        exposure("too-new", "two", "A", hour),
    ])
    .await;
    // Ranges are of first exposures, so that the one that began an hour ago is not in it.
    let until = (now - Duration::hours(2)).to_rfc3339_opts(SecondsFormat::Secs, true);
    let from = (now - Duration::days(9)).to_rfc3339_opts(SecondsFormat::Secs, true);
    let answer = app.get(&format!("/api/v1/experiments?datetime_from={from}&datetime_to={until}")).await;
    let told: Vec<_> = answer["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["experiment_id"].as_str().unwrap(),
                row["is_running"].as_bool().unwrap(),
                row["exposures"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(told, [("running", true, 2), ("over", false, 1)]);
    assert_eq!(answer["items"][0]["srm"], json!({"p_value": null, "alarm": false}));
    let one = app.get(&format!("/api/v1/experiments?datetime_from={from}&experiment_ids=too-new")).await;
    assert_eq!(one["items"][0]["experiment_id"], "too-new");
    assert_eq!(one["page"]["total"], 1);
}

#[tokio::test]
async fn pages_grants_and_what_cannot_be_sorted_by() {
    let app = TestApp::start("experiment_list_pages").await;
    let time = start() + Duration::hours(1);
    let exposures: Vec<Value> =
        (0..5).map(|number| exposure(&format!("e{number}"), ["one", "two"][number % 2], "A", time)).collect();
    app.store(&exposures).await;
    let path = "/api/v1/experiments?datetime_from=2026-02-01&datetime_to=2026-02-01&sort=-experiment_id";
    let ids = |answer: &Value| -> Vec<String> {
        answer["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["experiment_id"].as_str().unwrap().to_owned())
            .collect()
    };
    let page = app.get(&format!("{path}&limit=2&offset=2")).await;
    assert_eq!((ids(&page), &page["page"]["total"]), (vec!["e2".to_owned(), "e1".to_owned()], &json!(5)));
    assert_eq!(app.get(&format!("{path}&limit=2&offset=9")).await["page"]["total"], 5);
    // Whoever may see one profile sees the exposures of that one.
    let token = sign(&granted(app.claims(), "profile_code", &["two"]));
    let seen = json_of(app.request(path).bearer_auth(token).send().await.unwrap()).await;
    assert_eq!(ids(&seen), ["e3", "e1"]);
    for (query, parameter) in [
        ("sort=srm", "sort"),
        ("sort=-variants", "sort"),
        ("limit=1001", "limit"),
        ("experiment_id=a", "experiment_id"),
    ] {
        let (status, body) = app.ask(&format!("/api/v1/experiments?{query}")).await;
        assert_eq!((status.as_u16(), &body["errors"][0]["parameter"]), (422, &json!(parameter)), "{query}: {body}");
        if parameter == "sort" {
            let allowed = json!([
                "experiment_id",
                "units",
                "exposures",
                "multiple_units",
                "first_exposure",
                "newest_exposure",
                "is_running"
            ]);
            assert_eq!(body["errors"][0]["allowed"], allowed, "{body}");
        }
    }
    let csv = app
        .request(path)
        .bearer_auth(app.token())
        .header("accept", "text/csv")
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let mut lines = csv.lines();
    let header = "experiment_id,units,exposures,multiple_units,first_exposure,newest_exposure,is_running,variants,srm";
    assert_eq!(lines.next(), Some(header), "{csv}");
    assert_eq!(lines.count(), 5, "{csv}");
}
