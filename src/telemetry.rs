//! Telemetry: the log, the traces and the metrics of the program itself.

use std::io::IsTerminal;
use std::sync::OnceLock;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::{LogConfig, LogFormat};
use crate::traces;

/// Starts the log, on standard error, and traces where there is a place for them; not inside of a runtime.
pub fn start(config: &LogConfig) -> Result<(), String> {
    // What the id index does day by day is not the operator's business, and spans are not for the log.
    let quiet = format!("lsm_tree=warn,opentelemetry=error,{},{}=off", config.log, traces::TARGET);
    let filter = EnvFilter::try_new(quiet)
        .map_err(|error| format!("CHARTWELL_LOG: `{}` is not a filter: {error}", config.log))?;
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let log = match config.log_format {
        LogFormat::Json => log.json().flatten_event(true).boxed(),
        LogFormat::Text => log.with_ansi(std::io::stderr().is_terminal()).boxed(),
    };
    let tracer = traces::start(config).map_err(|error| format!("CHARTWELL_OWN_TRACES_URL cannot be used: {error}"))?;
    let only_spans = Targets::new().with_target(traces::TARGET, LevelFilter::INFO);
    let traces = tracer.map(|tracer| tracing_opentelemetry::layer().with_tracer(tracer).with_filter(only_spans));
    tracing_subscriber::registry().with(log.with_filter(filter)).with(traces).init();
    Ok(())
}

/// Sets the gauges of the process, by their standard names.
pub fn measure() {
    metrics_process::Collector::default().collect();
    metrics::gauge!("chartwell_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
}

/// The recorder of metrics; there is one in a process.
pub fn metrics() -> PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER
        .get_or_init(|| {
            let buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
            let builder =
                PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &buckets);
            builder.expect("a list of buckets").install_recorder().expect("no other recorder is installed")
        })
        .clone()
}
