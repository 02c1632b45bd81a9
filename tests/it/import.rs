//! Files of rows: what one account exports another imports as it was; bad rows are named; nothing comes twice.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use chartwell::import::{Format, Rows};
use chartwell::ingest::{Backfill, Imported};
use chartwell::rows::Table;
use indicatif::ProgressBar;
use serde_json::{Value, json};

use crate::program::Program;
use crate::support::{SECRET, TestApp, account, claims, message, recommendation, sign, with};

/// Imports a file as the command does.
async fn import(app: &TestApp, table: Table, format: Format, path: &Path) -> Imported {
    let backfill = Backfill {
        ingestion: app.ingestion.clone(),
        clickhouse: app.clickhouse.clone(),
        account: account(&app.account),
        table,
    };
    let file = path.to_str().unwrap().to_owned();
    let mut rows = Rows::open(&file, format, table, &ProgressBar::hidden()).unwrap();
    let mut all = Imported::default();
    loop {
        let batch = rows.next_batch().unwrap();
        if batch.is_empty() {
            app.intake.settled().await;
            return all;
        }
        let imported = backfill.take(batch).await.unwrap();
        all.accepted += imported.accepted;
        all.duplicates += imported.duplicates;
        all.rejected.extend(imported.rejected);
    }
}

/// The rows of a table but for when they came, each as one text.
async fn rows(app: &TestApp, table: Table) -> Vec<String> {
    let columns = table.columns().iter().filter(|(name, _)| *name != "ingested_at");
    let columns: Vec<String> = columns.map(|(name, _)| format!("`{name}`")).collect();
    let sql = format!(
        "SELECT toJSONString(tuple({})) AS row FROM {}_analytics.{} ORDER BY row",
        columns.join(", "),
        app.account,
        table.name()
    );
    app.clickhouse.fetch(&sql).await.unwrap()
}

async fn export(app: &TestApp, table: Table, format: &str, path: &Path) {
    let sql = format!("SELECT * FROM {}_analytics.{}", app.account, table.name());
    let mut cursor = app.clickhouse.client().query_raw(&sql).fetch_bytes(format).unwrap();
    let bytes = cursor.collect().await.unwrap();
    assert!(!bytes.is_empty());
    std::fs::write(path, bytes).unwrap();
}

/// Rows of every table.
async fn fill(app: &TestApp) {
    let sent = message("2026-02-01T10:00:00.123456Z", &[("gpt", 12, false), ("search-default", 3, true)]);
    let with_rest = json!({"data": {"text_length": 7, "suggestions": [{"id": "s", "source": "gpt", "len_text": 7, "edited": false, "score": 0.5}]}});
    let of_any_shape = json!({"event": "odd", "time_utc": "2026-02-03T00:00:00Z", "user_id": "u1", "lists": [{"k": 1}, {"k": "t"}], "n": 1.5, "deep": {"a": {"b": [true, "x"]}}});
    app.store(&[
        sent.clone(),
        with(sent, with_rest),
        recommendation("Shown", "2026-03-01T00:00:00Z", "gpt"),
        of_any_shape,
    ])
    .await;
    for body in
        [&include_bytes!("../data/otlp/openinference-0.pb")[..], include_bytes!("../data/otlp/openllmetry-0.pb")]
    {
        let request = app.post("/v1/traces").bearer_auth(app.token()).header("content-type", "application/x-protobuf");
        assert_eq!(request.body(body).send().await.unwrap().status(), 200);
    }
    let endless = json!({"resourceSpans": [{"scopeSpans": [{"spans": [{
        "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "startTimeUnixNano": "1770000000000000000",
    }]}]}]});
    let request = app.post("/v1/traces").bearer_auth(app.token()).json(&endless);
    assert_eq!(request.send().await.unwrap().text().await.unwrap(), "{}");
    let product_event = json!({
        "name": "filter_changed", "event_id": "018f5a3e-7b2c-7d4e-9a1b-2c3d4e5f6a7b", "org_id_hash": "0123456789abcdef0123456789abcdef",
        "schema_version": "v1", "session_id": "s-0123456789abcdef", "anonymous_user_id": "a-0123456789abcdef", "route_pattern": "/reports/:id",
        "payload": {"view": "runs", "filter_key": "model", "value_count": 3},
    });
    let request = app.post("/api/v1/product-events").bearer_auth(app.token()).json(&product_event);
    assert_eq!(request.send().await.unwrap().status(), 202);
    app.intake.settled().await;
}

