//! The log of the spool after damage of any kind: it opens, it gives nothing that was not appended, and
//! what the damage has left whole is there.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;

use chartwell::rows::Rows;
use chartwell::spool::{Damage, Disk, DiskFile, Kind, Log, LogConfig, Record, Recovered};

const CONFIG: LogConfig = LogConfig { segment_bytes: 300, capacity_bytes: 1 << 20 };
/// Bytes of a frame before its payload, and of one of the two headers of a segment.
const FRAME_BYTES: usize = 21;
const HEADER_BYTES: usize = 40;

/// A disk in memory, with nothing that fails.
#[derive(Clone, Default)]
struct Files(Rc<RefCell<BTreeMap<String, Vec<u8>>>>);

struct OneFile {
    files: Files,
    name: String,
}

impl Disk for Files {
    type File = OneFile;

    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.0.borrow().keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<OneFile> {
        assert!(self.0.borrow_mut().insert(name.to_owned(), Vec::new()).is_none(), "{name} is there already");
        self.open(name)
    }

    fn open(&self, name: &str) -> io::Result<OneFile> {
        Ok(OneFile { files: self.clone(), name: name.to_owned() })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        assert!(self.0.borrow_mut().remove(name).is_some(), "{name} is not there");
        Ok(())
    }

    fn sync_folder(&self) -> io::Result<()> {
        Ok(())
    }
}

