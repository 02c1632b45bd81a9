//! The log: segments that only grow, one after the other.
//!
//! A segment is a file with a header and frames. The header, written twice in case a byte of it changes,
//! says how far the segment before it is valid: when a write or an fsync fails, nobody can know what
//! of it reached the disk, so the segment is never written to again, and the next one tells where it
//! ends. Nothing is acknowledged in the next one before its header is on disk.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::disk::{Disk, DiskFile};
use super::frame::{self, FRAME_BYTES, Kind, LONGEST_PAYLOAD, Record};

const MAGIC: &[u8; 8] = b"chartwl1";
/// magic, number:u64, salt:u32, number and length of the segment before it:u64 u64, checksum:u32
const HEADER_BYTES: usize = 40;
const FRAMES_BEGIN: usize = 2 * HEADER_BYTES;
/// With so many segments, none is closed for its age: while nothing can be inserted, each of them is an open file.
const FEW_SEGMENTS: usize = 64;

#[derive(Debug, Clone, Copy)]
pub struct LogConfig {
    /// A segment that has so many bytes is followed by the next one.
    pub segment_bytes: u64,
    /// Bytes of all segments together.
    pub capacity_bytes: u64,
}

/// Where a record lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    pub segment: u64,
    /// Where its payload begins.
    pub offset: u64,
    pub length: u32,
}

/// A record that was found when the log was opened.
#[derive(Debug, PartialEq, Eq)]
pub struct Recovered {
    pub sequence: u64,
    pub kind: Kind,
    pub place: Place,
    pub payload: Vec<u8>,
}

/// Bytes that could not be read as records when the log was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Damage {
    /// Runs of such bytes: the end of an unfinished write, or bytes that have changed.
    pub places: u64,
    pub bytes: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    #[error("the spool holds {bytes} bytes, and {capacity} is the most")]
    Full { bytes: u64, capacity: u64 },
    #[error("a record of {bytes} bytes is longer than {LONGEST_PAYLOAD}")]
    TooLong { bytes: usize },
    #[error("the spool cannot be written: {0}")]
    Disk(#[from] io::Error),
}

/// An append-only log on a disk.
pub struct Log<D: Disk> {
    disk: D,
    config: LogConfig,
    /// From the oldest to the newest. Only the last one may still grow.
    segments: VecDeque<Segment<D::File>>,
    is_growing: bool,
    /// Whether segments may be removed: not after a failure, which may bring an older one back.
    is_removing: bool,
    next_segment: u64,
    next_sequence: u64,
    buffer: Vec<u8>,
}

struct Segment<F> {
    number: u64,
    salt: u32,
    file: F,
    /// As far as it is valid.
    bytes: u64,
    /// When it was begun or found.
    since: Instant,
}

struct Header {
    number: u64,
    salt: u32,
    /// The segment before it, and how far that is valid.
    before: (u64, u64),
}

impl<D: Disk> Log<D> {
    /// Opens the log of a folder and hands over every record that is there, in their order.
    pub fn open(disk: D, config: LogConfig, mut recovered: impl FnMut(Recovered)) -> io::Result<(Self, Damage)> {
        let mut numbers: Vec<u64> = disk.names()?.iter().filter_map(|name| number_of(name)).collect();
        numbers.sort_unstable();
        let (mut damage, mut segments) = (Damage::default(), VecDeque::<Segment<D::File>>::new());
        for number in &numbers {
            let file = disk.open(&name_of(*number))?;
            let bytes = file.length()?;
            match Header::find(&file, bytes)?.filter(|header| header.number == *number) {
                Some(header) => {
                    let (before, valid) = header.before;
                    if let Some(before) = segments.back_mut().filter(|last| last.number == before) {
                        before.bytes = before.bytes.min(valid);
                    }
                    segments.push_back(Segment {
                        number: *number,
                        salt: header.salt,
                        file,
                        bytes,
                        since: Instant::now(),
                    });
                }
                // Its header was being written: nothing was acknowledged in it.
                None if bytes <= FRAMES_BEGIN as u64 => disk.remove(&name_of(*number))?,
                // Changed beyond reading; left where it is, for those who know better.
                None => damage.note(bytes),
            }
        }
        disk.sync_folder()?;
        let mut next_sequence = 0;
        for segment in &segments {
            read_segment(segment, &mut damage, |record| {
                // A sequence that goes back would be a frame of another time.
                if record.sequence >= next_sequence {
                    next_sequence = record.sequence + 1;
                    recovered(record);
                }
            })?;
        }
        let next_segment = numbers.last().map_or(0, |last| last + 1);
        let (is_growing, is_removing, buffer) = (false, true, Vec::new());
        let log = Self { disk, config, segments, is_growing, is_removing, next_segment, next_sequence, buffer };
        Ok((log, damage))
    }

