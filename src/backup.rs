//! Backups of the embedded engine: everything that is stored, as of one moment, in a folder of its own.
//!
//! A backup has all accounts that the engine knows, with what is stored of them. What waits in the spool is not in it, nor
//! are settings. Where names come from an operational database, that is somebody else's to back up.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use clickhouse::Row;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clickhouse::embedded::ENGINE_VERSION;
use crate::clickhouse::{ClickHouse, QueryError, Sql};
use crate::config::{Account, Config};
use crate::migrations::{RetentionError, refuse_shorter};
use crate::rows::Table;
use crate::spool::{KnownIds, id_key};

/// Says what a backup is; written last, so that a folder without it is no backup.
const MANIFEST: &str = "backup.json";
/// In a data folder: that a restore into it has not ended.
const UNFINISHED: &str = "restore-unfinished";
/// The engine's part.
const ENGINE: &str = "engine";
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(200);
/// Days for which ids are known.
const KNOWN_DAYS: u32 = 14;
/// Ids that are noted together.
const IDS_TOGETHER: usize = 100_000;

/// What a backup is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The release of Chartwell that made it.
    pub version: String,
    pub engine: String,
    pub made_at: DateTime<Utc>,
    /// The backup beside it that it has only the differences from.
    pub base: Option<String>,
    pub databases: Vec<String>,
    /// Bytes that this one has by itself.
    pub bytes: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("{folder} cannot be used: {reason}")]
    Folder { folder: PathBuf, reason: io::Error },
    #[error("{0} is there already")]
    IsThere(PathBuf),
    #[error("there is nothing to back up: the data folder has no account (CHARTWELL_DATA_DIR)")]
    Nothing,
    #[error("{0} is no backup: it has no {MANIFEST}; one that was broken off has none either")]
    IsNone(PathBuf),
    #[error("{folder} is no backup: {reason}")]
    Unreadable { folder: PathBuf, reason: serde_json::Error },
    #[error("{0} has only the differences from another backup: name one that is whole")]
    IsNotWhole(String),
    #[error("the backup is of release {0}, which is newer than this program: restore it with that one")]
    IsNewer(String),
    #[error(
        "{note} says that a restore into its folder has not ended: when none runs any more, remove `engine`, `spool`, \
         `topics` and it from there, and restore again (CHARTWELL_DATA_DIR)"
    )]
    Unfinished { note: PathBuf },
    #[error("database {0} is there already: a backup is restored into an empty data folder (CHARTWELL_DATA_DIR)")]
    IsNotEmpty(String),
    #[error("account {account}: {error}")]
    Retention { account: String, error: RetentionError },
    #[error("the engine did not finish it: {0}")]
    Engine(String),
    #[error("the index of known ids fails: {0}")]
    Ids(#[from] lsm_tree::Error),
    #[error(transparent)]
    Query(#[from] QueryError),
}

/// How far a backup or a restore is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    pub bytes: u64,
    pub of_bytes: u64,
}

/// Backups in a folder.
pub struct Backups<'a> {
    pub clickhouse: &'a ClickHouse,
    pub folder: &'a Path,
}

/// A backup, by the name of its folder.
#[derive(Debug, Clone)]
pub struct Named {
    pub name: String,
    pub manifest: Manifest,
}

impl Manifest {
    pub fn read(folder: &Path) -> Result<Self, BackupError> {
        let text = match fs::read(folder.join(MANIFEST)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(BackupError::IsNone(folder.to_owned()));
            }
            Err(reason) => return Err(BackupError::Folder { folder: folder.to_owned(), reason }),
        };
        serde_json::from_slice(&text).map_err(|reason| BackupError::Unreadable { folder: folder.to_owned(), reason })
    }

    /// Refuses a backup that this program must not restore with these settings, before anything is there of it.
    pub fn check(&self, folder: &Path, config: &Config) -> Result<(), BackupError> {
        if is_newer(&self.version, env!("CARGO_PKG_VERSION")) {
            return Err(BackupError::IsNewer(self.version.clone()));
        }
        let base = match (&self.base, folder.parent()) {
            (Some(base), Some(beside)) => {
                Self::read(&beside.join(base))?;
                Some(beside.join(base))
            }
            _ => None,
        };
        for account in &config.server.accounts {
            let database = account.analytics_database();
            if !self.databases.contains(&database) {
                continue;
            }
            refuse_shorter(config.retention().days(account), |table| {
                // What has not changed is in the other one.
                let file = Path::new(ENGINE).join("metadata").join(&database).join(format!("{table}.sql"));
                [Some(folder), base.as_deref()]
                    .into_iter()
                    .flatten()
                    .find_map(|in_| fs::read_to_string(in_.join(&file)).ok())
            })
            .map_err(|error| BackupError::Retention { account: account.to_string(), error })?;
        }
        Ok(())
    }

    fn write(&self, folder: &Path) -> Result<(), BackupError> {
        let text = serde_json::to_vec_pretty(self).expect("it serialises");
        fs::write(folder.join(MANIFEST), text)
            .map_err(|reason| BackupError::Folder { folder: folder.to_owned(), reason })
    }
}

