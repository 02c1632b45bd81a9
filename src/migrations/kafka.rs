//! What the engine reads from Kafka: aligned with the settings at every start, not numbered. Offsets are kept by
//! the broker, so that nothing is lost when it is made anew.
//!
//! Without brokers in the settings nothing is changed: messages that are still there are read to their end.

use minijinja::{Error, context};

use super::checksum;
use super::render::Target;
use crate::clickhouse::native::ColumnOf;
use crate::clickhouse::template::guarded_environment;
use crate::clickhouse::{ClickHouse, QueryError, Sql};
use crate::rows::Table;

/// The statements, in their order: both ends of the way before its beginning.
const STATEMENTS: [&str; 5] = [
    include_str!("../../migrations/kafka/000_create_table_arrivals.sql"),
    include_str!("../../migrations/kafka/001_create_view_of_arrivals.sql"),
    include_str!("../../migrations/kafka/002_create_view_of_dead_arrivals.sql"),
    include_str!("../../migrations/kafka/003_create_table_queue.sql"),
    include_str!("../../migrations/kafka/004_create_view_of_queue.sql"),
];

/// What the statements make, in the order in which it is removed: the beginning of the way first.
const MADE: [&str; 5] = ["_queue_view", "_queue", "_arrivals_dead_view", "_arrivals_view", "_arrivals"];

#[derive(Debug, thiserror::Error)]
pub enum KafkaError {
    #[error("the tables that read from Kafka cannot be rendered: {0:#}")]
    Render(#[from] Error),
    #[error("the tables that read from Kafka cannot be made: {0} (CHARTWELL_KAFKA_BROKERS)")]
    Query(#[from] QueryError),
}

/// Makes the tables that read from Kafka, where they are not as they should be.
pub(super) async fn align(clickhouse: &ClickHouse, target: &Target) -> Result<(), KafkaError> {
    for (table, statements) in outdated(clickhouse, target).await? {
        for made in MADE {
            let made = target.table(&format!("{}{made}", table.name()));
            clickhouse.execute(&format!("DROP TABLE IF EXISTS {made} {} SYNC", target.on_cluster())).await?;
        }
        for statement in statements {
            clickhouse.execute(&statement).await?;
        }
        tracing::info!(account = %target.account, table = table.name(), "rows are read from Kafka");
    }
    Ok(())
}

/// The tables whose rows are not read from Kafka as they should be, with the statements that make it so.
pub(super) async fn outdated(
    clickhouse: &ClickHouse,
    target: &Target,
) -> Result<Vec<(Table, Vec<String>)>, KafkaError> {
    let mut outdated = Vec::new();
    let Some(brokers) = &target.kafka_brokers else { return Ok(outdated) };
    for table in Table::ALL {
        let wanted = checksum(&statements(target, table, brokers, "")?.join("\n"));
        let last = target.is_table(&format!("{}{}", table.name(), MADE[0]));
        let found = format!("SELECT comment FROM system.tables WHERE {last}");
        let found: Vec<String> = clickhouse.fetch(&found).await?;
        if found.first() != Some(&wanted) {
            outdated.push((table, statements(target, table, brokers, &wanted)?));
        }
    }
    Ok(outdated)
}

/// The statements for a table, rendered.
fn statements(target: &Target, table: Table, brokers: &str, checksum: &str) -> Result<Vec<String>, Error> {
    let columns: Vec<&str> = table.columns().iter().map(|(name, _)| *name).collect();
    let context = context! {
        name => table.name(),
        columns => minijinja::Value::from(Sql::columns(table.columns().iter().map(|(name, of): &ColumnOf| (*name, *of)))),
        column_names => minijinja::Value::from(Sql::list(&columns)),
        id => minijinja::Value::from(Sql::list(table.id_columns())),
        months => minijinja::Value::from(newest_months(target, table)),
        time => minijinja::Value::from(Sql::list(&[table.time_column()])),
        topic => table.topic(&target.account),
        brokers,
        checksum,
        ..target.context()
    };
    STATEMENTS.iter().map(|text| Ok(guarded_environment().render_str(text, &context)?.trim().to_owned())).collect()
}

/// A question for the newest months of a block, as many as an insert may have parts.
fn newest_months(target: &Target, table: Table) -> Sql {
    Sql::words(&[
        Sql::constant("SELECT toYYYYMM("),
        Sql::identifier(table.time_column()),
        Sql::constant(") AS month FROM"),
        target.table(&format!("{}_arrivals", table.name())),
        Sql::constant("WHERE arrival_error = '' GROUP BY month ORDER BY month DESC LIMIT 90"),
    ])
}
