//! The spool on a simulated disk that loses what was not synced, in every way a real one does.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use chartwell::spool::{AppendError, Damage, Disk, DiskFile, Folder, Kind, Log, LogConfig, Place, Record};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// A disk in memory. What is synced survives a crash; of the rest, anything may.
#[derive(Clone)]
struct SimulatedDisk {
    state: Rc<RefCell<State>>,
}

struct State {
    /// Every file that was ever made, also those whose name is gone.
    files: Vec<Content>,
    /// The names, as the program sees them and as they are on disk.
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    random: fastrand::Rng,
    /// The chance in percent that the next call fails.
    failures: u8,
}

#[derive(Default, Clone)]
struct Content {
    bytes: Vec<u8>,
    /// As far as it was synced.
    durable: usize,
}

struct SimulatedFile {
    state: Rc<RefCell<State>>,
    file: usize,
}

impl SimulatedDisk {
    fn new(seed: u64) -> Self {
        let random = fastrand::Rng::with_seed(seed);
        let (names, durable_names) = Default::default();
        Self { state: Rc::new(RefCell::new(State { files: Vec::new(), names, durable_names, random, failures: 0 })) }
    }

    fn set_failures(&self, percent: u8) {
        self.state.borrow_mut().failures = percent;
    }

    /// The power goes: names that were not synced are there or not, bytes that were not synced are
    /// there, not there, or others.
    fn crash(&self) {
        let state = &mut *self.state.borrow_mut();
        let all: BTreeSet<String> = state.names.keys().chain(state.durable_names.keys()).cloned().collect();
        for name in all {
            let kept = if state.random.bool() { state.names.get(&name) } else { state.durable_names.get(&name) };
            match kept.copied() {
                Some(file) => state.names.insert(name.clone(), file),
                None => state.names.remove(&name),
            };
        }
        state.durable_names = state.names.clone();
        for content in &mut state.files {
            let unsynced = content.bytes.len() - content.durable;
            let kept = content.durable + state.random.usize(..=unsynced);
            content.bytes.truncate(kept);
            // Sectors of an unfinished write arrive in any order: some are still empty.
            for index in content.durable..kept {
                if index % 16 == 0 && state.random.u8(..4) == 0 {
                    let end = kept.min(index + 16);
                    content.bytes[index..end].fill(0);
                }
            }
            content.durable = kept;
        }
    }

    /// Changes a byte of a file.
    fn flip(&self, name: &str, at: usize) {
        let state = &mut *self.state.borrow_mut();
        let file = state.names[name];
        state.files[file].bytes[at] ^= 0x20;
    }
}

impl State {
    fn may_fail(&mut self) -> io::Result<()> {
        let fails = self.random.u8(..100) < self.failures;
        if fails { Err(io::Error::other("EIO")) } else { Ok(()) }
    }
}

impl Disk for SimulatedDisk {
    type File = SimulatedFile;

    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.state.borrow().names.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<SimulatedFile> {
        let state = &mut *self.state.borrow_mut();
        state.may_fail()?;
        assert!(!state.names.contains_key(name), "{name} is there already");
        state.files.push(Content::default());
        let file = state.files.len() - 1;
        state.names.insert(name.to_owned(), file);
        Ok(SimulatedFile { state: Rc::clone(&self.state), file })
    }

    fn open(&self, name: &str) -> io::Result<SimulatedFile> {
        let file = self.state.borrow().names[name];
        Ok(SimulatedFile { state: Rc::clone(&self.state), file })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let state = &mut *self.state.borrow_mut();
        state.may_fail()?;
        assert!(state.names.remove(name).is_some(), "{name} is not there");
        Ok(())
    }

    fn sync_folder(&self) -> io::Result<()> {
        let state = &mut *self.state.borrow_mut();
        state.may_fail()?;
        state.durable_names = state.names.clone();
        Ok(())
    }
}

impl DiskFile for SimulatedFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.state.borrow().files[self.file].bytes.len() as u64)
    }

    fn append(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let state = &mut *self.state.borrow_mut();
        let failed = state.may_fail();
        // A write that fails may have written a part.
        let written = if failed.is_ok() { bytes.len() } else { state.random.usize(..=bytes.len()) };
        let content = &mut state.files[self.file].bytes;
        assert_eq!(content.len() as u64, offset, "it is written where the file ends");
        content.extend_from_slice(&bytes[..written]);
        failed
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let state = self.state.borrow();
        let from = usize::try_from(offset).unwrap();
        let bytes = state.files[self.file].bytes.get(from..from + buffer.len());
        buffer.copy_from_slice(bytes.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let state = &mut *self.state.borrow_mut();
        let failed = state.may_fail();
        let length = state.files[self.file].bytes.len();
        // A sync that fails leaves the program's view as it is, and says nothing about the disk.
        let synced = if failed.is_ok() { length } else { state.random.usize(state.files[self.file].durable..=length) };
        state.files[self.file].durable = synced;
        failed
    }
}

