//! Limits: what single accounts may use, and for how long their rows are kept.

use std::collections::HashMap;
use std::fmt::{self, Display};
use std::num::{NonZeroU32, NonZeroU64};
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};
use validator::Validate;

use super::values::{Account, list};

/// Days that anything may be kept.
pub const MOST_DAYS: u32 = 36_500;

/// What single accounts may use.
#[derive(Debug, Clone, Default, Serialize, Deserialize, Validate)]
pub struct LimitsConfig {
    /// `account:limit=number`; `*` is every account that has no such limit of its own.
    #[serde(deserialize_with = "list")]
    pub account_limits: Vec<LimitRule>,
}

/// What an account has of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Days that raw events and spans are kept; 0 = for ever.
    RetentionDays(u32),
    /// Questions a minute, of all its subjects together; 0 = no limit.
    QueriesPerMinute(u32),
    /// Rows that are taken in a minute; 0 = no limit.
    RowsPerMinute(u32),
    /// Rows that are taken in on a day of UTC; 0 = no limit.
    RowsPerDay(u64),
}

/// A limit, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitRule {
    /// None = of every account.
    pub account: Option<Account>,
    pub limit: Limit,
}

/// The limits of one account; none where there is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AccountLimits {
    pub queries_per_minute: Option<NonZeroU32>,
    pub rows_per_minute: Option<NonZeroU32>,
    pub rows_per_day: Option<NonZeroU64>,
}

/// For how many days accounts keep raw rows; 0 = for ever.
#[derive(Debug, Clone)]
pub struct Retention {
    pub of_others: u32,
    pub of: HashMap<Account, u32>,
}

impl Retention {
    /// As many days for everybody.
    pub fn of_all(days: u32) -> Self {
        Self { of_others: days, of: HashMap::new() }
    }

    pub fn days(&self, account: &Account) -> u32 {
        self.of.get(account).copied().unwrap_or(self.of_others)
    }
}

impl LimitsConfig {
    /// The limits of an account: its own, else those of all.
    pub fn of(&self, account: &Account) -> AccountLimits {
        let mut limits = AccountLimits::default();
        // An account's own rules come last, and go before the others.
        let mut rules: Vec<&LimitRule> =
            self.account_limits.iter().filter(|rule| rule.account.as_ref().is_none_or(|of| of == account)).collect();
        rules.sort_by_key(|rule| rule.account.is_some());
        for rule in rules {
            match rule.limit {
                Limit::RetentionDays(_) => {}
                Limit::QueriesPerMinute(limit) => limits.queries_per_minute = NonZeroU32::new(limit),
                Limit::RowsPerMinute(limit) => limits.rows_per_minute = NonZeroU32::new(limit),
                Limit::RowsPerDay(limit) => limits.rows_per_day = NonZeroU64::new(limit),
            }
        }
        limits
    }

    /// How long accounts keep their rows, where it is not as long as usual.
    pub(super) fn retention(&self, usual: u32) -> Retention {
        let mut retention = Retention::of_all(usual);
        for rule in &self.account_limits {
            if let Limit::RetentionDays(days) = rule.limit {
                match &rule.account {
                    Some(account) => drop(retention.of.insert(account.clone(), days)),
                    None => retention.of_others = days,
                }
            }
        }
        retention
    }
}

impl Limit {
    const fn name(self) -> &'static str {
        match self {
            Self::RetentionDays(_) => "retention_days",
            Self::QueriesPerMinute(_) => "queries_per_minute",
            Self::RowsPerMinute(_) => "rows_per_minute",
            Self::RowsPerDay(_) => "rows_per_day",
        }
    }
}

impl FromStr for LimitRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const SHAPE: &str = "a limit is `account:name=number`, where `*` is every other account and the name is \
                             retention_days, queries_per_minute, rows_per_minute or rows_per_day";
        let (account, limit) = text.split_once(':').ok_or(SHAPE)?;
        let (name, number) = limit.split_once('=').ok_or(SHAPE)?;
        let wrong = |_| format!("`{}` is not a number that {} can be", crate::query::shown(number), name);
        let small = || number.parse::<u32>().map_err(wrong);
        let limit = match name {
            "retention_days" => Limit::RetentionDays(small()?),
            "queries_per_minute" => Limit::QueriesPerMinute(small()?),
            "rows_per_minute" => Limit::RowsPerMinute(small()?),
            "rows_per_day" => Limit::RowsPerDay(number.parse().map_err(wrong)?),
            _ => return Err(SHAPE.to_owned()),
        };
        if matches!(limit, Limit::RetentionDays(days) if days > MOST_DAYS) {
            return Err(format!("retention_days is at most {MOST_DAYS}"));
        }
        Ok(Self { account: if account == "*" { None } else { Some(account.parse()?) }, limit })
    }
}

impl Display for LimitRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = match self.limit {
            Limit::RetentionDays(number) | Limit::QueriesPerMinute(number) | Limit::RowsPerMinute(number) => {
                number.into()
            }
            Limit::RowsPerDay(number) => number,
        };
        let account = self.account.as_ref().map_or("*", Account::as_str);
        write!(formatter, "{account}:{}={number}", self.limit.name())
    }
}

impl Serialize for LimitRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accounts_own_limits_go_before_those_of_all() {
        let rules = [
            "acme:rows_per_day=5000000000",
            "acme:queries_per_minute=0",
            "*:queries_per_minute=600",
            "*:retention_days=30",
            "acme:retention_days=400",
        ];
        let config = LimitsConfig { account_limits: rules.map(|rule| rule.parse().unwrap()).into() };
        let (acme, other): (Account, Account) = ("acme".parse().unwrap(), "other".parse().unwrap());
        let own = AccountLimits {
            queries_per_minute: None,
            rows_per_minute: None,
            rows_per_day: NonZeroU64::new(5_000_000_000),
        };
        assert_eq!(config.of(&acme), own);
        let of_all = AccountLimits { queries_per_minute: NonZeroU32::new(600), ..AccountLimits::default() };
        assert_eq!(config.of(&other), of_all);
        let retention = config.retention(90);
        assert_eq!((retention.days(&acme), retention.days(&other)), (400, 30));
        assert_eq!(LimitsConfig::default().retention(90).days(&acme), 90);
        for rule in rules {
            assert_eq!(rule.parse::<LimitRule>().unwrap().to_string(), rule);
        }
    }

    #[test]
    fn a_bad_limit_is_refused_with_what_would_be_good() {
        for (rule, why) in [
            ("acme", "a limit is `account:name=number`"),
            ("acme:rows_per_day", "a limit is `account:name=number`"),
            ("acme:rows=5", "a limit is `account:name=number`"),
            ("Acme:rows_per_day=5", "`Acme` is not an account"),
            ("acme:rows_per_minute=many", "`many` is not a number that rows_per_minute can be"),
            ("acme:rows_per_minute=5000000000", "`5000000000` is not a number that rows_per_minute can be"),
            ("acme:retention_days=-1", "`-1` is not a number that retention_days can be"),
            ("acme:retention_days=36501", "retention_days is at most 36500"),
        ] {
            let refused = rule.parse::<LimitRule>().unwrap_err();
            assert!(refused.starts_with(why), "{rule}: {refused}");
        }
    }
}
