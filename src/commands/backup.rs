//! `chartwell backup` and `chartwell restore`

use std::path::{Path, PathBuf};

use chrono::{SecondsFormat, Utc};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::Failure;
use super::program::Program;
use crate::backup::{Backups, Manifest, Progress, Restoring, keep, list, name_at, note_ids};
use crate::config::Config;
use crate::spool::KnownIds;

#[derive(Debug, Args)]
pub struct BackupFlags {
    /// Name of the backup; the present time when there is none
    name: Option<String>,
    /// Copy only what is not in this backup, which must be whole
    #[arg(long, value_name = "NAME")]
    base: Option<String>,
    /// Remove the oldest backups beyond so many, but none that another one needs
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..))]
    keep: Option<u16>,
    /// List the backups that there are, and make none
    #[arg(long, conflicts_with_all = ["name", "base", "keep"])]
    list: bool,
}

#[derive(Debug, Args)]
pub struct RestoreFlags {
    /// Name of a backup, or its folder
    backup: PathBuf,
}

const ONLY_EMBEDDED: &str =
    "this is for the embedded engine; servers have BACKUP and RESTORE of their own: see docs/operations.md";

pub fn backup(config: &Config, flags: &BackupFlags) -> Result<(), Failure> {
    let folder = backup_folder(config)?;
    if flags.list {
        for backup in list(&folder)? {
            let Manifest { made_at, version, base, bytes, .. } = &backup.manifest;
            let made_at = made_at.to_rfc3339_opts(SecondsFormat::Secs, true);
            println!("{}\t{made_at}\t{version}\t{bytes}\t{}", backup.name, base.as_deref().unwrap_or("-"));
        }
        return Ok(());
    }
    let name = flags.name.clone().unwrap_or_else(|| name_at(Utc::now()));
    for name in [Some(&name), flags.base.as_ref()].into_iter().flatten() {
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.starts_with('.') || !name.chars().all(is_name) {
            return Err(format!("`{name}` is no name of a backup: letters, digits, `-`, `_` and `.`").into());
        }
    }
    let program = Program::beside(config)?;
    let bar = bar("backing up")?;
    let made = program.runtime.block_on(async {
        let backups = Backups { clickhouse: &program.clickhouse, folder: &folder };
        backups.make(&name, flags.base.as_deref(), |progress| show(&bar, progress)).await
    });
    bar.finish_and_clear();
    let manifest = made?;
    println!("{}\t{} databases\t{} bytes", folder.join(&name).display(), manifest.databases.len(), manifest.bytes);
    if let Some(most) = flags.keep {
        for removed in keep(&folder, most.into())? {
            println!("{}\tremoved", folder.join(removed).display());
        }
    }
    Ok(())
}

pub fn restore(config: &Config, flags: &RestoreFlags) -> Result<(), Failure> {
    let named = backup_folder(config)?.join(&flags.backup);
    let path = named.canonicalize().map_err(|error| format!("{} cannot be read: {error}", named.display()))?;
    Manifest::read(&path)?.check(&path, config)?;
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Err(format!("{} is no backup", path.display()).into());
    };
    let data_dir = &config.server.data_dir;
    Restoring::refuse(data_dir)?;
    if let Some(there) = ["engine", "spool", "topics"].map(|part| data_dir.join(part)).iter().find(|part| part.exists())
    {
        return Err(format!(
            "{} is there already: a backup is restored into an empty data folder (CHARTWELL_DATA_DIR)",
            there.display()
        )
        .into());
    }
    let restoring = Restoring::begin(data_dir)?;
    let mut config = config.clone();
    config.clickhouse.backup_dir = Some(folder.to_owned());
    // Without an engine nothing has begun.
    let program = Program::start_to_restore(&config)
        .or_else(|error| restoring.end().map_or_else(|end| Err(end.into()), |()| Err(error)))?;
    let bar = bar("restoring")?;
    let restored = program.runtime.block_on(put_back(&config, &program, (folder, name), &bar));
    bar.finish_and_clear();
    let (manifest, ids) = restored?;
    restoring.end()?;
    println!("{}\t{} databases\t{ids} ids known", path.display(), manifest.databases.len());
    Ok(())
}

async fn put_back(
    config: &Config,
    program: &Program,
    (folder, name): (&Path, &str),
    bar: &ProgressBar,
) -> Result<(Manifest, u64), Failure> {
    let backups = Backups { clickhouse: &program.clickhouse, folder };
    let manifest = backups.restore(name, |progress| show(bar, progress)).await?;
    fail::fail_point!("restore-put-back", |_| Err("a restore that was made to fail".into()));
    // The release may be a newer one; and accounts that are not in the backup get their tables.
    program.migrate(config, false).await?;
    let index = match config.ingest.kafka_brokers {
        None => config.server.data_dir.join("spool/ids"),
        Some(_) => config.server.data_dir.join("topics"),
    };
    let mut ids = KnownIds::open(&index, Utc::now())?;
    let mut noted = 0;
    // Of those that are not served at present as well: they may come back.
    for account in manifest.databases.iter().filter_map(|database| database.strip_suffix("_analytics")) {
        bar.set_message(format!("{account}: known ids"));
        noted += note_ids(&program.clickhouse, &account.parse()?, &mut ids, |_| bar.tick()).await?;
    }
    Ok((manifest, noted))
}

fn backup_folder(config: &Config) -> Result<PathBuf, Failure> {
    if !config.clickhouse.clickhouse_url.is_empty() {
        return Err(ONLY_EMBEDDED.into());
    }
    Ok(config.backup_dir())
}

fn bar(message: &'static str) -> Result<ProgressBar, Failure> {
    let bar = ProgressBar::new(1);
    bar.set_style(ProgressStyle::with_template("{msg}  {bar:40} {bytes} of {total_bytes}  {elapsed}")?);
    bar.set_message(message);
    Ok(bar)
}

fn show(bar: &ProgressBar, progress: Progress) {
    bar.set_length(progress.of_bytes);
    bar.set_position(progress.bytes);
}
