//! The salt of an account, which raw ids of people are hashed with: made once, by the instance that migrates.

use uuid::Uuid;

use super::render::Target;
use crate::clickhouse::{ClickHouse, QueryError};
use crate::config::Account;

const TABLE: &str = "_account_settings";

/// The salt of an account that was migrated.
pub async fn salt(clickhouse: &ClickHouse, account: &Account) -> Result<String, QueryError> {
    let missing = || QueryError::other(format!("account {account} has no salt: run `chartwell migrate`"));
    known(clickhouse, account).await?.ok_or_else(missing)
}

/// Makes one for an account that has none; under the lock of migrations, so that there is never another one.
pub(super) async fn make(clickhouse: &ClickHouse, target: &Target) -> Result<(), QueryError> {
    let Target { account, .. } = target;
    if known(clickhouse, account).await?.is_some() {
        return Ok(());
    }
    let made = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    let insert = format!("INSERT INTO {} SELECT 'salt', '{made}', now64(6)", table(account));
    clickhouse.execute(&insert).await?;
    clickhouse.synchronize(&account.analytics_database(), TABLE).await
}

async fn known(clickhouse: &ClickHouse, account: &Account) -> Result<Option<String>, QueryError> {
    // Of several, from before there was a lock, the earliest counts.
    let read =
        format!("SELECT argMin(value, (set_at, value)) FROM {} WHERE name = 'salt' HAVING count() > 0", table(account));
    if let Some(salt) = clickhouse.fetch(&read).await?.pop() {
        return Ok(Some(salt));
    }
    // A replica that was away may not have it yet.
    clickhouse.synchronize(&account.analytics_database(), TABLE).await?;
    Ok(clickhouse.fetch(&read).await?.pop())
}

fn table(account: &Account) -> String {
    format!("`{}`.{TABLE}", account.analytics_database())
}
