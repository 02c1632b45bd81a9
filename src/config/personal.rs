//! Personal data: its kinds, and which of them are replaced for whom.

use std::fmt::{self, Display};
use std::str::FromStr;

use phonenumber::country;
use serde::{Deserialize, Serialize, Serializer};
use validator::Validate;

use super::values::{Account, list, parsed};

/// A kind of personal data, or of secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Email,
    Phone,
    Card,
    Iban,
    Ip,
    NationalId,
    Query,
    Secret,
    /// Found by the named-entity service.
    Name,
}

impl Kind {
    pub const ALL: [Self; 9] = [
        Self::Email,
        Self::Phone,
        Self::Card,
        Self::Iban,
        Self::Ip,
        Self::NationalId,
        Self::Query,
        Self::Secret,
        Self::Name,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Card => "card",
            Self::Iban => "iban",
            Self::Ip => "ip",
            Self::NationalId => "national_id",
            Self::Query => "query",
            Self::Secret => "secret",
            Self::Name => "name",
        }
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|kind| kind.name()).collect();
            format!("`{}` is no kind of personal data; there are {}", crate::query::shown(name), known.join(", "))
        })
    }
}

impl Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A set of kinds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kinds(u16);

impl Kinds {
    pub const ALL: Self = Self((1 << Kind::ALL.len()) - 1);

    pub fn with(self, kind: Kind) -> Self {
        Self(self.0 | 1 << kind as u16)
    }

    pub fn has(self, kind: Kind) -> bool {
        self.0 & 1 << kind as u16 != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// What of the rows that come in is replaced before they are stored.
#[derive(Debug, Clone, Serialize, Deserialize, Validate)]
pub struct AnonymiseConfig {
    /// Which kinds are replaced: `account:kind+kind`, `account:all` or `account:none`; `*` is every other account.
    #[serde(deserialize_with = "list")]
    pub anonymise: Vec<AnonymiseRule>,
    /// Countries whose telephone numbers are recognised without their country code.
    #[serde(deserialize_with = "list")]
    pub anonymise_phone_regions: Vec<Region>,
    /// A service that finds names in texts, with the protocol of the Presidio analyzer.
    #[validate(url(message = "is not a URL like http://presidio:3000"))]
    pub entity_service_url: Option<String>,
    /// The entities that it is asked for.
    #[serde(deserialize_with = "list")]
    pub entity_service_entities: Vec<String>,
    pub entity_service_language: String,
    #[serde(deserialize_with = "parsed")]
    #[validate(range(min = 10, max = 60_000, message = "must be from 10 to 60000"))]
    pub entity_service_timeout_ms: u64,
    /// What happens to rows while it does not answer: `closed` refuses them, `pass` stores them.
    pub entity_service_failure: OnFailure,
}

impl Default for AnonymiseConfig {
    fn default() -> Self {
        let region = |name: &str| name.parse().expect("a country");
        Self {
            anonymise: vec![AnonymiseRule { account: None, kinds: Kinds::ALL }],
            anonymise_phone_regions: ["US", "GB", "NL", "DE", "FR"].map(region).into(),
            entity_service_url: None,
            entity_service_entities: ["PERSON", "LOCATION", "NRP"].map(str::to_owned).into(),
            entity_service_language: "en".to_owned(),
            entity_service_timeout_ms: 1_000,
            entity_service_failure: OnFailure::Closed,
        }
    }
}

impl AnonymiseConfig {
    /// The kinds that are replaced for an account: of its own rule, else of the rule for all others.
    pub fn kinds(&self, account: &Account) -> Kinds {
        let rule = |wanted: Option<&Account>| self.anonymise.iter().find(|rule| rule.account.as_ref() == wanted);
        rule(Some(account)).or_else(|| rule(None)).map_or(Kinds::ALL, |rule| rule.kinds)
    }
}

/// What happens to rows while a service does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    Closed,
    Pass,
}

/// Which kinds are replaced for an account, or for all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnonymiseRule {
    pub account: Option<Account>,
    pub kinds: Kinds,
}

impl FromStr for AnonymiseRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (account, kinds) =
            text.split_once(':').ok_or("a rule is `account:kind+kind`, and `*` is every other account")?;
        let account = if account == "*" { None } else { Some(account.parse()?) };
        let kinds = match kinds {
            "all" => Kinds::ALL,
            "none" => Kinds::default(),
            kinds => {
                kinds.split('+').try_fold(Kinds::default(), |all, kind| Ok::<_, String>(all.with(kind.parse()?)))?
            }
        };
        Ok(Self { account, kinds })
    }
}

impl Display for AnonymiseRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let account = self.account.as_ref().map_or("*", Account::as_str);
        let kinds: Vec<&str> = Kind::ALL.into_iter().filter(|kind| self.kinds.has(*kind)).map(Kind::name).collect();
        let kinds = match kinds.len() {
            0 => "none".to_owned(),
            length if length == Kind::ALL.len() => "all".to_owned(),
            _ => kinds.join("+"),
        };
        write!(formatter, "{account}:{kinds}")
    }
}

/// A country, by its two letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region(pub country::Id);

impl FromStr for Region {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = name.parse().map(Self);
        known.map_err(|_| format!("`{}` is no country of two letters, like `NL`", crate::query::shown(name)))
    }
}

impl Display for Region {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.as_ref())
    }
}

macro_rules! serialize_as_text {
    ($($type:ty),+) => {
        $(impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        })+
    };
}

serialize_as_text!(AnonymiseRule, Region);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accounts_own_rule_goes_before_the_one_for_all() {
        let rule = |text: &str| text.parse::<AnonymiseRule>();
        let config = AnonymiseConfig {
            anonymise: vec![rule("*:none").unwrap(), rule("acme:email+phone").unwrap()],
            ..AnonymiseConfig::default()
        };
        assert_eq!(config.kinds(&"acme".parse().unwrap()), Kinds::default().with(Kind::Email).with(Kind::Phone));
        assert_eq!(config.kinds(&"other".parse().unwrap()), Kinds::default());
        assert_eq!(AnonymiseConfig::default().kinds(&"acme".parse().unwrap()), Kinds::ALL);
        for (bad, why) in
            [("acme", "a rule is"), ("acme:emial", "`emial` is no kind"), ("Acme:all", "`Acme` is not an account")]
        {
            assert!(rule(bad).unwrap_err().starts_with(why), "{bad}");
        }
        for text in ["*:all", "acme:none", "acme:email+phone"] {
            assert_eq!(rule(text).unwrap().to_string(), text);
        }
    }
}
