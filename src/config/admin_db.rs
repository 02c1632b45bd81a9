use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use reqwest::Url;
use serde::{Deserialize, Serialize, Serializer};

use super::values::{Account, Secret};

/// The operational database: a PostgreSQL, of which one table is read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct AdminDb {
    /// `host:port`
    pub server: String,
    pub database: String,
    pub user: String,
    pub password: Secret,
    /// Empty: the one that the role finds by itself.
    pub schema: String,
}

/// What stands for the account in a URL.
const ACCOUNT: &str = "{account}";
const DEFAULT_PORT: u16 = 5432;
/// PostgreSQL cuts off what is longer.
const LONGEST_NAME: usize = 63;

impl AdminDb {
    /// The operational database of one account.
    pub fn of(&self, account: &Account) -> Self {
        let named = |text: &str| text.replace(ACCOUNT, account.as_str());
        Self { database: named(&self.database), user: named(&self.user), schema: named(&self.schema), ..self.clone() }
    }

    /// Why these accounts cannot be kept apart in it.
    pub(super) fn contradiction(&self, accounts: &[Account]) -> Option<String> {
        let is_shared = ![&self.database, &self.schema].iter().any(|name| name.contains(ACCOUNT));
        if accounts.len() > 1 && is_shared {
            return Some(format!(
                "is one database for {} accounts, and each would see the names of the others: write {ACCOUNT} for the \
                 account in the database or the schema, such as postgres://…/{ACCOUNT}_admin or ?schema={ACCOUNT}",
                accounts.len()
            ));
        }
        let of_accounts: Vec<Self> = accounts.iter().map(|account| self.of(account)).collect();
        let names = of_accounts.iter().flat_map(|of| [&of.database, &of.schema, &of.user]);
        let too_long = names.into_iter().find(|name| name.len() > LONGEST_NAME);
        too_long.map(|name| format!("names `{name}`, and PostgreSQL cuts names off after {LONGEST_NAME} bytes"))
    }

    /// A text about it without its password.
    pub fn without_password<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.password.reveal() {
            "" => text.into(),
            password => text.replace(password, "(secret)").into(),
        }
    }
}

impl TryFrom<String> for AdminDb {
    type Error = &'static str;

    /// Reads a URL. What is wrong with it is told without what it says: it has a password.
    fn try_from(text: String) -> Result<Self, Self::Error> {
        const FORM: &str = "it is not a URL like postgres://user:password@host:5432/database";
        let url = Url::parse(text.trim()).map_err(|_| FORM)?;
        if !["postgres", "postgresql"].contains(&url.scheme()) {
            return Err("its scheme is not postgres or postgresql");
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or("it names no host")?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
        if !host.chars().all(is_plain) {
            return Err("its host is not one name or one address");
        }
        let schema = schema(&url)?;
        let named = Self {
            server: format!("{host}:{}", url.port().unwrap_or(DEFAULT_PORT)),
            database: decoded(url.path().trim_start_matches('/'))?,
            user: decoded(url.username())?,
            password: Secret::new(decoded(url.password().unwrap_or_default())?),
            schema,
        };
        if named.database.is_empty() || url.path().matches('/').count() > 1 {
            return Err("it names no database behind its host: postgres://user:password@host:5432/database");
        }
        if named.user.is_empty() {
            return Err("it names no user before its host: postgres://user:password@host:5432/database");
        }
        Ok(named)
    }
}

/// `?schema=…`, the one parameter that there is.
fn schema(url: &Url) -> Result<String, &'static str> {
    let mut schema = String::new();
    for (name, value) in url.query_pairs() {
        match &*name {
            "schema" => schema = value.into_owned(),
            "sslmode" => {
                return Err(
                    "it has `sslmode`, which is not its to say: the engine uses TLS where the server offers it, \
                            and PGSSLMODE in the environment of the engine demands it",
                );
            }
            _ => return Err("it has a parameter that is not known; there is `schema`"),
        }
    }
    if schema.contains('\0') { Err(NUL) } else { Ok(schema) }
}

const NUL: &str = "it has a NUL, which PostgreSQL cannot store";