const CONFIG: LogConfig = LogConfig { segment_bytes: 300, capacity_bytes: 100_000 };

#[derive(Debug, Clone)]
enum Step {
    /// Records of these sizes, appended together.
    Append(Vec<u8>),
    /// The oldest records are done: their segments go.
    Remove(u8),
    /// Time has passed: the last segment is old.
    Close,
    /// Calls fail from now on, so many in a hundred.
    Fail(u8),
    Crash,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => prop::collection::vec(0_u8..120, 1..4).prop_map(Step::Append),
        1 => (0_u8..=100).prop_map(Step::Remove),
        1 => Just(Step::Close),
        1 => prop_oneof![2 => Just(0), 1 => 1_u8..60].prop_map(Step::Fail),
        2 => Just(Step::Crash),
    ];
    prop::collection::vec(step, 1..24)
}

/// What the log promised, beside the log.
struct Model {
    disk: SimulatedDisk,
    log: Log<SimulatedDisk>,
    /// Payloads by number, in order; acknowledged or not.
    acknowledged: BTreeMap<u32, Place>,
    refused: BTreeSet<u32>,
    /// Everything in segments before this one may be gone.
    removed_before: u64,
    next: u32,
}

impl Model {
    fn new(seed: u64) -> Self {
        let disk = SimulatedDisk::new(seed);
        let (log, damage) = Log::open(disk.clone(), CONFIG, |_| panic!("an empty folder has no records")).unwrap();
        assert_eq!(damage, Damage::default());
        let (acknowledged, refused) = Default::default();
        Self { disk, log, acknowledged, refused, removed_before: 0, next: 0 }
    }

    fn payload(number: u32, size: u8) -> Vec<u8> {
        let mut payload = number.to_le_bytes().to_vec();
        payload.extend((0..size).map(|byte| byte ^ number as u8));
        payload
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Append(sizes) => {
                let numbers: Vec<u32> = (self.next..).take(sizes.len()).collect();
                self.next += sizes.len() as u32;
                let payloads: Vec<Vec<u8>> =
                    numbers.iter().zip(sizes).map(|(number, size)| Self::payload(*number, *size)).collect();
                let records: Vec<Record<'_>> =
                    payloads.iter().map(|payload| Record { kind: Kind::Rows, payload }).collect();
                match self.log.append(&records) {
                    Ok(places) => {
                        for ((number, place), payload) in numbers.into_iter().zip(places).zip(&payloads) {
                            assert_eq!(self.log.read(place).unwrap(), *payload);
                            self.acknowledged.insert(number, place);
                        }
                    }
                    Err(AppendError::Disk(_)) => self.refused.extend(numbers),
                    Err(error) => panic!("{error}"),
                }
            }
            Step::Remove(percent) => {
                let segments: Vec<u64> = self.acknowledged.values().map(|place| place.segment).collect();
                let index = (segments.len() * usize::from(*percent) / 100).min(segments.len().saturating_sub(1));
                if let Some(segment) = segments.get(index) {
                    self.removed_before = self.removed_before.max(*segment);
                    let _ = self.log.remove_before(*segment);
                }
            }
            Step::Close => drop(self.log.close_older_than(Duration::ZERO)),
            Step::Fail(percent) => self.disk.set_failures(*percent),
            Step::Crash => self.crash(),
        }
    }

    fn crash(&mut self) {
        self.disk.crash();
        self.disk.set_failures(0);
        let mut found: Vec<(u32, Place)> = Vec::new();
        let (log, _) = Log::open(self.disk.clone(), CONFIG, |record| {
            let number = u32::from_le_bytes(record.payload[..4].try_into().unwrap());
            assert_eq!(record.payload, Self::payload(number, (record.payload.len() - 4) as u8), "a record is whole");
            found.push((number, record.place));
        })
        .unwrap();
        assert!(found.is_sorted_by(|(one, _), (next, _)| one < next), "each once, in order: {found:?}");
        let numbers: BTreeSet<u32> = found.iter().map(|(number, _)| *number).collect();
        for (number, place) in &self.acknowledged {
            assert!(numbers.contains(number) || place.segment < self.removed_before, "{number} was acknowledged");
        }
        // What was removed may be back, but only without a gap.
        let first = found.first().map_or(self.next, |(first, _)| *first);
        assert!(self.acknowledged.keys().filter(|number| **number >= first).all(|number| numbers.contains(number)));
        for number in &numbers {
            assert!(
                self.acknowledged.contains_key(number) || self.refused.contains(number),
                "{number} was never written"
            );
        }
        // What was refused and is found after all is a record like the others from now on.
        self.acknowledged = found.iter().copied().collect();
        self.removed_before = 0;
        for (number, place) in found {
            assert_eq!(log.read(place).unwrap()[..4], number.to_le_bytes());
        }
        self.log = log;
    }
}

