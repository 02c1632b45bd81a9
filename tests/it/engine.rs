//! Facts about the embedded engine, each of which once cost a crash, a hang or lost rows.
//! They hold over the pipe and over a socket.

use std::collections::HashSet;
use std::process::Command;
use std::time::{Duration, Instant};

use bytes::Bytes;
use clickhouse::Row;
use serde::{Deserialize, Serialize};

use crate::support::{BOTH_WAYS, Via, clickhouse, engine_folder, serve_engine};

#[derive(Debug, PartialEq, Row, Serialize, Deserialize)]
struct Number {
    n: u64,
}

/// A database of its own, so that tests do not meet.
async fn database(name: &str, via: Via) -> String {
    let database = format!("engine_{name}_{via:?}").to_lowercase();
    let clickhouse = clickhouse(via).await;
    clickhouse.execute(&format!("DROP DATABASE IF EXISTS {database} SYNC")).await.unwrap();
    clickhouse.execute(&format!("CREATE DATABASE {database}")).await.unwrap();
    database
}

#[tokio::test]
async fn rows_are_streamed_and_headers_come_once() {
    for via in BOTH_WAYS {
        let client = clickhouse(via).await.client().clone();
        let mut rows =
            client.query_raw("SELECT toUInt64(number) AS n FROM numbers(1000000)").fetch::<Number>().unwrap();
        let mut expected = 0;
        while let Some(row) = rows.next().await.unwrap() {
            assert_eq!(row.n, expected);
            expected += 1;
        }
        assert_eq!(expected, 1_000_000);

        let mut csv = client.query_raw("SELECT number FROM numbers(300000)").fetch_bytes("CSVWithNames").unwrap();
        let mut text = Vec::new();
        while let Some(chunk) = csv.next().await.unwrap() {
            text.extend_from_slice(&chunk);
        }
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text.matches("number").count(), 1);
        assert_eq!(text.lines().count(), 300_001);
    }
}

#[tokio::test]
async fn an_answer_without_rows_is_no_error() {
    for via in BOTH_WAYS {
        let client = clickhouse(via).await.client().clone();
        let rows: Vec<Number> =
            client.query_raw("SELECT toUInt64(number) AS n FROM numbers(0)").fetch_all().await.unwrap();
        assert_eq!(rows, []);
    }
}

#[tokio::test]
async fn an_error_in_mid_stream_is_an_error_and_not_an_end() {
    for via in BOTH_WAYS {
        let client = clickhouse(via).await.client().clone();
        let sql = "SELECT toUInt64(throwIf(number = 900000, 'stop here') + number) AS n FROM numbers(1000000) SETTINGS max_threads = 1, max_block_size = 1000";
        let mut rows = client.query_raw(sql).fetch::<Number>().unwrap();
        let mut read = 0;
        let error = loop {
            match rows.next().await {
                Ok(Some(_)) => read += 1,
                Ok(None) => panic!("the error was lost after {read} rows"),
                Err(error) => break error.to_string(),
            }
        };
        assert!(read > 100_000, "{read}");
        assert!(error.contains("Code: 395") && error.contains("stop here"), "{error}");
    }
}

#[tokio::test]
async fn an_empty_line_inside_inserted_data_cuts_nothing_off() {
    for via in BOTH_WAYS {
        let database = database("empty_line", via).await;
        let clickhouse = clickhouse(via).await;
        clickhouse
            .execute(&format!("CREATE TABLE {database}.t (s String) ENGINE = MergeTree ORDER BY s"))
            .await
            .unwrap();
        // The empty line between the last two is a row of its own: the empty text.
        let rows = "\"first\"\n\"a\n\nb\"\n\n\"last\"\n";
        let client = clickhouse.client();
        let mut insert = client.insert_formatted_with(format!("INSERT INTO {database}.t FORMAT CSV"));
        insert.send(Bytes::from_static(rows.as_bytes())).await.unwrap();
        insert.end().await.unwrap();
        let stored: Vec<String> = clickhouse.fetch(&format!("SELECT s FROM {database}.t ORDER BY s")).await.unwrap();
        assert_eq!(stored, ["", "a\n\nb", "first", "last"]);
    }
    // The same in one text, statement and data, as people send it with curl.
    let url = serve_engine().await;
    let database = database("empty_line_inline", Via::Tcp).await;
    let http = reqwest::Client::new();
    let send = |sql: String| http.post(&url).body(sql).send();
    send(format!("CREATE TABLE {database}.t (s String) ENGINE = MergeTree ORDER BY s")).await.unwrap();
    send(format!("INSERT INTO {database}.t FORMAT CSV\n\"a\n\nb\"\n\"c\"\n")).await.unwrap();
    let count = send(format!("SELECT count() FROM {database}.t")).await.unwrap().text().await.unwrap();
    assert_eq!(count, "2\n");
}

