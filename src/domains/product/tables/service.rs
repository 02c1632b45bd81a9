//! What the tables of the product count.

use chrono::{DateTime, Duration, Utc};

use super::super::ProductService;
use super::super::notes::{ACTIVE, ADOPTION, NEW_USERS, PATHS, SHARE_OF_VIEWS, USERS, VALUE_COUNT};
use super::super::repository::{KEPT_DAYS, NextRow, PEOPLE, USES, UsersRow};
use super::schemas::{
    Adoption, AdoptionQuestion, ChartInteraction, ClientError, Feature, Filter, Next, NextKind, Paths, PathsQuestion,
    Route, TableQuestion,
};
use crate::answer::{Table, TableRow};
use crate::auth::Reader;
use crate::clickhouse::{Value, Values};
use crate::query::{Range, Sources};
use crate::service::{AnswerError, Common, TableOf, add_cost, verified};

const DAY_SECONDS: i64 = 86_400;

impl ProductService {
    pub async fn routes(&self, reader: &Reader, question: &TableQuestion<Route>) -> Result<Table<Route>, AnswerError> {
        self.table(reader, question, "product/routes.sql", &["route_pattern"], &[USERS]).await
    }

    pub async fn features(
        &self,
        reader: &Reader,
        question: &TableQuestion<Feature>,
    ) -> Result<Table<Feature>, AnswerError> {
        self.table(reader, question, "product/features.sql", &["feature"], &[USERS]).await
    }

    pub async fn filters(
        &self,
        reader: &Reader,
        question: &TableQuestion<Filter>,
    ) -> Result<Table<Filter>, AnswerError> {
        self.table(reader, question, "product/filters.sql", &["view", "filter_key"], &[USERS, VALUE_COUNT]).await
    }

    pub async fn chart_interactions(
        &self,
        reader: &Reader,
        question: &TableQuestion<ChartInteraction>,
    ) -> Result<Table<ChartInteraction>, AnswerError> {
        let fields = &["chart", "action", "surface"];
        self.table(reader, question, "product/chart_interactions.sql", fields, &[USERS]).await
    }

    pub async fn client_errors(
        &self,
        reader: &Reader,
        question: &TableQuestion<ClientError>,
    ) -> Result<Table<ClientError>, AnswerError> {
        let fields = &["route_pattern", "boundary", "error_class"];
        self.table(reader, question, "product/client_errors.sql", fields, &[USERS]).await
    }

    pub async fn adoption(&self, reader: &Reader, question: &AdoptionQuestion) -> Result<Table<Adoption>, AnswerError> {
        verified(question.verify, |sources| self.adoption_from(sources, reader, question)).await
    }

    async fn adoption_from(
        &self,
        sources: Sources,
        reader: &Reader,
        question: &AdoptionQuestion,
    ) -> Result<Table<Adoption>, AnswerError> {
        let range = question.date_range.resolve(Utc::now())?;
        let active = Common {
            template: "product/users.sql",
            dataset: &PEOPLE,
            date_range: &question.date_range,
            comparison: None,
            conditions: &question.filters.conditions,
            fields: &["user"],
            sources,
            notes: &[USERS, ACTIVE, ADOPTION, NEW_USERS],
        };
        let active_of = self.service.within::<UsersRow>(reader, active, &range, Values::default(), Vec::new()).await?;
        let mut values = Values::default();
        values.set("since", Value::Time(range.from));
        values.set("active_users", Value::Whole(active_of.rows.rows.first().map_or(0, |row| row.users)));
        // Days tell what was before the range only when it begins with one of them.
        let fields: &[&str] =
            if begins_with_a_day(range.from) { &["name", "feature", "user"] } else { &["name", "feature", "session"] };
        let adoption = Common { template: "product/adoption.sql", dataset: &USES, fields, ..active };
        let history = Range { from: history_of(range.from), ..range };
        let of = TableOf { about: &range, read: &history, joined: &[] };
        let mut table = self.service.table_of(reader, adoption, of, &question.paging, values, Vec::new()).await?;
        add_cost(&active_of, &mut table.meta);
        Ok(table)
    }

    pub async fn paths(&self, reader: &Reader, question: &PathsQuestion) -> Result<Paths, AnswerError> {
        verified(question.verify, |sources| self.paths_from(sources, reader, question)).await
    }

    async fn paths_from(
        &self,
        sources: Sources,
        reader: &Reader,
        question: &PathsQuestion,
    ) -> Result<Paths, AnswerError> {
        let common = Common {
            template: "product/paths.sql",
            dataset: &USES,
            date_range: &question.date_range,
            comparison: None,
            conditions: &question.filters.conditions,
            fields: &["name", "route_pattern", "session"],
            sources,
            notes: &[PATHS, SHARE_OF_VIEWS],
        };
        let from = &question.from_route;
        let mut values = Values::default();
        values.set("route", Value::Text(from.route.clone()));
        values.set("top", Value::Whole(from.top));
        let compared = self.service.compared::<NextRow>(reader, common, values, Vec::new()).await?;
        let meta = self.service.meta_of(reader, common, &compared).await?;
        let rows = compared.rows();
        let views = rows.first().map_or(0, |row| row.all_views);
        Ok(Paths { route: from.route.clone(), views, next: next_of(rows), meta })
    }

    async fn table<R: TableRow>(
        &self,
        reader: &Reader,
        question: &TableQuestion<R>,
        template: &'static str,
        fields: &[&'static str],
        notes: &[&'static str],
    ) -> Result<Table<R>, AnswerError> {
        let fields = [&["name", "user"], fields].concat();
        verified(question.verify, |sources| {
            let common = Common {
                template,
                dataset: &USES,
                date_range: &question.date_range,
                comparison: None,
                conditions: &question.filters.conditions,
                fields: &fields,
                sources,
                notes,
            };
            self.service.table(reader, common, &question.paging, Values::default(), Vec::new())
        })
        .await
    }
}

fn begins_with_a_day(instant: DateTime<Utc>) -> bool {
    instant.timestamp() % DAY_SECONDS == 0 && instant.timestamp_subsec_nanos() == 0
}

/// Where what was before a range begins: with the first day that may still be kept.
pub(in super::super) fn history_of(from: DateTime<Utc>) -> DateTime<Utc> {
    let kept = from - Duration::days(i64::from(KEPT_DAYS) + 1);
    kept - Duration::seconds(kept.timestamp().rem_euclid(DAY_SECONDS))
        - Duration::nanoseconds(kept.timestamp_subsec_nanos().into())
}

/// The routes that are told apart, then the others, then ends of sessions.
fn next_of(rows: &[NextRow]) -> Vec<Next> {
    let Some(NextRow { all_views, exits, .. }) = rows.first().cloned() else { return Vec::new() };
    let next = |kind, route_pattern: Option<&String>, views: u64| Next {
        kind,
        route_pattern: route_pattern.cloned(),
        views,
        share: views as f64 / all_views as f64,
        share_numerator: views,
        share_denominator: all_views,
    };
    let routes: Vec<Next> = rows
        .iter()
        .filter(|row| !row.route.is_empty())
        .map(|row| next(NextKind::Route, Some(&row.route), row.views))
        .collect();
    let told: u64 = routes.iter().map(|route| route.views).sum();
    let rest = [(NextKind::Other, all_views - exits - told), (NextKind::Exit, exits)];
    let rest = rest.into_iter().filter(|(_, views)| *views > 0).map(|(kind, views)| next(kind, None, views));
    routes.into_iter().chain(rest).collect()
}
