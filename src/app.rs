//! The application: its state, and its routes in one readable list.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::FromRef;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{from_fn, map_response};
use axum::response::Response;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;

use crate::alerts::AlertsService;
use crate::alerts::book::Book;
use crate::alerts::endpoints as alerts;
use crate::alerts::file::RulesError;
use crate::alerts::metric::Questions;
use crate::alerts::rules::Rules;
use crate::alerts::watch::Watch;
use crate::auth::{Authenticator, KeySet, KnownRequests, Signatures};
use crate::clickhouse::{ClickHouse, Freshness};
use crate::config::Config;
use crate::domains::Domains;
use crate::domains::assistants::AssistantsService;
use crate::domains::assistants::anomalies::endpoints as assistant_anomalies;
use crate::domains::assistants::charts::endpoints as assistant_charts;
use crate::domains::assistants::regressions::endpoints as assistant_regressions;
use crate::domains::assistants::slo::endpoints as assistant_slo;
use crate::domains::assistants::tables::endpoints as assistant_tables;
use crate::domains::assistants::totals::endpoints as assistant_totals;
use crate::domains::assistants::traces::endpoints as assistant_traces;
use crate::domains::experiments::ExperimentsService;
use crate::domains::experiments::analyze::endpoints as experiment_analyze;
use crate::domains::experiments::charts::endpoints as experiment_charts;
use crate::domains::experiments::gate::endpoints as experiment_gate;
use crate::domains::experiments::guardrails::endpoints as experiment_guardrails;
use crate::domains::experiments::health::endpoints as experiment_health;
use crate::domains::experiments::list::endpoints as experiment_list;
use crate::domains::experiments::metrics::endpoints as experiment_metrics;
use crate::domains::experiments::results::endpoints as experiment_results;
use crate::domains::experiments::sample_size::endpoints as experiment_sample_size;
use crate::domains::platform::{PlatformService, endpoints as platform};
use crate::domains::product::ProductService;
use crate::domains::product::active_users::endpoints as product_active_users;
use crate::domains::product::funnel::endpoints as product_funnel;
use crate::domains::product::retention::endpoints as product_retention;
use crate::domains::product::sessions::endpoints as product_sessions;
use crate::domains::product::tables::endpoints as product_tables;
use crate::domains::recommendations::{RecommendationsService, endpoints as recommendations};
use crate::domains::voice_agents::{VoiceAgentsService, endpoints as voice_agents};
use crate::http::{
    Edge, Gatekeeper, RateLimits, RequestCounts, X_REQUEST_ID, guarded, method_not_allowed, on_panic, open,
};
use crate::ingest::endpoints::{self as ingestion, Ingestion};
use crate::ingest::mirror::{MirrorSettingsError, Mirroring, Selection};
use crate::ingest::otlp::{self, endpoints as otlp_endpoints};
use crate::ingest::{Intake, IntakeOpenError, PriceBook, PriceBookError};
use crate::openapi::{self, ApiDescription};
use crate::outbound::ClientError;
use crate::repository::{OperationalDatabase, Repository};
use crate::rows::Counters;
use crate::spool::{OpenError, Opened, Spool};
use crate::studio::{self, Studio};
use crate::telemetry;
use crate::topics::{Topics, TopicsError};
use crate::writer::{Batch, Inserter, Writer};

/// What handlers work with. Cheap to clone.
#[derive(Clone, FromRef)]
pub struct AppState {
    studio: Studio,
    platform: PlatformService,
    recommendations: RecommendationsService,
    assistants: AssistantsService,
    voice_agents: VoiceAgentsService,
    experiments: ExperimentsService,
    product: ProductService,
    alerts: AlertsService,
    ingestion: Ingestion,
}