#[tokio::test]
async fn an_insert_that_is_broken_off_stores_nothing() {
    for via in BOTH_WAYS {
        let database = database("broken_off", via).await;
        let clickhouse = clickhouse(via).await;
        clickhouse
            .execute(&format!("CREATE TABLE {database}.t (n UInt64) ENGINE = MergeTree ORDER BY n"))
            .await
            .unwrap();
        let mut insert = clickhouse.client().insert_formatted_with(format!("INSERT INTO {database}.t FORMAT CSV"));
        for _ in 0..20 {
            let lines: String = (0..10_000).map(|n| format!("{n}\n")).collect();
            insert.send(Bytes::from(lines)).await.unwrap();
        }
        drop(insert);
        tokio::time::sleep(Duration::from_millis(300)).await;
        let count: Vec<u64> = clickhouse.fetch(&format!("SELECT toUInt64(count()) FROM {database}.t")).await.unwrap();
        assert_eq!(count, [0]);
    }
}

#[tokio::test]
async fn an_insert_of_bad_data_is_an_error() {
    for via in BOTH_WAYS {
        let database = database("bad_data", via).await;
        let clickhouse = clickhouse(via).await;
        clickhouse
            .execute(&format!("CREATE TABLE {database}.t (n UInt64) ENGINE = MergeTree ORDER BY n"))
            .await
            .unwrap();
        let mut insert = clickhouse.client().insert_formatted_with(format!("INSERT INTO {database}.t FORMAT CSV"));
        let sent = insert.send(Bytes::from_static(b"1\nnonsense\n")).await;
        let ended = if sent.is_ok() { insert.end().await } else { sent };
        assert!(ended.unwrap_err().to_string().contains("Code: "));
    }
}