#[tokio::test]
async fn what_one_account_exports_another_imports_as_it_was() {
    let from = TestApp::start("export_from").await;
    fill(&from).await;
    let folder = tempfile::tempdir().unwrap();
    for (format, name, to) in
        [(Format::Ndjson, "JSONEachRow", "import_ndjson"), (Format::Parquet, "Parquet", "import_parquet")]
    {
        let to = TestApp::start(to).await;
        for table in Table::ALL {
            let path = folder.path().join(format!("{}.{name}", table.name()));
            export(&from, table, name, &path).await;
            let exported = rows(&from, table).await;
            let imported = import(&to, table, format, &path).await;
            assert_eq!((imported.accepted, imported.rejected), (exported.len() as u64, Vec::new()), "{name}");
            assert_eq!(rows(&to, table).await, exported, "{name}");
            // Again it changes nothing.
            let again = import(&to, table, format, &path).await;
            assert_eq!((again.accepted, again.duplicates), (0, exported.len() as u64), "{name}");
        }
    }
}

#[tokio::test]
async fn a_table_is_asked_for_what_is_known_no_more() {
    let app = TestApp::start("import_known").await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.ndjson");
    std::fs::write(&path, "{\"event\":\"a\",\"time_utc\":\"2026-02-01T00:00:00Z\"}\n").unwrap();
    assert_eq!(import(&app, Table::Events, Format::Ndjson, &path).await.accepted, 1);
    // Another process, with an index of known ids of its own.
    let other = TestApp::start_with("import_known", crate::support::Via::Pipe, |_| {}).await;
    let again = import(&other, Table::Events, Format::Ndjson, &path).await;
    assert_eq!((again.accepted, again.duplicates), (0, 1));
}

#[tokio::test]
async fn csv_has_columns_and_fields_of_data() {
    let app = TestApp::start("import_csv").await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.csv.gz");
    let mut file = flate2::write::GzEncoder::new(std::fs::File::create(&path).unwrap(), flate2::Compression::fast());
    writeln!(file, "event_type,timestamp,profile_code,user_id,data.text_length,data.model,plan,data.suggestions")
        .unwrap();
    writeln!(file, "Send Message,2026-02-01 10:00:00,support,42,120,7,gold,\"[{{\"\"source\"\":\"\"gpt\"\",\"\"len_text\"\":80}}]\"").unwrap();
    writeln!(file, "Send Message,2026-02-01T11:00:00+02:00,support,,,,,").unwrap();
    writeln!(file, "Send Message,01/02/2026,support,,,,,").unwrap();
    writeln!(file, "Send Message,2026-02-01 10:00:00,support,,many,,,").unwrap();
    writeln!(file, "Send Message,,support,,many,,,").unwrap();
    file.finish().unwrap();
    let imported = import(&app, Table::Events, Format::of(path.to_str().unwrap()).unwrap(), &path).await;
    let rejected: Vec<(u64, &str, &str)> = imported
        .rejected
        .iter()
        .map(|(number, rejection)| (*number, rejection.code, rejection.pointer.as_str()))
        .collect();
    assert_eq!(
        rejected,
        [(4, "invalid_time", "/timestamp"), (5, "invalid_type", "/data/text_length"), (6, "missing_time", "/time_utc")]
    );
    let sql = format!(
        "SELECT toJSONString(tuple(time_utc, length(visitor_id), data.model, data.plan, data.text_length, suggestions.source)) FROM {}_analytics.events ORDER BY time_utc",
        app.account
    );
    let stored: Vec<String> = app.clickhouse.fetch(&sql).await.unwrap();
    let stored: Vec<Value> = stored.iter().map(|row| serde_json::from_str(row).unwrap()).collect();
    assert_eq!(
        stored,
        [
            json!(["2026-02-01 09:00:00.000000", null, null, null, null, []]),
            json!(["2026-02-01 10:00:00.000000", 64, "7", "gold", 120, ["gpt"]]),
        ]
    );
}

