//! `chartwell token`

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::Utc;
use clap::Args;

use super::Failure;
use crate::auth::{Claims, Scope, Tokens};
use crate::config::{Account, Config};

#[derive(Debug, Args)]
pub struct TokenFlags {
    /// The account it is for
    #[arg(long, value_name = "ACCOUNT")]
    account: Account,
    /// Scopes, separated by blanks
    #[arg(long, value_name = "SCOPES")]
    scope: String,
    /// Whom it names
    #[arg(long, default_value = "developer", value_name = "NAME")]
    subject: String,
    /// Grants only these values of a field, as profile_code=a,b; repeatable
    #[arg(long, value_name = "FIELD=VALUES", value_parser = grant)]
    grant: Vec<(String, Vec<String>)>,
    /// How long it is valid, as 30m, 1h or 7d
    #[arg(long, default_value = "1h", value_name = "TIME", value_parser = duration)]
    ttl: Duration,
}

pub fn token(config: &Config, flags: &TokenFlags) -> Result<(), Failure> {
    let Some(secret) = &config.auth.jwt_secret else {
        return Err("CHARTWELL_JWT_SECRET is not set: development tokens are signed with it".into());
    };
    if let Some(unknown) = flags.scope.split_whitespace().find(|name| Scope::by_name(name).is_none()) {
        let known = Scope::ALL.map(Scope::name).join(" ");
        return Err(format!("there is no scope {unknown}; there are: {known}").into());
    }
    let claims = Claims {
        sub: flags.subject.clone(),
        account: flags.account.to_string(),
        exp: expiry(flags.ttl),
        scope: flags.scope.split_whitespace().collect::<Vec<_>>().join(" "),
        grants: flags.grant.iter().cloned().collect::<BTreeMap<_, _>>(),
        limits: None,
        iss: None,
        aud: None,
    };
    println!("{}", tokens(config, secret).sign(&claims));
    Ok(())
}

/// Signs with the secret of the settings, for the issuer and audience that they ask for.
pub fn tokens<'a>(config: &'a Config, secret: &'a crate::config::Secret) -> Tokens<'a> {
    Tokens { secret, issuer: config.auth.jwt_issuer.as_deref(), audience: config.auth.jwt_audience.as_deref() }
}

/// The Unix time after this long.
pub fn expiry(ttl: Duration) -> u64 {
    u64::try_from(Utc::now().timestamp()).unwrap_or(0) + ttl.as_secs()
}

fn grant(text: &str) -> Result<(String, Vec<String>), String> {
    let (field, values) = text.split_once('=').ok_or("write it as profile_code=a,b")?;
    Ok((field.to_owned(), values.split(',').map(str::to_owned).collect()))
}

fn duration(text: &str) -> Result<Duration, String> {
    let unit = text.chars().last().ok_or("write it as 30m, 1h or 7d")?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err("write it as 30m, 1h or 7d".to_owned()),
    };
    let count: u64 = text[..text.len() - 1].parse().map_err(|_| "write it as 30m, 1h or 7d")?;
    count
        .checked_mul(seconds)
        .filter(|seconds| *seconds <= 366 * 86_400)
        .map(Duration::from_secs)
        .ok_or("at most a year".to_owned())
}
