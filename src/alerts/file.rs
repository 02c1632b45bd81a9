//! The file of rules. One that says something else than it can mean stops the start, with its line and its field.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{DateTime, Duration};
use chrono_tz::Tz;
use serde::Deserialize;
use toml::Spanned;

use super::metric::Metric;
use super::rules::{
    AlertSeverity, Channel, MOST_DAYS, MOST_WEEKS, NoData, Rule, Rules, Silence, Summary, Threshold, Window,
};
use crate::config::{Account, Config};
use crate::query::{nearest, read_length};

const MOST_RULES: usize = 200;
const LONGEST_NAME: usize = 80;
/// A window of which a rule may be.
const LONGEST_WINDOW: Duration = Duration::days(31);
/// How long a state may have to last before it counts.
const LONGEST_FOR: Duration = Duration::days(7);

/// Why a file of rules cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    #[error("{file} cannot be read: {reason} (CHARTWELL_ALERTS)")]
    File { file: String, reason: String },
    #[error("{file}, line {line}: {reason} (CHARTWELL_ALERTS)")]
    Line { file: String, line: usize, reason: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InFile {
    #[serde(default)]
    channel: BTreeMap<String, Spanned<Channel>>,
    #[serde(default)]
    rule: Vec<Spanned<RuleInFile>>,
    #[serde(default)]
    silence: Vec<Spanned<SilenceInFile>>,
    #[serde(default)]
    summary: Vec<Spanned<SummaryInFile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleInFile {
    name: Spanned<String>,
    accounts: Option<Spanned<Vec<String>>>,
    metric: Spanned<String>,
    #[serde(default)]
    filters: Option<Spanned<String>>,
    window: Spanned<String>,
    timezone: Option<Spanned<String>>,
    above: Option<Spanned<f64>>,
    below: Option<Spanned<f64>>,
    recovers_at: Option<Spanned<f64>>,
    compared_with: Option<Spanned<String>>,
    r#for: Option<Spanned<String>>,
    #[serde(default)]
    no_data: NoData,
    #[serde(default)]
    severity: AlertSeverity,
    channel: Option<Spanned<String>>,
    #[serde(default)]
    summary: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SilenceInFile {
    rule: Option<Spanned<String>>,
    from: Spanned<String>,
    until: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SummaryInFile {
    accounts: Option<Spanned<Vec<String>>>,
    every: Spanned<String>,
    at: Spanned<String>,
    timezone: Option<Spanned<String>>,
    channel: Spanned<String>,
}

/// Something in the file, and what is wrong with it.
struct Wrong {
    place: usize,
    reason: String,
}

fn wrong<T>(of: &Spanned<T>, reason: impl Into<String>) -> Wrong {
    Wrong { place: of.span().start, reason: reason.into() }
}

impl Rules {
    /// The rules that the settings name; none where there is no file.
    pub fn of(config: &Config) -> Result<Self, RulesError> {
        config.alerts.file().map_or_else(|| Ok(Self::default()), |file| Self::open(file, &config.server.accounts))
    }

    /// Reads a file; `accounts` are those that are served.
    fn open(file: &Path, accounts: &[Account]) -> Result<Self, RulesError> {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file)
            .map_err(|error| RulesError::File { file: name.clone(), reason: error.to_string() })?;
        Self::read(&text, accounts).map_err(|(line, reason)| RulesError::Line { file: name, line, reason })
    }

    /// Reads the text of a file; the line of what is wrong comes with the reason.
    pub fn read(text: &str, accounts: &[Account]) -> Result<Self, (usize, String)> {
        let line = |place: usize| text[..place.min(text.len())].matches('\n').count() + 1;
        let in_file: InFile = toml::from_str(text)
            .map_err(|error| (line(error.span().map_or(0, |span| span.start)), why(error.message())))?;
        in_file.checked(accounts).map_err(|Wrong { place, reason }| (line(place), reason))
    }
}

/// What the parser says, without the value that it found: a channel has secrets.
fn why(message: &str) -> String {
    let of_value = ["invalid type: ", "invalid value: "].into_iter().find_map(|what| message.strip_prefix(what));
    match of_value.and_then(|told| told.split_once(", expected ")) {
        Some((_, "f64")) => "there is something else instead of a number".to_owned(),
        Some((_, wanted)) => format!("there is something else instead of {wanted}"),
        None => message.replace('\n', " "),
    }
}

impl InFile {
    fn checked(self, accounts: &[Account]) -> Result<Rules, Wrong> {
        let mut rules = Rules::default();
        for (name, channel) in self.channel {
            super::guard::check(channel.get_ref())
                .map_err(|reason| wrong(&channel, format!("channel `{name}`: {reason}")))?;
            rules.channels.insert(name, channel.into_inner());
        }
        if let Some(beyond) = self.rule.get(MOST_RULES) {
            return Err(wrong(beyond, format!("there are more than {MOST_RULES} rules")));
        }
        for rule in self.rule {
            let name = rule.get_ref().name.clone();
            if rules.rule(name.get_ref()).is_some() {
                return Err(wrong(&name, format!("`name`: there are two rules `{}`", name.get_ref())));
            }
            rules.rules.push(rule.into_inner().checked(accounts, &rules.channels)?);
        }
        for silence in self.silence {
            rules.silences.push(silence.into_inner().checked(&rules.rules)?);
        }
        for summary in self.summary {
            rules.summaries.push(summary.into_inner().checked(accounts, &rules.channels)?);
        }
        Ok(rules)
    }
}

impl RuleInFile {
    fn checked(self, served: &[Account], channels: &BTreeMap<String, Channel>) -> Result<Rule, Wrong> {
        let name = self.name.get_ref();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(is_plain) {
            return Err(wrong(&self.name, format!("`name` has letters, digits and `-_.`, at most {LONGEST_NAME}")));
        }
        let metric = Metric::by_name(self.metric.get_ref()).ok_or_else(|| {
            let known = Metric::names();
            let near = nearest(self.metric.get_ref(), &known)
                .map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            wrong(&self.metric, format!("`metric` is one of {}{near}", known.join(", ")))
        })?;
        let zone = zone(self.timezone.as_ref())?;
        let window = match self.window.get_ref().as_str() {
            "month" => Window::Month(zone),
            "day" => Window::Day(zone),
            text => Window::Last(length(&self.window, text, "window", LONGEST_WINDOW)?),
        };
        if metric.is_of_days() && !matches!(window, Window::Day(_)) {
            return Err(wrong(&self.window, format!("`window` of `{}` is `day`", metric.name())));
        }
        let (bound, is_upper) = match (&self.above, &self.below) {
            (Some(above), None) => (above, true),
            (None, Some(below)) => (below, false),
            _ => return Err(wrong(&self.name, format!("rule `{name}` needs either `above` or `below`"))),
        };
        let value = *bound.get_ref();
        let recovers_at = self.recovers_at.as_ref().map_or(value, |recovers| *recovers.get_ref());
        let is_backwards = if is_upper { recovers_at > value } else { recovers_at < value };
        if let Some(recovers) = self.recovers_at.as_ref().filter(|_| is_backwards) {
            let side = if is_upper { "above" } else { "below" };
            return Err(wrong(
                recovers,
                format!("`recovers_at` lies on the other side of `{side}`: it would never be over"),
            ));
        }
        if let Some(of) =
            [Some(bound), self.recovers_at.as_ref()].into_iter().flatten().find(|of| !of.get_ref().is_finite())
        {
            return Err(wrong(of, "the threshold is no number"));
        }
        let compared_with = self.compared_with.as_ref().map(|text| {
            let told = format!(
                "`compared_with` is a number of days or weeks, like 7d or 4w; {MOST_DAYS}d or {MOST_WEEKS}w at most"
            );
            text.get_ref().parse().map_err(|()| wrong(text, told))
        });
        let compared_with = compared_with.transpose()?;
        if let (Some(text), Window::Month(_)) = (&self.compared_with, window) {
            return Err(wrong(text, "`compared_with` does not go with a window of a month"));
        }
        let filters = self.filters.as_ref().map_or(String::new(), |filters| filters.get_ref().clone());
        metric.check(&filters, window).map_err(|reason| {
            let place = self.filters.as_ref().map_or(self.metric.span().start, |filters| filters.span().start);
            Wrong { place, reason: format!("`filters`: {reason}") }
        })?;
        if let Some(channel) = self.channel.as_ref().filter(|channel| !channels.contains_key(channel.get_ref())) {
            return Err(wrong(channel, format!("`channel`: there is no `[channel.{}]`", channel.get_ref())));
        }
        Ok(Rule {
            accounts: accounts(self.accounts.as_ref(), served)?,
            metric,
            filters,
            window,
            threshold: Threshold { value, is_upper, recovers_at },
            compared_with,
            lasting: match &self.r#for {
                None => Duration::zero(),
                Some(text) => length(text, text.get_ref(), "for", LONGEST_FOR)?,
            },
            no_data: self.no_data,
            severity: self.severity,
            channel: self.channel.map(Spanned::into_inner),
            summary: self.summary,
            name: self.name.into_inner(),
        })
    }
}

impl SilenceInFile {
    fn checked(self, rules: &[Rule]) -> Result<Silence, Wrong> {
        let instant = |text: &Spanned<String>, name: &str| {
            let read = DateTime::parse_from_rfc3339(text.get_ref()).map(|time| time.to_utc());
            read.map_err(|_| wrong(text, format!("`{name}` is a time with an offset, like 2026-02-01T08:00:00Z")))
        };
        if let Some(rule) = self.rule.as_ref().filter(|named| rules.iter().all(|rule| rule.name != *named.get_ref())) {
            return Err(wrong(rule, format!("`rule`: there is no rule `{}`", rule.get_ref())));
        }
        let (from, until) = (instant(&self.from, "from")?, instant(&self.until, "until")?);
        if from >= until {
            return Err(wrong(&self.until, "`until` is not after `from`"));
        }
        Ok(Silence { rule: self.rule.map(Spanned::into_inner), from, until })
    }
}

impl SummaryInFile {
    fn checked(self, served: &[Account], channels: &BTreeMap<String, Channel>) -> Result<Summary, Wrong> {
        let is_weekly = match self.every.get_ref().as_str() {
            "day" => false,
            "week" => true,
            _ => return Err(wrong(&self.every, "`every` is `day` or `week`")),
        };
        let time = chrono::NaiveTime::parse_from_str(self.at.get_ref(), "%H:%M");
        let time = time.map_err(|_| wrong(&self.at, "`at` is a time of day, like 08:30"))?;
        if !channels.contains_key(self.channel.get_ref()) {
            return Err(wrong(&self.channel, format!("`channel`: there is no `[channel.{}]`", self.channel.get_ref())));
        }
        Ok(Summary {
            accounts: accounts(self.accounts.as_ref(), served)?,
            is_weekly,
            minute: chrono::Timelike::num_seconds_from_midnight(&time) / 60,
            zone: zone(self.timezone.as_ref())?,
            channel: self.channel.into_inner(),
        })
    }
}

fn accounts(named: Option<&Spanned<Vec<String>>>, served: &[Account]) -> Result<Vec<Account>, Wrong> {
    let Some(named) = named else { return Ok(served.to_vec()) };
    let account = |name: &String| {
        let account = served.iter().find(|account| account.as_str() == name).cloned();
        account.ok_or_else(|| wrong(named, format!("`accounts`: `{name}` is not served")))
    };
    named.get_ref().iter().map(account).collect()
}

fn zone(named: Option<&Spanned<String>>) -> Result<Tz, Wrong> {
    let Some(named) = named else { return Ok(Tz::UTC) };
    named.get_ref().parse().map_err(|_| wrong(named, "`timezone` is a name like Europe/Amsterdam"))
}

fn length(of: &Spanned<String>, text: &str, name: &str, most: Duration) -> Result<Duration, Wrong> {
    read_length(text, most).ok_or_else(|| {
        wrong(
            of,
            format!(
                "`{name}` is a number of minutes, hours or days, like 5m, 6h or 7d, of {} days at most",
                most.num_days()
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::rules::Compared;
    use super::*;

    fn read(text: &str) -> Result<Rules, (usize, String)> {
        Rules::read(text, &["demo".parse().unwrap(), "acme".parse().unwrap()])
    }

    #[test]
    fn a_value_that_may_be_a_secret_is_not_told() {
        let told = read("[channel.ops]\nurl = \"https://hooks.example\"\nsecret = 12345678\n").unwrap_err();
        assert_eq!(told, (3, "there is something else instead of a string".to_owned()));
    }

    #[test]
    fn the_rules_of_the_demo_are_read() {
        assert!(read(crate::demo::ALERTS).unwrap().rule("returns-desk-errors").is_some());
    }

    #[test]
    fn the_file_of_the_repository_is_read() {
        let rules = read(include_str!("../../alerts.toml")).unwrap();
        assert_eq!(rules.rules.len(), 8);
        let errors = rules.rule("assistant-errors").unwrap();
        assert_eq!((errors.lasting, errors.severity), (Duration::minutes(5), AlertSeverity::Page));
        assert_eq!(errors.threshold, Threshold { value: 0.05, is_upper: true, recovers_at: 0.03 });
        assert_eq!(rules.rule("fewer-users").unwrap().compared_with, Some(Compared::Weeks(4)));
        assert_eq!(errors.accounts.len(), 2);
        // What it describes can be written.
        let text: String = include_str!("../../alerts.toml")
            .lines()
            .map(|line| {
                line.strip_prefix("# ")
                    .filter(|line| {
                        line.starts_with('[') || line.split_once(" = ").is_some_and(|(name, _)| !name.contains(' '))
                    })
                    .unwrap_or(line)
            })
            .collect::<Vec<_>>()
            .join("\n");
        let described = read(&text).unwrap();
        assert_eq!((described.channels.len(), described.silences.len(), described.summaries.len()), (1, 1, 1));
    }

    #[test]
    fn what_cannot_be_right_is_named_with_its_line() {
        let rule = "[[rule]]\nname = \"r\"\nmetric = \"assistants.error_rate\"\nwindow = \"5m\"\n";
        for (text, line, told) in [
            (format!("{rule}abov = 1.0"), 5, "unknown field `abov`"),
            (format!("{rule}above = \"1\""), 5, "there is something else instead of a number"),
            (rule.to_owned(), 2, "needs either `above` or `below`"),
            (format!("{rule}above = 0.1\nbelow = 0.1"), 2, "needs either `above` or `below`"),
            (format!("{rule}above = 0.1\nrecovers_at = 0.2"), 6, "`recovers_at` lies on the other side"),
            (format!("{rule}above = nan"), 5, "the threshold is no number"),
            (format!("{rule}above = 0.1\nfor = \"5 minutes\""), 6, "`for` is a number of minutes"),
            (format!("{rule}above = 0.1\ncompared_with = \"12h\""), 6, "`compared_with` is a number of days or weeks"),
            (format!("{rule}above = 0.1\nfilters = \"assistant=a\""), 6, "`filters`: "),
            (format!("{rule}above = 0.1\nfilters = \"range=7d\""), 6, "`filters`: "),
            (
                rule.replace("5m", "day") + "above = 0.1\nfilters = \"timezone=Asia/Kathmandu\"",
                6,
                "`filters`: `timezone` is set by the rule itself",
            ),
            (format!("{rule}above = 0.1\nchannel = \"ops\""), 6, "there is no `[channel.ops]`"),
            (format!("{rule}above = 0.1\naccounts = [\"globex\"]"), 6, "`globex` is not served"),
            (format!("{rule}above = 0.1\nno_data = \"maybe\""), 6, "unknown variant `maybe`"),
            (format!("{rule}above = 0.1\ntimezone = \"Mars\""), 6, "`timezone` is a name"),
            (format!("{rule}above = 0.1\n{rule}above = 0.1"), 7, "there are two rules `r`"),
            (rule.replace("5m", "5w"), 4, "`window` is a number of minutes"),
            (rule.replace("error_rate", "eror_rate"), 3, "did you mean `assistants.error_rate`?"),
            (rule.replace("\"r\"", "\"a rule\""), 2, "`name` has letters"),
            (rule.replace("assistants.error_rate", "assistants.anomalies"), 4, "is `day`"),
            ("\n[[silence]]\nfrom = \"2026-02-01\"\nuntil = \"2026-02-02\"".to_owned(), 3, "`from` is a time"),
            ("[[silence]]\nrule = \"r\"\nfrom = \"\"\nuntil = \"\"".to_owned(), 2, "there is no rule `r`"),
            (
                "[[summary]]\nevery = \"month\"\nat = \"08:00\"\nchannel = \"ops\"".to_owned(),
                2,
                "`every` is `day` or `week`",
            ),
            ("[channel.ops]\nurl = \"hooks.example\"".to_owned(), 1, "channel `ops`: `url` is "),
            ("[channel.ops]\nurl = \"https://127.0.0.1/x\"".to_owned(), 1, "address of a private network"),
            ("[channel.ops]\nurl = \"https://[::ffff:10.0.0.1]/x\"".to_owned(), 1, "address of a private network"),
            ("[channel.ops]\nurl = \"http://hooks.example/x\"".to_owned(), 1, "is not encrypted"),
            ("[channel.ops]\nurl = \"https://hooks.example/x\"\nsecrt = \"x\"".to_owned(), 3, "unknown field `secrt`"),
            ("rule = 3".to_owned(), 1, "there is something else"),
            ("[[rule".to_owned(), 1, ""),
        ] {
            let (at, reason) = read(&text).unwrap_err();
            assert!(at == line && reason.contains(told), "{text}\n{at}: {reason}");
        }
    }
}
