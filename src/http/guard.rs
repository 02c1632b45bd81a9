//! The guard: what stands before every route, by what the route declares of itself.
//!
//! This is a security boundary. A route is registered through [`guarded`], which reads the scope off
//! its OpenAPI description and refuses to start when there is none; the token, the scope and the
//! rate limit are then checked before the handler runs. A handler cannot read anything without the
//! [`Reader`] that the guard leaves for it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use http_body_util::{BodyExt, Limited};
use utoipa::openapi::path::{Operation, Paths};
use utoipa_axum::router::UtoipaMethodRouter;

use super::rate_limit::RateLimits;
use super::represent::{Accepted, represent};
use super::request_id::RequestId;
use crate::auth::{Authenticator, Principal, Reader, Scope, Signatures, Signed, SignedIn};
use crate::error::{ApiError, Code};
use crate::traces;

/// Who lets requests in.
pub struct Gatekeeper {
    pub authenticator: Authenticator,
    pub signatures: Signatures,
    pub rate_limits: RateLimits,
}

/// A route behind the guard.
pub type Guarded<S> = UtoipaMethodRouter<S>;

const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
/// A signature is checked before anything else is known of a body, so all of it has to be read.
const LARGEST_SIGNED_BODY: usize = 8 << 20;

/// Who is told to come back later is told after this: asking again at once, without end, is to cost the others nothing.
const BEFORE_REFUSALS: Duration = Duration::from_millis(100);

/// What a route declares that a token needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    AnyToken,
    Scope(Scope),
}

/// Puts the guard before a route.
///
/// # Panics
/// When an operation declares no scope: such a program must not start.
pub fn guarded<S: Clone + Send + Sync + 'static>(
    gatekeeper: &Arc<Gatekeeper>,
    (schemas, paths, methods): Guarded<S>,
) -> Guarded<S> {
    let needs = declared(&paths);
    let state = (Arc::clone(gatekeeper), needs);
    (schemas, paths, methods.route_layer(from_fn_with_state(state, guard)))
}

/// Paths that answer without a token; they tell nothing about any account.
const OPEN_PATHS: [&str; 4] = ["/healthz", "/readyz", "/metrics", "/openapi.json"];

/// Registers a route that needs no token.
///
/// # Panics
/// When its path is not one of the few that may.
pub fn open<S>(route: Guarded<S>) -> Guarded<S> {
    for path in route.1.paths.keys() {
        assert!(OPEN_PATHS.contains(&path.as_str()), "{path} is registered without a token; declare a scope");
    }
    route
}

fn declared(paths: &Paths) -> Needs {
    let mut needs: Option<Needs> = None;
    for (path, item) in &paths.paths {
        let operations =
            [&item.get, &item.post, &item.put, &item.delete, &item.patch, &item.head, &item.options, &item.trace];
        for operation in operations.into_iter().flatten() {
            let declared = declared_of(path, operation);
            assert!(needs.is_none_or(|needs| needs == declared), "{path} declares different scopes for its methods");
            needs = Some(declared);
        }
    }
    needs.expect("a route has an operation")
}

fn declared_of(path: &str, operation: &Operation) -> Needs {
    let declared = serde_json::to_value(&operation.security).expect("security serialises");
    let scopes = declared.pointer("/0/bearer").and_then(serde_json::Value::as_array);
    let scopes = scopes.unwrap_or_else(|| panic!("{path} declares no scope: add `security((\"bearer\" = […]))`"));
    match scopes.as_slice() {
        [] => Needs::AnyToken,
        [name] => {
            let name = name.as_str().unwrap_or_default();
            Needs::Scope(
                Scope::by_name(name).unwrap_or_else(|| panic!("{path} declares the scope {name}, which there is not")),
            )
        }
        _ => panic!("{path} declares more than one scope"),
    }
}

async fn guard(State((gatekeeper, needs)): State<(Arc<Gatekeeper>, Needs)>, request: Request, next: Next) -> Response {
    let (mut response, limit_headers) = match admit(&gatekeeper, needs, request).await {
        Ok(Admitted { request, accepted, limit_headers, signed }) => {
            let asked = accepted.remembered(&request);
            let response = next.run(request).await;
            if let Some(signed) = signed.filter(|_| response.status().is_success()) {
                signed.accepted();
            }
            (represent(response, asked), limit_headers)
        }
        Err((error, limit_headers)) => (error.into_response(), limit_headers),
    };
    if let Some(headers) = limit_headers {
        headers.add_to(response.headers_mut());
    }
    if response.headers().contains_key(header::RETRY_AFTER) {
        tokio::time::sleep(BEFORE_REFUSALS).await;
    }
    response
}

struct Admitted {
    request: Request,
    accepted: Accepted,
    limit_headers: Option<super::rate_limit::LimitHeaders>,
    signed: Option<SignedIn>,
}

type Refused = (ApiError, Option<super::rate_limit::LimitHeaders>);

