//! The health of experiments is what a plain computation makes of their exposures: from the rollup and from raw rows, in
//! any zone, with units of several variants, arms that nobody came to, and exposures that are late.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::exposed::{self, Exposed, Unit, chi_squared, start, tail, units};
use crate::support::TestApp;

#[track_caller]
fn assert_close(shown: &Value, wanted: Option<f64>, what: &str) {
    match (shown.as_f64(), wanted) {
        (None, None) => {}
        (Some(shown), Some(wanted)) if (shown - wanted).abs() <= 1e-9 * wanted.abs().max(1e-3) => {}
        _ => panic!("{what}: {shown} is not {wanted:?}"),
    }
}

/// p-values, each times the number of them over its rank, and no larger than what comes after it.
fn adjusted(p_values: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut tested: Vec<f64> = p_values.iter().copied().flatten().collect();
    tested.sort_by(f64::total_cmp);
    let of = |p: f64| {
        let later = tested.iter().enumerate().filter(|(_, known)| **known >= p);
        later.map(|(index, known)| known * tested.len() as f64 / (index + 1) as f64).fold(1.0, f64::min)
    };
    p_values.iter().map(|p| p.map(of)).collect()
}

/// χ², degrees of freedom and V of two samples, by category: those of which fewer than five are expected in either are
/// one. Nothing where there is nothing to test.
fn homogeneity(mut counts: Vec<[f64; 2]>) -> Option<(f64, u64, f64)> {
    counts.retain(|count| count[0] + count[1] > 0.0);
    let n = [0, 1].map(|side| counts.iter().map(|count| count[side]).sum::<f64>());
    let all = n[0] + n[1];
    if n.contains(&0.0) || all < 100.0 {
        return None;
    }
    let is_small = |count: &[f64; 2]| n.iter().any(|n| (count[0] + count[1]) * n / all < 5.0);
    let (small, mut large): (Vec<[f64; 2]>, Vec<[f64; 2]>) = counts.into_iter().partition(is_small);
    if !small.is_empty() {
        large.push([0, 1].map(|side| small.iter().map(|count| count[side]).sum()));
    }
    let mut sum = 0.0;
    for count in &large {
        for side in [0, 1] {
            let expected = (count[0] + count[1]) * n[side] / all;
            sum += (count[side] - expected).powi(2) / expected;
        }
    }
    Some((sum, large.len() as u64 - 1, (sum / all).sqrt()))
}

/// What was asked, and what there is.
struct Asked<'a> {
    weights: Vec<(&'a str, f64)>,
    keeps_multiple: bool,
    zone: Tz,
    middle: i64,
    units: Vec<Unit<'a>>,
}

