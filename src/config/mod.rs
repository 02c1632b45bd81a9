//! Settings: a struct per concern, one flat list of names.
//!
//! Defaults < `chartwell.toml` < environment `CHARTWELL_*` < flags. An unknown name or a bad value
//! stops the start and names the key and where it was given. `chartwell.example.toml` lists them
//! all and is tested against these structs.

mod admin_db;
mod alerts;
mod auth;
mod clickhouse;
mod file;
mod ingest;
mod limits;
mod log;
mod objectives;
mod personal;
mod product;
mod server;
mod values;

use std::path::{Path, PathBuf};

use figment::error::{Actual, Kind as Wrong};
use figment::providers::Serialized;
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};
use serde::Serialize;
use serde::de::DeserializeOwned;
use validator::Validate;

pub use admin_db::AdminDb;
pub use alerts::AlertsConfig;
pub use auth::AuthConfig;
pub use clickhouse::{ClickHouseConfig, QueryConfig};
pub use ingest::IngestConfig;
pub use limits::{AccountLimits, LimitRule, LimitsConfig, Retention};
pub use log::{LogConfig, LogFormat};
pub use objectives::{Objective, ObjectiveRule, ObjectivesConfig};
pub use personal::{AnonymiseConfig, Kind, Kinds, OnFailure};
pub use product::{ProductConfig, UnknownEvents};
pub use server::ServerConfig;
pub use values::{Account, Quorum, Secret, ServerUrl, SigningKey};

use self::file::SettingsFile;
use crate::query::nearest;

const ENVIRONMENT_PREFIX: &str = "CHARTWELL_";
const DEFAULT_FILE: &str = "chartwell.toml";

/// All settings of the program.
#[derive(Debug, Clone, Default)]
pub struct Config {
    pub server: ServerConfig,
    pub clickhouse: ClickHouseConfig,
    pub query: QueryConfig,
    pub auth: AuthConfig,
    pub ingest: IngestConfig,
    pub limits: LimitsConfig,
    pub anonymise: AnonymiseConfig,
    pub product: ProductConfig,
    pub objectives: ObjectivesConfig,
    pub alerts: AlertsConfig,
    pub log: LogConfig,
    found: Found,
}

/// Which files there were, of those that there may be.
#[derive(Debug, Clone, Copy, Default)]
struct Found {
    settings: bool,
    /// Rules in the place where they are without a setting.
    alerts: bool,
}

/// A setting that is unknown or bad. The message names it and says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