/// A command of the program, with a folder of its own.
fn chartwell(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chartwell"));
    command
        .args(arguments)
        .env("CHARTWELL_DATA_DIR", folder.join("data"))
        .env("CHARTWELL_ACCOUNTS", "backfill")
        .env("CHARTWELL_JWT_SECRET", SECRET)
        .env("CHARTWELL_LOG", "error")
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn told(output: &Output) -> (String, String) {
    (String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_is_killed_goes_on_and_each_row_is_there_once() {
    const ROWS: u32 = 30_000;
    let folder = tempfile::tempdir().unwrap();
    let mut file = std::io::BufWriter::new(std::fs::File::create(folder.path().join("rows.ndjson")).unwrap());
    let now = chrono::Utc::now();
    for number in 0..ROWS {
        let time = (now - chrono::Duration::seconds(i64::from(number % 100_000))).to_rfc3339();
        // No ids, and many rows that are the same but for where they stand.
        writeln!(file, "{}", message(&time, &[("gpt", 3, false)])).unwrap();
    }
    writeln!(file, "not JSON").unwrap();
    drop(file);
    let arguments = ["import", "--account", "backfill", "--table", "events", "rows.ndjson"];
    let mut kills = 0;
    let output = loop {
        let mut child = chartwell(folder.path(), &arguments).spawn().unwrap();
        if kills < 3 {
            kills += 1;
            std::thread::sleep(Duration::from_millis(1_500 + 500 * kills));
            child.kill().unwrap();
            child.wait().unwrap();
        } else {
            break child.wait_with_output().unwrap();
        }
    };
    let (stdout, stderr) = told(&output);
    assert_eq!(output.status.code(), Some(1), "{stdout}{stderr}");
    assert!(stdout.contains(&format!("rows.ndjson:{}\tmalformed_row", ROWS + 1)), "{stdout}");
    assert!(stderr.contains("one row was rejected; it is named above"), "{stderr}");
    // Once more, from the beginning.
    let output = chartwell(folder.path(), &arguments).output().unwrap();
    assert!(told(&output).0.contains(&format!("rows.ndjson: 0 accepted, {ROWS} duplicates, 1 rejected")), "{output:?}");
    let program = Program::start(&folder.path().join("data"), "backfill");
    // As the rollup has it, and as the rows have it.
    for filter in ["", "filter=agent_id:is_not_null"] {
        let url = format!("{}/api/v1/recommendations/totals?datetime_from=2026-01-01&{filter}", program.url);
        let response = reqwest::Client::new().get(url).bearer_auth(sign(&claims("backfill"))).send().await.unwrap();
        let totals: Value = response.json().await.unwrap();
        assert_eq!(totals["totals"][0]["value"], ROWS, "{totals}");
    }
}

#[test]
fn wrong_usage_is_one_clear_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x.dat"), "x").unwrap();
    std::fs::write(folder.path().join("x.parquet"), "x").unwrap();
    std::fs::write(folder.path().join("x.csv"), "event,event\n").unwrap();
    let import = ["import", "--account", "backfill", "--table", "events"];
    for (rest, code, expected) in [
        (&["x.dat"][..], 1, "the format of x.dat is not known: give --format ndjson, csv or parquet"),
        (&["-"], 1, "the format of what comes from standard input is not known"),
        (&["--format", "parquet", "-"], 1, "cannot come from standard input"),
        (&["missing.csv"], 1, "missing.csv cannot be read: No such file"),
        (&["x.parquet"], 1, "x.parquet: it is not a Parquet file"),
        (&["x.csv"], 1, "x.csv: the header has the column `event` twice"),
        (&[], 2, "required"),
    ] {
        let output = chartwell(folder.path(), &[&import[..], rest].concat()).output().unwrap();
        let (stdout, stderr) = told(&output);
        assert_eq!(output.status.code(), Some(code), "{stdout}{stderr}");
        assert!(stderr.contains(expected), "{stderr}");
    }
    for (arguments, expected) in [
        (["--account", "other", "--table", "events"], "other is not one of CHARTWELL_ACCOUNTS"),
        (
            ["--account", "backfill", "--table", "agents"],
            "the tables are events, assistants_tracing_spans, product_telemetry_events",
        ),
    ] {
        let output = chartwell(folder.path(), &[&["import"], &arguments[..], &["x.csv"]].concat()).output().unwrap();
        assert!(told(&output).1.contains(expected), "{output:?}");
    }
}
