//! The texts of rows: which of them are looked at, and what becomes of ids.

use super::detect::is_card;
use super::{Anonymiser, mark};
use crate::config::Kind;
use crate::ingest::catalogue;
use crate::ingest::person::hashed;
use crate::json::{Json, Object, Text};
use crate::rows::{Event, ProductEvent, Span};

/// Names of fields whose texts are secrets, whatever they look like; without signs and in small letters.
const SECRET_FIELDS: [&str; 17] = [
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "clientsecret",
    "apikey",
    "xapikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "authtoken",
    "bearertoken",
    "authorization",
];

/// A row that may have personal data.
pub trait Personal {
    /// Shows every text that somebody has chosen.
    fn show(&mut self, visitor: &mut impl Visitor);
}

/// Looks at the texts of rows, and changes them.
pub trait Visitor {
    fn text(&mut self, text: &mut Text<'_>);
    fn id(&mut self, id: &mut Text<'_>);
    fn object(&mut self, object: &mut Object<'_>);
}

impl Personal for Event<'_> {
    /// The columns of the agent, who works there, are not shown.
    fn show(&mut self, visitor: &mut impl Visitor) {
        visitor.text(&mut self.event);
        for id in [&mut self.visitor_id, &mut self.conversation_id, &mut self.platform_session_id] {
            id.iter_mut().for_each(|id| visitor.id(id));
        }
        for text in [&mut self.profile_code, &mut self.platform] {
            text.iter_mut().for_each(|text| visitor.text(text));
        }
        visitor.object(&mut self.data);
        // A mark has no place in a typed path of numbers: the check leaves null there.
        while catalogue::check(&mut self.data).is_err() {}
        for suggestion in &mut self.suggestions {
            visitor.id(&mut suggestion.id);
            visitor.text(&mut suggestion.source);
            visitor.object(&mut suggestion.rest);
        }
    }
}

impl Personal for Span<'_> {
    fn show(&mut self, visitor: &mut impl Visitor) {
        for text in [&mut self.name, &mut self.status_description] {
            visitor.text(text);
        }
        let columns = &mut self.columns;
        for id in [&mut columns.conversation_id, &mut columns.agent_id, &mut columns.evaluation_id] {
            visitor.id(id);
        }
        for text in [
            &mut columns.assistant_code,
            &mut columns.assistant_version,
            &mut columns.event_type,
            &mut columns.operation,
            &mut columns.provider,
            &mut columns.model,
            &mut columns.input,
            &mut columns.output,
            &mut columns.tool_name,
            &mut columns.error_type,
            &mut columns.environment,
        ] {
            visitor.text(text);
        }
        columns.profile_code.iter_mut().for_each(|text| visitor.text(text));
        for object in [&mut self.attributes, &mut self.context, &mut self.resource] {
            visitor.object(object);
        }
        for object in self.events.iter_mut().chain(&mut self.links) {
            visitor.object(object);
        }
    }
}

/// Its contract has no place for personal data.
impl Personal for ProductEvent<'_> {
    fn show(&mut self, _: &mut impl Visitor) {}
}

impl Anonymiser {
    /// Replaces the personal data of a row.
    pub fn clean(&self, row: &mut impl Personal) {
        row.show(&mut Cleaner { anonymiser: self });
    }
}

struct Cleaner<'a> {
    anonymiser: &'a Anonymiser,
}

impl Visitor for Cleaner<'_> {
    fn text(&mut self, text: &mut Text<'_>) {
        if let Some(replaced) = self.anonymiser.replaced(text) {
            *text = replaced.into();
        }
    }

    /// An id that says who somebody is becomes a hash: the same one each time.
    fn id(&mut self, id: &mut Text<'_>) {
        if self.anonymiser.replaced(id).is_some() {
            *id = hashed(id, &self.anonymiser.salt).into();
        }
    }

    fn object(&mut self, object: &mut Object<'_>) {
        // Names of fields are chosen by programs, and sometimes from data.
        let renamed: Vec<(String, String)> =
            object.iter().filter_map(|(name, _)| Some((name.to_owned(), self.anonymiser.replaced(name)?))).collect();
        for (name, replaced) in renamed {
            if let Some(value) = object.remove(&name) {
                object.insert(replaced, value);
            }
        }
        let hides_secrets = self.anonymiser.detector.kinds.has(Kind::Secret);
        for (name, value) in object.iter_mut() {
            if hides_secrets && matches!(value, Json::Text(text) if !text.is_empty()) && is_secret_field(name) {
                *value = mark(Kind::Secret).into();
                self.anonymiser.count(Kind::Secret);
            } else {
                self.value(value);
            }
        }
    }
}

impl Cleaner<'_> {
    fn value(&mut self, value: &mut Json<'_>) {
        match value {
            Json::Text(text) => self.text(text),
            Json::List(list) => list.iter_mut().for_each(|item| self.value(item)),
            Json::Object(object) => self.object(object),
            Json::Int(number)
                if *number > 1_000_000_000_000
                    && self.anonymiser.detector.kinds.has(Kind::Card)
                    && is_card(&number.to_string()) =>
            {
                *value = mark(Kind::Card).into();
                self.anonymiser.count(Kind::Card);
            }
            _ => {}
        }
    }
}

fn is_secret_field(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    let bare = || last.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase());
    last.len() <= 32 && SECRET_FIELDS.iter().any(|field| bare().eq(field.bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Kinds;
    use crate::ingest::event::{Reading, read};
    use crate::json;

    #[test]
    fn a_number_that_is_a_card_leaves_a_mark_or_null_where_only_numbers_are_stored() {
        let text = r#"{"event":"e","data":{"duration_ms":4111111111111111,"paid_with":4111111111111111}}"#;
        let reading = Reading { now: chrono::Utc::now(), retention_days: 0, salt: "" };
        let mut event = read(json::read(text).unwrap(), reading).unwrap();
        Anonymiser::new(Kinds::ALL, Vec::new(), "salt").clean(&mut event);
        assert_eq!(event.data.to_string(), r#"{"duration_ms":null,"paid_with":"<card>"}"#);
    }
}