impl DiskFile for OneFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.files.0.borrow()[&self.name].len() as u64)
    }

    fn append(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut files = self.files.0.borrow_mut();
        let content = files.get_mut(&self.name).expect("it is there");
        assert_eq!(content.len() as u64, offset, "it is written where the file ends");
        content.extend_from_slice(bytes);
        Ok(())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let (files, from) = (self.files.0.borrow(), usize::try_from(offset).expect("it is in memory"));
        let bytes = files[&self.name].get(from..from + buffer.len());
        buffer.copy_from_slice(bytes.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The input, as what is to be done.
struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// A place before `end`.
    fn below(&mut self, end: usize) -> Option<usize> {
        let place = usize::from(self.byte()?) << 8 | usize::from(self.byte()?);
        Some(place % end.max(1))
    }

    fn bytes(&mut self, most: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(most.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

/// A record that was appended, and the bytes of its frame.
struct Appended {
    kind: Kind,
    payload: Vec<u8>,
    file: String,
    at: usize,
    frame: Vec<u8>,
}

impl Appended {
    fn is(&self, record: &Recovered) -> bool {
        (self.kind, &self.payload) == (record.kind, &record.payload)
    }
}

pub fn check(bytes: &[u8]) -> Vec<Rows> {
    let mut script = Script(bytes);
    let files = Files::default();
    let appended = append(&files, &mut script);
    let untouched = files.0.borrow().clone();
    while damage(&files, &mut script).is_some() {}
    let is_damaged = *files.0.borrow() != untouched;
    check_opened(&files, &untouched, &appended, is_damaged);
    Vec::new()
}

fn append(files: &Files, script: &mut Script<'_>) -> Vec<Appended> {
    let (mut log, _) = Log::open(files.clone(), CONFIG, |_| panic!("nothing was appended")).expect("it opens");
    let mut appended = Vec::new();
    for number in 0..script.byte().unwrap_or(5) % 16 {
        let kind = [Kind::Rows, Kind::Batch, Kind::Done][usize::from(number % 3)];
        let length = script.byte().unwrap_or(40);
        // Each one says which it is.
        let payload: Vec<u8> = std::iter::once(number).chain((0..length).map(|byte| byte ^ number)).collect();
        let place = log.append(&[Record { kind, payload: &payload }]).expect("it is appended")[0];
        appended.push((kind, payload, place));
    }
    let stored = files.0.borrow();
    let located = appended.into_iter().map(|(kind, payload, place)| {
        let file = format!("{:016x}.log", place.segment);
        let at = place.offset as usize - FRAME_BYTES;
        let frame = stored[&file][at..][..FRAME_BYTES + payload.len()].to_vec();
        Appended { kind, payload, file, at, frame }
    });
    located.collect()
}

/// One more damage; `None` when there is none left in the script.
fn damage(files: &Files, script: &mut Script<'_>) -> Option<()> {
    let what = script.byte()?;
    let mut files = files.0.borrow_mut();
    let names: Vec<String> = files.keys().cloned().collect();
    let name = names.get(script.below(names.len())?)?.clone();
    let length = files[&name].len();
    match what % 7 {
        0 => {
            let at = script.below(length)?;
            *files.get_mut(&name)?.get_mut(at)? ^= script.byte()?.max(1);
        }
        1 => files.get_mut(&name)?.truncate(script.below(length)?),
        2 => {
            let (from, count) = (script.below(length)?, script.below(200)?);
            files.get_mut(&name)?[from..length.min(from + count)].fill(0);
        }
        3 => {
            let count = script.below(64)?;
            files.get_mut(&name)?.extend_from_slice(script.bytes(count));
        }
        4 => drop(files.remove(&name)),
        // A part of this file, written again where another ends: an older frame, or a header.
        5 => {
            let from = script.below(length)?;
            let part = files[&name][from..length.min(from + script.below(200)?)].to_vec();
            let other = names.get(script.below(names.len())?)?;
            files.get_mut(other)?.extend_from_slice(&part);
        }
        // A file of a number that was not there.
        _ => {
            let (number, count) = (script.byte()?, script.below(200)?);
            let (header, rest) = (files[&name].get(..2 * HEADER_BYTES).unwrap_or_default(), script.bytes(count));
            let content = if number % 2 == 0 { [header, rest].concat() } else { rest.to_vec() };
            files.entry(format!("{:016x}.log", u64::from(number) + 100)).or_insert(content);
        }
    }
    Some(())
}

fn check_opened(files: &Files, untouched: &BTreeMap<String, Vec<u8>>, appended: &[Appended], is_damaged: bool) {
    let stored = files.0.borrow().clone();
    let is_whole = |record: &Appended| {
        let (Some(now), before) = (stored.get(&record.file), &untouched[&record.file]) else { return false };
        let has_header = [0, HEADER_BYTES].iter().any(|from| {
            let header = *from..from + HEADER_BYTES;
            now.get(header.clone()).is_some_and(|now| *now == before[header])
        });
        has_header && now.get(record.at..record.at + record.frame.len()) == Some(&record.frame[..])
    };
    let mut found = Vec::new();
    let (mut log, told) = Log::open(files.clone(), CONFIG, |record| found.push(record)).expect("it opens");
    assert!(is_damaged || told == Damage::default(), "{told:?}");
    let mut rest = appended.iter();
    for record in &found {
        assert!(rest.any(|appended| appended.is(record)), "not appended, or not in this order: {record:?}");
        assert_eq!(log.read(record.place).expect("it is read again"), record.payload);
    }
    for record in appended.iter().filter(|record| is_whole(record)) {
        assert!(found.iter().any(|found| record.is(found)), "it was whole, and is lost: {:?}", record.payload);
    }

    // And it goes on from there.
    let next = log.append(&[Record { kind: Kind::Rows, payload: b"the next" }]).expect("it is appended")[0];
    let mut again = Vec::new();
    Log::open(files.clone(), CONFIG, |record| again.push(record)).expect("it opens again");
    let last = again.pop().expect("the last one is there");
    assert_eq!((last.place, &last.payload[..]), (next, &b"the next"[..]));
    assert_eq!(again, found);
}

pub fn seeds() -> Vec<Vec<u8>> {
    let records = [8, 40, 0, 250, 90, 12, 60, 60, 200];
    let damages: [&[u8]; 8] = [
        &[],
        &[0, 0, 0, 0, 120, 1],
        &[1, 0, 1, 0, 200],
        &[2, 0, 0, 0, 0, 0, 150],
        &[3, 0, 1, 0, 20, 1, 2, 3, 4, 5],
        &[4, 0, 1],
        &[5, 0, 0, 0, 80, 0, 90, 0, 0],
        &[6, 0, 0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    ];
    damages.map(|damage| [&records[..], damage].concat()).into()
}
