//! Telemetry: the log and the metrics of the program itself.

use std::io::IsTerminal;
use std::sync::OnceLock;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::config::{LogConfig, LogFormat};

/// Starts the log, on standard error.
pub fn start_log(config: &LogConfig) -> Result<(), String> {
    // What the id index does day by day is not the operator's business.
    let filter = EnvFilter::try_new(format!("lsm_tree=warn,{}", config.log))
        .map_err(|error| format!("CHARTWELL_LOG: `{}` is not a filter: {error}", config.log))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Json => log.json().flatten_event(true).init(),
        LogFormat::Text => log.with_ansi(std::io::stderr().is_terminal()).init(),
    }
    Ok(())
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