/// A restore that goes on: until it has ended, the data folder is for nobody else.
pub struct Restoring {
    data_dir: PathBuf,
}

impl Restoring {
    /// Notes that it begins.
    pub fn begin(data_dir: &Path) -> Result<Self, BackupError> {
        let noted = fs::create_dir_all(data_dir).and_then(|()| fs::File::create(data_dir.join(UNFINISHED))?.sync_all());
        noted.and_then(|()| fs::File::open(data_dir)?.sync_all()).map_err(|reason| of_folder(data_dir, reason))?;
        Ok(Self { data_dir: data_dir.to_owned() })
    }

    /// Notes that everything is there.
    pub fn end(&self) -> Result<(), BackupError> {
        fs::remove_file(self.data_dir.join(UNFINISHED)).map_err(|reason| of_folder(&self.data_dir, reason))
    }

    /// Refuses a data folder whose restore has not ended.
    pub fn refuse(data_dir: &Path) -> Result<(), BackupError> {
        let note = data_dir.join(UNFINISHED);
        if note.exists() { Err(BackupError::Unfinished { note }) } else { Ok(()) }
    }
}

fn of_folder(folder: &Path, reason: io::Error) -> BackupError {
    BackupError::Folder { folder: folder.to_owned(), reason }
}

/// All backups in a folder, the oldest first.
pub fn list(folder: &Path) -> Result<Vec<Named>, BackupError> {
    let error = |reason| BackupError::Folder { folder: folder.to_owned(), reason };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(reason) => return Err(error(reason)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(error)?;
        if let Ok(manifest) = Manifest::read(&entry.path()) {
            found.push(Named { name: entry.file_name().to_string_lossy().into_owned(), manifest });
        }
    }
    found.sort_by(|one, other| (one.manifest.made_at, &one.name).cmp(&(other.manifest.made_at, &other.name)));
    Ok(found)
}

/// Removes the oldest backups beyond so many; never one that another one needs.
pub fn keep(folder: &Path, most: usize) -> Result<Vec<String>, BackupError> {
    let backups = list(folder)?;
    let (older, kept) = backups.split_at(backups.len().saturating_sub(most));
    let is_needed = |name: &str| kept.iter().any(|backup| backup.manifest.base.as_deref() == Some(name));
    let mut removed = Vec::new();
    for backup in older.iter().filter(|backup| !is_needed(&backup.name)) {
        let path = folder.join(&backup.name);
        // Without its manifest it is none any more, whatever is left of it.
        let gone = fs::remove_file(path.join(MANIFEST)).and_then(|()| fs::remove_dir_all(&path));
        gone.map_err(|reason| BackupError::Folder { folder: path, reason })?;
        removed.push(backup.name.clone());
    }
    Ok(removed)
}

/// The name of a backup that has none.
pub fn name_at(now: DateTime<Utc>) -> String {
    now.to_rfc3339_opts(SecondsFormat::Secs, true).replace(':', "-")
}

