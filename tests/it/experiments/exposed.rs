//! Random exposures, and the units that a plain computation makes of them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};

use crate::support::TestApp;

/// An exposure, as it is stored.
#[derive(Debug, Clone)]
pub struct Exposed {
    pub experiment: String,
    /// Empty where none is named.
    pub visitor: String,
    pub variant: String,
    /// Empty where none is named, as with the profile.
    pub platform: &'static str,
    pub profile: String,
    /// Microseconds since 1970.
    pub at: i64,
    pub is_late: bool,
}

/// A visitor, by its first exposure.
#[derive(Debug, Clone)]
pub struct Unit<'a> {
    pub first: &'a Exposed,
    /// Those before the end of the range.
    pub variants: BTreeSet<&'a str>,
    pub exposures: u64,
    pub late: u64,
}

impl Unit<'_> {
    pub fn is_multiple(&self) -> bool {
        self.variants.len() > 1
    }
}

pub fn start() -> DateTime<Utc> {
    "2026-02-01T00:00:00Z".parse().unwrap()
}

const DAYS: i64 = 30;
const PLATFORMS: [&str; 4] = ["web", "ios", "android", ""];

/// Experiments of one to four arms, over 30 days. Some of their exposures are at midnight of Nepal, at the same instant as
/// another one, late, or name nobody; some units come to several variants, and some arms lose half of one platform.
pub fn random(random: &mut fastrand::Rng, experiments: usize) -> Vec<Exposed> {
    let mut exposed = Vec::new();
    for number in 0..experiments {
        let (units, arms) = (random.u64(1..=4) * [2, 20, 200, 800][random.usize(..4)], random.u8(1..=4));
        let profiles = [1, 3, 26][random.usize(..3)];
        let (is_broken, lateness, straying) = (random.bool(), [0.0, 0.01, 0.2][random.usize(..3)], random.f64() * 0.1);
        // From the middle on, most units may be of other platforms.
        let is_shifting = random.bool();
        let is_uneven = random.bool();
        for unit in 0..units {
            let arm = random.u8(..arms);
            let time = random.i64(0..DAYS * 86_400);
            let is_later = time > DAYS * 43_200;
            let platform = if is_shifting && is_later && random.bool() { "ios" } else { PLATFORMS[random.usize(..4)] };
            if is_broken && arm == 1 && platform == "ios" && random.bool() {
                continue;
            }
            let visitor = if random.u32(..40) == 0 { String::new() } else { format!("visitor-{number}-{unit}") };
            let mut at = (start() + Duration::seconds(time)).timestamp_micros() + random.i64(0..1_000_000);
            for repeat in 0..1 + random.u32(..3) {
                if random.u32(..20) == 0 {
                    // Midnight in Nepal is a quarter past six in the evening.
                    at = at - at.rem_euclid(86_400_000_000) + 65_700_000_000;
                }
                let strays = random.f64() < straying;
                let letter = b'A' + if strays { random.u8(..arms) } else { arm };
                exposed.push(Exposed {
                    experiment: format!("experiment-{number}"),
                    visitor: visitor.clone(),
                    variant: char::from(letter).to_string(),
                    platform: if repeat == 0 { platform } else { PLATFORMS[random.usize(..4)] },
                    profile: match random.usize(..=profiles) {
                        0 => String::new(),
                        profile => format!("profile-{}", profile * profile / profiles),
                    },
                    at,
                    is_late: random.f64() < lateness * if is_uneven && arm == 0 { 0.1 } else { 1.0 },
                });
                // At the same instant, or some days later.
                at += if random.u32(..4) == 0 { 0 } else { random.i64(0..8 * 86_400_000_000) };
            }
        }
    }
    random.shuffle(&mut exposed);
    exposed
}

