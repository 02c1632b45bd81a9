//! Errors as clients see them: RFC 9457 `application/problem+json`, in one place.
//!
//! Domain errors know no HTTP; they are converted here. What the client reads (`detail`) and what
//! the log keeps (`cause`) are two fields, so that nothing internal can leak by being helpful.

use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

use crate::auth::{OutsideGrant, Scope, SignatureRefused, TokenRefused};
use crate::clickhouse::{Failure, QueryError};
use crate::query::{Problem, ProblemKind, Problems, shown};
use crate::repository::AskError;
use crate::service::AnswerError;

/// Every code that an error can have: a closed set, each with its status and title.
macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $status:ident, $title:literal;)+) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
        pub enum Code { $($(#[$doc])* #[serde(rename = $name)] $variant,)+ }

        impl Code {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            pub const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)+ }
            }

            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)+ }
            }
        }
    };
}

impl utoipa::PartialSchema for Code {
    fn schema() -> RefOr<Schema> {
        let names: Vec<&str> = Self::ALL.iter().map(|code| code.name()).collect();
        let schema = ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).enum_values(Some(names));
        schema.description(Some("What went wrong: a closed set.")).into()
    }
}

impl ToSchema for Code {}

codes! {
    MalformedBody = "malformed_body", BAD_REQUEST, "The body cannot be read";
    InvalidParameter = "invalid_parameter", UNPROCESSABLE_ENTITY, "A parameter is invalid";
    UnknownParameter = "unknown_parameter", UNPROCESSABLE_ENTITY, "A parameter is unknown";
    TooManyBuckets = "too_many_buckets", UNPROCESSABLE_ENTITY, "The chart would have too many buckets";
    AllRejected = "all_rejected", UNPROCESSABLE_ENTITY, "Every row was rejected";
    InvalidToken = "invalid_token", UNAUTHORIZED, "The token is missing or invalid";
    TokenExpired = "token_expired", UNAUTHORIZED, "The token has expired";
    InvalidSignature = "invalid_signature", UNAUTHORIZED, "The signature is invalid";
    Replayed = "replayed", CONFLICT, "The request was accepted before";
    InsufficientScope = "insufficient_scope", FORBIDDEN, "The token lacks a scope";
    UnknownAccount = "unknown_account", FORBIDDEN, "The account is not served here";
    OutsideGrant = "outside_grant", FORBIDDEN, "The token does not grant this";
    NotFound = "not_found", NOT_FOUND, "There is nothing here";
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "The method is not allowed here";
    NotAcceptable = "not_acceptable", NOT_ACCEPTABLE, "The answer cannot be given in an accepted form";
    RequestTimeout = "request_timeout", REQUEST_TIMEOUT, "The request did not arrive in time";
    BodyTooLarge = "body_too_large", PAYLOAD_TOO_LARGE, "The body is too large";
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "The body's type is not supported";
    RateLimited = "rate_limited", TOO_MANY_REQUESTS, "Too many requests";
    Internal = "internal", INTERNAL_SERVER_ERROR, "Something went wrong here";
    QueryTooLarge = "query_too_large", SERVICE_UNAVAILABLE, "The question is too large";
    Overloaded = "overloaded", SERVICE_UNAVAILABLE, "Too many questions at once";
    EngineUnavailable = "engine_unavailable", SERVICE_UNAVAILABLE, "The engine cannot be reached";
    IngestionUnavailable = "ingestion_unavailable", SERVICE_UNAVAILABLE, "Nothing can be accepted at the moment";
    QueryTimeout = "query_timeout", GATEWAY_TIMEOUT, "The question took too long";
}

/// The body of every error.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ProblemBody {
    /// A URI that names the kind of problem.
    #[serde(rename = "type")]
    #[schema(example = "urn:chartwell:problem:invalid_parameter")]
    pub kind: String,
    #[schema(example = "A parameter is invalid")]
    pub title: &'static str,
    #[schema(example = 422)]
    pub status: u16,
    /// What is wrong with this request.
    #[schema(example = "`aggregation_level`: `dya` is not one of the allowed values; did you mean `day`?")]
    pub detail: String,
    pub code: Code,
    /// The path that was asked for.
    #[schema(example = "/api/v1/recommendations/charts/series")]
    pub instance: String,
    /// Also in the header `X-Request-Id`, and in the log.
    pub request_id: String,
    /// Every single problem, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// A problem with one parameter, or with one place in the body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "aggregation_level", nullable = false)]
    pub parameter: Option<String>,
    /// JSON pointer into the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub pointer: Option<String>,
    #[schema(example = "invalid_parameter")]
    pub code: String,
    pub detail: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<String>,
}