impl<'a> Asked<'a> {
    fn counted(&self) -> impl Iterator<Item = &Unit<'a>> {
        self.units.iter().filter(|unit| self.keeps_multiple || !unit.is_multiple())
    }

    /// Counts of the arms in their order.
    fn arms<'u>(&self, units: impl Iterator<Item = &'u Unit<'a>> + Clone) -> Vec<(u64, f64)>
    where
        'a: 'u,
    {
        let of = |name: &str| units.clone().filter(|unit| unit.first.variant == name).count() as u64;
        self.weights.iter().map(|(name, weight)| (of(name), *weight)).collect()
    }

    fn planned(arms: &[(u64, f64)]) -> u64 {
        arms.iter().filter(|(_, weight)| *weight > 0.0).map(|(units, _)| units).sum()
    }

    fn value(&self, dimension: &str, unit: &Unit<'_>) -> String {
        match dimension {
            "days" => {
                let at = DateTime::from_timestamp_micros(unit.first.at).unwrap();
                at.with_timezone(&self.zone).date_naive().to_string()
            }
            "platforms" => unit.first.platform.to_owned(),
            _ => unit.first.profile.clone(),
        }
    }

    /// The values that are told apart: days in order, the others with the most units first.
    fn values(&self, dimension: &str) -> Vec<String> {
        let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
        self.counted().for_each(|unit| *sizes.entry(self.value(dimension, unit)).or_default() += 1);
        let mut values: Vec<(String, usize)> = sizes.into_iter().collect();
        if dimension != "days" {
            values.sort_by(|one, two| two.1.cmp(&one.1).then_with(|| one.0.cmp(&two.0)));
            values.truncate(20);
        }
        values.into_iter().map(|(value, _)| value).collect()
    }

    /// Whether any cell is an alarm.
    #[track_caller]
    fn check_cells(&self, answer: &Value, dimension: &str, what: &str) -> bool {
        let values = self.values(dimension);
        let cells = answer[dimension].as_array().unwrap();
        let names: Vec<&str> = cells.iter().map(|cell| cell["value"].as_str().unwrap_or("")).collect();
        assert_eq!(names, values, "{what} {dimension}");
        let counts: Vec<Vec<(u64, f64)>> = values
            .iter()
            .map(|value| {
                self.arms(
                    self.counted().filter(|unit| self.value(dimension, unit) == *value).collect::<Vec<_>>().into_iter(),
                )
            })
            .collect();
        let enough = |arms: &Vec<(u64, f64)>| Self::planned(arms) >= 100;
        let p_values: Vec<Option<f64>> =
            counts.iter().map(|arms| chi_squared(arms).filter(|_| enough(arms)).map(|(_, p)| p)).collect();
        let mut is_any = false;
        for (((cell, arms), p), p_adjusted) in cells.iter().zip(&counts).zip(&p_values).zip(adjusted(&p_values)) {
            let what = format!("{what} {dimension} {}", cell["value"]);
            let variants: Vec<Value> = self
                .weights
                .iter()
                .zip(arms)
                .map(|((variant, _), (units, _))| json!({"variant": variant, "units": units}))
                .collect();
            assert_eq!((&cell["variants"], &cell["units"]), (&json!(variants), &json!(Self::planned(arms))), "{what}");
            assert_close(&cell["p_value"], *p, &what);
            assert_close(&cell["p_value_adjusted"], p_adjusted, &what);
            let alarm = p_adjusted.is_some_and(|p| p < 0.001);
            assert_eq!(cell["alarm"], alarm, "{what}");
            let few = p.is_none() && self.weights.iter().filter(|(_, weight)| *weight > 0.0).count() > 1;
            assert_eq!(cell["notes"] == json!(["few_units"]), few, "{what} {cell}");
            is_any |= alarm;
        }
        is_any
    }

    /// Units of both halves, and how alike they are.
    fn shift(&self, dimension: &str, variant: &str) -> ([u64; 2], Option<(f64, u64, f64)>) {
        let known = self.values(dimension);
        let mut counts: BTreeMap<Option<String>, [f64; 2]> = BTreeMap::new();
        for unit in self.counted().filter(|unit| unit.first.variant == variant) {
            let value = Some(self.value(dimension, unit)).filter(|value| known.contains(value));
            counts.entry(value).or_default()[usize::from(unit.first.at >= self.middle)] += 1.0;
        }
        let n = [0, 1].map(|half| counts.values().map(|count| count[half]).sum::<f64>());
        let units = n.map(|units| units as u64);
        (units, homogeneity(counts.into_values().collect()))
    }

    /// Whether anything has shifted.
    #[track_caller]
    fn check_shift(&self, answer: &Value, what: &str) -> bool {
        let tests = answer["shift"]["tests"].as_array().unwrap();
        let mut wanted = Vec::new();
        for (name, dimension) in [("platform", "platforms"), ("profile_code", "profile_codes")] {
            wanted.extend(self.weights.iter().map(|(variant, _)| (name, *variant, self.shift(dimension, variant))));
        }
        let p_values: Vec<Option<f64>> = wanted
            .iter()
            .map(|(_, _, (_, shift))| shift.map(|(sum, freedom, _)| tail(sum, freedom as usize)))
            .collect();
        let mut is_any = false;
        assert_eq!(tests.len(), wanted.len(), "{what}");
        for (((test, (name, variant, (units, shift))), p), p_adjusted) in
            tests.iter().zip(wanted).zip(&p_values).zip(adjusted(&p_values))
        {
            let what = format!("{what} shift of {name} {variant}: {test}");
            assert_eq!(
                (&test["dimension"], &test["variant"], &test["units"]),
                (&json!(name), &json!(variant), &json!(units)),
                "{what}"
            );
            assert_close(&test["chi_squared"], shift.map(|(sum, ..)| sum), &what);
            assert_eq!(test["degrees_of_freedom"], json!(shift.map(|(_, freedom, _)| freedom)), "{what}");
            assert_close(&test["cramers_v"], shift.map(|(.., v)| v), &what);
            assert_close(&test["p_value"], *p, &what);
            assert_close(&test["p_value_adjusted"], p_adjusted, &what);
            let is_shifted = p_adjusted.is_some_and(|p| p < 0.001) && shift.is_some_and(|(.., v)| v >= 0.1);
            assert_eq!(test["is_shifted"], is_shifted, "{what}");
            let is_half = units.contains(&0) && units != [0, 0];
            let note = if is_half { json!(["empty_half"]) } else { json!(["few_units"]) };
            assert_eq!(test["notes"], if shift.is_some() { json!([]) } else { note }, "{what}");
            is_any |= is_shifted;
        }
        is_any
    }

    /// Whether many units are of several variants.
    #[track_caller]
    fn check_several(&self, answer: &Value, what: &str) -> bool {
        let several = &answer["multiple_exposures"];
        let multiple: Vec<&Unit<'_>> = self.units.iter().filter(|unit| unit.is_multiple()).collect();
        assert_eq!(several["units"], multiple.len(), "{what}");
        let share = (!self.units.is_empty()).then(|| multiple.len() as f64 / self.units.len() as f64);
        assert_close(&several["share"], share, what);
        let mut pairs: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for unit in multiple {
            for other in unit.variants.iter().filter(|other| **other != unit.first.variant) {
                *pairs.entry((&unit.first.variant, other)).or_default() += 1;
            }
        }
        let mut pairs: Vec<_> = pairs.into_iter().collect();
        pairs.sort_by_key(|(_, units)| std::cmp::Reverse(*units));
        let pairs: Vec<Value> = pairs
            .iter()
            .map(|((first, other), units)| json!({"first": first, "other": other, "units": units}))
            .collect();
        assert_eq!(several["pairs"], json!(pairs), "{what}");
        share.is_some_and(|share| share > 0.01)
    }

    /// Whether some variants are later than others.
    #[track_caller]
    fn check_late(&self, answer: &Value, what: &str) -> bool {
        let told = &answer["late_exposures"];
        let check = |told: &Value, units: Vec<&Unit<'_>>| {
            let exposures: u64 = units.iter().map(|unit| unit.exposures).sum();
            let late: u64 = units.iter().map(|unit| unit.late).sum();
            assert_eq!((&told["exposures"], &told["late"]), (&json!(exposures), &json!(late)), "{what}");
            assert_close(&told["share"], (exposures > 0).then(|| late as f64 / exposures as f64), what);
            [late as f64, (exposures - late) as f64]
        };
        check(told, self.units.iter().collect());
        let mut counts = Vec::new();
        for (told, (variant, _)) in told["variants"].as_array().unwrap().iter().zip(&self.weights) {
            assert_eq!(told["variant"], *variant, "{what}");
            counts.push(check(told, self.units.iter().filter(|unit| unit.first.variant == *variant).collect()));
        }
        let tested = homogeneity(counts);
        let p = tested.map(|(sum, freedom, _)| tail(sum, freedom as usize));
        assert_close(&told["p_value"], p, what);
        assert_close(&told["cramers_v"], tested.map(|(.., v)| v), what);
        let is_uneven = p.is_some_and(|p| p < 0.001) && tested.is_some_and(|(.., v)| v >= 0.1);
        assert_eq!(told["is_uneven"], is_uneven, "{what}");
        is_uneven
    }
}

