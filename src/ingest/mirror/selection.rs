//! What may be told of which events: the allow-list of the settings.

use std::collections::BTreeSet;

use super::{Mirrored, Told};
use crate::config::ProductConfig;
use crate::ingest::product_event::{names, payload_fields};
use crate::json::Json;
use crate::rows::ProductEvent;

/// What every event has that may be told. Who it was and whose may not.
const COMMON_FIELDS: [&str; 3] = ["route_pattern", "schema_version", "source"];

/// Events and fields that may be told.
#[derive(Debug, Clone)]
pub struct Selection {
    events: BTreeSet<&'static str>,
    fields: BTreeSet<&'static str>,
}

/// A setting that selects what cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum SelectionError {
    #[error("CHARTWELL_{setting} names `{given}`, which is not one of {allowed}")]
    Unknown { setting: &'static str, given: String, allowed: String },
    #[error("CHARTWELL_PRODUCT_MIRROR_URL is set, but CHARTWELL_PRODUCT_MIRROR_EVENTS names no event to tell there")]
    Nothing,
}

impl Selection {
    /// The selection of the settings, which are checked also when nothing is told.
    pub fn new(config: &ProductConfig) -> Result<Self, SelectionError> {
        let events: Vec<&'static str> = names().collect();
        let mut fields: Vec<&'static str> =
            COMMON_FIELDS.into_iter().chain(events.iter().flat_map(|name| payload_fields(name))).collect();
        fields.sort_unstable();
        fields.dedup();
        let selection = Self {
            events: known("PRODUCT_MIRROR_EVENTS", &config.product_mirror_events, &events)?,
            fields: known("PRODUCT_MIRROR_FIELDS", &config.product_mirror_fields, &fields)?,
        };
        if config.product_mirror_url.is_some() && selection.events.is_empty() {
            return Err(SelectionError::Nothing);
        }
        Ok(selection)
    }

    /// What may be told of an event.
    pub fn of(&self, event: &ProductEvent<'_>) -> Option<Mirrored> {
        if !self.events.contains(&*event.name) {
            return None;
        }
        let common = [
            ("route_pattern", &event.route_pattern),
            ("schema_version", &event.schema_version),
            ("source", &event.source),
        ];
        let common = common.into_iter().map(|(field, word)| (field, Told::Word(word.to_string())));
        let payload = self.fields.iter().filter_map(|field| {
            let told = match event.payload.get(field)? {
                Json::Text(word) => Told::Word(word.to_string()),
                Json::Int(count) => Told::Count(*count),
                _ => return None,
            };
            Some((*field, told))
        });
        let fields = common.filter(|(field, _)| self.fields.contains(field)).chain(payload).collect();
        Some(Mirrored { name: event.name.to_string(), occurred_at: event.occurred_at, fields })
    }
}

fn known(
    setting: &'static str,
    given: &[String],
    allowed: &[&'static str],
) -> Result<BTreeSet<&'static str>, SelectionError> {
    let known = |given: &String| {
        let found = allowed.iter().find(|allowed| *allowed == given).copied();
        found.ok_or_else(|| SelectionError::Unknown { setting, given: given.clone(), allowed: allowed.join(", ") })
    };
    given.iter().map(known).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::product_event;
    use crate::json;

    fn config(events: &[&str], fields: &[&str]) -> ProductConfig {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        ProductConfig {
            product_mirror_events: owned(events),
            product_mirror_fields: owned(fields),
            ..ProductConfig::default()
        }
    }

    const ERROR: &str = r#"{"name":"client_error","org_id_hash":"0123456789abcdef0123456789abcdef","schema_version":"v1",
        "session_id":"s-0123456789abcdef","anonymous_user_id":"a-0123456789abcdef","route_pattern":"/reports/:id",
        "payload":{"boundary":"chart","error_class":"TypeError"}}"#;

    fn told(events: &[&str], fields: &[&str]) -> Option<Vec<(&'static str, Told)>> {
        let now = "2026-02-01T00:00:00Z".parse().unwrap();
        let event = product_event::read(json::read(ERROR).unwrap(), now, crate::config::UnknownEvents::Refuse).unwrap();
        Selection::new(&config(events, fields)).unwrap().of(&event).map(|told| told.fields)
    }

    #[test]
    fn only_what_is_named_is_told() {
        assert_eq!(told(&[], &["error_class"]), None);
        assert_eq!(told(&["page_viewed"], &["error_class"]), None);
        assert_eq!(told(&["client_error"], &[]), Some(Vec::new()));
        let word = |word: &str| Told::Word(word.to_owned());
        assert_eq!(
            told(&["client_error"], &["error_class", "route_pattern", "feature"]),
            Some(vec![("route_pattern", word("/reports/:id")), ("error_class", word("TypeError"))])
        );
    }

    #[test]
    fn who_it_was_cannot_be_named() {
        for field in ["session_id", "anonymous_user_id", "org_id_hash", "event_id", "colour"] {
            let refused = Selection::new(&config(&["client_error"], &[field])).unwrap_err().to_string();
            assert!(
                refused.starts_with(&format!(
                    "CHARTWELL_PRODUCT_MIRROR_FIELDS names `{field}`, which is not one of action, "
                )),
                "{refused}"
            );
        }
        assert!(Selection::new(&config(&["mouse_moved"], &[])).is_err());
        let nowhere =
            ProductConfig { product_mirror_url: Some("http://collector:4318/v1/logs".to_owned()), ..config(&[], &[]) };
        assert!(matches!(Selection::new(&nowhere), Err(SelectionError::Nothing)));
    }
}
