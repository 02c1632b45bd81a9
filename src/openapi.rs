//! The frame of the OpenAPI document; paths and schemas come with the routes.
//!
//! Every operation has an example, in `openapi/examples/<tag>/<operation>.json`: a request and its
//! answer. The tests send them all.

use std::collections::BTreeMap;

use include_dir::{Dir, include_dir};
use serde::Deserialize;
use serde_json::Value;
use utoipa::openapi::path::{Operation, ParameterBuilder};
use utoipa::openapi::schema::{Object, Schema, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, PathItem, RefOr};
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
        (name = "assistants", description = "What assistants do, how often they fail, and what that costs"),
        (name = "voice-agents", description = "How calls of voice agents end, how long callers wait, and how often agents are interrupted"),
        (name = "experiments", description = "Whether a variant did better than the baseline, and whether that is certain enough to act on"),
        (name = "product", description = "Who uses the product, what of it, for how long, and what breaks for them"),
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

static EXAMPLES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/openapi/examples");

/// A request, and what is answered to it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Method, path and query, as in the first line of a request.
    pub request: String,
    pub body: Option<Value>,
    /// JSON, or lines of text.
    pub answer: Value,
}

impl Example {
    /// The example of an operation; the name is `<tag>/<operation>`.
    pub fn of(name: &str) -> Option<Self> {
        let file = EXAMPLES.get_file(format!("{name}.json"))?;
        let text = file.contents_utf8().unwrap_or_default();
        Some(serde_json::from_str(text).unwrap_or_else(|error| panic!("openapi/examples/{name}.json: {error}")))
    }

    /// The values of its parameters.
    fn parameters(&self) -> BTreeMap<String, Vec<String>> {
        let query = self.request.split_once('?').map_or("", |(_, query)| query);
        let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()).into_owned() {
            values.entry(name).or_default().push(value);
        }
        values
    }
}

/// Says of every answer that is there as CSV that it is: of all that tell in their `meta` what they were read from.
pub fn offer_csv(description: &mut utoipa::openapi::OpenApi) {
    let schemas = description.components.as_ref().map(|components| components.schemas.clone()).unwrap_or_default();
    let csv = ContentBuilder::new().schema(Some(Object::with_type(Type::String))).build();
    let answers = description.paths.paths.values_mut().filter_map(|item| item.get.as_mut());
    for response in answers.filter_map(|get| get.responses.responses.get_mut("200")).filter_map(inline) {
        let json = response.content.get_mut("application/json").and_then(inline);
        if json.and_then(|content| content.schema.as_ref()).is_some_and(|schema| has_meta(schema, &schemas)) {
            response.content.insert("text/csv".into(), csv.clone().into());
        }
    }
}

fn has_meta(schema: &RefOr<Schema>, schemas: &BTreeMap<String, RefOr<Schema>>) -> bool {
    match schema {
        RefOr::Ref(reference) => reference
            .ref_location
            .rsplit('/')
            .next()
            .and_then(|name| schemas.get(name))
            .is_some_and(|schema| has_meta(schema, schemas)),
        RefOr::T(Schema::Object(object)) => object.properties.contains_key("meta"),
        RefOr::T(Schema::AllOf(parts)) => parts.items.iter().any(|part| has_meta(part, schemas)),
        RefOr::T(_) => false,
    }
}

/// Gives every operation its id, which is unique with the tag in front, and its example.
pub fn name_and_exemplify(description: &mut utoipa::openapi::OpenApi) {
    for item in description.paths.paths.values_mut() {
        let PathItem { get, post, .. } = item;
        for operation in [get, post].into_iter().flatten() {
            let tag = operation.tags.iter().flatten().next().cloned().unwrap_or_default();
            let name = operation.operation_id.clone().unwrap_or_default();
            if let Some(example) = Example::of(&format!("{tag}/{name}")) {
                exemplify(operation, &example);
            }
            operation.operation_id = Some(format!("{}_{name}", tag.replace('-', "_")));
        }
    }
}

fn exemplify(operation: &mut Operation, example: &Example) {
    let mut values = example.parameters();
    for parameter in operation.parameters.iter_mut().flatten().filter_map(inline) {
        let value = match values.remove(&parameter.name) {
            None => None,
            // What is repeatable is described as a list.
            Some(values) if parameter.explode == Some(true) => Some(values.into()),
            Some(values) => values.into_iter().next().map(Value::from),
        };
        *parameter = ParameterBuilder::from(parameter.clone()).example(value).build();
    }
    if let Some(body) = operation.request_body.as_mut().and_then(inline) {
        body.content.values_mut().filter_map(inline).for_each(|content| content.example.clone_from(&example.body));
    }
    let successes = operation.responses.responses.iter_mut().filter(|(status, _)| status.starts_with('2'));
    for response in successes.filter_map(|(_, response)| inline(response)) {
        let contents = response.content.values_mut().filter_map(inline);
        contents.for_each(|content| content.example = Some(example.answer.clone()));
    }
}

fn inline<T>(part: &mut RefOr<T>) -> Option<&mut T> {
    match part {
        RefOr::T(part) => Some(part),
        RefOr::Ref(_) => None,
    }
}
