//! What an asker may do: account, scopes, grants, limits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::config::Account;
use crate::query::dataset::{Dataset, FieldName};
use crate::query::filters::{Condition, Operand, Operator};

/// What a token may be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    RecommendationsRead,
    AssistantsRead,
    TracesRead,
    ExperimentsRead,
    ProductRead,
    VoiceAgentsRead,
    AlertsRead,
    EventsWrite,
    TracesWrite,
}

impl Scope {
    pub const ALL: [Self; 9] = [
        Self::RecommendationsRead,
        Self::AssistantsRead,
        Self::TracesRead,
        Self::ExperimentsRead,
        Self::ProductRead,
        Self::VoiceAgentsRead,
        Self::AlertsRead,
        Self::EventsWrite,
        Self::TracesWrite,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::RecommendationsRead => "recommendations:read",
            Self::AssistantsRead => "assistants:read",
            Self::TracesRead => "traces:read",
            Self::ExperimentsRead => "experiments:read",
            Self::ProductRead => "product:read",
            Self::VoiceAgentsRead => "voice-agents:read",
            Self::AlertsRead => "alerts:read",
            Self::EventsWrite => "events:write",
            Self::TracesWrite => "traces:write",
        }
    }

    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }

    /// Whether it lets rows in, rather than answers out.
    pub fn is_ingestion(self) -> bool {
        matches!(self, Self::EventsWrite | Self::TracesWrite)
    }
}

/// Someone whose token was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    pub subject: String,
    pub account: Account,
    /// In the order of [`Scope::ALL`], without repetition.
    pub scopes: Vec<Scope>,
    pub grants: Grants,
    /// Lowers the default rate limit.
    pub requests_per_minute: Option<u32>,
}

impl Principal {
    /// Refuses conditions on what people wrote, unless it may be seen: a filter finds it out piece by piece.
    pub fn check_content<'a>(
        &self,
        dataset: &Dataset,
        conditions: impl IntoIterator<Item = &'a Condition>,
    ) -> Result<(), Scope> {
        let mut fields =
            conditions.into_iter().flat_map(|condition| &condition.any_of).map(|predicate| &predicate.field);
        let is_hidden = dataset.json_is_content && !self.scopes.contains(&Scope::TracesRead);
        match is_hidden && fields.any(|field| matches!(field, FieldName::Path(_))) {
            true => Err(Scope::TracesRead),
            false => Ok(()),
        }
    }
}

/// Fields, and the only values of them that may be read. ANDed to every read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants(pub BTreeMap<String, Vec<String>>);

/// A question about something that the token does not grant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutsideGrant {
    #[error("the token grants only some values of `{field}`, and this data has no such field")]
    FieldMissing { field: String },
    #[error("the token grants no value of `{field}`")]
    NothingGranted { field: String },
    #[error("`{value}` is outside the values of `{field}` that the token grants")]
    Value { field: String, value: String },
    #[error("rows without a `{field}` are outside of what the token grants")]
    NoValue { field: String },
}

impl Grants {
    /// Refuses what is about all of an account, where only some of it may be seen.
    pub fn check_all(&self) -> Result<(), OutsideGrant> {
        match self.0.keys().next() {
            Some(field) => Err(OutsideGrant::FieldMissing { field: field.clone() }),
            None => Ok(()),
        }
    }

    /// Refuses a dataset that lacks a granted field, and conditions that ask for anything outside.
    pub fn check<'a>(
        &self,
        dataset: &Dataset,
        conditions: impl IntoIterator<Item = &'a Condition>,
    ) -> Result<(), OutsideGrant> {
        for (field, values) in &self.0 {
            if dataset.fields.iter().all(|known| known.name != field) {
                return Err(OutsideGrant::FieldMissing { field: field.clone() });
            }
            if values.is_empty() {
                return Err(OutsideGrant::NothingGranted { field: field.clone() });
            }
        }
        for predicate in conditions.into_iter().flat_map(|condition| &condition.any_of) {
            let FieldName::Column(field) = &predicate.field else { continue };
            let Some(granted) = self.0.get(*field) else { continue };
            match (predicate.operator, &predicate.operand) {
                (Operator::Eq | Operator::In, Operand::Texts(asked)) => {
                    if let Some(value) = asked.iter().find(|value| !granted.contains(value)) {
                        let value = crate::query::shown(value).into_owned();
                        return Err(OutsideGrant::Value { field: (*field).to_owned(), value });
                    }
                }
                (Operator::IsNull, _) => return Err(OutsideGrant::NoValue { field: (*field).to_owned() }),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Someone who asks, within one request. Whatever is read, is read for a reader.
#[derive(Debug, Clone)]
pub struct Reader {
    pub principal: Arc<Principal>,
    pub request_id: Arc<str>,
    queries: Arc<AtomicUsize>,
}

impl Reader {
    pub fn new(principal: Arc<Principal>, request_id: Arc<str>) -> Self {
        Self { principal, request_id, queries: Arc::default() }
    }

    /// An id for the next query of the request: that of the request, with a number from the second one on.
    pub fn query_id(&self) -> String {
        match self.queries.fetch_add(1, Ordering::Relaxed) {
            0 => self.request_id.to_string(),
            before => format!("{}-{}", self.request_id, before + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::dataset::{Field, Kind};
    use crate::query::filters::Predicate;

    static EVENTS: Dataset = Dataset {
        facts: "events.sql",
        fields: &[Field::text("profile_code"), Field::text("platform")],
        json: None,
        json_is_content: false,
        tables: &["events"],
        kept_days: None,
        whole_by: None,
        rollups: &[],
    };

    fn grants(field: &str, values: &[&str]) -> Grants {
        Grants([(field.to_owned(), values.iter().map(|value| (*value).to_owned()).collect())].into())
    }

    fn asks(field: &'static str, operator: Operator, values: &[&str]) -> Condition {
        let operand = Operand::Texts(values.iter().map(|value| (*value).to_owned()).collect());
        Condition {
            parameter: "filter",
            any_of: vec![Predicate { field: FieldName::Column(field), kind: Kind::Text, operator, operand }],
        }
    }

    #[test]
    fn a_grant_cannot_be_widened() {
        let grants = grants("profile_code", &["a", "b"]);
        let check = |condition| grants.check(&EVENTS, [&condition]);
        assert!(check(asks("profile_code", Operator::In, &["a", "b"])).is_ok());
        assert!(check(asks("platform", Operator::Eq, &["c"])).is_ok());
        assert!(check(asks("profile_code", Operator::Ne, &["c"])).is_ok());
        assert!(check(asks("profile_code", Operator::In, &["a", "c"])).is_err());
        assert!(check(asks("profile_code", Operator::Eq, &["c"])).is_err());
        assert!(check(asks("profile_code", Operator::IsNull, &[])).is_err());
    }

    #[test]
    fn what_is_about_all_of_an_account_is_for_whoever_may_see_all_of_it() {
        assert!(grants("profile_code", &["a"]).check_all().is_err());
        assert!(Grants::default().check_all().is_ok());
    }

    #[test]
    fn data_without_the_granted_field_is_refused() {
        assert!(matches!(grants("team", &["a"]).check(&EVENTS, []), Err(OutsideGrant::FieldMissing { .. })));
        assert!(matches!(grants("platform", &[]).check(&EVENTS, []), Err(OutsideGrant::NothingGranted { .. })));
    }
}
