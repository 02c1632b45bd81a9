//! Verification: every template is rendered and sent to the engine.

use std::sync::Arc;

use chrono::Utc;

use crate::auth::{Grants, Principal, Reader, Scope};
use crate::clickhouse::{ClickHouse, Freshness};
use crate::config::{Account, ClickHouseConfig, ObjectivesConfig, Retention};
use crate::domains::assistants::AssistantsService;
use crate::domains::experiments::ExperimentsService;
use crate::domains::product::ProductService;
use crate::domains::recommendations::RecommendationsService;
use crate::domains::voice_agents::VoiceAgentsService;
use crate::query::{DateRange, Parameters};
use crate::repository::{OperationalDatabase, Recorder, Repository, Statements};
use crate::service::{AnswerError, Service};

/// A template that does not render, or that the engine does not accept.
#[derive(Debug, thiserror::Error)]
#[error("{endpoint}?{query}: {error}")]
pub struct Unaccepted {
    endpoint: &'static str,
    query: &'static str,
    error: AnswerError,
}

/// Asks every kind of question, and returns how many different statements the engine accepted.
pub async fn verify_templates(clickhouse: &ClickHouse, account: &Account) -> Result<usize, Unaccepted> {
    Ok(statements(clickhouse, account).await?.values().map(Vec::len).sum())
}