/// Why the application cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error(transparent)]
    Keys(#[from] crate::auth::JwksError),
    #[error(transparent)]
    Intake(#[from] IntakeOpenError),
    #[error(transparent)]
    Spool(#[from] OpenError),
    #[error(transparent)]
    Prices(#[from] PriceBookError),
    #[error(transparent)]
    Topics(#[from] TopicsError),
    #[error(transparent)]
    Mirror(#[from] MirrorSettingsError),
    #[error(transparent)]
    Alerts(#[from] RulesError),
    #[error("alerts cannot be told: {0}")]
    Courier(#[from] ClientError),
}

/// The application: what stays while settings are read again, and what it serves by those that are in force.
pub struct App {
    pub kept: Kept,
    pub writer: Writer,
    pub serving: Serving,
}

/// What lives as long as the program: data, and what was counted.
pub struct Kept {
    pub clickhouse: ClickHouse,
    pub request_counts: RequestCounts,
    studio: Studio,
    known_requests: KnownRequests,
    repository: Arc<Repository>,
    book: Book,
}

/// What is served by settings.
pub struct Serving {
    pub router: Router,
    pub ingestion: Ingestion,
    /// The keys that tokens are checked with, besides the secret.
    pub keys: Option<Arc<KeySet>>,
    /// Set = there are rules to watch.
    pub watch: Option<Watch>,
}

impl App {
    /// Puts the application together; the tables of every account must be up to date.
    pub async fn new(config: &Config, clickhouse: ClickHouse, studio: Studio) -> Result<Self, AppError> {
        let freshness = Arc::new(Freshness::new(clickhouse.clone()));
        let counters = Arc::new(Counters::default());
        let (spool, writer) = open_spool(config, &clickhouse, &freshness, &counters)?;
        let topics = match &config.ingest.kafka_brokers {
            None => None,
            Some(brokers) => Some(Topics::open(brokers, &config.server.data_dir, clickhouse.clone())?),
        };
        let intake = Intake::open(&clickhouse, spool, topics, config, counters).await?;
        let kept = Kept {
            request_counts: RequestCounts::default(),
            studio,
            known_requests: KnownRequests::default(),
            repository: Arc::new(Repository::new(clickhouse.clone(), freshness)),
            book: Book::new(clickhouse.clone()),
            clickhouse,
        };
        let serving = kept.serving(config, intake, None)?;
        Ok(Self { kept, writer, serving })
    }
}

impl Kept {
    /// What is served by these settings, after what was served by others; the tables of every account must be up to
    /// date.
    pub async fn serve_again(
        &self,
        config: &Config,
        before: &Intake,
        keys: Option<&Arc<KeySet>>,
    ) -> Result<Serving, AppError> {
        self.serving(config, before.with(&self.clickhouse, config).await?, keys)
    }

    fn serving(&self, config: &Config, intake: Intake, keys: Option<&Arc<KeySet>>) -> Result<Serving, AppError> {
        let (accounts, intake) = (&config.server.accounts, Arc::new(intake));
        let keys = KeySet::from_config(&config.auth, keys)?;
        let gatekeeper = Arc::new(Gatekeeper {
            authenticator: Authenticator::new(&config.auth, keys.clone(), accounts),
            signatures: Signatures::new(&config.ingest.hmac_secrets, accounts, self.known_requests.clone()),
            rate_limits: RateLimits::new(&config.server, &config.limits, self.request_counts.clone()),
        });
        let operational = Arc::new(OperationalDatabase::new(&self.clickhouse, &config.clickhouse, accounts));
        let rules = Arc::new(Rules::of(config)?);
        let (repository, book) = (&self.repository, &self.book);
        let domains = Domains::new(Arc::clone(repository), Arc::clone(&operational), config);
        let ingestion = Ingestion {
            intake: Arc::clone(&intake),
            retention: config.retention(),
            prices: Arc::new(PriceBook::open(config.ingest.prices.as_deref())?),
            unknown_product_events: config.product.product_unknown_events,
            mirror: Mirroring::start(&config.product)?,
        };
        let watch = match !rules.rules.is_empty() || !rules.summaries.is_empty() {
            true => Some(Watch::new(Arc::clone(&rules), accounts, Questions(domains.clone()), book.clone())?),
            false => None,
        };
        let Domains { recommendations, assistants, voice_agents, experiments, product } = domains;
        let state = AppState {
            studio: self.studio.clone(),
            platform: PlatformService::new((Arc::clone(repository), operational), intake, config, telemetry::metrics()),
            recommendations,
            assistants,
            voice_agents,
            experiments,
            product,
            alerts: AlertsService::new(rules, book.clone()),
            ingestion: ingestion.clone(),
        };
        let (api, description) = api(&gatekeeper);
        let router = api
            .merge(studio::routes())
            .merge(docs(description))
            .fallback(studio::fallback)
            .method_not_allowed_fallback(method_not_allowed)
            .with_state(state)
            .layer(CatchPanicLayer::custom(on_panic))
            .layer(cors(&config.server.cors_origins))
            .layer(from_fn(Edge::handle));
        Ok(Serving { router, ingestion, keys, watch })
    }
}

/// Refuses settings that nothing can be served by, and the files that they name: before anything is touched.
pub fn check(config: &Config) -> Result<(), AppError> {
    KeySet::from_config(&config.auth, None)?;
    Rules::of(config)?;
    PriceBook::open(config.ingest.prices.as_deref())?;
    Selection::new(&config.product).map_err(MirrorSettingsError::from)?;
    Ok(())
}

/// Opens the spool and starts the writer, with what was left by the process before this one.
fn open_spool(
    config: &Config,
    clickhouse: &ClickHouse,
    freshness: &Arc<Freshness>,
    counters: &Arc<Counters>,
) -> Result<(Spool, Writer), OpenError> {
    metrics::gauge!("chartwell_spool_capacity_bytes").set(config.ingest.spool_bytes as f64);
    let Opened { spool, waiting, begun, damage } = Spool::open(&config.server.data_dir, config.ingest.spool_bytes)?;
    if spool.backlog().rows() > 0 {
        tracing::info!(rows = spool.backlog().rows(), "rows of the last run wait to be inserted");
    }
    if damage.places > 0 {
        tracing::warn!(
            places = damage.places,
            bytes = damage.bytes,
            "the spool has damaged places; what was readable was kept"
        );
    }
    let resumed = begun.into_iter().filter_map(|(token, records)| {
        let lane = records.first()?.lane.clone();
        Some(Batch::new(token, lane, records))
    });
    let inserter = Inserter::new(clickhouse.clone(), Arc::clone(freshness), Arc::clone(counters));
    let writer = Writer::start(spool.clone(), resumed.collect(), waiting, inserter);
    Ok((spool, writer))
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
        .routes(guarded(gatekeeper, routes!(assistant_charts::runs)))
        .routes(guarded(gatekeeper, routes!(assistant_charts::latency)))
        .routes(guarded(gatekeeper, routes!(assistant_charts::error_rate)))
        .routes(guarded(gatekeeper, routes!(assistant_charts::tokens)))
        .routes(guarded(gatekeeper, routes!(assistant_charts::cost)))
        .routes(guarded(gatekeeper, routes!(assistant_charts::time_to_first_token)))
        .routes(guarded(gatekeeper, routes!(assistant_tables::assistants)))
        .routes(guarded(gatekeeper, routes!(assistant_totals::totals)))
        .routes(guarded(gatekeeper, routes!(assistant_tables::models)))
        .routes(guarded(gatekeeper, routes!(assistant_tables::tools)))
        .routes(guarded(gatekeeper, routes!(assistant_tables::operations)))
        .routes(guarded(gatekeeper, routes!(assistant_tables::customers)))
        .routes(guarded(gatekeeper, routes!(assistant_tables::errors)))
        .routes(guarded(gatekeeper, routes!(assistant_traces::traces)))
        .routes(guarded(gatekeeper, routes!(assistant_traces::trace)))
        .routes(guarded(gatekeeper, routes!(assistant_slo::slo)))
        .routes(guarded(gatekeeper, routes!(assistant_anomalies::anomalies)))
        .routes(guarded(gatekeeper, routes!(assistant_regressions::regressions)))
        .routes(guarded(gatekeeper, routes!(voice_agents::totals)))
        .routes(guarded(gatekeeper, routes!(voice_agents::calls_over_time)))
        .routes(guarded(gatekeeper, routes!(voice_agents::containment_rate)))
        .routes(guarded(gatekeeper, routes!(voice_agents::response_latency)))
        .routes(guarded(gatekeeper, routes!(voice_agents::interruption_rate)))
        .routes(guarded(gatekeeper, routes!(voice_agents::dead_air)))
        .routes(guarded(gatekeeper, routes!(voice_agents::calls)))
        .routes(guarded(gatekeeper, routes!(voice_agents::transfer_reasons)))
        .routes(guarded(gatekeeper, routes!(experiment_list::experiments)))
        .routes(guarded(gatekeeper, routes!(experiment_results::results)))
        .routes(guarded(gatekeeper, routes!(experiment_metrics::analysis)))
        .routes(guarded(gatekeeper, routes!(experiment_health::health)))
        .routes(guarded(gatekeeper, routes!(experiment_charts::exposures)))
        .routes(guarded(gatekeeper, routes!(experiment_charts::conversion)))
        .routes(guarded(gatekeeper, routes!(experiment_guardrails::guardrails)))
        .routes(guarded(gatekeeper, routes!(experiment_gate::gate)))
        .routes(guarded(gatekeeper, routes!(experiment_analyze::analyze)))
        .routes(guarded(gatekeeper, routes!(experiment_sample_size::sample_size)))
        .routes(guarded(gatekeeper, routes!(product_active_users::active_users)))
        .routes(guarded(gatekeeper, routes!(product_tables::routes)))
        .routes(guarded(gatekeeper, routes!(product_tables::features)))
        .routes(guarded(gatekeeper, routes!(product_tables::filters)))
        .routes(guarded(gatekeeper, routes!(product_tables::chart_interactions)))
        .routes(guarded(gatekeeper, routes!(product_tables::client_errors)))
        .routes(guarded(gatekeeper, routes!(product_tables::adoption)))
        .routes(guarded(gatekeeper, routes!(product_tables::paths)))
        .routes(guarded(gatekeeper, routes!(product_sessions::sessions)))
        .routes(guarded(gatekeeper, routes!(product_funnel::funnel)))
        .routes(guarded(gatekeeper, routes!(product_retention::retention)))
        .routes(guarded(gatekeeper, routes!(platform::me)))
        .routes(guarded(gatekeeper, routes!(platform::current_account)))
        .routes(guarded(gatekeeper, routes!(platform::freshness)))
        .routes(guarded(gatekeeper, routes!(alerts::alerts)))
        .routes(guarded(gatekeeper, routes!(ingestion::events)))
        .routes(guarded(gatekeeper, routes!(ingestion::product_events)))
        .routes(otlp::with_status_errors(guarded(gatekeeper, routes!(otlp_endpoints::traces))))
        .routes(otlp::with_status_errors(guarded(gatekeeper, routes!(otlp_endpoints::logs))))
        .routes(open(routes!(platform::healthz)))
        .routes(open(routes!(platform::readyz)))
        .routes(open(routes!(platform::metrics)))
        .split_for_parts();
    openapi::name_and_exemplify(&mut description);
    openapi::offer_csv(&mut description);
    (router, description)
}

/// The OpenAPI document, without a running engine.
pub fn description() -> utoipa::openapi::OpenApi {
    let config = Config::default();
    let gatekeeper = Arc::new(Gatekeeper {
        authenticator: Authenticator::new(&config.auth, None, &config.server.accounts),
        signatures: Signatures::new(&[], &config.server.accounts, KnownRequests::default()),
        rate_limits: RateLimits::new(&config.server, &config.limits, RequestCounts::default()),
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
