//! The items of an export - its spans, or its log records - told apart without being decoded.
//!
//! A body of a few kilobytes can open to millions of empty messages, and each item is stored with its whole
//! resource. So an export is never decoded as one: its items are counted, and decoded one after the other.

use std::marker::PhantomData;
use std::sync::Arc;
use std::vec;

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

use super::json::FromJson;
use super::parts::{Fields, MOST_ITEMS, Part, too_many};
use super::values::object;
use super::{put_object, put_text};
use crate::error::{ApiError, Code};
use crate::ingest::event::LARGEST_EVENT;
use crate::ingest::rejection::Rejection;
use crate::ingest::stored::LARGEST_SPAN;
use crate::json::Object;

/// Bytes of an export's items, each with what it comes from.
const MOST_BYTES: usize = 128 << 20;
/// Bytes of a resource or a scope, as it is sent.
const LARGEST_ORIGIN: usize = 256 << 10;

/// A message that exports have lists of.
pub trait Item: Message + Default + FromJson {
    /// What one is called.
    const NAME: &'static str;
    /// What to tell those who send something else.
    const ELSEWHERE: &'static str;
    /// Bytes of one, as it is sent.
    const LARGEST: usize;
    /// The lists around it: of an export, of a resource, of a scope.
    const LISTS: [&'static str; 3];
}

impl Item for Span {
    const NAME: &'static str = "span";
    const ELSEWHERE: &'static str = "Is it an export of logs? Those go to /v1/logs.";
    const LARGEST: usize = LARGEST_SPAN;
    const LISTS: [&'static str; 3] = ["resourceSpans", "scopeSpans", "spans"];
}

impl Item for LogRecord {
    const NAME: &'static str = "log record";
    const ELSEWHERE: &'static str = "Is it an export of traces? Those go to /v1/traces.";
    const LARGEST: usize = LARGEST_EVENT;
    const LISTS: [&'static str; 3] = ["resourceLogs", "scopeLogs", "logRecords"];
}

/// An item with what it comes from.
pub struct Exported<M> {
    pub message: M,
    pub origin: Arc<Origin>,
    /// Of both, as they were sent.
    pub bytes: usize,
}

/// What items come from.
#[derive(Debug, Default)]
pub struct Origin {
    pub resource: Object<'static>,
    pub scope: Object<'static>,
}

/// The items of an export, decoded one after the other. One that is refused spoils no other.
pub struct Items<'a, M> {
    items: vec::IntoIter<Found<'a>>,
    /// The origin of the item before.
    origin: Option<(Sources<'a>, Result<Arc<Origin>, Rejection>)>,
    decodes: PhantomData<M>,
}

/// An item that is not decoded.
struct Found<'a> {
    sources: Sources<'a>,
    part: Part<'a>,
}

/// The resource and the scope that an item comes from, not decoded.
type Sources<'a> = [Option<Part<'a>>; 2];

impl Found<'_> {
    fn len(&self) -> usize {
        self.sources.iter().flatten().map(Part::len).sum::<usize>() + self.part.len()
    }
}

impl<'a, M: Item> Items<'a, M> {
    /// Tells the items of an export apart.
    pub fn of(export: Part<'a>) -> Result<Self, ApiError> {
        let [groups, scopes, items] = M::LISTS;
        let (mut found, mut bytes) = (Vec::new(), 0);
        for group in export.read(Fields { one: ("", 0), many: (groups, 1) })?.many {
            let group = group.read(Fields { one: ("resource", 1), many: (scopes, 2) })?;
            for scoped in group.many {
                let scoped = scoped.read(Fields { one: ("scope", 1), many: (items, 2) })?;
                let sources = [group.one, scoped.one];
                found.extend(scoped.many.into_iter().map(|part| {
                    let found = Found { sources, part };
                    bytes += found.len();
                    found
                }));
                if found.len() > MOST_ITEMS {
                    return Err(too_many());
                }
                if bytes > MOST_BYTES {
                    return Err(too_large::<M>());
                }
            }
        }
        Ok(Self { items: found.into_iter(), origin: None, decodes: PhantomData })
    }

    /// Whether there is more than one.
    pub fn are_several(&self) -> bool {
        self.items.len() > 1
    }

    fn decode(&mut self, found: Found<'a>) -> Result<Exported<M>, Rejection> {
        let (bytes, Found { sources, part }) = (found.len(), found);
        let origin = match &self.origin {
            Some((known, origin)) if *known == sources => origin.clone(),
            _ => {
                let origin = Origin::of(sources).map(Arc::new);
                self.origin = Some((sources, origin.clone()));
                origin
            }
        };
        Ok(Exported { origin: origin?, message: part.decode(M::NAME, M::LARGEST)?, bytes })
    }
}

