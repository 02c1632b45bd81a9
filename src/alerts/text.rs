//! What messages say.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::metric::Metric;
use super::rules::{AlertSeverity, Rule, Window};
use super::state::{News, Standing};
use crate::answer::{Card, Totals};
use crate::config::Account;

/// The message about alerts that have changed.
pub fn of_alerts(account: &Account, news: &[(&Rule, Standing, News)], now: DateTime<Utc>) -> Value {
    let lines: Vec<String> = news.iter().map(|(rule, standing, news)| line(account, rule, standing, *news)).collect();
    let alerts: Vec<Value> = news
        .iter()
        .map(|(rule, standing, news)| {
            json!({
                "rule": rule.name,
                "state": if *news == News::Fires { "firing" } else { "ok" },
                "severity": rule.severity,
                "metric": rule.metric.name(),
                "filters": rule.filters,
                "value": standing.value,
                "threshold": rule.threshold.value,
                "window": told_window(rule.window),
                "since": shown(standing.since),
                "summary": rule.summary,
            })
        })
        .collect();
    json!({
        "type": "alerts.changed",
        "timestamp": shown(now),
        "text": lines.join("\n"),
        "data": {"account": account.as_str(), "alerts": alerts},
    })
}

fn line(account: &Account, rule: &Rule, standing: &Standing, news: News) -> String {
    let (sign, state) = match (news, rule.severity) {
        (News::IsOver, _) => ("✅", "is over"),
        (News::Fires, AlertSeverity::Page) => ("🚨", "fires"),
        (News::Fires, _) => ("⚠️", "fires"),
    };
    let side = if rule.threshold.is_upper { "above" } else { "below" };
    let value = standing.value.map_or_else(|| "no data".to_owned(), |value| told(rule, value));
    let summary =
        if rule.summary.is_empty() || news == News::IsOver { String::new() } else { format!(" {}", rule.summary) };
    format!(
        "{sign} {account}: {} {state}. {} is {value} ({side} {} counts, over {}).{summary}",
        rule.name,
        rule.metric.name(),
        told(rule, rule.threshold.value),
        told_window(rule.window),
    )
}

/// A number as people read it.
fn told(rule: &Rule, value: f64) -> String {
    let name = rule.metric.name();
    let is_share = ["rate", "share"].iter().any(|part| name.ends_with(part));
    match rule.metric {
        _ if rule.compared_with.is_some() => format!("{:+.1} %", value * 100.0),
        Metric::Total(..) if is_share => format!("{:.2} %", value * 100.0),
        Metric::Total(_, id) if id.starts_with("cost") => format!("{value:.2} USD"),
        Metric::Total(_, id) if id.starts_with("latency") || id.starts_with("first_audio") => format!("{value:.0} ms"),
        _ if value.fract() == 0.0 => format!("{value:.0}"),
        _ => format!("{value:.3}"),
    }
}

pub fn told_window(window: Window) -> String {
    match window {
        Window::Month(_) => "month".to_owned(),
        Window::Day(_) => "day".to_owned(),
        Window::Last(length) => match length.num_minutes() {
            minutes if minutes % 1_440 == 0 => format!("{}d", minutes / 1_440),
            minutes if minutes % 60 == 0 => format!("{}h", minutes / 60),
            minutes => format!("{minutes}m"),
        },
    }
}

/// The message about a day or a week.
pub fn of_summary(
    account: &Account,
    is_weekly: bool,
    totals: &[(&'static str, Totals)],
    firing: &[&str],
    now: DateTime<Utc>,
) -> Value {
    let period = if is_weekly { "week" } else { "day" };
    let mut lines = vec![format!("{account}: the last {period}")];
    for (domain, totals) in totals {
        let cards: Vec<String> = totals.totals.iter().filter_map(card).collect();
        if !cards.is_empty() {
            lines.push(format!("*{domain}*: {}", cards.join(" · ")));
        }
    }
    lines.push(if firing.is_empty() { "No alert fires.".to_owned() } else { format!("Firing: {}", firing.join(", ")) });
    let totals: Vec<Value> =
        totals.iter().map(|(domain, totals)| json!({"domain": domain, "totals": totals.totals})).collect();
    json!({
        "type": "summary",
        "timestamp": shown(now),
        "text": lines.join("\n"),
        "data": {"account": account.as_str(), "period": period, "domains": totals, "firing": firing},
    })
}

/// A total with its change; nothing where there is none, and of what there is none of.
fn card(card: &Card) -> Option<String> {
    let value = card.value?.as_f64();
    if value == 0.0 {
        return None;
    }
    let value = match card.unit {
        "ratio" => format!("{:.1} %", value * 100.0),
        "usd" => format!("{value:.2} USD"),
        "ms" => format!("{value:.0} ms"),
        _ => format!("{value:.0}"),
    };
    let change = card
        .change
        .and_then(|change| change.relative)
        .map_or_else(String::new, |by| format!(" ({:+.0} %)", by * 100.0));
    Some(format!("{} {value}{change}", card.label))
}

fn shown(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
