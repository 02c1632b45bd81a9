//! The statement of a question.
//!
//! This is a security boundary. Every read gets its base condition here: the reader's account names
//! the database, and the reader's grants, the half-open window and the question's filters are
//! conditions on the rows. A template gets a table only through `table` and `rollup`, and it must
//! print a base condition for each; one that does not is refused before it is sent.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use chrono::{DateTime, Utc};
use minijinja::value::Value as Variable;

use super::{Ask, AskError, Facts};
use crate::auth::Reader;
use crate::clickhouse::{Sql, Value, Values, all_of, any_of, template};
use crate::query::dataset::{Dataset, FieldName, Grain};
use crate::query::filters::Condition;
use crate::query::{ALL_TIME, Range, Source, Sources};

/// From so many buckets on, searching one of them for each row takes longer than planning a division.
const MANY_BUCKETS: usize = 24;

/// A statement, its values, and what it reads.
pub struct Rendered {
    pub sql: Sql,
    pub values: Values,
    pub source: Source,
    pub joined: Vec<Source>,
}

type Context = BTreeMap<&'static str, Variable>;

/// Renders the statement of a question.
pub fn render(reader: &Reader, ask: &Ask<'_>) -> Result<Rendered, AskError> {
    let edges = ask.buckets.edges();
    let mut values = ask.values.clone();
    values.set("edges", Value::Wholes(edges.clone()));
    let step = ask.buckets.step().filter(|_| edges.len() >= MANY_BUCKETS);
    if let Some(step) = step {
        values.set("first_edge", Value::Whole(edges[0].into()));
        values.set("last_edge", Value::Whole(edges[edges.len() - 1].into()));
        values.set("bucket_seconds", Value::Whole(step.into()));
    }
    let granted = grants_of(reader, &mut values);
    // Where many begin equally far apart, a division finds one in a fraction of the time of a search. The last may be
    // longer, as a day of 25 hours is.
    let bucket = Sql::constant(if step.is_some() {
        "least(toUInt32({first_edge:UInt32} + intDiv(greatest(toUnixTimestamp(time), {first_edge:UInt32}) - {first_edge:UInt32}, {bucket_seconds:UInt32}) * {bucket_seconds:UInt32}), {last_edge:UInt32})"
    } else {
        "roundDown(toUnixTimestamp(time), {edges:Array(UInt32)})"
    });
    let mut statement = Statement { reader, ask, edges, bucket, granted, values, counts: Arc::default() };

    let (mut context, source) = statement.context(&ask.facts)?;
    let mut joined = Vec::new();
    for (name, facts) in &ask.joined {
        let (context_of_facts, source) = statement.context(facts)?;
        context.insert(name, statement.render(facts_template(&source), context_of_facts)?.into());
        joined.push(source);
    }
    let unfiltered = [Unfiltered::beside(ask.facts.range), Unfiltered::around(ask.facts.range)].map(Arc::new);
    for window in &unfiltered {
        context.insert(window.name, window.condition(&statement.granted, &statement.counts));
    }
    let sql = statement.render(ask.template, context)?;
    let Statement { mut values, counts, .. } = statement;
    unfiltered.iter().for_each(|window| window.bind(&mut values));
    let (tables, conditions) = (counts.tables.load(Ordering::Relaxed), counts.conditions.load(Ordering::Relaxed));
    if tables == 0 || tables != conditions {
        return Err(AskError::WithoutBaseCondition { template: ask.template, tables, conditions });
    }
    Ok(Rendered { sql, values, source, joined })
}

/// How often a template printed a table, and how often a base condition.
#[derive(Default)]
struct Counts {
    tables: AtomicUsize,
    conditions: AtomicUsize,
}

/// What the reader may see, as conditions.
fn grants_of(reader: &Reader, values: &mut Values) -> Vec<Sql> {
    let grants = reader.principal.grants.0.iter().map(|(field, granted)| (Sql::identifier(field), granted.clone()));
    grants.map(|(field, granted)| values.one_of(&field, granted)).collect()
}