#[tokio::test]
async fn a_query_that_nobody_waits_for_is_killed_soon_and_the_next_ones_are_unharmed() {
    for via in BOTH_WAYS {
        let clickhouse = clickhouse(via).await;
        let mark = format!("mark_{via:?}");
        // Dropped at every moment: before it began, while it begins, while it runs.
        for milliseconds in [0, 1, 2, 5, 10, 30, 100] {
            let sql = format!("SELECT toUInt64(count()) AS n FROM numbers_mt(100000000000) WHERE NOT ignore('{mark}')");
            // The engine shows a statement with parameters in another form, so both are tried.
            let with_parameter = clickhouse.client().query_raw(&format!("{sql} AND number != {{other:UInt64}}"));
            for query in [clickhouse.client().query_raw(&sql), with_parameter.param("other", 7)] {
                let waiting = tokio::time::timeout(Duration::from_millis(milliseconds), query.fetch_one::<Number>());
                assert!(waiting.await.is_err());
                let next: Vec<u64> = clickhouse.fetch("SELECT toUInt64(41 + 1)").await.unwrap();
                assert_eq!(next, [42]);
            }
        }
        let running = format!(
            "SELECT toUInt64(count()) FROM system.processes WHERE query LIKE '%ignore(\\'{mark}\\')%' AND query NOT LIKE '%system.processes%'"
        );
        let given_up = Instant::now();
        while clickhouse.fetch::<u64>(&running).await.unwrap() != [0] {
            assert!(given_up.elapsed() < Duration::from_secs(20), "still running");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test]
async fn a_query_beyond_its_time_or_memory_ends_and_the_engine_goes_on() {
    for via in BOTH_WAYS {
        let clickhouse = clickhouse(via).await;
        let client = clickhouse.client();
        let slow = client
            .query_raw("SELECT toUInt64(count()) AS n FROM numbers_mt(1000000000000)")
            .with_setting("max_execution_time", "1");
        assert!(slow.fetch_one::<Number>().await.unwrap_err().to_string().contains("Code: 159"));
        let large = client
            .query_raw("SELECT toUInt64(length(groupArray(number))) AS n FROM numbers(1000000000)")
            .with_setting("max_memory_usage", "50000000");
        assert!(large.fetch_one::<Number>().await.unwrap_err().to_string().contains("Code: 241"));
        assert_eq!(clickhouse.fetch::<u64>("SELECT toUInt64(1)").await.unwrap(), [1]);
    }
}

#[tokio::test]
async fn settings_and_databases_do_not_leak_from_one_statement_to_the_next() {
    for via in BOTH_WAYS {
        let clickhouse = clickhouse(via).await;
        let client = clickhouse.client();
        let sql = "SELECT value FROM system.settings WHERE name = 'max_result_rows'";
        let set: String = client.query_raw(sql).with_setting("max_result_rows", "7").fetch_one().await.unwrap();
        let unset: String = client.query_raw(sql).fetch_one().await.unwrap();
        assert_eq!((set.as_str(), unset.as_str()), ("7", "0"));
        let within: String =
            client.clone().with_database("system").query_raw("SELECT currentDatabase()").fetch_one().await.unwrap();
        let without: String = client.query_raw("SELECT currentDatabase()").fetch_one().await.unwrap();
        assert_eq!((within.as_str(), without.as_str()), ("system", "default"));
    }
}

#[tokio::test]
async fn files_and_networks_cannot_be_reached() {
    for via in BOTH_WAYS {
        let clickhouse = clickhouse(via).await;
        for sql in [
            "SELECT * FROM file('/etc/passwd', 'LineAsString')",
            "SELECT * FROM url('http://127.0.0.1/', 'LineAsString')",
            "SELECT 1 INTO OUTFILE '/tmp/x'",
        ] {
            let error = clickhouse.fetch::<String>(sql).await.unwrap_err();
            assert!(error.message.contains("is not allowed in this engine"), "{error}");
        }
    }
}

/// A parameter of one tenant in the query of another would be a leak.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixteen_threads_of_parameterised_queries_never_mix_up() {
    let per_task = 200;
    let mut tasks = tokio::task::JoinSet::new();
    for via in BOTH_WAYS {
        let clickhouse = clickhouse(via).await;
        for task in 0..8_u64 {
            let client = clickhouse.client().clone();
            tasks.spawn(async move {
                for round in 0..per_task {
                    let tenant = format!("tenant-{via:?}-{task}-{round}");
                    let query = client.query_raw("SELECT {tenant:String}, {list:Array(String)}[2], {number:UInt64}");
                    let query = query
                        .param("tenant", &tenant)
                        .param("list", vec!["x", &tenant])
                        .param("number", task * per_task + round);
                    let row: (String, String, u64) = query.fetch_one().await.unwrap();
                    assert_eq!(row, (tenant.clone(), tenant, task * per_task + round));
                }
            });
        }
    }
    let finished: Vec<()> = tasks.join_all().await;
    assert_eq!(finished.len(), 16);
}

#[tokio::test]
async fn values_of_every_kind_arrive_as_they_are() {
    let hostile = [
        "",
        "'",
        "\\",
        "\"",
        "`",
        "?",
        "{x:String}",
        "a\tb\nc\r\0d",
        "💶 ñ",
        "' OR 1=1 --",
        "/*",
        "]",
        "NULL",
        "\\N",
        "$1",
        "%s",
    ];
    for via in BOTH_WAYS {
        let client = clickhouse(via).await.client().clone();
        for text in hostile {
            let one: String = client.query_raw("SELECT {text:String}").param("text", text).fetch_one().await.unwrap();
            assert_eq!(one, text);
        }
        let list: Vec<String> = client
            .query_raw("SELECT arrayJoin({texts:Array(String)})")
            .param("texts", hostile.to_vec())
            .fetch_all()
            .await
            .unwrap();
        assert_eq!(list, hostile);
        let distinct: HashSet<&str> = list.iter().map(String::as_str).collect();
        assert_eq!(distinct.len(), hostile.len());
    }
}

#[tokio::test]
async fn an_insert_repeated_with_its_token_changes_neither_table_nor_rollup() {
    for via in BOTH_WAYS {
        let database = database("token", via).await;
        let clickhouse = clickhouse(via).await;
        for sql in [
            "CREATE TABLE D.t (n UInt64) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 100",
            "CREATE TABLE D.r (n UInt64) ENGINE = SummingMergeTree ORDER BY tuple() SETTINGS non_replicated_deduplication_window = 100",
            "CREATE MATERIALIZED VIEW D.v TO D.r AS SELECT sum(n) AS n FROM D.t",
        ] {
            clickhouse.execute(&sql.replace("D.", &format!("{database}."))).await.unwrap();
        }
        for token in ["a", "a", "b", "a"] {
            let client = clickhouse.client();
            let mut insert = client
                .insert_unescaped::<Number>(&format!("{database}.t"))
                .await
                .unwrap()
                .with_setting("insert_deduplication_token", token)
                .with_setting("deduplicate_blocks_in_dependent_materialized_views", "1");
            insert.write(&Number { n: 5 }).await.unwrap();
            insert.end().await.unwrap();
        }
        let sums =
            format!("SELECT toUInt64(sum(n)) FROM {database}.t UNION ALL SELECT toUInt64(sum(n)) FROM {database}.r");
        assert_eq!(clickhouse.fetch::<u64>(&sums).await.unwrap(), [10, 10]);
    }
}

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chartwell"));
    command.env_remove("RUST_BACKTRACE").env("CHARTWELL_LOG", "warn").current_dir(std::env::temp_dir());
    command
}

