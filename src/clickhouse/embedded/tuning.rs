//! How the engine shares memory and cores with the rest of the process.

use std::fs;
use std::time::Duration;

use rustix::process::{Pid, setpriority_process};
use rustix::thread::gettid;

/// What the engine calls the threads that merge parts.
const MERGING: &str = "MergeMutate";
/// How nice these threads are: beside busy ones they get a twentieth of a core.
const NICE: i32 = 15;

/// Settings of every connection, for questions that take some milliseconds, of which the engine spends half on the
/// plan. Two ways of reading less are for bigger ones, and cost a millisecond each; two threads read what one would.
pub const OF_CONNECTIONS: [&str; 4] = [
    "--use_skip_indexes_on_data_read=0",
    "--query_plan_optimize_lazy_materialization=0",
    "--merge_tree_min_rows_for_concurrent_read=65536",
    "--merge_tree_min_bytes_for_concurrent_read=1048576",
];

/// Server settings of the engine: a bound on memory, small pools, and parts that are fsynced.
///
/// A merge costs three times as much for each row as the insert did. So merges wait for more parts of one size
/// than they usually do, which writes a third less; they go column by column, which needs less memory; and
/// what one insert brings stays one file, because a file for each column costs a third more.
pub fn engine_settings(memory_bytes: u64, backup_folder: &str) -> String {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let backup_folder = backup_folder.replace('&', "&amp;").replace('<', "&lt;");
    format!(
        "<clickhouse>
    <max_server_memory_usage>{memory_bytes}</max_server_memory_usage>
    <mark_cache_size>134217728</mark_cache_size>
    <uncompressed_cache_size>0</uncompressed_cache_size>
    <background_pool_size>{cores}</background_pool_size>
    <background_common_pool_size>2</background_common_pool_size>
    <background_move_pool_size>1</background_move_pool_size>
    <background_fetches_pool_size>1</background_fetches_pool_size>
    <background_schedule_pool_size>4</background_schedule_pool_size>
    <backups>
        <allowed_path>{backup_folder}</allowed_path>
    </backups>
    <merge_tree>
        <merge_selector_base>8</merge_selector_base>
        <min_bytes_for_wide_part>67108864</min_bytes_for_wide_part>
        <vertical_merge_algorithm_min_rows_to_activate>1</vertical_merge_algorithm_min_rows_to_activate>
        <fsync_after_insert>1</fsync_after_insert>
        <fsync_part_directory>1</fsync_part_directory>
    </merge_tree>
</clickhouse>
"
    )
}

/// Lets whoever asks or inserts go before merges, which can wait.
///
/// The engine has a setting for this, without effect in the library. Its threads begin with its first table.
pub async fn let_merges_yield() {
    while !set_nice_of(MERGING) {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Whether threads may be nice for a while, and ordinary again. The engine believes the name of a capability, and
/// ends the process when it turns out to be one of a user namespace.
pub fn threads_may_yield() -> bool {
    let tried = std::thread::spawn(|| {
        let own = Some(gettid());
        setpriority_process(own, NICE).and_then(|()| setpriority_process(own, 0)).is_ok()
    });
    tried.join().unwrap_or(false)
}

/// Makes threads of this process nice; `false` when there are none of this name.
fn set_nice_of(name: &str) -> bool {
    // Where there is no such folder, threads have no priorities of their own either.
    let Ok(threads) = fs::read_dir("/proc/self/task") else { return true };
    let mut found = false;
    for thread in threads.flatten() {
        let is_named = fs::read_to_string(thread.path().join("comm")).is_ok_and(|known| known.trim_end() == name);
        let id = thread.file_name().to_str().and_then(|id| id.parse().ok()).and_then(Pid::from_raw);
        if is_named && let Some(id) = id {
            found = true;
            if let Err(error) = setpriority_process(Some(id), NICE) {
                tracing::warn!(%error, "merges cannot be made to yield to questions and inserts");
            }
        }
    }
    found
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use rustix::process::getpriority_process;

    use super::*;

    #[test]
    fn threads_of_a_name_become_nice_and_others_do_not() {
        let (end, ended) = mpsc::channel::<()>();
        let (tell, told) = mpsc::channel();
        let merging = thread::Builder::new().name("merging-test".to_owned()).spawn(move || {
            tell.send(gettid()).unwrap();
            ended.recv().unwrap_err();
        });
        let id = told.recv().unwrap();
        let ordinary = getpriority_process(Some(gettid())).unwrap();
        assert!(!set_nice_of("merging"));
        assert!(set_nice_of("merging-test"));
        assert_eq!(getpriority_process(Some(id)).unwrap(), NICE);
        assert_eq!(getpriority_process(Some(gettid())).unwrap(), ordinary);
        drop(end);
        merging.unwrap().join().unwrap();
    }
}
