//! Bookmarks: how far a file was taken in, for an import that is begun again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use sha2::{Digest, Sha256};

use crate::config::Account;
use crate::rows::{Table, hex};

/// How far a file was taken in. It only saves time: rows that come again are known by their ids.
#[derive(Debug)]
pub struct Bookmark {
    /// `None`: what comes from standard input is not found again.
    place: Option<PathBuf>,
}

impl Bookmark {
    /// The bookmark of a file as it is now; another one as soon as the file changes.
    pub fn of(data_dir: &Path, account: &Account, table: Table, file: &str) -> io::Result<Self> {
        if file == "-" {
            return Ok(Self { place: None });
        }
        let path = fs::canonicalize(file)?;
        let metadata = fs::metadata(&path)?;
        let changed = metadata.modified()?.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        let told = format!("{account}\n{}\n{}\n{}\n{changed}", table.name(), path.display(), metadata.len());
        let folder = data_dir.join("imports");
        fs::create_dir_all(&folder)?;
        Ok(Self { place: Some(folder.join(&hex(&Sha256::digest(told))[..32])) })
    }

    /// The line or row up to which the file was taken in.
    pub fn read(&self) -> u64 {
        let text = self.place.as_ref().and_then(|place| fs::read_to_string(place).ok());
        text.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
    }

    /// Notes that everything up to a line or row is on disk.
    pub fn write(&self, number: u64) -> io::Result<()> {
        let Some(place) = &self.place else { return Ok(()) };
        let next = place.with_extension("next");
        fs::write(&next, number.to_string())?;
        fs::rename(&next, place)
    }

    /// Ends it: the file was taken in to its end.
    pub fn remove(&self) {
        if let Some(place) = &self.place {
            // At worst the file is read once more.
            let _ = fs::remove_file(place);
        }
    }
}
