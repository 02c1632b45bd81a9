//! Which rows a table has.

use std::collections::HashSet;
use std::ops::Range;

use chrono::{DateTime, Utc};

use super::Table;
use crate::clickhouse::{ClickHouse, QueryError};
use crate::config::Account;

/// Ids of one question: a server takes no parameter of more than 128 KiB.
const IDS_AT_ONCE: usize = 2_000;

impl Table {
    /// Those of the ids, as text, that rows of these times have.
    pub async fn stored_ids(
        self,
        clickhouse: &ClickHouse,
        account: &Account,
        ids: &[String],
        times: Range<DateTime<Utc>>,
    ) -> Result<HashSet<String>, QueryError> {
        let sql = format!(
            "SELECT DISTINCT toString({id}) FROM `{database}`.{table} WHERE {time} >= fromUnixTimestamp64Micro({{from:Int64}}) \
             AND {time} < fromUnixTimestamp64Micro({{to:Int64}}) AND {id} IN {{ids:Array({id_type})}}",
            id = self.id_expression(),
            id_type = self.id_type(),
            database = account.analytics_database(),
            table = self.name(),
            time = self.time_column(),
        );
        let mut stored = HashSet::new();
        for ids in ids.chunks(IDS_AT_ONCE) {
            let (from, to) = (times.start.timestamp_micros(), times.end.timestamp_micros());
            let asked = clickhouse.ask(|client| {
                let query = client.query_raw(&sql).param("ids", ids).param("from", from).param("to", to);
                async move { query.fetch_all::<String>().await }
            });
            stored.extend(clickhouse.answered(asked).await?);
        }
        Ok(stored)
    }
}