/// Whether a condition leaves facts out, and does not only mark those that fulfil it.
fn is_of_the_whole(dataset: &Dataset, condition: &Condition) -> bool {
    let is_by = |fields: &[&str], field: &FieldName| matches!(field, FieldName::Column(name) if fields.contains(name));
    dataset.whole_by.is_none_or(|fields| condition.any_of.iter().all(|predicate| is_by(fields, &predicate.field)))
}

/// The base condition of rows that only stand beside those that the filters are about: the grants and a window, but no
/// filters. A template prints it in the base condition's place, by its name.
struct Unfiltered {
    name: &'static str,
    /// The names of its bounds, and how a statement writes them.
    bounds: [(&'static str, &'static str); 2],
    window: (DateTime<Utc>, DateTime<Utc>),
    is_used: AtomicBool,
}

impl Unfiltered {
    /// In the very window of the question.
    fn beside(range: &Range) -> Self {
        let window = (range.from, range.to);
        let bounds =
            [("from_beside", "{from_beside:DateTime64(6, 'UTC')}"), ("to_beside", "{to_beside:DateTime64(6, 'UTC')}")];
        Self { name: "beside", bounds, window, is_used: AtomicBool::new(false) }
    }

    /// With a day before and after it.
    fn around(range: &Range) -> Self {
        let day = chrono::Duration::days(1);
        let window = (range.from - day, range.to + day);
        let bounds =
            [("from_around", "{from_around:DateTime64(6, 'UTC')}"), ("to_around", "{to_around:DateTime64(6, 'UTC')}")];
        Self { name: "around", bounds, window, is_used: AtomicBool::new(false) }
    }

    fn condition(self: &Arc<Self>, granted: &[Sql], counts: &Arc<Counts>) -> Variable {
        let (window, granted, counts) = (Arc::clone(self), granted.to_vec(), Arc::clone(counts));
        Variable::from_function(move |column: String| {
            counts.conditions.fetch_add(1, Ordering::Relaxed);
            window.is_used.store(true, Ordering::Relaxed);
            let [from, to] = window.bounds.map(|(_, written)| Sql::constant(written));
            let within = Sql::within(&Sql::identifier(&column), &from, &to);
            Variable::from(all_of(&[vec![within], granted.clone()].concat()))
        })
    }

    /// Binds its bounds, when the template has printed it.
    fn bind(&self, values: &mut Values) {
        if self.is_used.load(Ordering::Relaxed) {
            let [(from, _), (to, _)] = self.bounds;
            values.set(from, Value::Time(self.window.0));
            values.set(to, Value::Time(self.window.1));
        }
    }
}

/// A statement that is being rendered.
struct Statement<'a> {
    reader: &'a Reader,
    ask: &'a Ask<'a>,
    /// Starts of the buckets.
    edges: Vec<u32>,
    /// The start of the bucket that a fact lies in; what lies before the first belongs to it.
    bucket: Sql,
    granted: Vec<Sql>,
    values: Values,
    counts: Arc<Counts>,
}

