//! One source for one process and for a cluster: a file is a template, and only the names of tables
//! and engines differ.

use minijinja::value::Value;
use minijinja::{Error, context};

use super::plan::Migration;
use crate::clickhouse::{Sql, template::guarded_environment};
use crate::config::{Account, AdminDb};

/// What a migration is rendered for.
#[derive(Debug, Clone)]
pub struct Target {
    pub account: Account,
    /// Set = `ON CLUSTER`, Replicated and Distributed tables.
    pub cluster: Option<String>,
    /// Days that raw rows are kept; 0 = for ever.
    pub retention_days: u32,
    /// Set = rows are read from Kafka.
    pub kafka_brokers: Option<String>,
    /// The operational database of the account; without one, a local table stands in.
    pub admin_db: Option<AdminDb>,
}

/// The first line of a file whose statement makes sense on a cluster alone.
const CLUSTER_ONLY: &str = "-- only: cluster";

impl Target {
    /// The statement of a migration; `None` when there is nothing to run here.
    pub fn render(&self, migration: &Migration) -> Result<Option<String>, Error> {
        if self.cluster.is_none() && migration.text.starts_with(CLUSTER_ONLY) {
            return Ok(None);
        }
        let text = guarded_environment().render_str(&migration.text, self.context())?;
        Ok(Some(text.trim().trim_end_matches(';').to_owned()))
    }

    /// `ON CLUSTER x`, or nothing.
    pub fn on_cluster(&self) -> Sql {
        self.cluster
            .as_ref()
            .map_or(Sql::constant(""), |cluster| Sql::words(&[Sql::constant("ON CLUSTER"), Sql::identifier(cluster)]))
    }

    /// The table that rows are written to: `x`, or `x_local` on a cluster.
    pub fn table(&self, name: &str) -> Sql {
        Sql::dotted(&[&self.account.analytics_database(), &self.local(name)])
    }

    /// A table of the operational database.
    pub(super) fn admin_table(&self, name: &str) -> Sql {
        Sql::dotted(&[&self.account.admin_database(), name])
    }

    /// The condition that finds it in `system.tables`. Equalities, so that the tables of other accounts are not looked at.
    pub(super) fn is_table(&self, name: &str) -> String {
        format!("database = '{}' AND name = '{}'", self.account.analytics_database(), self.local(name))
    }

    /// The name of the table that rows are written to.
    pub fn local(&self, name: &str) -> String {
        if self.cluster.is_some() { format!("{name}_local") } else { name.to_owned() }
    }

    fn engine(&self, engine: &str, name: &str) -> Sql {
        if self.cluster.is_none() {
            return Sql::call(engine, &[]);
        }
        let path = format!("/clickhouse/tables/{{shard}}/{{database}}/{}", self.local(name));
        Sql::call(&format!("Replicated{engine}"), &[&path, "{replica}"])
    }

    /// The engine of a table that all shards have alike.
    pub(super) fn engine_of_all(&self, engine: &str, name: &str) -> Sql {
        if self.cluster.is_none() {
            return Sql::call(engine, &[]);
        }
        let path = format!("/clickhouse/tables/{{database}}/{}", self.local(name));
        Sql::call(&format!("Replicated{engine}"), &[&path, "{shard}-{replica}"])
    }

    /// The engine that reads the tables of all shards, and sends each row to one of them by a hash of a column.
    fn distributed_engine(&self, name: &str, column: Option<&str>) -> Sql {
        let cluster = self.cluster.as_deref().unwrap_or_default();
        let (database, local) = (self.account.analytics_database(), self.local(name));
        Sql::distributed([cluster, &database, &local], column)
    }

    fn ttl(&self, column: &str) -> Sql {
        if self.retention_days == 0 { Sql::constant("") } else { Sql::ttl(column, self.retention_days) }
    }

    pub(super) fn context(&self) -> Value {
        let this = |target: &Self| target.clone();
        let (tables, admin, engines, ttls) = (this(self), this(self), this(self), this(self));
        let (distributed, distributed_engine, engines_of_all) = (this(self), this(self), this(self));
        context! {
            on_cluster => Value::from(self.on_cluster()),
            deduplication_window => Value::from(Sql::constant(
                if self.cluster.is_some() { "replicated_deduplication_window" } else { "non_replicated_deduplication_window" },
            )),
            table => Value::from_function(move |name: String| Value::from(tables.table(&name))),
            admin_table => Value::from_function(move |name: String| {
                Value::from(admin.admin_table(&name))
            }),
            engine => Value::from_function(move |engine: String, name: String| Value::from(engines.engine(&engine, &name))),
            engine_of_all => Value::from_function(move |engine: String, name: String| {
                Value::from(engines_of_all.engine_of_all(&engine, &name))
            }),
            text => Value::from_function(|text: String| Value::from(Sql::text(&text))),
            ttl => Value::from_function(move |column: String| Value::from(ttls.ttl(&column))),
            distributed => Value::from_function(move |name: String| {
                Value::from(Sql::dotted(&[&distributed.account.analytics_database(), &name]))
            }),
            distributed_engine => Value::from_function(move |name: String, column: Option<String>| {
                Value::from(distributed_engine.distributed_engine(&name, column.as_deref()))
            }),
        }
    }
}
