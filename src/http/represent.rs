//! Representations: an answer becomes JSON or CSV, with an `ETag`, or nothing but a 304.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::answer::{Cost, Meta, Shape};
use crate::error::{ApiError, Code};

/// What a handler answers with; the guard of its route represents it.
pub struct Answer<T>(pub T);

impl<T: Shape> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        let mut response = StatusCode::OK.into_response();
        response.extensions_mut().insert(Pending(Arc::new(Mutex::new(self.0))));
        response
    }
}

/// An answer that is not represented yet.
#[derive(Clone)]
struct Pending(Arc<Mutex<dyn AnyShape>>);

/// A [`Shape`] whose type was forgotten.
trait AnyShape: Send {
    fn meta(&mut self) -> &mut Meta;
    fn json(&self) -> Vec<u8>;
    fn csv(&self) -> String;
}

impl<T: Shape + Serialize> AnyShape for T {
    fn meta(&mut self) -> &mut Meta {
        Shape::meta(self)
    }

    fn json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("an answer serialises")
    }

    fn csv(&self) -> String {
        Shape::csv(self)
    }
}

/// The forms that an answer can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Csv,
}

/// The forms that a request accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Accepted {
    best: Form,
    /// Whether JSON may come, where there is nothing else.
    json: bool,
}

/// How an answer is wanted.
pub(super) struct Asked {
    accepted: Accepted,
    if_none_match: Option<HeaderValue>,
}

impl Accepted {
    const JSON: Self = Self { best: Form::Json, json: true };

    /// What the headers of a request say; only reading has forms.
    pub(super) fn by(method: &Method, headers: &HeaderMap) -> Result<Self, ApiError> {
        if method != Method::GET && method != Method::HEAD {
            return Ok(Self::JSON);
        }
        let accept: Vec<&str> =
            headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
        if accept.is_empty() {
            return Ok(Self::JSON);
        }
        let (mut best, mut json): (Option<(f32, Form)>, bool) = (None, false);
        for range in accept.iter().flat_map(|value| value.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let form = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
                "application/json" | "application/*" | "*/*" | "application/problem+json" => Form::Json,
                "text/csv" | "text/*" => Form::Csv,
                _ => continue,
            };
            let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0_f32);
            if quality > 0.0 {
                json |= form == Form::Json;
                if best.is_none_or(|(known, _)| quality > known) {
                    best = Some((quality, form));
                }
            }
        }
        best.map(|(_, best)| Self { best, json })
            .ok_or_else(|| ApiError::new(Code::NotAcceptable, "Answers are `application/json` or `text/csv`."))
    }

    pub(super) fn remembered(self, request: &Request) -> Asked {
        Asked { accepted: self, if_none_match: request.headers().get(header::IF_NONE_MATCH).cloned() }
    }
}

/// Represents the answer in a response, where there is one.
pub(super) fn represent(mut response: Response, asked: Asked) -> Response {
    let Some(Pending(shape)) = response.extensions_mut().remove::<Pending>() else {
        return if asked.accepted.json || !response.status().is_success() { response } else { without_csv() };
    };
    let mut shape = shape.lock().unwrap_or_else(PoisonError::into_inner);
    let (content_type, tag, body) = match asked.accepted.best {
        Form::Json => {
            let body = shape.json();
            let tag = tag(without_cost(&body, &shape.meta().cost));
            ("application/json", tag, body)
        }
        Form::Csv => {
            let body = shape.csv().into_bytes();
            ("text/csv; charset=utf-8", tag(&body), body)
        }
    };
    let headers = [
        (header::ETAG, tag.as_str()),
        (header::CACHE_CONTROL, "private, no-cache"),
        (header::VARY, "Accept, Authorization"),
    ];
    if asked.if_none_match.is_some_and(|known| matches(&known, &tag)) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, [(header::CONTENT_TYPE, content_type)], body).into_response()
}

/// What is no table, such as the state of alerts, is there as JSON alone.
fn without_csv() -> Response {
    ApiError::new(Code::NotAcceptable, "This answer is `application/json` alone.").into_response()
}

/// The part of an answer that says something. What it cost differs each time, and comes last.
fn without_cost<'a>(body: &'a [u8], cost: &Cost) -> &'a [u8] {
    let cost = serde_json::to_vec(cost).expect("numbers serialise");
    let end = [&cost[1..], b"}"].concat();
    body.strip_suffix(end.as_slice()).expect("an answer ends with its meta, and that with its cost")
}

fn tag(content: &[u8]) -> String {
    // Weak: the same content, not the same bytes. SipHash with fixed keys is the same in every process.
    let mut hasher = std::hash::DefaultHasher::new();
    content.hash(&mut hasher);
    format!(r#"W/"{:016x}""#, hasher.finish())
}

fn matches(known: &HeaderValue, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    known.to_str().is_ok_and(|known| known.trim() == "*" || known.split(',').any(|known| opaque(known) == opaque(tag)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(accept: &str) -> Result<Accepted, Code> {
        let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_str(accept).unwrap())]);
        Accepted::by(&Method::GET, &headers).map_err(|error| error.code)
    }

    fn best(accept: &str) -> Result<Form, Code> {
        accepted(accept).map(|accepted| accepted.best)
    }

    #[test]
    fn the_best_accepted_form_is_given() {
        assert_eq!(best("application/json"), Ok(Form::Json));
        assert_eq!(best("text/csv"), Ok(Form::Csv));
        assert_eq!(best("text/html, */*;q=0.1"), Ok(Form::Json));
        assert_eq!(best("application/json;q=0.5, text/csv"), Ok(Form::Csv));
        assert_eq!(best("application/xml"), Err(Code::NotAcceptable));
        assert_eq!(best("text/csv;q=0"), Err(Code::NotAcceptable));
    }

    #[test]
    fn where_there_is_json_alone_it_is_given_to_whoever_accepts_it_as_well() {
        for (accept, json) in [
            ("text/csv", false),
            ("text/*", false),
            ("text/csv, application/json;q=0", false),
            ("text/csv, application/json;q=0.5", true),
            ("text/csv, */*;q=0.1", true),
            ("*/*;q=0.1, text/csv", true),
            ("application/json", true),
        ] {
            assert_eq!(accepted(accept).unwrap().json, json, "{accept}");
        }
        assert_eq!(best("text/csv, application/json;q=0.5"), Ok(Form::Csv));
    }

    #[test]
    fn a_tag_matches_weakly_and_in_lists() {
        let known = |text| HeaderValue::from_static(text);
        assert!(matches(&known(r#""x", W/"00ff""#), r#"W/"00ff""#));
        assert!(matches(&known("*"), r#"W/"00ff""#));
        assert!(!matches(&known(r#""00fe""#), r#"W/"00ff""#));
    }
}
