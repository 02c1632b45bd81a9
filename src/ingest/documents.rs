//! The documents of a body.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Events of one request.
pub const MOST_EVENTS: usize = 10_000;
/// Documents that are told apart; what comes behind them is not looked at. One more than may be sent, so that
/// a body of millions of tiny ones is known for what it is without a list of them all.
const MOST: usize = MOST_EVENTS + 1;

/// The texts of the documents: one object, an array, `{"events": […]}`, or one object a line. Of lines, one
/// that cannot be read spoils no other, not even one that is not text: why, is in its place.
pub fn documents(body: &[u8]) -> Result<Vec<Result<&str, String>>, String> {
    match std::str::from_utf8(body) {
        Ok(text) => match whole(text.trim_start_matches('\u{feff}').trim()) {
            Ok(documents) => Ok(documents.into_iter().map(|document| Ok(document.get())).collect()),
            Err(error) => lines(body).ok_or_else(|| error.to_string()),
        },
        Err(error) => lines(body).ok_or_else(|| format!("the body is not UTF-8 from byte {} on", error.valid_up_to())),
    }
}

fn whole(text: &str) -> Result<Vec<&RawValue>, serde_json::Error> {
    #[derive(serde::Deserialize)]
    struct Wrapper<'a> {
        #[serde(borrow)]
        events: Several<'a, MOST>,
    }
    if text.starts_with('[') {
        return serde_json::from_str(text).map(|Several::<MOST>(documents)| documents);
    }
    // Most bodies are this, so it is tried first: each look at a body costs as much as reading it.
    if let Ok(Wrapper { events: Several(documents) }) = serde_json::from_str(text) {
        return Ok(documents);
    }
    serde_json::Deserializer::from_str(text).into_iter().take(MOST).collect()
}

/// A list of documents; what comes behind the most of them is read over.
pub struct Several<'a, const MOST: usize>(pub Vec<&'a RawValue>);

impl<'de: 'a, 'a, const MOST: usize> Deserialize<'de> for Several<'a, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Documents::<MOST>)
    }
}

struct Documents<const MOST: usize>;

impl<'de, const MOST: usize> Visitor<'de> for Documents<MOST> {
    type Value = Several<'de, MOST>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut documents = Vec::new();
        while documents.len() < MOST {
            match items.next_element()? {
                Some(document) => documents.push(document),
                None => return Ok(Several(documents)),
            }
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Several(documents))
    }
}

/// The lines of a body, when at least one of them is an object by itself.
fn lines(body: &[u8]) -> Option<Vec<Result<&str, String>>> {
    let lines = body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()).take(MOST);
    let texts = lines.map(|line| {
        std::str::from_utf8(line).map_err(|error| format!("it is not UTF-8 from byte {} on", error.valid_up_to()))
    });
    let texts: Vec<Result<&str, String>> = texts.collect();
    let is_object = |text: &&str| text.starts_with('{') && serde_json::from_str::<&RawValue>(text).is_ok();
    texts.iter().flatten().any(is_object).then_some(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_body_is_read() {
        let count = |body: &str| documents(body.as_bytes()).map(|documents| documents.len()).ok();
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

    #[test]
    fn no_more_documents_are_told_apart_than_may_be_sent() {
        let count = |body: &str| documents(body.as_bytes()).map(|documents| documents.len()).ok();
        let many = vec!["1"; 2 * MOST].join(",");
        assert_eq!(count(&format!("[{many}]")), Some(MOST));
        assert_eq!(count(&format!("{{\"events\":[{many}]}}")), Some(MOST));
        assert_eq!(count(&"1\n".repeat(2 * MOST)), Some(MOST));
        assert_eq!(count(&format!("{{}}\n{}", "x\n".repeat(2 * MOST))), Some(MOST));
        assert_eq!(count(&format!("[{many},}}")), None);
    }

    #[test]
    fn of_lines_each_is_good_or_bad_by_itself() {
        fn good(body: &[u8]) -> Result<Vec<Option<&str>>, String> {
            Ok(documents(body)?.into_iter().map(Result::ok).collect())
        }
        // What begins well is for the reader of events to refuse.
        assert_eq!(
            good(b"{\"a\":1}\r\n{\"a\":\n\n{\"a\":3}"),
            Ok(vec![Some("{\"a\":1}"), Some("{\"a\":"), Some("{\"a\":3}")])
        );
        assert_eq!(good(b"{\"a\":\"\xff\"}\n{\"a\":2}"), Ok(vec![None, Some("{\"a\":2}")]));
        // A whole that is broken is not lines.
        assert!(good(b"{\n  \"a\": 1,\n  \"b\": {},\n}").is_err());
        assert!(good(b"[{\"a\":1},\n{\"a\":}]").is_err());
        assert!(good(b"{\"a\":\"\xff\"}").unwrap_err().contains("byte 6"));
    }
}
