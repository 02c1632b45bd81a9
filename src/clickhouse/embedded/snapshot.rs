//! Backups of the engine, as of one moment.
//!
//! The engine backs up each table as it is when its turn comes, and an insert goes to a table first and to its rollups
//! after. So inserts wait until all tables have had their turn, which takes some hundredths of a second; they do not wait
//! until the parts, which never change, are copied.

use std::time::Duration;

use super::call::Call;
use super::engine::{Engine, Whole};
use super::library::EngineException;

const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(5);
/// Inserts wait no longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a statement `BACKUP … ASYNC`.
pub async fn begin(engine: &'static Engine, call: Call) -> Result<Whole, EngineException> {
    let taken = async {
        let _inserts_wait = engine.hold_inserts().await;
        let begun = engine.execute(call).await?;
        while is_taking(engine).await? {
            tokio::time::sleep(LOOK_AGAIN_AFTER).await;
        }
        Ok(begun)
    };
    tokio::time::timeout(PATIENCE, taken).await.unwrap_or_else(|_| {
        let message =
            format!("Code: 159. DB::Exception: no snapshot after {} s. (TIMEOUT_EXCEEDED)", PATIENCE.as_secs());
        Err(EngineException(message))
    })
}

/// Whether a backup has tables left to look at: none of its files is written before it has seen them all.
async fn is_taking(engine: &'static Engine) -> Result<bool, EngineException> {
    let sql = "SELECT count() FROM system.backups WHERE status = 'CREATING_BACKUP' AND num_files = 0".to_owned();
    let call = Call { sql, format: "TabSeparated".to_owned(), ..Call::default() };
    Ok(engine.execute(call).await?.bytes.as_ref() != b"0\n")
}
