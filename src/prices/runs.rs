//! What is known of runs: each step that is done is a row, written after it.

use chrono::serde::ts_microseconds;
use chrono::{DateTime, Utc};
use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::Window;
use crate::clickhouse::{ClickHouse, QueryError};
use crate::migrations::Target;

/// A run, and how far it is.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) id: String,
    pub(super) window: Window,
    /// The price book, as it was read.
    pub(super) prices: String,
    pub(super) done: Vec<(u32, Step)>,
    pub(super) newest: DateTime<Utc>,
}

/// A step of a run, in the order in which they are done. The first and the last are of no month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Begun,
    Noted,
    RolledUp,
    Set,
    Done,
}

/// The month of steps that have none.
pub(super) const NO_MONTH: u32 = 0;

impl Step {
    const ALL: [Self; 5] = [Self::Begun, Self::Noted, Self::RolledUp, Self::Set, Self::Done];

    const fn name(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Noted => "noted",
            Self::RolledUp => "rolled_up",
            Self::Set => "set",
            Self::Done => "done",
        }
    }
}

#[derive(Row, Serialize, Deserialize)]
struct StepRow {
    run_id: String,
    month: u32,
    step: String,
    #[serde(with = "ts_microseconds")]
    window_from: DateTime<Utc>,
    #[serde(with = "ts_microseconds")]
    window_to: DateTime<Utc>,
    prices: String,
    #[serde(with = "ts_microseconds")]
    done_at: DateTime<Utc>,
}

impl Run {
    pub(super) fn has_done(&self, month: u32, step: Step) -> bool {
        self.done.contains(&(month, step))
    }

    /// The months that it has begun with.
    pub(super) fn months(&self) -> Vec<u32> {
        let mut months: Vec<u32> =
            self.done.iter().map(|(month, _)| *month).filter(|month| *month != NO_MONTH).collect();
        months.sort_unstable();
        months.dedup();
        months
    }

    /// Writes down that a step is done.
    pub(super) async fn note(
        &mut self,
        clickhouse: &ClickHouse,
        target: &Target,
        month: u32,
        step: Step,
    ) -> Result<(), QueryError> {
        let row = StepRow {
            run_id: self.id.clone(),
            month,
            step: step.name().to_owned(),
            window_from: self.window.from,
            window_to: self.window.to,
            prices: if step == Step::Begun { self.prices.clone() } else { String::new() },
            done_at: Utc::now(),
        };
        let place = (&*target.account.analytics_database(), "_price_runs");
        clickhouse.insert_rows(place, &[row], None).await?;
        self.done.push((month, step));
        Ok(())
    }

    /// The runs that were broken off, the oldest first.
    pub(super) async fn broken_off(clickhouse: &ClickHouse, target: &Target) -> Result<Vec<Self>, QueryError> {
        let table = format!("`{}`._price_runs", target.account.analytics_database());
        let sql = format!(
            "SELECT run_id, month, toString(step) AS step, window_from, window_to, prices, done_at FROM {table} \
             WHERE run_id GLOBAL NOT IN (SELECT run_id FROM {table} WHERE step = '{}') ORDER BY done_at",
            Step::Done.name()
        );
        let rows: Vec<StepRow> = clickhouse.fetch(&sql).await?;
        let mut runs: Vec<Self> = Vec::new();
        for row in rows {
            let Some(step) = Step::ALL.into_iter().find(|step| step.name() == row.step) else { continue };
            match runs.iter_mut().find(|run| run.id == row.run_id) {
                Some(run) => {
                    run.done.push((row.month, step));
                    run.newest = row.done_at;
                }
                None => runs.push(Self {
                    id: row.run_id,
                    window: Window { from: row.window_from, to: row.window_to },
                    prices: row.prices,
                    done: vec![(row.month, step)],
                    newest: row.done_at,
                }),
            }
        }
        Ok(runs)
    }
}
