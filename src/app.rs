//! The application: its state, and its routes in one readable list.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::FromRef;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{from_fn, map_response};
use axum::response::Response;
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;

use crate::auth::Authenticator;
use crate::clickhouse::{ClickHouse, Freshness, QueryError};
use crate::config::Config;
use crate::domains::platform::{PlatformService, endpoints as platform};
use crate::domains::recommendations::{RecommendationsService, endpoints as recommendations};
use crate::http::{Edge, Gatekeeper, RateLimits, X_REQUEST_ID, guarded, method_not_allowed, not_found, on_panic, open};
use crate::ingest::EventStore;
use crate::ingest::endpoints::{self as ingestion, Ingestion};
use crate::openapi::{self, ApiDescription};
use crate::page::{self, Page};
use crate::repository::Repository;
use crate::service::Service;
use crate::telemetry;

/// What handlers work with. Cheap to clone.
#[derive(Clone, FromRef)]
pub struct AppState {
    page: Page,
    platform: PlatformService,
    recommendations: RecommendationsService,
    ingestion: Ingestion,
}

/// Why the application cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error(transparent)]
    Keys(#[from] crate::auth::JwksError),
    #[error("the accounts cannot be opened: {0}")]
    Store(#[from] QueryError),
}

/// The parts that live as long as the program.
pub struct App {
    pub router: Router,
    pub gatekeeper: Arc<Gatekeeper>,
    pub store: Arc<EventStore>,
}

impl App {
    /// Puts the application together; the tables of every account must be up to date.
    pub async fn new(config: &Config, clickhouse: ClickHouse, page: Page) -> Result<Self, AppError> {
        let accounts = &config.server.accounts;
        let gatekeeper = Arc::new(Gatekeeper {
            authenticator: Authenticator::new(&config.auth, accounts)?,
            rate_limits: RateLimits::new(&config.server),
        });
        let freshness = Arc::new(Freshness::new(clickhouse.clone(), accounts));
        let store = Arc::new(EventStore::open(clickhouse.clone(), Arc::clone(&freshness), accounts).await?);
        let repository = Arc::new(Repository::new(clickhouse, freshness));
        let service = Arc::new(Service::new(Arc::clone(&repository), config.ingest.retention_days));
        let limits = (config.server.query_rate_limit, config.ingest.retention_days);
        let state = AppState {
            page,
            platform: PlatformService::new(repository, accounts, limits, telemetry::metrics()),
            recommendations: RecommendationsService::new(service),
            ingestion: Ingestion { store: Arc::clone(&store), retention_days: config.ingest.retention_days },
        };
        let (api, description) = api(&gatekeeper);
        let router = api
            .route("/", get(page::index))
            .merge(docs(description))
            .fallback(not_found)
            .method_not_allowed_fallback(method_not_allowed)
            .with_state(state)
            .layer(CatchPanicLayer::custom(on_panic))
            .layer(cors(&config.server.cors_origins))
            .layer(from_fn(Edge::handle));
        Ok(Self { router, gatekeeper, store })
    }
}

/// Every route of the API. What is registered is described, and guarded by the scope it declares.
fn api(gatekeeper: &Arc<Gatekeeper>) -> (Router<AppState>, utoipa::openapi::OpenApi) {
    let (router, mut description) = OpenApiRouter::with_openapi(ApiDescription::openapi())
        .routes(guarded(gatekeeper, routes!(recommendations::series)))
        .routes(guarded(gatekeeper, routes!(recommendations::assisted_text_per_source)))
        .routes(guarded(gatekeeper, routes!(recommendations::acceptance_rate)))
        .routes(guarded(gatekeeper, routes!(recommendations::assisted_share)))
        .routes(guarded(gatekeeper, routes!(recommendations::funnel)))
        .routes(guarded(gatekeeper, routes!(recommendations::totals)))
        .routes(guarded(gatekeeper, routes!(recommendations::agents)))
        .routes(guarded(gatekeeper, routes!(platform::me)))
        .routes(guarded(gatekeeper, routes!(platform::current_account)))
        .routes(guarded(gatekeeper, routes!(ingestion::events)))
        .routes(open(routes!(platform::healthz)))
        .routes(open(routes!(platform::readyz)))
        .routes(open(routes!(platform::metrics)))
        .split_for_parts();
    openapi::name_and_exemplify(&mut description);
    (router, description)
}

/// The OpenAPI document, without a running engine.
pub fn description() -> utoipa::openapi::OpenApi {
    let config = Config::default();
    let gatekeeper = Arc::new(Gatekeeper {
        authenticator: Authenticator::new(&config.auth, &config.server.accounts).expect("no keys, no failure"),
        rate_limits: RateLimits::new(&config.server),
    });
    api(&gatekeeper).1
}

/// The interactive documentation: its own files, and nothing from elsewhere.
fn docs(description: utoipa::openapi::OpenApi) -> Router<AppState> {
    const POLICY: HeaderValue = HeaderValue::from_static(
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'",
    );
    Router::from(SwaggerUi::new("/docs").url("/openapi.json", description)).layer(map_response(
        |mut response: Response| async {
            response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, POLICY);
            response
        },
    ))
}

fn cors(origins: &[String]) -> CorsLayer {
    let origins: Vec<HeaderValue> = origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    let exposed = ["ratelimit", "ratelimit-policy"].map(HeaderName::from_static);
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::CONTENT_ENCODING,
            header::IF_NONE_MATCH,
            X_REQUEST_ID,
        ])
        .expose_headers(
            exposed.into_iter().chain([X_REQUEST_ID, header::ETAG, header::RETRY_AFTER]).collect::<Vec<_>>(),
        )
        .max_age(Duration::from_secs(600))
}