impl Backups<'_> {
    /// Makes a backup of everything, or of what is not in another one.
    pub async fn make(&self, name: &str, base: Option<&str>, tell: impl Fn(Progress)) -> Result<Manifest, BackupError> {
        let path = self.folder.join(name);
        if path.exists() {
            return Err(BackupError::IsThere(path));
        }
        if let Some(base) = base
            && Manifest::read(&self.folder.join(base))?.base.is_some()
        {
            return Err(BackupError::IsNotWhole(base.to_owned()));
        }
        let databases = self.databases().await?;
        if databases.is_empty() {
            return Err(BackupError::Nothing);
        }
        let folder_error = |reason| BackupError::Folder { folder: path.clone(), reason };
        fs::create_dir_all(&path).map_err(folder_error)?;
        let of_bytes = self.clickhouse.fetch::<u64>(&of_databases(STORED_BYTES, &databases)).await?;
        let of_bytes = of_bytes.first().copied().unwrap_or(0);
        let elsewhere = self.clickhouse.fetch::<(String, String)>(&of_databases(ELSEWHERE, &databases)).await?;
        let id = Uuid::new_v4().to_string();
        let made_at = Utc::now();
        let except: Vec<String> = elsewhere.iter().map(|(of, table)| Sql::dotted(&[of, table]).to_string()).collect();
        let except = if except.is_empty() { String::new() } else { format!(" EXCEPT TABLES {}", except.join(", ")) };
        let base_of = base.map(|base| self.folder.join(base).join(ENGINE));
        let (to, settings) = (file(&path.join(ENGINE)), settings(&id, base_of.as_deref()));
        let sql = format!("BACKUP ALL EXCEPT DATABASES default{except} TO {to} {settings} ASYNC");
        let ended = match self.clickhouse.execute(&sql).await {
            Ok(()) => self.end(&id, of_bytes, tell).await,
            Err(error) => Err(error.into()),
        };
        let bytes = match ended {
            Ok(bytes) => bytes,
            Err(error) => {
                // What is there of it is no use to anybody.
                let _ = fs::remove_dir_all(&path);
                return Err(error);
            }
        };
        let manifest = Manifest {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            engine: ENGINE_VERSION.to_owned(),
            made_at,
            base: base.map(str::to_owned),
            databases,
            bytes,
        };
        manifest.write(&path)?;
        Ok(manifest)
    }

    /// Puts back what a backup has, into an engine that has nothing of it.
    pub async fn restore(&self, name: &str, tell: impl Fn(Progress)) -> Result<Manifest, BackupError> {
        let path = self.folder.join(name);
        let manifest = Manifest::read(&path)?;
        let mut bytes = manifest.bytes;
        let base_of = manifest.base.as_ref().map(|base| self.folder.join(base));
        if let Some(base) = &base_of {
            bytes = bytes.max(Manifest::read(base)?.bytes);
        }
        let present = self.databases().await?;
        if let Some(there) = manifest.databases.iter().find(|database| present.contains(database)) {
            return Err(BackupError::IsNotEmpty(there.clone()));
        }
        let id = Uuid::new_v4().to_string();
        let settings = settings(&id, base_of.map(|base| base.join(ENGINE)).as_deref());
        let sql = format!("RESTORE ALL FROM {} {settings} ASYNC", file(&path.join(ENGINE)));
        self.clickhouse.execute(&sql).await?;
        self.end(&id, bytes, tell).await?;
        Ok(manifest)
    }

    async fn databases(&self) -> Result<Vec<String>, QueryError> {
        let sql = "SELECT name FROM system.databases WHERE match(name, '_(analytics|admin_db)$') ORDER BY name";
        self.clickhouse.fetch(sql).await
    }

    /// Waits for the end; tells how far it is, and in the end how many bytes it took.
    async fn end(&self, id: &str, of_bytes: u64, tell: impl Fn(Progress)) -> Result<u64, BackupError> {
        #[derive(Row, Deserialize)]
        struct State {
            status: String,
            total_size: u64,
            compressed_size: u64,
            error: String,
        }
        let sql = format!(
            "SELECT toString(status) AS status, total_size, compressed_size, error FROM system.backups WHERE id = '{id}'"
        );
        loop {
            let state = self.clickhouse.fetch::<State>(&sql).await?.pop();
            let state = state.ok_or_else(|| BackupError::Engine("it does not know it any more".to_owned()))?;
            match state.status.as_str() {
                "CREATING_BACKUP" | "RESTORING" => {
                    tell(Progress { bytes: state.total_size, of_bytes: of_bytes.max(state.total_size) });
                    tokio::time::sleep(LOOK_AGAIN_AFTER).await;
                }
                "BACKUP_CREATED" | "RESTORED" => return Ok(state.compressed_size),
                _ => {
                    let reason = state.error.split(", Stack trace").next().unwrap_or_default();
                    return Err(BackupError::Engine(reason.to_owned()));
                }
            }
        }
    }
}

/// Notes the ids of what came in lately, so that what senders send again is not counted twice.
pub async fn note_ids(
    clickhouse: &ClickHouse,
    account: &Account,
    ids: &mut KnownIds,
    mut tell: impl FnMut(u64),
) -> Result<u64, BackupError> {
    let mut noted = 0;
    for table in Table::ALL {
        let id = match table.id_columns() {
            [id] => format!("lower(hex({id}))"),
            parts => format!("concat({})", parts.join(", ")),
        };
        let rows = format!(
            "SELECT {id} FROM {} WHERE ingested_at > now() - toIntervalDay({KNOWN_DAYS})",
            Sql::dotted(&[&account.analytics_database(), table.name()]),
        );
        let mut cursor = clickhouse.client().query_raw(&rows).fetch::<String>().map_err(QueryError::from)?;
        let mut keys = Vec::with_capacity(IDS_TOGETHER);
        loop {
            let next = cursor.next().await.map_err(QueryError::from)?;
            if let Some(id) = next.as_deref().and_then(bytes_of) {
                keys.push(id_key(account, table, &id));
            }
            if next.is_none() || keys.len() == IDS_TOGETHER {
                noted += keys.len() as u64;
                ids.note(keys.drain(..), Utc::now())?;
                tell(noted);
            }
            if next.is_none() {
                break;
            }
        }
    }
    ids.flush()?;
    Ok(noted)
}