impl<M: Item> Iterator for Items<'_, M> {
    type Item = Result<Exported<M>, Rejection>;

    fn next(&mut self) -> Option<Self::Item> {
        let found = self.items.next()?;
        Some(self.decode(found))
    }
}

impl Origin {
    fn of([resource, scope]: Sources<'_>) -> Result<Self, Rejection> {
        let resource: Resource = decode_given(resource, "resource")?;
        let said: InstrumentationScope = decode_given(scope, "scope")?;
        let mut scope = Object::default();
        put_text(&mut scope, "name", said.name);
        put_text(&mut scope, "version", said.version);
        put_object(&mut scope, "attributes", object(said.attributes)?);
        Ok(Self { resource: object(resource.attributes)?, scope })
    }
}

fn decode_given<M: Message + Default + FromJson>(part: Option<Part<'_>>, name: &str) -> Result<M, Rejection> {
    part.map_or_else(|| Ok(M::default()), |part| part.decode(name, LARGEST_ORIGIN))
}

/// The resource and the scope are stored with each item, so that a small export can be a lot to store.
fn too_large<M: Item>() -> ApiError {
    let detail = format!(
        "With its resource and its scope, each {} is stored; together more than {} MiB. Send fewer at once.",
        M::NAME,
        MOST_BYTES >> 20
    );
    ApiError::new(Code::BodyTooLarge, detail)
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::tonic::common::v1::KeyValue;
    use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};

    use super::*;

    fn export(resource_bytes: usize, spans: Vec<Span>) -> Vec<u8> {
        let attributes = vec![KeyValue { key: "x".repeat(resource_bytes), ..KeyValue::default() }];
        let resource = Some(Resource { attributes, ..Resource::default() });
        let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
        let group = ResourceSpans { resource, scope_spans, ..ResourceSpans::default() };
        ExportTraceServiceRequest { resource_spans: vec![group] }.encode_to_vec()
    }

    fn refused(export: &[u8]) -> Option<Code> {
        Items::<Span>::of(Part::Protobuf(export)).err().map(|error| error.code)
    }

    fn named(bytes: usize) -> Span {
        Span { name: "x".repeat(bytes), ..Span::default() }
    }

    #[test]
    fn what_an_export_becomes_is_bounded() {
        assert_eq!(refused(&[10, 0].repeat(MOST_ITEMS)), None);
        assert_eq!(refused(&[10, 0].repeat(MOST_ITEMS + 1)), Some(Code::BodyTooLarge));
        let groups = |count: usize| format!("{{\"resourceSpans\":[{}]}}", vec!["{}"; count].join(","));
        assert!(Items::<Span>::of(Part::Json(&groups(MOST_ITEMS))).is_ok());
        assert!(Items::<Span>::of(Part::Json(&groups(MOST_ITEMS + 1))).is_err());
        let two_lists = export(0, vec![Span::default(); MOST_ITEMS / 2 + 1]).repeat(2);
        assert_eq!(refused(&two_lists), Some(Code::BodyTooLarge));
        let resource_bytes = 200_000;
        assert_eq!(refused(&export(resource_bytes, vec![Span::default(); MOST_BYTES / resource_bytes - 1])), None);
        let many = export(resource_bytes, vec![Span::default(); MOST_BYTES / resource_bytes + 1]);
        assert_eq!(refused(&many), Some(Code::BodyTooLarge));
    }

    #[test]
    fn an_item_that_is_too_large_or_cannot_be_read_spoils_no_other() {
        let codes = |export: Vec<u8>| -> Vec<Option<&str>> {
            let items = Items::<Span>::of(Part::Protobuf(&export)).unwrap();
            items.map(|item| item.err().map(|rejection| rejection.code)).collect()
        };
        let sized = vec![named(10), named(Span::LARGEST), named(10)];
        assert_eq!(codes(export(0, sized)), [None, Some("too_large"), None]);
        assert_eq!(codes(export(LARGEST_ORIGIN, vec![named(10)])), [Some("too_large")]);
        let mut damaged = export(0, vec![named(10), named(11), named(10)]);
        let place = damaged.windows(11).position(|window| window == [b'x'; 11]).unwrap();
        damaged[place] = 0xff;
        assert_eq!(codes(damaged), [None, Some("unreadable"), None]);
        assert!(Items::<Span>::of(Part::Protobuf(&[10, 5, 18])).is_err(), "it breaks off");
    }
}
