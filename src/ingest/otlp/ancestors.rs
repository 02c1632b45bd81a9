//! Who ran, as the spans of one export tell it together.
//!
//! Instrumentations name the assistant, the conversation and the user on the span of the run, and not on the calls
//! below it. Asked what an assistant or a user costs, a call that names neither would stand under nobody, so a span takes
//! what it does not say itself from the nearest span above it that does, as far as that one is in the same export.

use std::collections::HashMap;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use prost::Message;

use super::items::{Exported, Item};
use super::json::{self, FromJson};
use super::values::object;
use crate::ingest::genai::{self, Coverage, Shared};
use crate::ingest::stored::LARGEST_SPAN;
use crate::json::Object;
use crate::rows::Span;

/// Spans above a span that are asked; a longer chain is made up, or a circle.
const HIGHEST: usize = 64;

/// Of a span, what tells where it is and who ran; the rest is not decoded.
#[derive(Clone, PartialEq, Message)]
pub struct Head {
    #[prost(bytes = "vec", tag = "1")]
    pub trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub span_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub parent_span_id: Vec<u8>,
    #[prost(message, repeated, tag = "9")]
    pub attributes: Vec<KeyValue>,
}

impl FromJson for Head {
    fn from_json(mut fields: Object<'_>) -> Result<Self, String> {
        Ok(Self {
            trace_id: json::id(&mut fields, "traceId"),
            span_id: json::id(&mut fields, "spanId"),
            parent_span_id: json::id(&mut fields, "parentSpanId"),
            attributes: json::attributes(&mut fields)?,
        })
    }
}

impl Item for Head {
    const NAME: &'static str = "span";
    const ELSEWHERE: &'static str = "";
    const LARGEST: usize = LARGEST_SPAN;
    const LISTS: [&'static str; 3] = ["resourceSpans", "scopeSpans", "spans"];
}

type TraceId = [u8; 16];
type SpanId = [u8; 8];

/// The spans of an export, by their ids.
#[derive(Default)]
pub struct Ancestors {
    spans: HashMap<(TraceId, SpanId), Ancestor>,
    roots: HashMap<TraceId, SpanId>,
}

struct Ancestor {
    parent: Option<SpanId>,
    shared: Shared,
}

impl Ancestors {
    /// Notes a span; one without ids is refused later, when it is read.
    pub fn note(&mut self, head: Exported<Head>, hash: impl Fn(&str) -> String) {
        let Exported { message, origin, .. } = head;
        let (Ok(trace_id), Ok(span_id)) = (message.trace_id.try_into(), message.span_id.try_into()) else { return };
        let parent: Option<SpanId> = message.parent_span_id.try_into().ok().filter(|id| *id != [0; 8]);
        let attributes =
            message.attributes.into_iter().filter(|attribute| Shared::is_told_by(&attribute.key)).collect();
        let Ok(attributes) = object(attributes) else { return };
        if parent.is_none() {
            self.roots.insert(trace_id, span_id);
        }
        let shared = genai::shared(&attributes, &origin.resource, hash);
        self.spans.insert((trace_id, span_id), Ancestor { parent, shared });
    }

    /// Adds to a span what the spans above it say.
    pub fn complete(&self, span: &mut Span<'static>, coverage: &Coverage) {
        let mut above = span.parent_id;
        for _ in 0..HIGHEST {
            // Where the chain is broken, the root of the trace is above for certain.
            let known = above.filter(|id| self.spans.contains_key(&(span.trace_id, *id)));
            let Some(id) = known.or_else(|| above.and(self.roots.get(&span.trace_id).copied())) else { return };
            let Some(ancestor) = self.spans.get(&(span.trace_id, id)) else { return };
            ancestor.shared.complete(span, coverage);
            above = ancestor.parent;
        }
    }
}
