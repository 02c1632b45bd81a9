//! The documents of a body.

use serde_json::value::RawValue;

/// One object, an array, `{"events": […]}`, or one object a line.
pub fn documents(body: &str) -> Result<Vec<&RawValue>, serde_json::Error> {
    #[derive(serde::Deserialize)]
    struct Wrapper<'a> {
        #[serde(borrow)]
        events: Vec<&'a RawValue>,
    }
    let body = body.trim_start_matches('\u{feff}').trim();
    if body.starts_with('[') {
        return serde_json::from_str(body);
    }
    // Most bodies are this, so it is tried first: each look at a body costs as much as reading it.
    if let Ok(Wrapper { events }) = serde_json::from_str(body) {
        return Ok(events);
    }
    serde_json::Deserializer::from_str(body).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_body_is_read() {
        let count = |body: &str| documents(body).map(|documents| documents.len()).ok();
        assert_eq!(count(r#"{"event":"a"}"#), Some(1));
        assert_eq!(count(r#"[{"event":"a"},{"event":"b"}]"#), Some(2));
        assert_eq!(count(r#" {"events":[{"event":"a"},{"event":"b"}]} "#), Some(2));
        assert_eq!(count("{\"event\":\"a\"}\n\n{\"event\":\"b\"}\n"), Some(2));
        assert_eq!(count("[]"), Some(0));
        assert_eq!(count(""), Some(0));
        assert_eq!(count(r#"{"event":"a""#), None);
        assert_eq!(count("nonsense"), None);
        // An event may have a field of this name.
        assert_eq!(count(r#"{"event":"a","events":3}"#), Some(1));
        assert_eq!(count(r#"{"event":"a","events":null}"#), Some(1));
        assert_eq!(count(r#"{"events":[],"events":[]}"#), Some(1));
        assert_eq!(count(r#"{"events":[{"event":"a"},]}"#), None);
    }
}