#[tokio::test]
async fn health_is_what_a_plain_computation_makes_of_the_rows() {
    let seed = fastrand::u64(..1_000_000);
    let mut random = fastrand::Rng::with_seed(seed);
    let app = TestApp::start("experiment_health").await;
    let all = exposed::random(&mut random, 16);
    exposed::store(&app, &all).await;
    let ids: BTreeSet<&str> = all.iter().map(|of| of.experiment.as_str()).collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    for round in 0..80 {
        let id = ids[round % ids.len()];
        let variants: BTreeSet<&str> =
            all.iter().filter(|of| of.experiment == id).map(|of| of.variant.as_str()).collect();
        let from = start() + Duration::minutes(random.i64(-1_440..12 * 1_440));
        let to = from + Duration::minutes(random.i64(1..40 * 1_440));
        let [from_micros, to_micros] = [from, to].map(|time| time.timestamp_micros());
        let platform = [None, None, Some("web")][random.usize(..3)];
        let zone = ["UTC", "Asia/Kathmandu", "Pacific/Chatham"][random.usize(..3)];
        let keeps_multiple = random.bool();
        // Equal parts, or others, of which one may be a holdout and one an arm that nobody came to.
        let is_weighted = random.bool();
        let mut weights: Vec<(&str, f64)> = variants.iter().map(|name| (*name, 1.0)).collect();
        if is_weighted {
            weights.iter_mut().for_each(|(_, weight)| *weight = [0.5, 1.0, 2.0][random.usize(..3)]);
            weights.extend(random.bool().then_some(("Z", 0.25)));
            if let Some(holdout) = weights.iter_mut().skip(1).next_back().filter(|_| random.bool()) {
                holdout.1 = 0.0;
            }
        }
        let written: Vec<String> = weights.iter().map(|(name, weight)| format!("{name}:{weight}")).collect();
        let raw = ["", "&filter=agent_id:is_null"][random.usize(..2)];
        let shown = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
        let path = format!(
            "/api/v1/experiments/{id}/health?datetime_from={}&datetime_to={}&timezone={zone}&multiple_exposures={}{}{}{raw}",
            shown(from),
            shown(to),
            if keeps_multiple { "first" } else { "exclude" },
            if is_weighted { format!("&weights={}", written.join(",")) } else { String::new() },
            platform.map_or(String::new(), |platform| format!("&platforms={platform}")),
        );
        let what = format!("seed {seed}: {path}");
        let answer = app.get(&path).await;
        assert_eq!(answer["meta"]["source"], if raw.is_empty() { "experiment_units" } else { "raw" }, "{what}");
        let passes = |of: &Exposed| platform.is_none_or(|platform| of.platform == platform);
        let asked = Asked {
            keeps_multiple,
            zone: zone.parse().unwrap(),
            middle: from_micros + (to_micros - from_micros) / 2,
            units: units(&all, id, [from_micros, to_micros], passes),
            weights,
        };
        let arms = asked.arms(asked.counted().collect::<Vec<_>>().into_iter());
        let (total, planned) =
            (Asked::planned(&arms), asked.weights.iter().filter(|(_, weight)| *weight > 0.0).count());
        assert_eq!(answer["units"], total, "{what}");
        let weight: f64 = asked.weights.iter().map(|(_, weight)| weight).sum();
        let mut empty = Vec::new();
        for ((told, (name, part)), (came, _)) in
            answer["arms"].as_array().unwrap().iter().zip(&asked.weights).zip(&arms)
        {
            assert_eq!((&told["variant"], &told["units"]), (&json!(name), &json!(came)), "{what}");
            assert_close(&told["planned"], (*part > 0.0).then(|| part / weight), &what);
            assert_close(&told["seen"], (*part > 0.0 && total > 0).then(|| *came as f64 / total as f64), &what);
            empty.extend((*part > 0.0 && *came == 0).then_some(*name));
        }
        assert_eq!(answer["empty_arms"], json!(empty), "{what}");
        let ratio = chi_squared(&arms);
        assert_eq!(answer["srm"].is_null(), ratio.is_none(), "{what}");
        assert_close(&answer["srm"]["p_value"], ratio.map(|(_, p)| p), &what);
        let alarm = total >= 100 && ratio.is_some_and(|(_, p)| p < 0.001);
        assert_eq!(answer["srm"]["alarm"].as_bool().unwrap_or(false), alarm, "{what}");

        let found = [
            (alarm, "sample_ratio_mismatch"),
            (asked.check_cells(&answer, "days", &what), "mismatch_of_day"),
            (asked.check_cells(&answer, "platforms", &what), "mismatch_of_platform"),
            (asked.check_cells(&answer, "profile_codes", &what), "mismatch_of_profile_code"),
            (!empty.is_empty(), "empty_arm"),
            (asked.check_several(&answer, &what), "units_of_several_variants"),
            (asked.check_shift(&answer, &what), "exposure_shift"),
            (asked.check_late(&answer, &what), "late_exposures"),
            (planned > 1 && total < 100, "few_units"),
            (planned < 2, "nothing_to_compare"),
        ];
        let reasons: Vec<&str> = found.into_iter().filter(|(is_so, _)| *is_so).map(|(_, reason)| reason).collect();
        assert_eq!(answer["reasons"], json!(reasons), "{what}");
        let status = if reasons.is_empty() {
            "healthy"
        } else if alarm {
            "broken"
        } else {
            "warning"
        };
        assert_eq!(answer["status"], status, "{what}");
    }
}