/// Stores exposures, in several inserts.
pub async fn store(app: &TestApp, exposed: &[Exposed]) {
    for part in exposed.chunks((exposed.len() / 3 + 1).min(2_000)) {
        let row = |of: &Exposed| {
            let lag = if of.is_late { 3_600_000_001_i64 } else { 3_600_000_000 };
            format!(
                "({}, {}, '{}', '{}', '{}', '{}', '{}')",
                of.at,
                of.at + lag,
                of.experiment,
                of.variant,
                of.visitor,
                of.platform,
                of.profile
            )
        };
        let rows: Vec<String> = part.iter().map(row).collect();
        let names =
            "at Int64, came Int64, experiment String, variant String, visitor String, platform String, profile String";
        let sql = format!(
            "INSERT INTO {}_analytics.events (event_id, time_utc, event, profile_code, platform, visitor_id, data, ingested_at)
             SELECT generateUUIDv4(), fromUnixTimestamp64Micro(at, 'UTC'), 'exposure', nullIf(profile, ''), nullIf(platform, ''), nullIf(visitor, ''),
                    concat('{{\"experiment_id\":\"', experiment, '\",\"variant\":\"', variant, '\"}}'), fromUnixTimestamp64Micro(came, 'UTC')
             FROM VALUES('{names}', {})",
            app.account,
            rows.join(", ")
        );
        app.clickhouse.execute(&sql).await.unwrap();
    }
}

/// The visitors of an experiment that were first exposed from `from` until `to`, and then by an exposure that passes.
pub fn units<'a>(
    exposed: &'a [Exposed],
    experiment: &str,
    [from, to]: [i64; 2],
    passes: impl Fn(&Exposed) -> bool,
) -> Vec<Unit<'a>> {
    let mut units: BTreeMap<&str, Unit<'a>> = BTreeMap::new();
    let mut passing: BTreeSet<(&str, i64, &str)> = BTreeSet::new();
    for of in exposed.iter().filter(|of| of.experiment == experiment && !of.visitor.is_empty()) {
        if passes(of) {
            passing.insert((&of.visitor, of.at, &of.variant));
        }
        let none = || Unit { first: of, variants: BTreeSet::new(), exposures: 0, late: 0 };
        let unit = units.entry(&of.visitor).or_insert_with(none);
        let order = |of: &'a Exposed| (of.at, &of.variant, of.platform, &of.profile);
        if order(of) < order(unit.first) {
            unit.first = of;
        }
        if of.at < to {
            unit.variants.insert(&of.variant);
        }
        unit.exposures += 1;
        unit.late += u64::from(of.is_late);
    }
    let in_range = |unit: &Unit<'_>| from <= unit.first.at && unit.first.at < to;
    let is_chosen = |unit: &Unit<'_>| passing.contains(&(&unit.first.visitor, unit.first.at, &unit.first.variant));
    units.into_values().filter(|unit| in_range(unit) && is_chosen(unit)).collect()
}

/// χ² of the counts of arms against their weights, and p. Nothing where there is nothing to test.
pub fn chi_squared(arms: &[(u64, f64)]) -> Option<(f64, f64)> {
    let arms: Vec<(f64, f64)> =
        arms.iter().filter(|(_, weight)| *weight > 0.0).map(|(count, weight)| (*count as f64, *weight)).collect();
    let (n, weights) = arms.iter().fold((0.0, 0.0), |sums, arm| (sums.0 + arm.0, sums.1 + arm.1));
    if arms.len() < 2 || n == 0.0 {
        return None;
    }
    let sum = arms.iter().map(|(seen, weight)| (seen - n * weight / weights).powi(2) / (n * weight / weights)).sum();
    Some((sum, tail(sum, arms.len() - 1)))
}

/// How likely χ² is at least as large.
pub fn tail(chi_squared: f64, freedom: usize) -> f64 {
    use statrs::distribution::{ChiSquared, ContinuousCDF};
    if freedom == 0 { 1.0 } else { ChiSquared::new(freedom as f64).unwrap().sf(chi_squared) }
}
