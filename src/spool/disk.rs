//! The few things that the log does with a disk.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

/// A folder of files, real or simulated.
pub trait Disk {
    type File: DiskFile;

    fn names(&self) -> io::Result<Vec<String>>;

    /// Makes a file that is not there yet. It may be gone after a crash until the folder is synced.
    fn create(&self, name: &str) -> io::Result<Self::File>;

    fn open(&self, name: &str) -> io::Result<Self::File>;

    /// Removes a file. It may be back after a crash until the folder is synced.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes durable which files there are.
    fn sync_folder(&self) -> io::Result<()>;
}

/// A file that only grows.
pub trait DiskFile {
    fn length(&self) -> io::Result<u64>;

    /// Writes at `offset`, which is where the file ends.
    fn append(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;

    /// Makes durable what was written.
    fn sync(&mut self) -> io::Result<()>;
}

/// A folder of the machine.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Opens a folder; makes it when it is missing.
    pub fn open(path: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&path)?;
        if let Some(parent) = path.parent().filter(|parent| parent.is_dir()) {
            File::open(parent)?.sync_all()?;
        }
        Ok(Self { path })
    }
}

impl Disk for Folder {
    type File = File;

    fn names(&self) -> io::Result<Vec<String>> {
        let names = fs::read_dir(&self.path)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        names.collect()
    }

    fn create(&self, name: &str) -> io::Result<File> {
        File::options().create_new(true).read(true).write(true).open(self.path.join(name))
    }

    fn open(&self, name: &str) -> io::Result<File> {
        File::options().read(true).open(self.path.join(name))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    fn sync_folder(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }
}

impl DiskFile for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn append(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        fail::fail_point!("disk-write", |_| Err(io::Error::other("a write that was made to fail")));
        self.write_all_at(bytes, offset)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.read_exact_at(buffer, offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        fail::fail_point!("disk-sync", |_| Err(io::Error::other("an fsync that was made to fail")));
        self.sync_data()
    }
}
