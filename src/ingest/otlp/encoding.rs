//! The two encodings of OTLP/HTTP: an answer has the encoding of its request, errors included.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use prost::Message;

use super::items::{Item, Items};
use super::parts::Part;
use super::refusals::Refusals;
use crate::error::{ApiError, Code};
use crate::http::body::{self, Content, essence};
use crate::http::{Guarded, Rendered};
use crate::ingest::body::OTLP;

/// How a request and its answer are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Protobuf,
    Json,
}

/// The body of a request: an export in one of the encodings.
pub struct Export {
    pub encoding: Encoding,
    content: Content,
}

impl<S: Send + Sync> FromRequest<S> for Export {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let encoding = Encoding::of(&parts.headers)?;
        Ok(Self { encoding, content: body::read(&parts.headers, body, OTLP).await? })
    }
}

impl Export {
    /// The items in it.
    pub fn items<M: Item>(&self) -> Result<Items<'_, M>, ApiError> {
        Items::of(match self.encoding {
            Encoding::Protobuf => Part::Protobuf(&self.content),
            Encoding::Json => Part::Json(self.content.text()?),
        })
    }
}

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

/// What was refused of an export. The messages for traces and for logs have the same fields.
#[derive(Clone, PartialEq, Message)]
struct ExportResponse {
    #[prost(message, optional, tag = "1")]
    partial_success: Option<PartialSuccess>,
}

#[derive(Clone, PartialEq, Message)]
struct PartialSuccess {
    #[prost(int64, tag = "1")]
    rejected: i64,
    #[prost(string, tag = "2")]
    error_message: String,
}

impl Encoding {
    fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        match essence(headers).as_deref() {
            Some("application/x-protobuf") => Ok(Self::Protobuf),
            Some("application/json") => Ok(Self::Json),
            _ => Err(ApiError::new(Code::UnsupportedMediaType, "Send `application/x-protobuf` or `application/json`.")),
        }
    }

    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        })
    }

    /// The answer to an export of which this was refused; `rejected_name` is the name of their number in JSON.
    pub fn answer(self, refused: &Refusals, rejected_name: &str) -> Response {
        let (rejected, message) = (refused.total(), refused.message());
        let body = match (self, rejected) {
            (Self::Protobuf, 0) => Vec::new(),
            (Self::Json, 0) => b"{}".to_vec(),
            (Self::Protobuf, _) => {
                let partial_success = PartialSuccess { rejected: rejected as i64, error_message: message };
                ExportResponse { partial_success: Some(partial_success) }.encode_to_vec()
            }
            // Whole numbers of 64 bits are texts in the JSON of protobuf.
            (Self::Json, _) => {
                serde_json::json!({"partialSuccess": {rejected_name: rejected.to_string(), "errorMessage": message}})
                    .to_string()
                    .into()
            }
        };
        let mut response = Response::new(Body::from(body));
        response.headers_mut().insert(header::CONTENT_TYPE, self.content_type());
        response
    }
}

/// Gives the errors of a route the form that OTLP wants, in the encoding of the request.
pub fn with_status_errors<S: Clone + Send + Sync + 'static>((schemas, paths, methods): Guarded<S>) -> Guarded<S> {
    (schemas, paths, methods.route_layer(from_fn(render_error)))
}

async fn render_error(request: Request, next: Next) -> Response {
    // Who sends neither encoding reads JSON at least.
    let encoding = Encoding::of(request.headers()).unwrap_or(Encoding::Json);
    let mut response = next.run(request).await;
    let Some(error) = response.extensions().get::<Arc<ApiError>>().cloned() else { return response };
    let (code, message) = (grpc_code(error.code.status()), format!("{}: {}", error.code.name(), error.detail));
    let body = match encoding {
        Encoding::Protobuf => Status { code, message }.encode_to_vec(),
        Encoding::Json => serde_json::json!({"code": code, "message": message}).to_string().into(),
    };
    response.headers_mut().insert(header::CONTENT_TYPE, encoding.content_type());
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response.extensions_mut().insert(Rendered);
    *response.body_mut() = Body::from(body);
    response
}

/// The code of gRPC that goes with a status of HTTP.
fn grpc_code(status: StatusCode) -> i32 {
    match status.as_u16() {
        401 => 16,
        403 => 7,
        404 => 5,
        405 => 12,
        408 | 504 => 4,
        413 | 429 => 8,
        503 => 14,
        500.. => 13,
        _ => 3,
    }
}
