//! What active users are counted from: who was there on which day, before the range as well.

use chrono::{DateTime, Days as CalendarDays, NaiveDate, Utc};

use super::super::ProductService;
use super::super::notes::{ACTIVE, ROLLING, STICKINESS, USERS};
use super::super::repository::{PRESENCE, ReturnsRow};
use super::rolling::{Days, Rolled};
use super::schemas::{ActiveUsersQuestion, DailyAggregation, Window};
use crate::answer::{self, Chart, Group, Line, Lines, Measure, Number, Outline};
use crate::auth::Reader;
use crate::clickhouse::Values;
use crate::query::{Aggregation, Buckets, DateRange, Level, Range, Sources};
use crate::repository::Answered;
use crate::service::{AnswerError, Common, add_cost, verified};

impl ProductService {
    pub async fn active_users(&self, reader: &Reader, question: &ActiveUsersQuestion) -> Result<Chart, AnswerError> {
        verified(question.verify, |sources| self.active_users_from(sources, reader, question)).await
    }

    async fn active_users_from(
        &self,
        sources: Sources,
        reader: &Reader,
        question: &ActiveUsersQuestion,
    ) -> Result<Chart, AnswerError> {
        let now = Utc::now();
        let range = question.date_range.resolve(now)?;
        let buckets = buckets_of_days(question.aggregation, &range)?;
        let common = Common {
            template: "product/active_users.sql",
            dataset: &PRESENCE,
            date_range: &question.date_range,
            comparison: None,
            conditions: &question.filters.conditions,
            fields: &["user"],
            sources,
            notes: &[USERS, ACTIVE, ROLLING, STICKINESS],
        };
        let (lines, answered) = self.rolled(reader, common, question.window, (&range, &buckets), now).await?;
        let mut meta = self.service.meta_within(reader, common, &range, &answered).await?;
        meta.partial = Some(unfinished(&buckets, &range, now));
        let earlier = match question.comparison.earlier(&range, now) {
            None => None,
            Some(earlier) => {
                let buckets = Aggregation(buckets.level).buckets(&earlier.range)?;
                let window = Range { to: earlier.until, ..earlier.range };
                let (lines, answered) = self.rolled(reader, common, question.window, (&window, &buckets), now).await?;
                add_cost(&answered, &mut meta);
                Some((window, buckets, lines))
            }
        };
        let earlier = earlier.as_ref().map(|(range, buckets, lines)| (range, buckets, lines));
        Ok(answer::chart(Outline { measure: Measure::Distinct, unit: "users" }, &buckets, &lines, earlier, meta))
    }

    /// The lines of a range, of windows that begin before it.
    async fn rolled(
        &self,
        reader: &Reader,
        common: Common<'_>,
        window: Window,
        (range, buckets): (&Range, &Buckets),
        now: DateTime<Utc>,
    ) -> Result<(Lines, Answered<ReturnsRow>), AnswerError> {
        let local = |instant: DateTime<Utc>| instant.with_timezone(&range.zone).date_naive();
        let first = local(buckets.starts[0]) - CalendarDays::new(window.days() as u64 - 1);
        let from = DateRange::of_days(range.zone, first, next_day(first)).resolve(now)?.from;
        let wide = Range { from, ..*range };
        let days = Aggregation(Level::Day).buckets(&wide)?;
        let answered = self.service.within_buckets(reader, common, &wide, &days, Values::default(), Vec::new()).await?;
        let rolled = Days::new(&days.edges(), &answered.rows.rows).rolled(window.days());
        let values = (0..buckets.len()).map(|bucket| {
            // The last day of the bucket that has begun.
            let end = buckets.end_of(bucket).min(range.to);
            let day = days.starts.partition_point(|start| *start < end && *start <= now).checked_sub(1)?;
            let is_of_bucket = days.starts[day] >= buckets.starts[bucket];
            rolled.get(day).filter(|_| is_of_bucket).copied()
        });
        Ok((lines_of(&values.collect::<Vec<_>>(), window), answered))
    }
}

fn next_day(day: NaiveDate) -> NaiveDate {
    day + CalendarDays::new(1)
}

fn lines_of(values: &[Option<Rolled>], window: Window) -> Lines {
    let line = |name, value: &dyn Fn(&Rolled) -> Option<Number>| {
        Line::of(Group::Fixed(name), values.iter().map(|rolled| rolled.as_ref().and_then(value)).collect())
    };
    let stickiness = |rolled: &Rolled| {
        let day = rolled.user_days as f64 / window.days() as f64;
        (rolled.users > 0).then(|| Number::Real(day / rolled.users as f64))
    };
    Lines(vec![line("active_users", &|rolled| Some(Number::Count(rolled.users))), line("stickiness", &stickiness)])
}

/// The time axis, of whole days at least.
fn buckets_of_days(DailyAggregation(aggregation): DailyAggregation, range: &Range) -> Result<Buckets, AnswerError> {
    let buckets = aggregation.buckets(range)?;
    if matches!(buckets.level, Level::Minute | Level::Hour) {
        return Ok(Aggregation(Level::Day).buckets(range)?);
    }
    Ok(buckets)
}

/// The buckets whose last day the range or the present cuts; a beginning that is cut leaves windows whole.
fn unfinished(buckets: &Buckets, range: &Range, now: DateTime<Utc>) -> Vec<usize> {
    (0..buckets.len()).filter(|bucket| buckets.end_of(*bucket) > range.to.min(now)).collect()
}
