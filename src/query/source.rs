//! Where an answer is read from: raw rows, or the smallest rollup that fits the question.

use chrono::{DateTime, Utc};

use super::Range;
use super::dataset::{Dataset, FieldName, Grain, Rollup};

/// What a question may be answered from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sources {
    #[default]
    Any,
    Raw,
}

/// What a question is answered from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    Raw,
    /// The rollup from `from` to `to`, both on its grain; what the window has before and after that
    /// is read from raw rows.
    Rollup {
        rollup: &'static Rollup,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    },
}

impl Source {
    /// The first rollup that has every field and whose grain divides every bucket, else raw rows.
    ///
    /// `edges` are the starts of the buckets, as Unix times; rows before the first one belong to it.
    pub fn choose<'a>(
        dataset: &Dataset,
        fields: impl Iterator<Item = &'a FieldName> + Clone,
        window: (DateTime<Utc>, DateTime<Utc>),
        edges: &[u32],
    ) -> Self {
        let fits = |rollup: &'static Rollup| {
            let has_fields =
                fields.clone().all(|field| matches!(field, FieldName::Column(name) if rollup.fields.contains(name)));
            let (divides, (from, to)) = match rollup.grain {
                Grain::Row => (true, window),
                Grain::Seconds(grain) => (
                    edges.iter().skip(1).all(|edge| edge % grain == 0),
                    (next_step(window.0, grain), last_step(window.1, grain)),
                ),
            };
            (has_fields && divides && from < to).then_some(Self::Rollup { rollup, from, to })
        };
        dataset.rollups.iter().find_map(fits).unwrap_or(Self::Raw)
    }

    /// Whether what is read is older than no raw row: raw rows themselves, or rows that are kept as long, come first.
    pub fn begins_with_rows(&self, range: &Range) -> bool {
        match self {
            Self::Raw => true,
            Self::Rollup { rollup, from, .. } => rollup.grain == Grain::Row || *from > range.from,
        }
    }

    /// Whether a rollup holds the whole range, so that no raw rows are read.
    pub fn is_all_rollup(&self, range: &Range) -> bool {
        matches!(self, Self::Rollup { from, to, .. } if *from == range.from && *to == range.to)
    }

    /// As `meta.source` names it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Rollup { rollup, .. } => rollup.table,
        }
    }
}

/// The first step of the grain at or after an instant.
fn next_step(instant: DateTime<Utc>, grain_seconds: u32) -> DateTime<Utc> {
    let step = last_step(instant, grain_seconds);
    if step == instant { step } else { step + chrono::Duration::seconds(grain_seconds.into()) }
}

/// The last step of the grain at or before an instant.
fn last_step(instant: DateTime<Utc>, grain_seconds: u32) -> DateTime<Utc> {
    let seconds = instant.timestamp().div_euclid(grain_seconds.into()) * i64::from(grain_seconds);
    DateTime::from_timestamp(seconds, 0).expect("ranges lie between 2000 and 2100")
}

#[cfg(test)]
mod tests {
    use super::super::dataset::Field;
    use super::*;

    static FACTS: Dataset = Dataset {
        facts: "facts.sql",
        fields: &[Field::text("profile_code"), Field::text("agent_id")],
        json: Some("data"),
        json_is_content: false,
        tables: &["events"],
        kept_days: None,
        whole_by: None,
        rollups: &[
            Rollup { table: "facts_1h", grain: Grain::Seconds(3_600), fields: &["profile_code"], measures: &[] },
            Rollup { table: "facts_15m", grain: Grain::Seconds(900), fields: &["profile_code"], measures: &[] },
            Rollup {
                table: "agents_15m",
                grain: Grain::Seconds(900),
                fields: &["profile_code", "agent_id"],
                measures: &[],
            },
        ],
    };

    fn choose(fields: &[FieldName], from: &str, to: &str, edges: &[u32]) -> Source {
        Source::choose(&FACTS, fields.iter(), (from.parse().unwrap(), to.parse().unwrap()), edges)
    }

    const DAY: (&str, &str) = ("2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z");

    #[test]
    fn the_first_rollup_that_has_the_fields_is_read() {
        assert_eq!(choose(&[], DAY.0, DAY.1, &[]).name(), "facts_1h");
        assert_eq!(choose(&[FieldName::Column("profile_code")], DAY.0, DAY.1, &[]).name(), "facts_1h");
        assert_eq!(choose(&[FieldName::Column("agent_id")], DAY.0, DAY.1, &[]).name(), "agents_15m");
        assert_eq!(choose(&[FieldName::Path(vec!["x".to_owned()])], DAY.0, DAY.1, &[]).name(), "raw");
    }

    #[test]
    fn a_rollup_is_read_only_when_its_grain_divides_every_bucket() {
        assert_eq!(choose(&[], DAY.0, DAY.1, &[0, 3_600, 7_200]).name(), "facts_1h");
        assert_eq!(choose(&[], DAY.0, DAY.1, &[1_800, 5_400]).name(), "facts_15m");
        assert_eq!(choose(&[], DAY.0, DAY.1, &[0, 60, 120]).name(), "raw");
        // The first bucket may begin anywhere: nothing before the window is read.
        assert_eq!(choose(&[], DAY.0, DAY.1, &[17, 3_600]).name(), "facts_1h");
    }

    #[test]
    fn rows_of_their_own_time_fit_every_bucket() {
        static NARROW: [Rollup; 1] =
            [Rollup { table: "narrow", grain: Grain::Row, fields: &["latency"], measures: &[] }];
        let facts = Dataset { rollups: &NARROW, ..FACTS };
        let (from, to) = ("2026-02-01T00:00:00.5Z".parse().unwrap(), "2026-02-01T00:00:01.5Z".parse().unwrap());
        let source = Source::choose(&facts, [FieldName::Column("latency")].iter(), (from, to), &[0, 1]);
        let range = Range { zone: chrono_tz::UTC, from, to };
        assert_eq!(source.name(), "narrow");
        assert!(source.is_all_rollup(&range) && source.begins_with_rows(&range));
    }

    #[test]
    fn a_rollup_is_read_between_the_first_and_the_last_whole_step() {
        let source = choose(&[], "2026-02-01T00:00:00.000001Z", "2026-02-01T05:59:59.999999Z", &[]);
        let Source::Rollup { from, to, .. } = source else { panic!("{source:?}") };
        assert_eq!(
            (from.to_rfc3339(), to.to_rfc3339()),
            ("2026-02-01T01:00:00+00:00".to_owned(), "2026-02-01T05:00:00+00:00".to_owned())
        );
        assert_eq!(choose(&[], "2026-02-01T00:10:00Z", "2026-02-01T00:40:00Z", &[]).name(), "facts_15m");
        assert_eq!(choose(&[], "2026-02-01T00:01:00Z", "2026-02-01T00:20:00Z", &[]).name(), "raw");
    }
}
