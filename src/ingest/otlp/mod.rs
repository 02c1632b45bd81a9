//! OTLP over HTTP: traces become spans, logs become events.
//!
//! Protobuf and JSON are decoded into the same messages, so that both give the same rows. What is good in
//! an export is kept; the rest is counted and named in `partialSuccess`, which tells the sender not to
//! send it again.

mod ancestors;
pub mod encoding;
pub mod endpoints;
mod items;
mod json;
pub mod logs;
mod parts;
mod refusals;
pub mod spans;
mod values;

use super::genai::shortened;
use crate::json::Object;

pub use encoding::with_status_errors;
pub use items::{Exported, Item, Items, Origin};

/// Bytes of a name or a description.
const LONGEST_TEXT: usize = 4_096;

fn put_text(fields: &mut Object<'static>, name: &'static str, text: String) {
    if !text.is_empty() {
        fields.insert(name, shortened(text, LONGEST_TEXT));
    }
}

fn put_object(fields: &mut Object<'static>, name: &'static str, object: Object<'static>) {
    if !object.is_empty() {
        fields.insert(name, object);
    }
}