/// The bytes that hexadecimal digits stand for.
fn bytes_of(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect()
}

const STORED_BYTES: &str = "SELECT toUInt64(sum(bytes_on_disk)) FROM system.parts WHERE active AND database IN";
/// What is in another database is not ours, and its definition has a password. What reads from Kafka would go on to do so
/// wherever it is restored, and take rows from those who read now; a start makes it again.
const ELSEWHERE: &str = "SELECT database, name FROM system.tables
    WHERE (engine IN ('PostgreSQL', 'Kafka') OR (engine = 'MaterializedView' AND endsWith(name, '_queue_view'))) AND database IN";

/// A statement that ends with a list of databases.
fn of_databases(sql: &str, databases: &[String]) -> String {
    let names: Vec<String> = databases.iter().map(|name| format!("'{name}'")).collect();
    format!("{sql} ({})", if names.is_empty() { "''".to_owned() } else { names.join(", ") })
}

fn file(path: &Path) -> String {
    format!("File('{}')", path.to_string_lossy().replace('\\', "\\\\").replace('\'', "\\'"))
}

fn settings(id: &str, base: Option<&Path>) -> String {
    let base = base.map(|base| format!(", base_backup = {}", file(base))).unwrap_or_default();
    format!("SETTINGS id = '{id}'{base}")
}

/// Whether a release comes after another one.
fn is_newer(version: &str, than: &str) -> bool {
    let numbers = |version: &str| -> Vec<u64> {
        let release = version.split(['-', '+']).next().unwrap_or_default();
        release.split('.').map(|number| number.parse().unwrap_or(0)).collect()
    };
    numbers(version) > numbers(than)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backup(folder: &Path, name: &str, minute: u32, base: Option<&str>) {
        let made_at = DateTime::from_timestamp(i64::from(minute) * 60, 0).unwrap();
        let manifest = Manifest {
            version: "0.1.0".to_owned(),
            engine: ENGINE_VERSION.to_owned(),
            made_at,
            base: base.map(str::to_owned),
            databases: Vec::new(),
            bytes: 1,
        };
        fs::create_dir_all(folder.join(name)).unwrap();
        manifest.write(&folder.join(name)).unwrap();
    }

    #[test]
    fn the_oldest_go_and_never_what_another_one_needs() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        fs::create_dir(folder.join("broken-off")).unwrap();
        backup(folder, "b-whole", 2, None);
        backup(folder, "a-whole", 1, None);
        backup(folder, "d-differences", 4, Some("b-whole"));
        backup(folder, "c-differences", 3, Some("b-whole"));
        let names = || list(folder).unwrap().into_iter().map(|backup| backup.name).collect::<Vec<_>>();
        assert_eq!(names(), ["a-whole", "b-whole", "c-differences", "d-differences"]);
        assert_eq!(keep(folder, 4).unwrap(), [""; 0]);
        assert_eq!(keep(folder, 1).unwrap(), ["a-whole", "c-differences"]);
        assert_eq!(names(), ["b-whole", "d-differences"]);
        assert!(folder.join("broken-off").is_dir());
        assert_eq!(list(&folder.join("nowhere")).unwrap().len(), 0);
    }

    #[test]
    fn what_is_no_backup_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let refused = Manifest::read(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("is no backup"), "{refused}");
        fs::write(folder.path().join(MANIFEST), "{").unwrap();
        assert!(matches!(Manifest::read(folder.path()), Err(BackupError::Unreadable { .. })));
    }

    #[test]
    fn releases_are_compared_by_their_numbers() {
        for (version, than, newer) in [
            ("0.2.0", "0.10.0", false),
            ("0.10.0", "0.9.9", true),
            ("1.0.0", "1.0.0", false),
            ("1.0.0-rc.1", "1.0.0", false),
        ] {
            assert_eq!(is_newer(version, than), newer, "{version} {than}");
        }
    }

    #[test]
    fn names_and_digits() {
        assert_eq!(name_at("2026-02-03T04:05:06Z".parse().unwrap()), "2026-02-03T04-05-06Z");
        assert_eq!(bytes_of("00ff10").unwrap(), [0, 255, 16]);
        assert_eq!(bytes_of("zz"), None);
        assert_eq!(file(Path::new("/a/it's")), "File('/a/it\\'s')");
    }
}