/// Exposures of `units` visitors, half of them to each variant, whose names and times are those of `of`.
fn exposures(units: usize, of: impl Fn(usize) -> Option<Value>) -> Vec<Value> {
    (0..units)
        .filter_map(|unit| {
            let mut event = of(unit)?;
            event["event"] = json!("exposure");
            event["visitor_id"] = json!(format!("visitor-{unit}"));
            event["data"] = json!({"experiment_id": "reply-tone", "variant": if unit % 2 == 0 { "A" } else { "B" }});
            Some(event)
        })
        .collect()
}

#[tokio::test]
async fn a_platform_that_loses_a_variant_is_found() {
    let app = TestApp::start("experiment_health_platform").await;
    // One of three platforms loses most of B.
    let lost = |unit: usize| unit % 3 == 1 && unit % 2 == 1 && !unit.is_multiple_of(5);
    let platform = |unit: usize| ["web", "ios", "android"][unit % 3];
    let hour = Utc::now() - Duration::minutes(30);
    let time = hour.to_rfc3339_opts(SecondsFormat::Millis, true);
    app.store(&exposures(1_200, |unit| {
        (!lost(unit)).then(|| json!({"time_utc": time, "platform": platform(unit), "profile_code": "p"}))
    }))
    .await;
    let answer = app.get("/api/v1/experiments/reply-tone/health?range=24h").await;
    assert_eq!(answer["status"], "broken", "{answer}");
    let reasons = answer["reasons"].as_array().unwrap();
    assert!(reasons.contains(&json!("mismatch_of_platform")) && reasons[0] == "sample_ratio_mismatch", "{answer}");
    let alarms: Vec<&Value> =
        answer["platforms"].as_array().unwrap().iter().filter(|cell| cell["alarm"] == true).collect();
    assert_eq!(alarms.len(), 1, "{answer}");
    assert_eq!(alarms[0]["value"], "ios", "{answer}");
    // With the parts that came, it is no mismatch any more, but that of the platform is.
    let counts: Vec<String> = answer["arms"]
        .as_array()
        .unwrap()
        .iter()
        .map(|arm| format!("{}:{}", arm["variant"].as_str().unwrap(), arm["units"]))
        .collect();
    let planned =
        app.get(&format!("/api/v1/experiments/reply-tone/health?range=24h&weights={}", counts.join(","))).await;
    assert_eq!(planned["status"], "warning", "{planned}");
    assert!(planned["srm"]["p_value"].as_f64().unwrap() > 0.999, "{planned}");
    let csv = app
        .request("/api/v1/experiments/reply-tone/health?range=24h")
        .bearer_auth(app.token())
        .header("accept", "text/csv");
    let csv = csv.send().await.unwrap().text().await.unwrap();
    assert_eq!(
        csv.lines().next().unwrap(),
        "dimension,value,units,variants,p_value,p_log10,p_value_adjusted,alarm,notes",
        "{csv}"
    );
    assert!(csv.lines().any(|line| line.starts_with("platform,ios,")), "{csv}");
}