    /// Appends records. When this returns `Ok`, they are on disk; otherwise they will not be found,
    /// or, after a crash before the next append, may be.
    pub fn append(&mut self, records: &[Record<'_>]) -> Result<Vec<Place>, AppendError> {
        if let Some(long) = records.iter().find(|record| record.payload.len() > LONGEST_PAYLOAD) {
            return Err(AppendError::TooLong { bytes: long.payload.len() });
        }
        let wanted: u64 = records.iter().map(|record| (FRAME_BYTES + record.payload.len()) as u64).sum();
        let bytes = self.bytes() + wanted;
        // What ends the life of records must always find room.
        let frees = records.iter().all(|record| record.kind != Kind::Rows);
        if bytes > self.config.capacity_bytes && !frees {
            return Err(AppendError::Full { bytes: self.bytes(), capacity: self.config.capacity_bytes });
        }
        if !self.is_growing || self.is_full() {
            self.begin_segment()?;
        }
        let segment = self.segments.back_mut().expect("one was begun");
        self.buffer.clear();
        let mut places = Vec::with_capacity(records.len());
        for (index, record) in records.iter().enumerate() {
            frame::write(&mut self.buffer, segment.salt, self.next_sequence + index as u64, *record);
            let length = u32::try_from(record.payload.len()).expect("it was checked");
            let offset = segment.bytes + self.buffer.len() as u64 - u64::from(length);
            places.push(Place { segment: segment.number, offset, length });
        }
        let written = segment.file.append(segment.bytes, &self.buffer).and_then(|()| segment.file.sync());
        if let Err(error) = written {
            // An fsync that failed says nothing about what is on disk, and neither would the next one.
            self.is_growing = false;
            return Err(error.into());
        }
        segment.bytes += self.buffer.len() as u64;
        self.next_sequence += records.len() as u64;
        Ok(places)
    }

    /// Reads all records again, in their order.
    pub fn records(&self, mut found: impl FnMut(Recovered)) -> io::Result<()> {
        let mut damage = Damage::default();
        self.segments.iter().try_for_each(|segment| read_segment(segment, &mut damage, &mut found))
    }

    /// Reads a record again.
    pub fn read(&self, place: Place) -> io::Result<Vec<u8>> {
        let missing = || io::Error::new(io::ErrorKind::NotFound, "the segment was removed");
        let segment = self.segments.iter().find(|segment| segment.number == place.segment).ok_or_else(missing)?;
        let mut payload = vec![0; place.length as usize];
        segment.file.read_at(place.offset, &mut payload)?;
        Ok(payload)
    }

    /// Removes the segments before `segment`, the oldest first, so that what is left has no gap. The last one
    /// goes when it is full: a small spool would have no room any more.
    pub fn remove_before(&mut self, segment: u64) -> io::Result<()> {
        if self.is_removing && self.is_full() && self.segments.back().is_some_and(|last| last.number < segment) {
            self.begin_segment()?;
        }
        while self.is_removing && self.segments.len() > 1 && self.segments[0].number < segment {
            let removed = self.disk.remove(&name_of(self.segments[0].number)).and_then(|()| self.disk.sync_folder());
            self.is_removing = removed.is_ok();
            removed?;
            self.segments.pop_front();
        }
        Ok(())
    }

    /// Before which segment all could be removed, of those before `segment` that will not grow any more.
    pub fn closed_before(&self, segment: u64) -> Option<u64> {
        let (first, last) = (self.segments.front()?, self.segments.back()?);
        let closed = segment.min(last.number + u64::from(self.is_full()));
        (self.is_removing && first.number < closed).then_some(closed)
    }

    /// Has the last segment followed by another when it is old, so that it can be removed though little comes in.
    pub fn close_older_than(&mut self, age: Duration) -> io::Result<()> {
        let is_old = |last: &Segment<D::File>| last.bytes > FRAMES_BEGIN as u64 && last.since.elapsed() >= age;
        if self.segments.len() < FEW_SEGMENTS && self.segments.back().is_some_and(is_old) {
            // When this fails and the next one is there after a crash, that says how far the last one is valid by now.
            self.is_growing = false;
            self.begin_segment()?;
        }
        Ok(())
    }

    /// Whether the last segment is to be followed by another.
    fn is_full(&self) -> bool {
        self.segments.back().is_some_and(|last| last.bytes >= self.config.segment_bytes)
    }

    /// Bytes of all segments.
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    fn begin_segment(&mut self) -> io::Result<()> {
        let before = self.segments.back().map_or((u64::MAX, 0), |last| (last.number, last.bytes));
        let header = Header { number: self.next_segment, salt: fastrand::u32(1..), before };
        // A number is used once, also when the rest fails.
        self.next_segment += 1;
        let name = name_of(header.number);
        let mut file = self.disk.create(&name)?;
        let written = file.append(0, &header.write().repeat(2)).and_then(|()| file.sync());
        if let Err(error) = written.and_then(|()| self.disk.sync_folder()) {
            // Otherwise a full disk would be filled with beginnings.
            let _ = self.disk.remove(&name);
            return Err(error);
        }
        let (bytes, since) = (FRAMES_BEGIN as u64, Instant::now());
        self.segments.push_back(Segment { number: header.number, salt: header.salt, file, bytes, since });
        self.is_growing = true;
        Ok(())
    }
}

/// Finds the frames of a segment; skips what is none.
fn read_segment<F: DiskFile>(
    segment: &Segment<F>,
    damage: &mut Damage,
    mut found: impl FnMut(Recovered),
) -> io::Result<()> {
    let mut bytes = vec![0; usize::try_from(segment.bytes).unwrap_or(usize::MAX)];
    segment.file.read_at(0, &mut bytes)?;
    let (mut at, mut skipped) = (FRAMES_BEGIN, 0);
    while at < bytes.len() {
        let Some(frame) = frame::read(&bytes, at, segment.salt) else {
            let next = frame::next_place(&bytes, at, segment.salt);
            skipped += (next - at) as u64;
            at = next;
            continue;
        };
        damage.note(std::mem::take(&mut skipped));
        let length = u32::try_from(frame.length).expect("frames are short");
        let place = Place { segment: segment.number, offset: frame.at as u64, length };
        at = frame.at + frame.length;
        let payload = bytes[frame.at..at].to_vec();
        found(Recovered { sequence: frame.sequence, kind: frame.kind, place, payload });
    }
    damage.note(skipped);
    Ok(())
}

impl Damage {
    fn note(&mut self, bytes: u64) {
        self.places += u64::from(bytes > 0);
        self.bytes += bytes;
    }
}

impl Header {
    fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&self.number.to_le_bytes());
        bytes.extend_from_slice(&self.salt.to_le_bytes());
        bytes.extend_from_slice(&self.before.0.to_le_bytes());
        bytes.extend_from_slice(&self.before.1.to_le_bytes());
        let checksum = frame::checksum(&bytes, &[]);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// The header of a segment: either of its two copies.
    fn find<F: DiskFile>(file: &F, length: u64) -> io::Result<Option<Self>> {
        let mut bytes = vec![0; FRAMES_BEGIN.min(usize::try_from(length).unwrap_or(FRAMES_BEGIN))];
        file.read_at(0, &mut bytes)?;
        Ok(bytes.chunks(HEADER_BYTES).find_map(Self::read))
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let number = |from: usize| Some(u64::from_le_bytes(bytes.get(from..from + 8)?.try_into().ok()?));
        let short = |from: usize| Some(u32::from_le_bytes(bytes.get(from..from + 4)?.try_into().ok()?));
        let is_whole = bytes.starts_with(MAGIC) && short(36)? == frame::checksum(&bytes[..36], &[]);
        is_whole.then_some(Self { number: number(8)?, salt: short(16)?, before: (number(20)?, number(28)?) })
    }
}

fn name_of(number: u64) -> String {
    format!("{number:016x}.log")
}

fn number_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".log").filter(|digits| digits.len() == 16)?;
    u64::from_str_radix(digits, 16).ok()
}