/// Values given on the command line, by name.
pub type Flags = Vec<(&'static str, String)>;

impl Config {
    /// Reads the settings; `file` is the one named with `--config`, which must exist then.
    pub fn load(file: Option<&Path>, flags: &Flags) -> Result<Self, ConfigError> {
        let environment =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self::read(file, environment, flags)
    }

    fn read(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &Flags,
    ) -> Result<Self, ConfigError> {
        if let Some(file) = file.filter(|file| !file.is_file()) {
            return Err(ConfigError(format!("{} is not a file; --config names the settings file", file.display())));
        }
        let environment = environment
            .into_iter()
            .filter_map(|(name, value)| Some((name.strip_prefix(ENVIRONMENT_PREFIX)?.to_lowercase(), value)));
        let flags = flags.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let known: Vec<String> = Self::defaults().into_iter().map(|(name, _)| name).collect();
        let file = file.unwrap_or(Path::new(DEFAULT_FILE));
        let file = if file.is_file() { Some(SettingsFile::read(file, &known)?) } else { None };
        let in_file = file.as_ref().map(|file| file.values.clone()).unwrap_or_default();
        let figment = Figment::new()
            .merge(Given { origin: IN_FILE, values: in_file })
            .merge(Given { origin: "environment variable", values: texts(environment) })
            .merge(Given { origin: "command line", values: texts(flags) });
        let given = AllGiven { figment, file };
        given.refuse_unknown(&known)?;
        let mut config = Self {
            server: given.concern()?,
            clickhouse: given.concern()?,
            query: given.concern()?,
            auth: given.concern()?,
            ingest: given.concern()?,
            limits: given.concern()?,
            anonymise: given.concern()?,
            product: given.concern()?,
            objectives: given.concern()?,
            alerts: given.concern()?,
            log: given.concern()?,
            found: Found::default(),
        };
        let alerts = config.alerts.alerts.is_none() && config.alerts.file().is_some();
        config.found = Found { settings: given.file.is_some(), alerts };
        config.refuse_contradictions()?;
        Ok(config)
    }

    fn refuse_contradictions(&self) -> Result<(), ConfigError> {
        let refuse = |text: &str| Err(ConfigError(text.to_owned()));
        if self.auth.jwks_url.is_some() && self.auth.jwks_file.is_some() {
            return refuse("CHARTWELL_JWKS_URL and CHARTWELL_JWKS_FILE are both set: set one of them");
        }
        let servers = self.clickhouse.clickhouse_url.len();
        if self.clickhouse.clickhouse_cluster.is_none() && servers > 1 {
            return refuse(
                "CHARTWELL_CLICKHOUSE_URL names several servers without CHARTWELL_CLICKHOUSE_CLUSTER: each would have a part of the rows and know nothing of the others",
            );
        }
        if self.clickhouse.clickhouse_cluster.is_some() && servers == 0 {
            return refuse(
                "CHARTWELL_CLICKHOUSE_CLUSTER is set without CHARTWELL_CLICKHOUSE_URL: the embedded engine is no cluster",
            );
        }
        let mut key_ids: Vec<&str> = self.ingest.hmac_secrets.iter().map(|key| key.key_id.as_str()).collect();
        key_ids.sort_unstable();
        if key_ids.windows(2).any(|pair| pair[0] == pair[1]) {
            return refuse("CHARTWELL_HMAC_SECRETS has two keys with one id: each needs its own");
        }
        let admin_db = self.clickhouse.admin_db_url.as_ref();
        match admin_db.and_then(|admin_db| admin_db.contradiction(&self.server.accounts)) {
            Some(contradiction) => refuse(&format!("CHARTWELL_ADMIN_DB_URL {contradiction}")),
            None => Ok(()),
        }
    }

    /// The folder of backups, by its whole path, which the engine and whoever asks it must write alike.
    pub fn backup_dir(&self) -> PathBuf {
        let folder = self.clickhouse.backup_dir.clone().unwrap_or_else(|| self.server.data_dir.join("backups"));
        folder.canonicalize().or_else(|_| std::path::absolute(&folder)).unwrap_or(folder)
    }

    /// For how long accounts keep raw rows.
    pub fn retention(&self) -> Retention {
        self.limits.retention(self.ingest.retention_days)
    }

    /// These settings, as far as a program can take them that runs with others, and the names of those that wait for
    /// its next start.
    pub fn taken_by(self, running: &Self) -> Result<(Self, Vec<String>), ConfigError> {
        // A file that is gone is hardly meant to say that everything is as without it.
        for (file, is_gone) in [
            (DEFAULT_FILE, running.found.settings && !self.found.settings),
            (alerts::DEFAULT_FILE, running.found.alerts && self.alerts.file().is_none()),
        ] {
            if is_gone {
                return Err(ConfigError(format!(
                    "{file} is not there any more, and the program was started with one: put it back, or start it again \
                     without"
                )));
            }
        }
        let mut taken = self.clone();
        let then = running.clone();
        (taken.clickhouse, taken.query, taken.log) = (then.clickhouse, then.query, then.log);
        (taken.server.listen, taken.server.data_dir) = (then.server.listen, then.server.data_dir);
        taken.server.max_connections = then.server.max_connections;
        (taken.ingest.spool_bytes, taken.ingest.kafka_brokers) = (then.ingest.spool_bytes, then.ingest.kafka_brokers);
        taken.refuse_contradictions()?;
        let both = self.entries().into_iter().zip(taken.entries());
        let waiting = both.filter(|((_, told), (_, taken))| told != taken).map(|((name, _), _)| name).collect();
        Ok((taken, waiting))
    }

    /// The names of all settings with their defaults, as they stand in a file.
    pub fn defaults() -> Vec<(String, serde_json::Value)> {
        Self::default().entries()
    }

    fn entries(&self) -> Vec<(String, serde_json::Value)> {
        [
            entries(&self.server),
            entries(&self.clickhouse),
            entries(&self.query),
            entries(&self.auth),
            entries(&self.ingest),
            entries(&self.limits),
            entries(&self.anonymise),
            entries(&self.product),
            entries(&self.objectives),
            entries(&self.alerts),
            entries(&self.log),
        ]
        .concat()
    }
}

fn entries(concern: &impl Serialize) -> Vec<(String, serde_json::Value)> {
    match serde_json::to_value(concern).expect("settings serialise") {
        serde_json::Value::Object(entries) => entries.into_iter().collect(),
        _ => unreachable!("a concern is a struct"),
    }
}

/// Everything that is given, from wherever.
struct AllGiven {
    figment: Figment,
    file: Option<SettingsFile>,
}

impl AllGiven {
    /// Reads the settings of one concern; those of others are not its business.
    fn concern<C: Default + Serialize + DeserializeOwned + Validate>(&self) -> Result<C, ConfigError> {
        let concern: C = Figment::from(Serialized::defaults(C::default()))
            .merge(&self.figment)
            .extract()
            .map_err(|error| self.told(error))?;
        concern.validate().map_err(|errors| {
            let (name, why) = errors
                .field_errors()
                .into_iter()
                .flat_map(|(name, errors)| errors.iter().map(move |error| (name.to_uppercase(), error.message.clone())))
                .next()
                .expect("an error");
            ConfigError(format!("{ENVIRONMENT_PREFIX}{name} {}", why.unwrap_or("is out of bounds".into())))
        })?;
        Ok(concern)
    }

    fn refuse_unknown(&self, known: &[String]) -> Result<(), ConfigError> {
        let values: Dict = self.figment.extract().map_err(|error| self.told(error))?;
        let Some((name, value)) = values.iter().find(|(name, _)| !known.contains(name)) else { return Ok(()) };
        let origin = self.origin(name, self.figment.get_metadata(value.tag()));
        let near = nearest(name, known)
            .map(|near| format!("; did you mean {ENVIRONMENT_PREFIX}{}?", near.to_uppercase()))
            .unwrap_or_default();
        Err(ConfigError(format!("{ENVIRONMENT_PREFIX}{} is not a setting{origin}{near}", name.to_uppercase())))
    }

    /// What is wrong with a value.
    fn told(&self, error: figment::Error) -> ConfigError {
        let error = error.into_iter().next().expect("at least one error");
        let name = error.path.first().map(String::as_str).unwrap_or_default();
        let origin = self.origin(name, error.metadata.as_ref());
        let shown = error.path.join(".").to_uppercase();
        ConfigError(format!("{ENVIRONMENT_PREFIX}{shown}: {}{origin}", why(&error.kind)))
    }

    fn origin(&self, name: &str, metadata: Option<&Metadata>) -> String {
        match (metadata, &self.file) {
            (Some(metadata), Some(file)) if metadata.name == IN_FILE => format!(" ({})", file.place(name)),
            (Some(metadata), _) => format!(" (given as {})", metadata.name),
            (None, _) => String::new(),
        }
    }
}

/// Why a value cannot be taken: by what it is, never by what it says.
fn why(wrong: &Wrong) -> String {
    match wrong {
        // Our own words: see the types of values.
        Wrong::Message(why) => why.clone(),
        Wrong::InvalidType(found, wanted) | Wrong::InvalidValue(found, wanted) => {
            let found = match found {
                Actual::Bool(_) => "`true` or `false`",
                Actual::Unsigned(_) | Actual::Signed(_) | Actual::Float(_) => "a number",
                Actual::Char(_) | Actual::Str(_) | Actual::Bytes(_) => "a text",
                Actual::Seq => "a list",
                Actual::Map => "a table",
                _ => "something else",
            };
            format!("there is {found} instead of {wanted}")
        }
        Wrong::UnknownVariant(_, known) => format!("it is none of {}", known.join(", ")),
        _ => "it is not what belongs there".to_owned(),
    }
}

/// Texts stay texts: a password may look like a number.
fn texts(given: impl Iterator<Item = (String, String)>) -> Dict {
    given.map(|(name, value)| (name, Value::from(value))).collect()
}

const IN_FILE: &str = "settings file";

/// Values from one place.
struct Given {
    origin: &'static str,
    values: Dict,
}

impl Provider for Given {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.origin)
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Map::from([(Profile::Default, self.values.clone())]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(environment: &[(&str, &str)]) -> Result<Config, String> {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::read(None, environment, &Vec::new()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_environment_is_read_as_text_and_parsed_by_type() {
        let config = read(&[
            ("CHARTWELL_ACCOUNTS", "acme, globex"),
            ("CHARTWELL_QUERY_RATE_LIMIT", "60"),
            ("CHARTWELL_CLICKHOUSE_PASSWORD", "0123"),
            ("CHARTWELL_JWT_SECRET", "00000000000000000000000000000000"),
            ("HOME", "/"),
        ])
        .unwrap();
        let names: Vec<&str> = config.server.accounts.iter().map(Account::as_str).collect();
        assert_eq!(names, ["acme", "globex"]);
        assert_eq!(config.server.query_rate_limit, 60);
        assert_eq!(config.clickhouse.clickhouse_password.reveal(), "0123");
    }

    #[test]
    fn what_is_unknown_or_bad_stops_the_start_and_is_named() {
        for (name, value, message) in [
            (
                "CHARTWELL_LISTN",
                "x",
                "CHARTWELL_LISTN is not a setting (given as environment variable); did you mean CHARTWELL_LISTEN?",
            ),
            (
                "CHARTWELL_LISTEN",
                "8080",
                "CHARTWELL_LISTEN: `8080` is not valid: invalid socket address syntax (given as environment variable)",
            ),
            (
                "CHARTWELL_QUERY_RATE_LIMIT",
                "-1",
                "CHARTWELL_QUERY_RATE_LIMIT: `-1` is not valid: invalid digit found in string (given as environment variable)",
            ),
            ("CHARTWELL_JWT_SECRET", "short", "CHARTWELL_JWT_SECRET is shorter than 32 bytes"),
            (
                "CHARTWELL_ACCOUNTS",
                "Acme",
                "CHARTWELL_ACCOUNTS: `Acme` is not an account: small letters, digits and `_`, beginning with a letter, at most 48 (given as environment variable)",
            ),
            ("CHARTWELL_ACCOUNTS", " ", "CHARTWELL_ACCOUNTS names no account"),
            (
                "CHARTWELL_CLICKHOUSE_CLUSTER",
                "main",
                "CHARTWELL_CLICKHOUSE_CLUSTER is set without CHARTWELL_CLICKHOUSE_URL: the embedded engine is no cluster",
            ),
            (
                "CHARTWELL_HMAC_SECRETS",
                "k1:demo",
                "CHARTWELL_HMAC_SECRETS: a signing key is `key_id:account:secret` (given as environment variable)",
            ),
            (
                "CHARTWELL_HMAC_SECRETS",
                "k1:demo:short-but-secret",
                "CHARTWELL_HMAC_SECRETS: the secret of a signing key has less than 24 bytes (given as environment variable)",
            ),
            (
                "CHARTWELL_KAFKA_BROKERS",
                "kafka-1:9092,kafka-2",
                "CHARTWELL_KAFKA_BROKERS is not a list like kafka-1:9092,kafka-2:9092",
            ),
            (
                "CHARTWELL_ADMIN_DB_URL",
                "postgres://reader:hunter2@db",
                "CHARTWELL_ADMIN_DB_URL: it names no database behind its host: postgres://user:password@host:5432/database (given as environment variable)",
            ),
            (
                "CHARTWELL_ADMIN_DB_TIMEOUT_MS",
                "0",
                "CHARTWELL_ADMIN_DB_TIMEOUT_MS must be at least 1 and at most 10000",
            ),
        ] {
            assert_eq!(read(&[(name, value)]).unwrap_err(), message);
        }
    }

    #[test]
    fn accounts_that_would_share_an_operational_database_are_refused() {
        let url = ("CHARTWELL_ADMIN_DB_URL", "postgres://reader:hunter2@db/ops");
        assert!(read(&[url]).is_ok());
        let refused = read(&[url, ("CHARTWELL_ACCOUNTS", "acme,globex")]).unwrap_err();
        assert!(refused.starts_with("CHARTWELL_ADMIN_DB_URL is one database for 2 accounts"), "{refused}");
        assert!(!refused.contains("hunter2"), "{refused}");
        let each = ("CHARTWELL_ADMIN_DB_URL", "postgres://reader:hunter2@db/{account}");
        assert!(read(&[each, ("CHARTWELL_ACCOUNTS", "acme,globex")]).is_ok());
    }

    #[test]
    fn the_example_file_lists_every_setting_with_its_default() {
        let example = include_str!("../../chartwell.example.toml");
        let uncommented: String = example
            .lines()
            .map(|line| {
                line.strip_prefix("# ")
                    .filter(|line| line.split_once(" = ").is_some_and(|(name, _)| !name.contains(' ')))
                    .unwrap_or(line)
            })
            .collect::<Vec<_>>()
            .join("\n");
        let table: std::collections::BTreeMap<String, Value> = toml::from_str(&uncommented).unwrap();
        let in_file: Vec<&String> = table.keys().collect();
        let mut known: Vec<String> = Config::defaults().into_iter().map(|(name, _)| name).collect();
        known.sort();
        assert_eq!(in_file, known.iter().collect::<Vec<_>>());
        for (name, default) in Config::defaults() {
            if !default.is_null() {
                let written = serde_json::to_value(&table[&name]).unwrap();
                assert_eq!(written, default, "{name}");
            }
        }
    }

    fn in_file(text: &str) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("chartwell.toml");
        std::fs::write(&file, text).unwrap();
        let told = |error: ConfigError| error.to_string().replace(&format!("{}/", folder.path().display()), "");
        Config::read(Some(&file), [], &Vec::new()).map_err(told)
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told_without_what_it_says() {
        for (text, told) in [
            ("# one\njwt_secret = \"hunter2", "chartwell.toml, line 2, column 22: invalid basic string"),
            ("jwt_secret = 'hunter2", "chartwell.toml, line 1, column 22: invalid literal string"),
            (
                "jwt_secret = \"\"\"hunter2\naccounts = []",
                "chartwell.toml, line 2, column 14: invalid multiline basic string",
            ),
            ("jwt_secret = hunter2", "chartwell.toml, line 1, column 14: invalid string, expected `\"`, `'`"),
            ("jwt_secret = \"hunter2\\x\"", "invalid escape sequence"),
            ("jwt_secret = \"a\" hunter2", "expected newline, `#`"),
            ("jwt_secret: hunter2", "chartwell.toml, line 1, column 11: expected `.`, `=`"),
            ("hunter2", "chartwell.toml, line 1, column 8: expected `.`, `=`"),
            ("\"hunter2\" \"hunter2\"", "expected `.`, `=`"),
            ("hmac_secrets = [\"k:acme:hunter2\", hunter2", "invalid array"),
            (
                "jwt_secret = \"hunter2\"\n jwt_secret = \"hunter2\"",
                "chartwell.toml, line 2, column 2: `jwt_secret` is there already",
            ),
            ("\"hunter2\" = 1\n\"hunter2\" = 2", "chartwell.toml, line 2, column 1: the key is there already"),
            ("hunter2 = 1\nhunter2.a = 2", "the key in front of a `.` is no table"),
            ("[hunter2]\n[hunter2]", "the key is there already"),
            (
                "\nclickhouse_password = 424242",
                "CHARTWELL_CLICKHOUSE_PASSWORD: there is a number instead of a string (in chartwell.toml, line 2, column 23)",
            ),
            ("clickhouse_password = -4.24242", "there is a number instead of a string"),
            ("clickhouse_password = [\"hunter2\"]", "there is a list instead of a string"),
            ("clickhouse_password.hunter2 = \"hunter2\"", "there is a table instead of a string"),
            ("jwt_secret = 4242-12-12", "CHARTWELL_JWT_SECRET: there is a table instead of a string"),
            ("jwt_secret = true", "CHARTWELL_JWT_SECRET: there is `true` or `false` instead of a string"),
            ("jwt_secret = \"hunter2\"", "CHARTWELL_JWT_SECRET is shorter than 32 bytes"),
            ("admin_db_url = 424242", "CHARTWELL_ADMIN_DB_URL: there is a number instead of a string"),
            ("admin_db_url = \"hunter2\"", "CHARTWELL_ADMIN_DB_URL: it is not a URL"),
            ("hmac_secrets = 424242", "CHARTWELL_HMAC_SECRETS: it is neither a text nor what else belongs there"),
            ("hmac_secrets = [424242]", "CHARTWELL_HMAC_SECRETS: it is neither a text nor what else belongs there"),
            ("hmac_secrets = [\"hunter2\"]", "a signing key is `key_id:account:secret`"),
            ("hmac_secrets = [\"k:hunter2-:acme\"]", "the second part of a signing key is not an account"),
            ("hmac_secrets = [\"hunter2:acme:k\"]", "the secret of a signing key has less than 24 bytes"),
            ("product_unknown_events = \"hunter2\"", "CHARTWELL_PRODUCT_UNKNOWN_EVENTS: it is none of refuse, count"),
        ] {
            let error = in_file(text).unwrap_err();
            assert!(error.contains(told), "{text}: {error}");
            assert!(!error.contains("hunter2") && !error.contains("4242") && error.lines().count() == 1, "{error}");
        }
        let unknown = in_file("\njwt_secrt = \"hunter2\"").unwrap_err();
        let told = "CHARTWELL_JWT_SECRT is not a setting (in chartwell.toml, line 2, column 13); did you mean CHARTWELL_JWT_SECRET?";
        assert_eq!(unknown, told);
    }

    #[test]
    fn a_file_that_was_there_at_the_start_is_missed_when_it_is_gone() {
        let (with, without) = (in_file("accounts = [\"acme\"]").unwrap(), read(&[]).unwrap());
        assert!(with.clone().taken_by(&with).is_ok() && with.clone().taken_by(&without).is_ok());
        let refused = without.taken_by(&with).unwrap_err().to_string();
        assert!(refused.starts_with("chartwell.toml is not there any more"), "{refused}");
    }

    #[test]
    fn secrets_are_never_shown() {
        let config = read(&[
            ("CHARTWELL_JWT_SECRET", "a very long and very secret secret"),
            ("CHARTWELL_CLICKHOUSE_PASSWORD", "hunter2"),
            ("CHARTWELL_ADMIN_DB_URL", "postgres://reader:hunter2@db/ops"),
        ])
        .unwrap();
        let shown = format!("{config:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("very secret"), "{shown}");
    }
}
