//! What becomes of a rule when it is evaluated. Pure.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::metric::on_the_minute;
use super::rules::{NoData, Rule};

/// What nobody has looked at for longer than this may have been anything meanwhile.
const LONGEST_GAP: Duration = Duration::minutes(3);

/// How a rule stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    #[default]
    Ok,
    /// The threshold is crossed, and not yet for long enough.
    Pending,
    Firing,
    /// It is over, and not yet for long enough.
    Recovering,
    /// There is nothing to judge.
    NoData,
}

impl AlertState {
    pub const ALL: [Self; 5] = [Self::Ok, Self::Pending, Self::Firing, Self::Recovering, Self::NoData];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Pending => "pending",
            Self::Firing => "firing",
            Self::Recovering => "recovering",
            Self::NoData => "no_data",
        }
    }
}

/// How a rule stands in an account, and since when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    pub state: AlertState,
    pub since: DateTime<Utc>,
    /// What was found last; nothing where there was nothing to judge.
    pub value: Option<f64>,
    pub evaluated_at: DateTime<Utc>,
    /// Whether somebody was told that it fires.
    pub is_told: bool,
}

/// What somebody is to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    Fires,
    IsOver,
}

impl Standing {
    pub fn new(now: DateTime<Utc>) -> Self {
        Self { state: AlertState::Ok, since: on_the_minute(now), value: None, evaluated_at: now, is_told: false }
    }

    /// The standing after a value was found, and what is to be told of it.
    ///
    /// Crossed: `ok` or `no_data` becomes `pending`, and `firing` when that has lasted. Over: `firing` becomes
    /// `recovering`, and `ok` when that has lasted. Between both thresholds `firing` goes on. Minutes are judged, so that
    /// it does not matter in which second; what lasts has to begin anew after a gap. Who is silenced is not told, and is
    /// told later when it still fires then; so it is with a rule that has no channel, once it has one.
    pub fn next(&self, rule: &Rule, value: Option<f64>, now: DateTime<Utc>, is_silent: bool) -> (Self, Option<News>) {
        let minute = on_the_minute(now);
        let is_gap = now - self.evaluated_at > LONGEST_GAP;
        let lasted = if is_gap { Duration::zero() } else { minute - self.since };
        let state = self.state_of(rule, value, lasted);
        let has_to_last = matches!(state, AlertState::Pending | AlertState::Recovering);
        let since = if state == self.state && !(is_gap && has_to_last) { self.since } else { minute };
        let is_burning = matches!(state, AlertState::Firing | AlertState::Recovering);
        let can_be_told = rule.channel.is_some() && !is_silent;
        let news = match (is_burning, self.is_told) {
            (true, false) if state == AlertState::Firing && can_be_told => Some(News::Fires),
            (false, true) => Some(News::IsOver),
            _ => None,
        };
        let is_told = is_burning && (self.is_told || news == Some(News::Fires));
        (Self { state, since, value, evaluated_at: now, is_told }, news)
    }

