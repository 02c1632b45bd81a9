//! Values of attributes as columns have them. Emitters are not strict about types, so texts that are
//! numbers are read as numbers; what cannot be read is as if it were not there.

use rust_decimal::Decimal;

use super::prices::billionths;
use crate::json::{self, Json, Text};

/// Bytes of a text column besides input and output.
const LONGEST_TEXT: usize = 1_024;

pub fn text(value: &Json<'_>) -> Option<Text<'static>> {
    let text = match value {
        Json::Text(text) => text.trim().to_owned(),
        Json::Null => return None,
        other => other.to_string(),
    };
    if text.is_empty() { None } else { Some(shortened(text, LONGEST_TEXT).into()) }
}

/// A text of any length, or a structure as JSON.
pub fn content(value: &Json<'_>) -> Option<String> {
    match value {
        Json::Text(text) if !text.is_empty() => Some(text.to_string()),
        Json::List(_) | Json::Object(_) => Some(value.to_string()),
        _ => None,
    }
}

pub fn count(value: &Json<'_>) -> Option<u32> {
    let number = number(value)?;
    (number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number)).then_some(number as u32)
}

pub fn number(value: &Json<'_>) -> Option<f64> {
    match value {
        Json::Int(number) => Some(*number as f64),
        Json::UInt(number) => Some(*number as f64),
        Json::Float(number) => Some(*number),
        Json::Text(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}

/// US dollars, in billionths: exactly what the emitter wrote.
pub fn money(value: &Json<'_>) -> Option<i64> {
    let written = match value {
        Json::Text(text) => text.trim().to_owned(),
        Json::Int(_) | Json::UInt(_) | Json::Float(_) => value.to_string(),
        _ => return None,
    };
    let amount = Decimal::from_str_exact(&written).or_else(|_| Decimal::from_scientific(&written)).ok()?;
    // What the column holds.
    let fits = !amount.is_sign_negative() && amount < Decimal::from(1_000_000_000);
    fits.then(|| billionths(amount))
}

/// A field of a JSON object that is given as text.
pub fn within(value: &Json<'_>, field: &str) -> Option<Json<'static>> {
    let read = match value {
        Json::Text(text) => json::read(text).ok()?.into_owned(),
        other => other.clone().into_owned(),
    };
    if let Json::Object(mut object) = read { object.remove(field).filter(|value| !value.is_null()) } else { None }
}

/// The first bytes of a text, cut between two characters.
pub fn shortened(mut text: String, most: usize) -> String {
    if text.len() > most {
        let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_from_texts_and_nothing_else_is_guessed() {
        assert_eq!(count(&Json::Int(512)), Some(512));
        assert_eq!(count(&"512".into()), Some(512));
        assert_eq!(count(&Json::Float(512.0)), Some(512));
        for bad in [Json::Int(-1), Json::Float(1.5), "many".into(), Json::Int(5_000_000_000), Json::Bool(true)] {
            assert_eq!(count(&bad), None, "{bad}");
        }
    }

    #[test]
    fn money_is_what_was_written() {
        assert_eq!(money(&Json::Float(0.0032)), Some(3_200_000));
        assert_eq!(money(&Json::Float(0.1)), Some(100_000_000));
        assert_eq!(money(&"0.004920000".into()), Some(4_920_000));
        assert_eq!(money(&Json::Float(1e-7)), Some(100));
        assert_eq!(money(&Json::Int(2)), Some(2_000_000_000));
        for bad in [Json::Float(-0.1), "free".into(), Json::Float(1e12)] {
            assert_eq!(money(&bad), None, "{bad}");
        }
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(shortened("ab💶".to_owned(), 4), "ab");
        assert_eq!(shortened("ab💶".to_owned(), 6), "ab💶");
    }
}