impl Statement<'_> {
    fn render(&self, template: &'static str, context: Context) -> Result<Sql, AskError> {
        template::render(template, Variable::from(context))
            .map_err(|error| AskError::Template { template: self.ask.template, error })
    }

    /// What the templates of facts need to know, and where they are read from.
    fn context(&mut self, facts: &Facts<'_>) -> Result<(Context, Source), AskError> {
        let principal = &self.reader.principal;
        principal.grants.check(facts.dataset, facts.conditions)?;
        principal.check_content(facts.dataset, facts.conditions).map_err(AskError::InsufficientScope)?;
        let source = self.source(facts);

        let database = principal.account.analytics_database();
        let (from, to) = (facts.range.from, facts.range.to);
        let (choosing, marking): (Vec<&Condition>, Vec<&Condition>) =
            facts.conditions.iter().partition(|condition| is_of_the_whole(facts.dataset, condition));
        let mut rendered = |conditions: &[&Condition]| -> Vec<Sql> {
            conditions.iter().map(|condition| self.values.condition(condition, facts.dataset.json)).collect()
        };
        let (filters, marks) = (rendered(&choosing), rendered(&marking));
        let conditions = [self.granted.clone(), filters].concat();
        let mut variables: Vec<(&'static str, Variable)> = Vec::new();
        variables.push(("has_marks", Variable::from(!marks.is_empty())));
        variables.push(("marks", all_of(&marks).into()));
        match &source {
            Source::Raw => {
                let base = self.base(&conditions, &[(from, to)], Grain::Row);
                variables.push(("base", Variable::from_function(move |column: String| base(&column))));
            }
            // The whole window, or what a rollup leaves at its ends.
            Source::Rollup { rollup, from: first, to: last } => {
                let ends: Vec<_> = [(from, *first), (*last, to)].into_iter().filter(|(from, to)| from < to).collect();
                variables.push(("has_ends", Variable::from(!source.is_all_rollup(facts.range))));
                let base = self.base(&conditions, &ends, Grain::Row);
                variables.push(("base", Variable::from_function(move |column: String| base(&column))));
                let (base, time) = (self.base(&conditions, &[(*first, *last)], rollup.grain), rollup.time());
                variables.push(("base_of_rollup", Variable::from_function(move || base(time))));
                variables.push(("rollup_time", Sql::identifier(time).into()));
                variables.push(("columns", Sql::list(&[rollup.fields, rollup.measures].concat()).into()));
                let (counts, name) = (Arc::clone(&self.counts), Sql::dotted(&[&database, rollup.table]));
                variables.push((
                    "rollup",
                    Variable::from_function(move || {
                        counts.tables.fetch_add(1, Ordering::Relaxed);
                        Variable::from(name.clone())
                    }),
                ));
            }
        }
        variables.push(("facts", Variable::from(facts_template(&source))));
        variables.push(("raw_facts", Variable::from(facts.dataset.facts)));
        variables.push(("bucket", self.bucket.clone().into()));
        let counts = Arc::clone(&self.counts);
        variables.push((
            "table",
            Variable::from_function(move |name: String| {
                counts.tables.fetch_add(1, Ordering::Relaxed);
                Variable::from(Sql::dotted(&[&database, &name]))
            }),
        ));
        variables.extend(self.ask.variables.iter().cloned());
        Ok((variables.into_iter().collect(), source))
    }

    fn source(&self, facts: &Facts<'_>) -> Source {
        let grants = &self.reader.principal.grants;
        let granted = facts.dataset.fields.iter().filter(|field| grants.0.contains_key(field.name));
        let granted: Vec<FieldName> = granted.map(|field| FieldName::Column(field.name)).collect();
        let asked = facts.conditions.iter().flat_map(|condition| &condition.any_of).map(|predicate| &predicate.field);
        let fields = facts.fields.iter().chain(&granted).chain(asked);
        match facts.sources {
            Sources::Any => Source::choose(facts.dataset, fields, (facts.range.from, facts.range.to), &self.edges),
            Sources::Raw => Source::Raw,
        }
    }

    /// The base condition of rows in one of the windows, for a column that says when, as exactly as the grain.
    fn base(
        &mut self,
        conditions: &[Sql],
        windows: &[(DateTime<Utc>, DateTime<Utc>)],
        grain: Grain,
    ) -> impl Fn(&str) -> Variable + Send + Sync + 'static {
        let (conditions, counts) = (conditions.to_vec(), Arc::clone(&self.counts));
        // What every row fulfils is only work for the engine.
        let is_all_time = windows == [ALL_TIME];
        let windows = if is_all_time { &[] } else { windows };
        let mut bound = |instant| match grain {
            Grain::Row => self.values.time(instant),
            Grain::Seconds(_) => self.values.second(instant),
        };
        let windows: Vec<_> = windows.iter().map(|(from, to)| (bound(*from), bound(*to))).collect();
        move |column: &str| {
            counts.conditions.fetch_add(1, Ordering::Relaxed);
            let column = Sql::identifier(column);
            let windows: Vec<Sql> = windows.iter().map(|(from, to)| Sql::within(&column, from, to)).collect();
            let window = match windows.as_slice() {
                [] if is_all_time => vec![],
                [only] => vec![only.clone()],
                several => vec![any_of(several)],
            };
            Variable::from(all_of(&[window, conditions.clone()].concat()))
        }
    }
}

fn facts_template(source: &Source) -> &'static str {
    match source {
        Source::Raw => "shared/facts_of_raw_rows.sql",
        Source::Rollup { .. } => "shared/facts_of_rollup.sql",
    }
}