/// Schedules, more with `SPOOL_SCHEDULES`.
fn schedules() -> u32 {
    std::env::var("SPOOL_SCHEDULES").ok().and_then(|count| count.parse().ok()).unwrap_or(100_000)
}

#[test]
fn what_was_acknowledged_is_found_after_any_crash_and_nothing_is_found_twice() {
    let mut runner = TestRunner::new(Config { cases: schedules(), failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&(any::<u64>(), steps()), |(seed, steps)| {
        let mut model = Model::new(seed);
        steps.iter().for_each(|step| model.take(step));
        model.crash();
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn a_changed_byte_costs_the_record_that_it_is_in_and_no_other() {
    let records: Vec<Vec<u8>> = (0..6).map(|number| Model::payload(number, 40)).collect();
    for at in 0..500 {
        let disk = SimulatedDisk::new(1);
        let (mut log, _) = Log::open(disk.clone(), CONFIG, |_| {}).unwrap();
        for payload in &records {
            log.append(&[Record { kind: Kind::Rows, payload }]).unwrap();
        }
        let name = disk.names().unwrap()[0].clone();
        let length = disk.state.borrow().files[0].bytes.len();
        if at >= length {
            return;
        }
        disk.flip(&name, at);
        let mut found = 0;
        let (_, damage) = Log::open(disk, CONFIG, |_| found += 1).unwrap();
        let is_in_header = at < 80;
        assert_eq!(found, records.len() - usize::from(!is_in_header), "byte {at}");
        assert_eq!(damage.places, u64::from(!is_in_header), "byte {at}");
    }
}

#[test]
fn a_full_spool_refuses_rows_and_has_room_again_when_segments_go() {
    let folder = tempfile::tempdir().unwrap();
    let config = LogConfig { segment_bytes: 1_000, capacity_bytes: 10_000 };
    let (mut log, _) = Log::open(Folder::open(folder.path().join("spool")).unwrap(), config, |_| {}).unwrap();
    let rows = Record { kind: Kind::Rows, payload: &[7; 500] };
    let mut places = Vec::new();
    let refused = loop {
        match log.append(&[rows]) {
            Ok(appended) => places.extend(appended),
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, AppendError::Full { .. }), "{refused}");
    assert!(log.bytes() <= 10_000 && places.len() >= 15);
    // What ends the life of rows finds room.
    log.append(&[Record { kind: Kind::Done, payload: b"the first" }]).unwrap();
    log.remove_before(places[10].segment).unwrap();
    log.append(&[rows]).unwrap();
    drop(log);
    let mut found = 0;
    let spool = Folder::open(folder.path().join("spool")).unwrap();
    let (_, damage) = Log::open(spool, config, |_| found += 1).unwrap();
    assert_eq!(damage, Damage::default());
    assert!(found > places.len() - 10, "{found}");
}

#[test]
fn an_old_segment_can_go_though_nothing_comes_in_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = Log::open(Folder::open(folder.path().join("spool")).unwrap(), CONFIG, |_| {}).unwrap();
    log.close_older_than(Duration::ZERO).unwrap();
    assert_eq!(log.bytes(), 0, "there was nothing to close");
    let append = |log: &mut Log<Folder>| log.append(&[Record { kind: Kind::Rows, payload: b"words" }]).unwrap()[0];
    append(&mut log);
    log.close_older_than(Duration::from_secs(60)).unwrap();
    assert_eq!(log.closed_before(u64::MAX), None, "it is not old");
    log.close_older_than(Duration::ZERO).unwrap();
    let closed = log.closed_before(u64::MAX).unwrap();
    let next = append(&mut log);
    assert_eq!(next.segment, closed);
    log.remove_before(closed).unwrap();
    let left = std::fs::read_dir(folder.path().join("spool")).unwrap().count();
    assert_eq!((left, log.read(next).unwrap()), (1, b"words".to_vec()));
    // Each is an open file: while nothing can be inserted, there are not more and more of them.
    for _ in 0..200 {
        append(&mut log);
        log.close_older_than(Duration::ZERO).unwrap();
    }
    let many = std::fs::read_dir(folder.path().join("spool")).unwrap().count();
    assert!((10..100).contains(&many), "{many}");
}