#[test]
fn a_second_process_on_the_same_folder_is_refused_with_a_clear_message() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = program()
        .args(["demo", "--events", "10", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(folder.path())
        .spawn()
        .unwrap();
    let lock = folder.path().join("demo.json");
    let started = Instant::now();
    while !lock.exists() && started.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(50));
    }
    let second = program().args(["migrate"]).env("CHARTWELL_DATA_DIR", folder.path()).output().unwrap();
    first.kill().unwrap();
    first.wait().unwrap();
    let error = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(1), "{error}");
    assert!(error.contains("is in use by another process") && error.contains("CHARTWELL_DATA_DIR"), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn a_missing_engine_library_gives_one_line_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let output = program()
        .args(["migrate"])
        .env("CHARTWELL_DATA_DIR", folder.path())
        .env("CHARTWELL_ENGINE_LIBRARY", folder.path().join("libchdb.so"))
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains("libchdb.so was not found") && error.contains("make engine"), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn the_process_ends_without_the_engines_destructors() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        let output = program().args(["migrate"]).env("CHARTWELL_DATA_DIR", folder.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8_lossy(&output.stdout), "up to date\n");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_has_an_insert_with_its_rollups_or_not_at_all() {
    let clickhouse = clickhouse(Via::Pipe).await;
    for statement in [
        "CREATE DATABASE snapped",
        "CREATE TABLE snapped.slow (a UInt64) ENGINE = MergeTree ORDER BY a",
        "CREATE TABLE snapped.sums (a UInt64) ENGINE = MergeTree ORDER BY a",
        // Each row takes a while, so that the tables are not written at one time.
        "CREATE MATERIALIZED VIEW snapped.view TO snapped.sums AS SELECT a FROM snapped.slow WHERE sleepEachRow(0.3) = 0",
    ] {
        clickhouse.execute(statement).await.unwrap();
    }
    let inserting = async {
        for number in 0..3 {
            // Block by block: each is in its table long before it is in the view.
            let sql = format!(
                "INSERT INTO snapped.slow SELECT number FROM numbers({number}, 3) SETTINGS max_block_size = 1, min_insert_block_size_rows = 1, max_insert_threads = 1"
            );
            clickhouse.execute(&sql).await.unwrap();
        }
    };
    let backing_up = async {
        for number in 0..3 {
            tokio::time::sleep(Duration::from_millis(350)).await;
            let folder = engine_folder().join(format!("backups/snapped-{number}"));
            let id = format!("snapped-{number}");
            let to = format!("File('{}') SETTINGS id = '{id}' ASYNC", folder.display());
            clickhouse.execute(&format!("BACKUP DATABASE snapped TO {to}")).await.unwrap();
            let sql = format!("SELECT toString(status) FROM system.backups WHERE id = '{id}'");
            while clickhouse.fetch::<String>(&sql).await.unwrap() != ["BACKUP_CREATED"] {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    };
    tokio::join!(inserting, backing_up);
    for number in 0..3 {
        let folder = engine_folder().join(format!("backups/snapped-{number}"));
        let sql = format!("RESTORE DATABASE snapped AS snapped_{number} FROM File('{}')", folder.display());
        clickhouse.execute(&sql).await.unwrap();
        let count = async |table: &str| {
            clickhouse.fetch::<u64>(&format!("SELECT count() FROM snapped_{number}.{table}")).await.unwrap()
        };
        assert_eq!(count("slow").await, count("sums").await, "{number}");
    }
}
