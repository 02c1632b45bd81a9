//! The frame of the OpenAPI document; paths and schemas come with the routes.

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::auth::Scope;
use crate::error::{Code, FieldError, ProblemBody};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Chartwell",
        description = "Realtime analytics for AI assistants and agent-assist tools.\n\n\
            Questions are `GET` requests. They share their parameters: a date range with a time zone, an aggregation level, filters, a comparison, a split, sorting and pagination. \
            Answers are charts (whose `xAxis` and `series` are props of Material UI X Charts), tables and totals, as JSON or, with `Accept: text/csv`, as CSV; `meta` says what they were read from and how fresh they are.\n\n\
            Errors are `application/problem+json` (RFC 9457) with a `code` from a closed set and, where there are several problems, all of them in `errors`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "/", description = "This server")),
    tags(
        (name = "recommendations", description = "What assistants suggest to agents, and what becomes of it"),
        (name = "ingestion", description = "Taking in events"),
        (name = "platform", description = "The token and the account"),
        (name = "operations", description = "Health and metrics"),
    ),
    components(schemas(ProblemBody, FieldError, Code)),
    modifiers(&Bearer),
)]
pub struct ApiDescription;

/// The one way to authenticate, with the scopes that there are.
struct Bearer;

impl Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scopes = Scope::ALL.map(|scope| format!("`{}`", scope.name())).join(", ");
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some(format!(
                "A JWT with the claims `sub`, `account`, `exp` and `scope`, a list of words from: {scopes}. \
                 `grants` restricts what is read to some values of a field; `limits` lowers the rate limit."
            )))
            .build();
        openapi.components.get_or_insert_default().add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}