#[tokio::test]
async fn an_experiment_as_planned_is_healthy_and_bad_questions_are_refused() {
    let app = TestApp::start("experiment_health_good").await;
    let time = (Utc::now() - Duration::minutes(30)).to_rfc3339_opts(SecondsFormat::Millis, true);
    app.store(&exposures(400, |_| Some(json!({"time_utc": time, "platform": "web"})))).await;
    let path = "/api/v1/experiments/reply-tone/health";
    let answer = app.get(&format!("{path}?range=24h")).await;
    assert_eq!((&answer["status"], &answer["reasons"]), (&json!("healthy"), &json!([])), "{answer}");
    // Nobody came before that.
    let before = app.get(&format!("{path}?datetime_from=2026-02-01&datetime_to=2026-02-02")).await;
    assert_eq!((&before["status"], &before["srm"]), (&json!("warning"), &Value::Null), "{before}");
    assert_eq!(
        (&before["reasons"], &before["empty_arms"]),
        (&json!(["empty_arm", "few_units"]), &json!(["A", "B"])),
        "{before}"
    );
    assert_eq!(before["late_exposures"]["share"], Value::Null);
    for (query, parameter) in [
        ("weights=A:1", "weights"),
        ("baseline=C", "baseline"),
        ("datetime_from=2001-01-01&datetime_to=2026-01-01", "datetime_from"),
        ("goal_event=sale", "goal_event"),
        ("multiple_exposures=last", "multiple_exposures"),
    ] {
        let (status, body) = app.ask(&format!("{path}?{query}")).await;
        assert_eq!((status.as_u16(), &body["errors"][0]["parameter"]), (422, &json!(parameter)), "{query}: {body}");
    }
    assert_eq!(app.ask("/api/v1/experiments/nobody/health").await.0, 404);
}