    fn state_of(&self, rule: &Rule, value: Option<f64>, lasted: Duration) -> AlertState {
        let (is_crossed, is_over) = match (value, rule.no_data) {
            (Some(value), _) => (rule.threshold.is_crossed(value), rule.threshold.is_over(value)),
            (None, NoData::Fire) => (true, false),
            (None, NoData::Ok) => (false, true),
            (None, NoData::Keep) => {
                return if matches!(self.state, AlertState::Firing | AlertState::Recovering) {
                    self.state
                } else {
                    AlertState::NoData
                };
            }
        };
        let has_lasted = lasted >= rule.lasting;
        let is_at_once = rule.lasting.is_zero();
        match self.state {
            AlertState::Ok | AlertState::NoData | AlertState::Pending if !is_crossed => AlertState::Ok,
            AlertState::Pending if has_lasted => AlertState::Firing,
            AlertState::Ok | AlertState::NoData | AlertState::Pending if is_at_once => AlertState::Firing,
            AlertState::Ok | AlertState::NoData | AlertState::Pending => AlertState::Pending,
            AlertState::Firing if !is_over => AlertState::Firing,
            AlertState::Firing if is_at_once => AlertState::Ok,
            AlertState::Firing => AlertState::Recovering,
            AlertState::Recovering if !is_over => AlertState::Firing,
            AlertState::Recovering if has_lasted => AlertState::Ok,
            AlertState::Recovering => AlertState::Recovering,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::rules::Rules;

    fn rule(further: &str) -> Rule {
        let text = format!(
            "[channel.ops]\nurl = \"https://hooks.example/x\"\n[[rule]]\nname = \"r\"\nmetric = \"assistants.error_rate\"\n\
             window = \"5m\"\nabove = 0.05\nchannel = \"ops\"\n{further}"
        );
        Rules::read(&text, &["demo".parse().unwrap()]).unwrap().rules.remove(0)
    }

    /// The states after each minute's value, with `!` where somebody is told that it fires and `.` that it is over.
    fn states(rule: &Rule, values: &[Option<f64>], silent: std::ops::Range<usize>) -> String {
        let start: DateTime<Utc> = "2026-02-01T00:00:00Z".parse().unwrap();
        let mut standing = Standing::new(start);
        let mut states = Vec::new();
        for (minute, value) in values.iter().enumerate() {
            let now = start + Duration::minutes(minute as i64 + 1);
            let (next, news) = standing.next(rule, *value, now, silent.contains(&minute));
            let sign = match news {
                None => "",
                Some(News::Fires) => "!",
                Some(News::IsOver) => ".",
            };
            states.push(format!("{}{sign}", next.state.name()));
            standing = next;
        }
        states.join(" ")
    }

    const BAD: Option<f64> = Some(0.2);
    const BETWEEN: Option<f64> = Some(0.04);
    const WELL: Option<f64> = Some(0.01);

    #[test]
    fn without_for_it_fires_and_is_over_at_once() {
        let rule = rule("");
        assert_eq!(states(&rule, &[WELL, BAD, BAD, WELL, BAD], 0..0), "ok firing! firing ok. firing!");
        // The threshold itself does not count.
        assert_eq!(states(&rule, &[Some(0.05)], 0..0), "ok");
    }

    #[test]
    fn it_has_to_last_before_it_counts_and_before_it_is_over() {
        let rule = rule("for = \"2m\"\nrecovers_at = 0.03");
        assert_eq!(states(&rule, &[BAD, BAD, BAD, WELL], 0..0), "pending pending firing! recovering");
        assert_eq!(states(&rule, &[BAD, WELL, BAD], 0..0), "pending ok pending");
        let back = [BAD, BAD, BAD, WELL, BAD, WELL, WELL, WELL];
        assert_eq!(states(&rule, &back, 0..0), "pending pending firing! recovering firing recovering recovering ok.");
        // Between both thresholds it stays what it was.
        let between = [BETWEEN, BAD, BAD, BAD, BETWEEN, BETWEEN, WELL, BETWEEN];
        assert_eq!(states(&rule, &between, 0..0), "ok pending pending firing! firing firing recovering firing");
    }

    #[test]
    fn without_data_each_rule_does_what_it_says() {
        assert_eq!(states(&rule(""), &[None, BAD, None, WELL, None], 0..0), "no_data firing! firing ok. no_data");
        assert_eq!(states(&rule("no_data = \"fire\""), &[None, WELL], 0..0), "firing! ok.");
        assert_eq!(states(&rule("no_data = \"ok\""), &[None, BAD, None], 0..0), "ok firing! ok.");
        assert_eq!(states(&rule("for = \"1m\""), &[None, BAD, BAD], 0..0), "no_data pending firing!");
    }

    #[test]
    fn who_is_silenced_is_told_later_if_it_still_fires() {
        let rule = rule("");
        assert_eq!(states(&rule, &[BAD, BAD, BAD, WELL], 0..2), "firing firing firing! ok.");
        assert_eq!(states(&rule, &[BAD, WELL, WELL], 0..2), "firing ok ok");
        // That it is over is told whoever is silenced: somebody knows that it was not.
        assert_eq!(states(&rule, &[BAD, WELL], 1..2), "firing! ok.");
    }

    #[test]
    fn a_rule_without_a_channel_is_told_when_it_has_one() {
        let silent = Rule { channel: None, ..rule("") };
        let start: DateTime<Utc> = "2026-02-01T00:00:00Z".parse().unwrap();
        let (firing, news) = Standing::new(start).next(&silent, BAD, start + Duration::minutes(1), false);
        assert_eq!((firing.state, firing.is_told, news), (AlertState::Firing, false, None));
        let (_, news) = firing.next(&rule(""), BAD, start + Duration::minutes(2), false);
        assert_eq!(news, Some(News::Fires));
    }

    /// The states at these times of day, with since when.
    fn at(rule: &Rule, times: &[(&str, Option<f64>)]) -> Vec<String> {
        let time = |time: &str| -> DateTime<Utc> { format!("2026-02-01T{time}Z").parse().unwrap() };
        let mut standing = Standing::new(time("00:00:00"));
        let mut states = Vec::new();
        for (now, value) in times {
            (standing, _) = standing.next(rule, *value, time(now), false);
            states.push(format!("{} since {}", standing.state.name(), standing.since.format("%T")));
        }
        states
    }

    #[test]
    fn the_second_in_which_a_minute_is_judged_does_not_matter() {
        let seen = at(&rule("for = \"2m\""), &[("00:01:05.9", BAD), ("00:02:30", BAD), ("00:03:05", BAD)]);
        assert_eq!(seen, ["pending since 00:01:00", "pending since 00:01:00", "firing since 00:03:00"]);
    }

    #[test]
    fn what_nobody_looked_at_has_not_lasted() {
        let rule = rule("for = \"2m\"");
        let seen = at(&rule, &[("00:01:05", BAD), ("00:05:05", BAD), ("00:06:05", BAD), ("00:07:05", BAD)]);
        let states =
            ["pending since 00:01:00", "pending since 00:05:00", "pending since 00:05:00", "firing since 00:07:00"];
        assert_eq!(seen, states);
        // What fires goes on, since when it began; whether it is over has to last as well.
        let seen = at(
            &rule,
            &[("00:01:05", BAD), ("00:03:05", BAD), ("01:00:05", BAD), ("01:01:05", WELL), ("02:00:05", WELL)],
        );
        assert_eq!(
            seen[1..],
            [
                "firing since 00:03:00",
                "firing since 00:03:00",
                "recovering since 01:01:00",
                "recovering since 02:00:00"
            ]
        );
        // A minute that was left out is no gap.
        let seen = at(&rule, &[("00:01:05", BAD), ("00:04:05", BAD)]);
        assert_eq!(seen[1], "firing since 00:04:00");
    }
}
