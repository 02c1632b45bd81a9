//! Telemetry: the log, the traces and the metrics of the program itself.

use std::io::IsTerminal;
use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::{LogConfig, LogFormat};
use crate::traces;

/// Samples are kept one by one for this long, where nobody reads the metrics.
const SUMMED_UP_EVERY: Duration = Duration::from_secs(5);

/// Starts the log, on standard error, the metrics, and traces where there is a place for them; not inside of a runtime.
pub fn start(config: &LogConfig) -> Result<(), String> {
    // What the id index does day by day is not the operator's business, whoever asks a server tells that it is not
    // trusted, and spans are not for the log.
    let quiet = "lsm_tree=warn,opentelemetry=error,rustls_platform_verifier=off";
    let quiet = format!("{quiet},{},{}=off", config.log, traces::TARGET);
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
    // What is measured before there is a recorder is lost.
    metrics();
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

/// Sums up what was measured, again and again. Without it every sample of a histogram stays until the metrics are read.
pub async fn keep_up(metrics: PrometheusHandle) {
    loop {
        tokio::time::sleep(SUMMED_UP_EVERY).await;
        metrics.run_upkeep();
        tracing::trace!("samples of metrics are summed up");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Memory of this process, in bytes.
    fn resident() -> u64 {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4_096
    }

    #[tokio::test(start_paused = true)]
    async fn samples_that_nobody_reads_do_not_add_up() {
        const SAMPLES: usize = 1_000_000;
        let recorder = PrometheusBuilder::new().set_buckets(&[1.0]).unwrap().build_recorder();
        let histogram = metrics::with_local_recorder(&recorder, || metrics::histogram!("seconds"));
        let keeping_up = tokio::spawn(keep_up(recorder.handle()));
        let mut rounds = Vec::new();
        for _ in 0..10 {
            (0..SAMPLES).for_each(|_| histogram.record(0.5));
            rounds.push(resident());
            tokio::time::sleep(SUMMED_UP_EVERY).await;
        }
        keeping_up.abort();
        // A sample is a number and a time.
        let grown = rounds[9].saturating_sub(rounds[0]);
        assert!(grown < (9 * SAMPLES * 16) as u64 / 2, "{rounds:?}");
        assert!(recorder.handle().render().contains("seconds_count 10000000"));
    }
}