fn decoded(part: &str) -> Result<String, &'static str> {
    let text = percent_decode_str(part).decode_utf8().map_err(|_| "what is percent-encoded in it is not UTF-8")?;
    if text.contains('\0') { Err(NUL) } else { Ok(text.into_owned()) }
}

impl Serialize for AdminDb {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("postgres://{}:(secret)@{}/{}", self.user, self.server, self.database))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<AdminDb, &'static str> {
        AdminDb::try_from(url.to_owned())
    }

    fn accounts(names: &[&str]) -> Vec<Account> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn a_url_names_server_database_role_and_schema() {
        let told = |url: &str| {
            let AdminDb { server, database, user, password, schema } = read(url).unwrap();
            [&server, &database, &user, password.reveal(), &schema].join(" | ")
        };
        assert_eq!(told("postgres://reader:pw@db/ops"), "db:5432 | ops | reader | pw | ");
        assert_eq!(told("postgresql://r@10.0.0.7:6432/ops?schema=live"), "10.0.0.7:6432 | ops | r |  | live");
        assert_eq!(told("postgres://r:pw@[::1]:6432/ops"), "[::1]:6432 | ops | r | pw | ");
        assert_eq!(
            told("postgres://a%40b:p%40s%2Fs%25+%27%C3%A9@db/o%20p%2Fs"),
            "db:5432 | o p/s | a@b | p@s/s%+'é | "
        );
    }

    #[test]
    fn what_is_wrong_with_a_url_is_told_without_what_it_says() {
        for (url, why) in [
            ("db.example", "not a URL"),
            ("postgres://r:hunter2@db:port/ops", "not a URL"),
            ("mysql://r:hunter2@db/ops", "scheme"),
            ("postgres:///ops", "host"),
            ("postgres://r:hunter2@db1,db2/ops", "one name"),
            ("postgres://r:hunter2@db", "no database"),
            ("postgres://r:hunter2@db/", "no database"),
            ("postgres://r:hunter2@db/ops/more", "no database"),
            ("postgres://db/ops", "no user"),
            ("postgres://r:hunter2%00@db/ops", "NUL"),
            ("postgres://r:hunter2%ff@db/ops", "UTF-8"),
            ("postgres://r:hunter2@db/ops?sslmode=require", "PGSSLMODE"),
            ("postgres://r:hunter2@db/ops?options=x", "not known"),
        ] {
            let told = read(url).unwrap_err();
            assert!(told.contains(why) && !told.contains("hunter2"), "{url}: {told}");
        }
    }

    #[test]
    fn accounts_are_kept_apart_or_refused() {
        let one = read("postgres://r:pw@db/ops").unwrap();
        assert_eq!(one.contradiction(&accounts(&["acme"])), None);
        assert!(one.contradiction(&accounts(&["acme", "globex"])).unwrap().contains("is one database for 2 accounts"));
        // A role of its own is no place of its own.
        let by_role = read("postgres://{account}:pw@db/ops").unwrap();
        assert!(by_role.contradiction(&accounts(&["acme", "globex"])).is_some());
        for url in ["postgres://r:pw@db/{account}_ops", "postgres://r:pw@db/ops?schema=of_{account}"] {
            let each = read(url).unwrap();
            assert_eq!(each.contradiction(&accounts(&["acme", "globex"])), None);
            let [acme, globex] = ["acme", "globex"].map(|name| each.of(&name.parse().unwrap()));
            assert_ne!((acme.database, acme.schema), (globex.database, globex.schema));
        }
        let long = read("postgres://r:pw@db/the_operational_database_of_{account}").unwrap();
        let told = long.contradiction(&accounts(&[&"a".repeat(48)])).unwrap();
        assert!(told.contains("cuts names off"), "{told}");
    }

    #[test]
    fn the_password_is_in_no_text_about_it() {
        let database = read("postgres://reader:hunter2@db/ops").unwrap();
        assert_eq!(database.without_password("Code: 62. near 'hunter2', 'x'"), "Code: 62. near '(secret)', 'x'");
        assert!(!format!("{database:?}{}", serde_json::to_string(&database).unwrap()).contains("hunter2"));
        let without = read("postgres://reader@db/ops").unwrap();
        assert_eq!(without.without_password("abc"), "abc");
    }
}