/// Who asks: by a token, or by a signature where that may be.
async fn identify(
    gatekeeper: &Gatekeeper,
    needs: Needs,
    request: &mut Request,
) -> Result<(Arc<Principal>, Option<SignedIn>), ApiError> {
    if let Needs::Scope(scope) = needs
        && scope.is_ingestion()
        && request.headers().contains_key(SIGNATURE)
        && !request.headers().contains_key(header::AUTHORIZATION)
    {
        let signed = check_signature(&gatekeeper.signatures, request).await?;
        return Ok((Arc::clone(&signed.principal), Some(signed)));
    }
    let authorization = request.headers().get(header::AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
    match gatekeeper.authenticator.authenticate(authorization).await {
        Ok(principal) => Ok((principal, None)),
        Err(refused) => {
            metrics::counter!("chartwell_tokens_refused_total", "reason" => refused.reason()).increment(1);
            Err(refused.into())
        }
    }
}

/// Checks the signature of a request, which needs its whole body.
async fn check_signature(signatures: &Signatures, request: &mut Request) -> Result<SignedIn, ApiError> {
    let body = std::mem::take(request.body_mut());
    let body = Limited::new(body, LARGEST_SIGNED_BODY).collect().await.map_err(|_| {
        ApiError::new(Code::BodyTooLarge, format!("A signed body has at most {} MiB.", LARGEST_SIGNED_BODY >> 20))
    })?;
    let body = body.to_bytes();
    let text = |name: HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let signed = Signed {
        key_id: text(HeaderName::from_static("x-key-id")),
        id: text(HeaderName::from_static("webhook-id")),
        timestamp: text(HeaderName::from_static("webhook-timestamp")),
        signature: text(SIGNATURE),
    };
    let checked = signatures.check(signed, &body, Utc::now());
    *request.body_mut() = Body::from(body);
    checked.map_err(|refused| {
        metrics::counter!("chartwell_signatures_refused_total").increment(1);
        refused.into()
    })
}

async fn admit(gatekeeper: &Gatekeeper, needs: Needs, mut request: Request) -> Result<Admitted, Refused> {
    let (principal, signed) = identify(gatekeeper, needs, &mut request).await.map_err(|error| (error, None))?;
    let scope = match needs {
        Needs::AnyToken => None,
        Needs::Scope(scope) if principal.scopes.contains(&scope) => Some(scope),
        Needs::Scope(scope) => return Err((ApiError::insufficient_scope(scope), None)),
    };
    let limited = gatekeeper.rate_limits.count(&principal, scope.is_some_and(Scope::is_ingestion));
    let limit_headers = limited.map_err(|(seconds, headers)| {
        let error = ApiError::new(Code::RateLimited, format!("Too many requests; try again in {seconds} s."))
            .retry_after(seconds);
        (error, Some(headers))
    })?;
    let accepted = Accepted::by(request.method(), request.headers()).map_err(|error| (error, limit_headers))?;
    let request_id =
        request.extensions().get::<RequestId>().cloned().unwrap_or_else(|| RequestId::of(request.headers()));
    traces::note_account(principal.account.as_str());
    request.extensions_mut().insert(Reader::new(principal, request_id.0));
    Ok(Admitted { request, accepted, limit_headers, signed })
}

impl<S: Send + Sync> FromRequestParts<S> for Reader {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| ApiError::internal("a handler stands outside of the guard"))
    }
}

#[cfg(test)]
mod tests {
    use utoipa::openapi::path::{HttpMethod, OperationBuilder};
    use utoipa::openapi::security::SecurityRequirement;

    use super::*;

    fn paths(security: Option<SecurityRequirement>) -> Paths {
        let mut operation = OperationBuilder::new();
        if let Some(security) = security {
            operation = operation.security(security);
        }
        let mut paths = Paths::new();
        paths.add_path_operation("/api/v1/x", vec![HttpMethod::Get], operation.build());
        paths
    }

    #[test]
    fn a_route_needs_what_it_declares() {
        let scope = SecurityRequirement::new("bearer", ["recommendations:read"]);
        assert_eq!(declared(&paths(Some(scope))), Needs::Scope(Scope::RecommendationsRead));
        assert_eq!(declared(&paths(Some(SecurityRequirement::new("bearer", [""; 0])))), Needs::AnyToken);
    }

    #[test]
    #[should_panic(expected = "declares no scope")]
    fn a_route_without_a_declared_scope_does_not_start() {
        declared(&paths(None));
    }

    #[test]
    #[should_panic(expected = "which there is not")]
    fn a_route_with_an_unknown_scope_does_not_start() {
        declared(&paths(Some(SecurityRequirement::new("bearer", ["recommendations:raed"]))));
    }

    #[test]
    #[should_panic(expected = "registered without a token")]
    fn only_few_paths_are_open() {
        let _ = open::<()>((Vec::new(), paths(None), axum::routing::MethodRouter::new()));
    }
}
