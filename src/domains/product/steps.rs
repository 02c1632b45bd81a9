//! Events as questions name them: one of the catalogue, and filters on what it tells.

use crate::clickhouse::{Sql, Values, all_of, any_of};
use crate::ingest::product_event;
use crate::query::Problem;
use crate::query::filters::{Condition, Grammar};

use super::repository::USES;

/// What every event tells, whichever it is.
const COMMON_FIELDS: [&str; 4] = ["org_id_hash", "source", "schema_version", "route_pattern"];
/// Filters of one event.
const MOST_FILTERS: usize = 8;

/// How an event is written, for the description of parameters.
pub const WRITTEN: &str = "An event is the name of one, and may have filters behind it, each after a `;`: `feature_viewed;feature:eq:export`. All of them must hold; a filter is written as in `filter`, and names `org_id_hash`, `source`, `schema_version`, `route_pattern` or a field of that event's payload.";

/// Events of one name that pass some filters.
#[derive(Debug, Clone, PartialEq)]
pub struct EventOf {
    /// As it was written.
    pub written: String,
    name: &'static str,
    conditions: Vec<Condition>,
}

impl EventOf {
    /// Reads what a parameter says.
    pub fn read(parameter: &'static str, written: &str) -> Result<Self, Problem> {
        let mut parts = written.split(';');
        let given = parts.next().unwrap_or_default();
        let names: Vec<&str> = product_event::names().collect();
        let Some(name) = product_event::names().find(|name| *name == given) else {
            return Err(Problem::not_allowed(parameter, given, &names));
        };
        let fields: Vec<&'static str> = COMMON_FIELDS.into_iter().chain(product_event::payload_fields(name)).collect();
        let grammar = Grammar { parameter, dataset: &USES, only: Some(&fields) };
        let conditions: Vec<Condition> = parts.map(|filter| grammar.read(filter)).collect::<Result<_, _>>()?;
        if conditions.len() > MOST_FILTERS {
            return Err(Problem::parameter(parameter, format!("has more than {MOST_FILTERS} filters for one event")));
        }
        Ok(Self { written: written.to_owned(), name, conditions })
    }

    /// Whether a fact is such an event.
    pub fn condition(&self, values: &mut Values) -> Sql {
        let is_named = Sql::words(&[Sql::constant("name ="), Sql::text(self.name)]);
        let filters = self.conditions.iter().map(|condition| values.condition(condition, None));
        any_of(&[all_of(&std::iter::once(is_named).chain(filters).collect::<Vec<_>>())])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_only_fields_of_its_own() {
        let read = |written: &str| EventOf::read("steps", written);
        let step = read("feature_viewed;feature:in:a,b;source:eq:web|surface:is_null").unwrap();
        assert_eq!((step.name, step.conditions.len()), ("feature_viewed", 2));
        let refused = read("page_view").unwrap_err();
        assert_eq!(refused.detail, "`page_view` is not one of the allowed values; did you mean `page_viewed`?");
        assert_eq!(refused.allowed.len(), 6);
        let refused = read("page_viewed;feature:eq:a").unwrap_err();
        assert_eq!(
            refused.allowed,
            ["org_id_hash", "source", "schema_version", "route_pattern", "previous_route_pattern"]
        );
        assert_eq!(refused.parameter.as_deref(), Some("steps"));
        assert!(read("session_ended;duration_ms:gt:many").is_err());
        assert!(read("session_ended;").is_err());
        assert!(read(&format!("page_viewed{}", ";source:eq:web".repeat(9))).is_err());
    }
}