/// Asks every kind of question, and returns the statements.
pub async fn statements(clickhouse: &ClickHouse, account: &Account) -> Result<Statements, Unaccepted> {
    let recorder = Recorder::default();
    let freshness = Arc::new(Freshness::new(clickhouse.clone()));
    let repository = Arc::new(Repository::new(clickhouse.clone(), freshness).recorded_by(recorder.clone()));
    let service = Arc::new(Service::new(Arc::clone(&repository), Retention::of_all(90)));
    let recommendations = RecommendationsService::new(Arc::clone(&service));
    let stand_in = OperationalDatabase::new(clickhouse, &ClickHouseConfig::default(), std::slice::from_ref(account));
    let assistants = AssistantsService::new(Arc::clone(&service), Arc::new(stand_in), ObjectivesConfig::default());
    let product = ProductService::new(Arc::clone(&service));
    let voice_agents = VoiceAgentsService::new(Arc::clone(&service));
    let experiments = ExperimentsService::new(service).assuming(&["A", "B"]);
    let closely = voice_agents.clone().looking_closely();
    let ranking =
        RecommendationsService::new(Arc::new(Service::new(repository, Retention::of_all(90)).ranking_from(0)));
    let principal = Principal {
        subject: "verification".to_owned(),
        account: account.clone(),
        scopes: vec![Scope::TracesRead],
        grants: Grants::default(),
        requests_per_minute: None,
    };
    let reader = Reader::new(Arc::new(principal), "verification".into());

    // A day that is over, one between two steps of every rollup, and one in minutes; split and not.
    const CHARTS: [&str; 5] = [
        "datetime_from=2026-02-03&datetime_to=2026-02-03&aggregation_level=hour",
        "datetime_from=2026-02-03T00:07:00Z&datetime_to=2026-02-04T00:07:00Z&aggregation_level=hour&timezone=Asia/Kathmandu",
        "datetime_from=2026-02-03T00:00:00Z&datetime_to=2026-02-03T01:00:00Z&aggregation_level=minute",
        "datetime_from=2026-02-03&datetime_to=2026-02-03&split_by=agent&compare=previous_period",
        "datetime_from=2026-02-03&datetime_to=2026-02-03&split_by=profile_code&profile_codes=a&filter=platform:ne:x|data.channel:gt:1",
    ];
    const SPAN_CHARTS: [&str; 6] = [
        CHARTS[0],
        CHARTS[1],
        CHARTS[2],
        "datetime_from=2026-02-03&datetime_to=2026-02-03&split_by=model&assistant_codes=a&compare=previous_period",
        "datetime_from=2026-02-03&datetime_to=2026-02-03&split_by=status&filter=tool_name:is_null",
        "datetime_from=2026-02-03&datetime_to=2026-02-03&filter=duration_ms:gt:5|attributes.http.status:eq:500",
    ];
    const TABLES: [&str; 4] = [
        CHART_DAYS[0],
        CHART_DAYS[1],
        "datetime_from=2026-02-03&datetime_to=2026-02-03&filter=platform:contains:x",
        "datetime_from=2026-02-03&datetime_to=2026-02-03&profile_codes=a",
    ];
    // So long that quantiles are made of bins.
    const LONG_SPAN_CHARTS: [&str; 2] = [
        "datetime_from=2026-01-01&datetime_to=2026-03-01",
        "datetime_from=2026-01-01T00:07:00Z&datetime_to=2026-03-01&split_by=model&compare=previous_period",
    ];
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const LONG_RANGE: [&str; 1] = [LONG_SPAN_CHARTS[0]];
    const SPAN_TABLES: [&str; 2] = [
        CHART_DAYS[1],
        "datetime_from=2026-02-03&datetime_to=2026-02-03&assistant_codes=a&filter=tool_name:is_null|attributes.http.status:eq:500",
    ];
    const CHART_DAYS: [&str; 2] = [
        "datetime_from=2026-02-03&datetime_to=2026-02-03",
        "datetime_from=2026-02-03T00:07:00Z&datetime_to=2026-02-04T00:07:00Z",
    ];

    const VOICE_CHARTS: [&str; 6] = [
        CHARTS[0],
        CHARTS[1],
        CHARTS[2],
        "datetime_from=2026-02-03&datetime_to=2026-02-03&split_by=assistant&compare=previous_period&told_by=spans",
        "datetime_from=2026-02-03&datetime_to=2026-02-03&split_by=profile_code&profile_codes=a&filter=platform:is_null|direction:eq:inbound",
        LONG_SPAN_CHARTS[0],
    ];
    const VOICE_TABLES: [&str; 2] =
        [CHART_DAYS[1], "datetime_from=2026-02-03&datetime_to=2026-02-03&outcomes=transferred&told_by=events"];

    // From the rollup, from its middle and raw rows, and by what only single facts tell.
    const USE_TABLES: [&str; 4] = [
        CHART_DAYS[0],
        CHART_DAYS[1],
        "datetime_from=2026-02-01T00:07:00Z&datetime_to=2026-02-04&sources=web",
        "datetime_from=2026-02-03&datetime_to=2026-02-03&filter=schema_version:ne:v0|value_count:gt:1",
    ];
    const ACTIVE_USERS: [&str; 3] = [
        "datetime_from=2026-02-03&datetime_to=2026-02-04&window=week&compare=previous_period",
        "datetime_from=2026-02-03&datetime_to=2026-02-04&timezone=Asia/Kathmandu&org_id_hashes=a",
        "datetime_from=2026-02-03&datetime_to=2026-02-03&filter=name:eq:page_viewed",
    ];
    const FUNNELS: [&str; 3] = [
        "datetime_from=2026-02-03&datetime_to=2026-02-04&steps=page_viewed&steps=feature_viewed;feature:eq:a;source:eq:web|surface:is_null&window=1h",
        "datetime_from=2026-02-03&datetime_to=2026-02-04&steps=page_viewed&steps=filter_changed&steps=session_ended&order=strict&unit=session",
        "datetime_from=2026-02-03&datetime_to=2026-02-04&steps=page_viewed&steps=chart_interacted&split_by=source&compare=previous_period",
    ];
    const RETENTIONS: [&str; 2] = [
        "datetime_from=2026-02-02&datetime_to=2026-02-15&cohort_event=page_viewed&return_event=feature_viewed;feature:eq:a",
        "datetime_from=2026-02-02&datetime_to=2026-02-05&cohort_event=page_viewed&return_event=page_viewed&period=day&cohort_by=first_ever&returned=on_or_after&timezone=Asia/Kathmandu",
    ];

    macro_rules! ask {
        ($($service:ident.$method:ident($queries:expr);)*) => {$(
            for query in $queries {
                let question = Parameters::read(query).expect("specimens are good questions");
                let answer = $service.$method(&reader, &question).await;
                answer.map_err(|error| Unaccepted { endpoint: stringify!($method), query, error })?;
            }
        )*};
    }
    ask! {
        assistants.runs(SPAN_CHARTS);
        assistants.error_rate(SPAN_CHARTS);
        assistants.tokens(SPAN_CHARTS);
        assistants.tokens(["datetime_from=2026-02-03&datetime_to=2026-02-03&tokens=cached_input"]);
        assistants.cost(SPAN_CHARTS);
        assistants.latency(SPAN_CHARTS);
        assistants.latency(LONG_SPAN_CHARTS);
        assistants.time_to_first_token(SPAN_CHARTS);
        assistants.time_to_first_token(LONG_SPAN_CHARTS);
        assistants.totals(SPAN_TABLES);
        assistants.totals(LONG_RANGE);
        assistants.traces(SPAN_TABLES);
        assistants.traces(["datetime_from=2026-02-03&datetime_to=2026-02-03&filter_on=root_span&models=a"]);
        assistants.traces(["datetime_from=2026-02-03&datetime_to=2026-02-03&cursor=WzE3NzAwODA0MDAwMDAwMDAsWyJhZ2VudCIsIjRiZjkyZjM1NzdiMzRkYTZhM2NlOTI5ZDBlMGU0NzM2IiwiMDBmMDY3YWEwYmE5MDJiNyJdXQ"]);
        assistants.assistants(SPAN_TABLES);
        assistants.models(SPAN_TABLES);
        assistants.tools(SPAN_TABLES);
        assistants.operations(SPAN_TABLES);
        assistants.customers(SPAN_TABLES);
        assistants.errors(SPAN_TABLES);
        assistants.anomalies(["datetime_from=2026-02-03&datetime_to=2026-02-03", "datetime_from=2026-02-03&datetime_to=2026-02-04&split_by=assistant&timezone=Asia/Kathmandu"]);
        assistants.regressions([
            "datetime_from=2026-02-03&datetime_to=2026-02-03&baseline=1&candidate=2",
            "datetime_from=2026-02-03&datetime_to=2026-02-03&dimension=model&baseline=a&candidate=b&environments=x",
        ]);
        assistants.slo(["at=2026-02-04T00:07:00Z", "at=2026-02-04&assistant_codes=a&filter=tool_name:is_null"]);
        voice_agents.totals(CHART_DAYS);
        voice_agents.totals(LONG_RANGE);
        voice_agents.calls_over_time(VOICE_CHARTS);
        voice_agents.containment_rate(VOICE_CHARTS);
        voice_agents.response_latency(VOICE_CHARTS);
        voice_agents.response_latency(["datetime_from=2026-02-03&datetime_to=2026-02-03&split_by=platform&stage=model&quantile=p50"]);
        voice_agents.interruption_rate(VOICE_CHARTS);
        voice_agents.dead_air(VOICE_CHARTS);
        voice_agents.dead_air(["datetime_from=2026-02-03&datetime_to=2026-02-03&share_of=time"]);
        voice_agents.calls(VOICE_TABLES);
        voice_agents.transfer_reasons(VOICE_TABLES);
        closely.totals(CHART_DAYS);
        closely.calls_over_time(CHART_DAYS);
        closely.containment_rate(CHART_DAYS);
        closely.response_latency(CHART_DAYS);
        closely.interruption_rate(CHART_DAYS);
        closely.dead_air(CHART_DAYS);
        closely.calls(CHART_DAYS);
        closely.transfer_reasons(CHART_DAYS);
        experiments.experiments(CHART_DAYS);
        experiments.experiments(["datetime_from=2026-02-03&datetime_to=2026-02-03&experiment_ids=a&sort=-units,experiment_id&filter=data.locale:eq:nl"]);
        product.active_users(ACTIVE_USERS);
        product.routes(USE_TABLES);
        product.features(USE_TABLES);
        product.filters(USE_TABLES);
        product.chart_interactions(USE_TABLES);
        product.client_errors(USE_TABLES);
        product.adoption(CHART_DAYS);
        product.paths(["datetime_from=2026-02-03&datetime_to=2026-02-03&route=/a", "datetime_from=2026-02-03&datetime_to=2026-02-03&route=/a&top=3&sources=web&verify=true"]);
        product.sessions(["datetime_from=2026-02-03&datetime_to=2026-02-03", "datetime_from=2026-02-03&datetime_to=2026-02-03&filter=name:ne:client_error&compare=previous_period"]);
        product.funnel(FUNNELS);
        product.retention(RETENTIONS);
        recommendations.series(CHARTS);
        ranking.series([CHARTS[3], CHARTS[4]]);
        ranking.acceptance_rate([CHARTS[3]]);
        recommendations.series(["metric=shown&split_by=source&datetime_from=2026-02-03&datetime_to=2026-02-04"]);
        recommendations.assisted_text_per_source([CHART_DAYS[0], CHART_DAYS[1], "datetime_from=2026-02-03&datetime_to=2026-02-09&compare=previous_year&sources=search"]);
        recommendations.acceptance_rate(CHARTS);
        recommendations.assisted_share(CHARTS);
        recommendations.funnel(TABLES);
        recommendations.totals(TABLES);
        recommendations.agents(TABLES);
        recommendations.agents(["datetime_from=2026-02-03&datetime_to=2026-02-03&sort=-acceptance_rate,agent_name&limit=5"]);
    }
    for query in [
        "datetime_from=2026-02-03&datetime_to=2026-02-04&goal_event=sale",
        "datetime_from=2026-02-03&datetime_to=2026-02-04&goal_event=sale&metric_type=mean&value_field=data.price&cuped_days=7&goal_filter=platform:eq:web|data.kind:gt:1",
        "datetime_from=2026-02-03&datetime_to=2026-02-04&goal_event=sale&metric_type=ratio&value_field=data.price&denominator_event=visit&platforms=web",
        "datetime_from=2026-02-03&datetime_to=2026-02-04&goal_event=sale&metric_type=event_ratio&filter=data.locale:eq:nl",
    ] {
        let question = Parameters::read(query).expect("specimens are good questions");
        let answer = experiments.results(&reader, "a", &question).await;
        answer.map_err(|error| Unaccepted { endpoint: "results", query, error })?;
    }
    for query in CHART_DAYS {
        let question = Parameters::read(query).expect("specimens are good questions");
        let answer = experiments.exposures(&reader, "a", &question).await;
        answer.map_err(|error| Unaccepted { endpoint: "exposures", query, error })?;
    }
    for query in [
        "datetime_from=2026-02-03&datetime_to=2026-02-03&goal_event=a&aggregation_level=hour",
        "datetime_from=2026-02-03&datetime_to=2026-02-03&goal_event=a&goal_filter=data.x:gt:1&show=lift",
    ] {
        let question = Parameters::read(query).expect("specimens are good questions");
        let answer = experiments.conversion(&reader, "a", &question).await;
        answer.map_err(|error| Unaccepted { endpoint: "conversion", query, error })?;
    }
    for query in [
        "datetime_from=2026-02-03&datetime_to=2026-02-03",
        "datetime_from=2026-01-27&datetime_to=2026-02-02&platforms=web&filter=data.x:eq:1",
    ] {
        let question = Parameters::read(query).expect("specimens are good questions");
        let answer = experiments.guardrails(&reader, "a", &question).await;
        answer.map_err(|error| Unaccepted { endpoint: "guardrails", query, error })?;
    }
    const GATE: &str = "max_error_rate=0.1&profile_codes=a&at=2026-02-03T10:00:00Z";
    let question = Parameters::read(GATE).expect("specimens are good questions");
    let answer = experiments.gate(&reader, "a", &question).await;
    answer.map_err(|error| Unaccepted { endpoint: "gate", query: GATE, error })?;
    for query in [
        CHART_DAYS[0],
        "datetime_from=2026-02-03T00:07:00Z&datetime_to=2026-02-05T00:07:00Z&timezone=Asia/Kathmandu&multiple_exposures=first&filter=data.locale:eq:nl",
    ] {
        let question = Parameters::read(query).expect("specimens are good questions");
        let answer = experiments.health(&reader, "a", &question).await;
        answer.map_err(|error| Unaccepted { endpoint: "health", query, error })?;
    }
    let day = Parameters::read::<DateRange>(CHART_DAYS[0]).expect("a good range");
    let day = day.resolve(Utc::now()).expect("a good range");
    let answer = assistants.run_totals(&reader, &day, vec![TRACE.to_owned()]).await;
    answer.map_err(|error| Unaccepted { endpoint: "run_totals", query: CHART_DAYS[0], error })?;
    // Of a trace that is not there, with and without what it would say.
    let blind = Principal { scopes: Vec::new(), ..(*reader.principal).clone() };
    for reader in [reader, Reader::new(Arc::new(blind), "verification".into())] {
        match assistants.trace(&reader, TRACE).await {
            Ok(_) | Err(AnswerError::NotFound(_)) => {}
            Err(error) => return Err(Unaccepted { endpoint: "trace", query: TRACE, error }),
        }
    }
    Ok(recorder.statements())
}
