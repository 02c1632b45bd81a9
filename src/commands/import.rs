//! `chartwell import`

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::mpsc;

use super::Failure;
use super::program::Program;
use super::stop::stop_signal;
use crate::app::App;
use crate::clickhouse::embedded::StartError;
use crate::config::{Account, Config};
use crate::import::{Bookmark, Format, ImportError, Rows};
use crate::ingest::{Backfill, Entry, Imported, Rejection};
use crate::rows::Table;
use crate::studio::Studio;

#[derive(Debug, Args)]
pub struct ImportFlags {
    /// Account that the rows are of
    #[arg(long, value_name = "ACCOUNT")]
    account: Account,
    /// Table that they are for: events, assistants_tracing_spans or product_telemetry_events
    #[arg(long, value_name = "TABLE", value_parser = table)]
    table: Table,
    /// How the files are written; as their names say, when not given
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
    /// Files, also compressed with gzip or zstd; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
}

fn table(name: &str) -> Result<Table, String> {
    let known = Table::ALL.map(Table::name).join(", ");
    Table::by_name(name).ok_or_else(|| format!("the tables are {known}"))
}

/// Batches that are read while another is taken in.
const READ_AHEAD: usize = 2;

pub fn import(config: &Config, flags: &ImportFlags) -> Result<(), Failure> {
    if !config.server.accounts.contains(&flags.account) {
        return Err(format!("{} is not one of CHARTWELL_ACCOUNTS", flags.account).into());
    }
    let files = flags.files.iter().map(|file| Ok((file.as_str(), format_of(file, flags.format)?)));
    let files: Vec<(&str, Format)> = files.collect::<Result<_, Failure>>()?;
    let program = Program::start(config).map_err(while_it_serves)?;
    program.runtime.block_on(async {
        program.migrate(config, false).await?;
        let app = App::new(config, program.clickhouse.clone(), Studio::new(None)).await?;
        let bar = bar(&files)?;
        let import = Import {
            config,
            bar: bar.clone(),
            backfill: Backfill {
                ingestion: app.serving.ingestion.clone(),
                clickhouse: program.clickhouse.clone(),
                account: flags.account.clone(),
                table: flags.table,
            },
        };
        let stop = stop_signal()?;
        let ended = tokio::select! {
            ended = import.files(&files) => ended,
            () = stop => Err("stopped; the same command goes on where it was".into()),
        };
        bar.finish_and_clear();
        app.writer.stop(super::serve::WRITER_PATIENCE).await;
        app.serving.ingestion.intake.close();
        ended
    })
}

/// What to do when the data folder is that of a running server.
pub(super) fn while_it_serves(error: Failure) -> Failure {
    match error.downcast_ref() {
        Some(StartError::FolderInUse { .. }) => {
            format!("{error}; stop the server that runs on it for as long as this takes").into()
        }
        _ => error,
    }
}

fn format_of(file: &str, given: Option<Format>) -> Result<Format, Failure> {
    given.or_else(|| Format::of(file)).ok_or_else(|| {
        let name = if file == "-" { "what comes from standard input" } else { file };
        format!("the format of {name} is not known: give --format ndjson, csv or parquet").into()
    })
}

/// A bar over the bytes of all files.
fn bar(files: &[(&str, Format)]) -> Result<ProgressBar, Failure> {
    let mut bytes = 0;
    let mut is_known = true;
    for (file, _) in files {
        match *file {
            "-" => is_known = false,
            file => bytes += std::fs::metadata(file).map_err(|error| format!("{file} cannot be read: {error}"))?.len(),
        }
    }
    let bar = if is_known { ProgressBar::new(bytes) } else { ProgressBar::no_length() };
    bar.set_style(ProgressStyle::with_template("{msg}  {bar:40} {bytes} of {total_bytes}  {eta} left")?);
    Ok(bar)
}

struct Import<'a> {
    config: &'a Config,
    bar: ProgressBar,
    backfill: Backfill,
}

/// What became of the rows of a file.
#[derive(Debug, Default)]
struct Counts {
    accepted: u64,
    duplicates: u64,
    rejected: u64,
}

impl Import<'_> {
    async fn files(&self, files: &[(&str, Format)]) -> Result<(), Failure> {
        let mut all_rejected = 0;
        for (file, format) in files {
            let Counts { accepted, duplicates, rejected } = self.file(file, *format).await?;
            all_rejected += rejected;
            self.tell(&format!("{file}: {accepted} accepted, {duplicates} duplicates, {rejected} rejected"));
        }
        self.bar.set_message("storing");
        self.backfill.ingestion.intake.settled().await;
        match all_rejected {
            0 => Ok(()),
            1 => Err("one row was rejected; it is named above".into()),
            rejected => Err(format!("{rejected} rows were rejected; they are named above").into()),
        }
    }

    async fn file(&self, file: &str, format: Format) -> Result<Counts, Failure> {
        self.bar.set_message(file.to_owned());
        let Backfill { account, table, .. } = &self.backfill;
        let bookmark = Bookmark::of(&self.config.server.data_dir, account, *table, file)
            .map_err(|error| format!("{file} cannot be read: {error}"))?;
        let done = bookmark.read();
        if done > 0 {
            self.tell(&format!("{file}: goes on after row {done}"));
        }
        let mut batches = batches(file.to_owned(), format, *table, self.bar.clone());
        let mut counts = Counts::default();
        while let Some(batch) = batches.recv().await {
            let mut batch = batch?;
            let Some(last) = batch.last().map(|entry| entry.number) else { continue };
            batch.retain(|entry| entry.number > done);
            let Imported { accepted, duplicates, rejected } = self.backfill.take(batch).await?;
            for (number, Rejection { code, pointer, detail }) in &rejected {
                self.tell(&format!("{file}:{number}\t{code}\t{pointer}\t{detail}"));
            }
            counts.accepted += accepted;
            counts.duplicates += duplicates;
            counts.rejected += rejected.len() as u64;
            bookmark.write(last.max(done)).map_err(|error| format!("the data folder cannot be written: {error}"))?;
        }
        bookmark.remove();
        Ok(counts)
    }

    /// Prints a line beside the bar.
    fn tell(&self, line: &str) {
        self.bar.suspend(|| println!("{line}"));
    }
}

/// The batches of a file, read ahead on a thread of its own.
fn batches(
    file: String,
    format: Format,
    table: Table,
    bar: ProgressBar,
) -> mpsc::Receiver<Result<Vec<Entry>, ImportError>> {
    let (batches, receiver) = mpsc::channel(READ_AHEAD);
    tokio::task::spawn_blocking(move || {
        let mut rows = match Rows::open(&file, format, table, &bar) {
            Ok(rows) => rows,
            Err(error) => return drop(batches.blocking_send(Err(error))),
        };
        loop {
            let batch = rows.next_batch();
            let is_last = batch.as_ref().map_or(true, Vec::is_empty);
            if batches.blocking_send(batch).is_err() || is_last {
                return;
            }
        }
    });
    receiver
}