/// An error on its way to the client. The edge adds what it knows of the request.
#[derive(Debug, Clone)]
pub struct ApiError {
    pub code: Code,
    pub detail: String,
    pub errors: Vec<FieldError>,
    /// Seconds after which to try again.
    pub retry_after: Option<u32>,
    /// What happened, for the log alone.
    pub cause: Option<String>,
}

impl ApiError {
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), retry_after: None, cause: None }
    }

    pub fn internal(cause: impl Into<String>) -> Self {
        let error = Self::new(Code::Internal, "The cause is in the log under the request id.");
        Self { cause: Some(cause.into()), ..error }
    }

    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    pub fn insufficient_scope(scope: Scope) -> Self {
        Self::new(Code::InsufficientScope, format!("The token needs the scope `{}`.", scope.name()))
    }

    /// The body, with what the edge knows of the request.
    pub fn body(&self, instance: &str, request_id: &str) -> ProblemBody {
        ProblemBody {
            kind: format!("urn:chartwell:problem:{}", self.code.name()),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            detail: self.detail.clone(),
            code: self.code,
            instance: instance.to_owned(),
            request_id: request_id.to_owned(),
            errors: self.errors.clone(),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        let challenge = match self.code {
            Code::InvalidToken | Code::TokenExpired => Some(r#"Bearer error="invalid_token""#),
            Code::InsufficientScope => Some(r#"Bearer error="insufficient_scope""#),
            _ => None,
        };
        if let Some(challenge) = challenge {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

impl From<Problems> for ApiError {
    fn from(Problems(problems): Problems) -> Self {
        let code_of = |problem: &Problem| match problem.kind {
            ProblemKind::InvalidParameter => Code::InvalidParameter,
            ProblemKind::UnknownParameter => Code::UnknownParameter,
            ProblemKind::TooManyBuckets => Code::TooManyBuckets,
        };
        let first = problems.first().map_or(Code::InvalidParameter, code_of);
        let code =
            if problems.iter().all(|problem| code_of(problem) == first) { first } else { Code::InvalidParameter };
        let told = |problem: &Problem| match problem.parameter.as_ref().or(problem.pointer.as_ref()) {
            Some(place) if !place.is_empty() => format!("`{}`: {}", shown(place), problem.detail),
            _ => problem.detail.clone(),
        };
        let detail = match problems.as_slice() {
            [only] => told(only),
            [first, ..] => format!("{} problems; the first: {}", problems.len(), told(first)),
            [] => String::new(),
        };
        let errors = problems
            .into_iter()
            .map(|problem| FieldError {
                code: code_of(&problem).name().to_owned(),
                parameter: problem.parameter,
                pointer: problem.pointer,
                detail: problem.detail,
                allowed: problem.allowed,
            })
            .collect();
        Self { errors, ..Self::new(code, detail) }
    }
}

impl From<AnswerError> for ApiError {
    fn from(error: AnswerError) -> Self {
        match error {
            AnswerError::Problem(problem) => problem.into(),
            AnswerError::NotFound(detail) => Self::new(Code::NotFound, detail),
            AnswerError::Ask(error) => error.into(),
        }
    }
}

impl From<AskError> for ApiError {
    fn from(error: AskError) -> Self {
        match error {
            AskError::OutsideGrant(outside) => outside.into(),
            AskError::InsufficientScope(scope) => Self::insufficient_scope(scope),
            AskError::Query(error) => error.into(),
            AskError::Template { .. } | AskError::WithoutBaseCondition { .. } => Self::internal(error.to_string()),
        }
    }
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Problems::from(problem).into()
    }
}

impl From<TokenRefused> for ApiError {
    fn from(refused: TokenRefused) -> Self {
        match refused {
            // One answer for all of them: it tells nothing about why.
            TokenRefused::Invalid(_) => Self::new(
                Code::InvalidToken,
                "The request needs a valid token in the header `Authorization: Bearer …`.",
            ),
            TokenRefused::Expired => Self::new(Code::TokenExpired, "The token has expired; get a new one."),
            TokenRefused::UnknownAccount => {
                Self::new(Code::UnknownAccount, "The token is for an account that is not served here.")
            }
            TokenRefused::KeysUnavailable => {
                Self::new(Code::EngineUnavailable, "The keys that tokens are checked with cannot be had at the moment.")
                    .retry_after(5)
            }
        }
    }
}

impl From<SignatureRefused> for ApiError {
    fn from(refused: SignatureRefused) -> Self {
        match refused {
            // One answer for all of them: it tells nothing about why.
            SignatureRefused::Invalid(reason) => Self::new(
                Code::InvalidSignature,
                "The signature, its key or its time is wrong: `x-key-id`, `webhook-id` (without a dot), `webhook-timestamp` (within 5 minutes) and `webhook-signature: v1,…` over `id.timestamp.body` are needed.",
            )
            .because(reason),
            SignatureRefused::Replayed => {
                Self::new(Code::Replayed, "A request with this `webhook-id` was accepted before, or is being taken in.")
            }
        }
    }
}

impl From<OutsideGrant> for ApiError {
    fn from(outside: OutsideGrant) -> Self {
        Self::new(Code::OutsideGrant, format!("{outside}."))
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        let told = match error.failure {
            Failure::Timeout => {
                Self::new(Code::QueryTimeout, "The question took too long: ask for a shorter range, or filter.")
            }
            Failure::TooLarge => Self::new(
                Code::QueryTooLarge,
                "The question needs more memory or rows than one may: ask for a shorter range, or filter.",
            )
            .retry_after(10),
            Failure::Overloaded => {
                Self::new(Code::Overloaded, "Too many questions are being answered; try again shortly.").retry_after(1)
            }
            Failure::Unavailable => {
                Self::new(Code::EngineUnavailable, "The engine cannot be reached at the moment.").retry_after(5)
            }
            Failure::Cancelled | Failure::Other => return Self::internal(error.message),
        };
        told.because(error.message)
    }
}

/// Describes, for the OpenAPI document, the errors that a kind of endpoint answers with.
macro_rules! described_problems {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $status:literal,)+ }) => {
        $(#[$meta])*
        #[derive(utoipa::IntoResponses)]
        #[allow(dead_code, reason = "only described, never made")]
        pub enum $name {
            $($(#[$doc])* #[response(status = $status, content_type = "application/problem+json")] $variant(ProblemBody),)+
        }
    };
}

described_problems! {
    /// The errors of a question.
    QuestionProblems {
        /// `invalid_token`, `token_expired`
        Unauthorized = 401,
        /// `insufficient_scope`, `unknown_account`, `outside_grant`
        Forbidden = 403,
        /// `not_acceptable`
        NotAcceptable = 406,
        /// `invalid_parameter`, `unknown_parameter`, `too_many_buckets`: all problems at once
        Unprocessable = 422,
        /// `rate_limited`
        RateLimited = 429,
        /// `internal`
        Internal = 500,
        /// `query_too_large`, `overloaded`, `engine_unavailable`
        Unavailable = 503,
        /// `query_timeout`
        Timeout = 504,
    }
}

described_problems! {
    /// The errors of a question that is asked with a body.
    BodyQuestionProblems {
        /// `malformed_body`
        BadRequest = 400,
        /// `invalid_token`, `token_expired`
        Unauthorized = 401,
        /// `insufficient_scope`, `unknown_account`, `outside_grant`
        Forbidden = 403,
        /// `request_timeout`
        RequestTimeout = 408,
        /// `body_too_large`: as sent, or after decompression
        TooLarge = 413,
        /// `unsupported_media_type`
        UnsupportedMediaType = 415,
        /// `invalid_parameter`, `unknown_parameter`: all problems at once, each with its place as a JSON pointer
        Unprocessable = 422,
        /// `rate_limited`
        RateLimited = 429,
        /// `internal`
        Internal = 500,
        /// `query_too_large`, `overloaded`, `engine_unavailable`, `ingestion_unavailable`
        Unavailable = 503,
        /// `query_timeout`
        Timeout = 504,
    }
}

described_problems! {
    /// The errors of ingestion.
    IngestionProblems {
        /// `malformed_body`
        BadRequest = 400,
        /// `invalid_token`, `token_expired`, `invalid_signature`
        Unauthorized = 401,
        /// `insufficient_scope`, `unknown_account`
        Forbidden = 403,
        /// `replayed`: a signed request whose id was accepted before
        Conflict = 409,
        /// `request_timeout`
        RequestTimeout = 408,
        /// `body_too_large`: as sent, after decompression, or by the number of events
        TooLarge = 413,
        /// `unsupported_media_type`
        UnsupportedMediaType = 415,
        /// `all_rejected`, with every reason; `unknown_parameter`
        Unprocessable = 422,
        /// `rate_limited`
        RateLimited = 429,
        /// `internal`
        Internal = 500,
        /// `ingestion_unavailable`: nothing was accepted, send it again after `Retry-After`
        Unavailable = 503,
    }
}

described_problems! {
    /// The errors of an endpoint that reads nothing.
    TokenProblems {
        /// `invalid_token`, `token_expired`
        Unauthorized = 401,
        /// `unknown_account`
        Forbidden = 403,
        /// `unknown_parameter`
        Unprocessable = 422,
        /// `rate_limited`
        RateLimited = 429,
    }
}
