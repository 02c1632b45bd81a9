//! Frames: how a record lies in a segment, and how it is found again beside damage.
//!
//! `salt:u32 length:u32 sequence:u64 kind:u8 checksum:u32 payload`, little-endian. The checksum covers
//! everything else. The salt is random for each segment: no payload can pretend to be a frame.

/// What a record is for. The log does not look into payloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Rows that were accepted.
    Rows,
    /// A batch that is about to be inserted: its token, and the records that it is made of.
    Batch,
    /// A batch that was inserted, or whose rows are dead letters.
    Done,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Rows, Self::Batch, Self::Done];

    fn code(self) -> u8 {
        match self {
            Self::Rows => 1,
            Self::Batch => 2,
            Self::Done => 3,
        }
    }
}

/// A record to be appended.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    pub kind: Kind,
    pub payload: &'a [u8],
}

/// Bytes of a frame without its payload.
pub(super) const FRAME_BYTES: usize = 21;
/// Bytes of a payload; a longer one is damage.
pub(super) const LONGEST_PAYLOAD: usize = 96 << 20;

/// A frame that was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Where its payload begins.
    pub at: usize,
    pub length: usize,
    pub sequence: u64,
    pub kind: Kind,
}

pub(super) fn write(into: &mut Vec<u8>, salt: u32, sequence: u64, record: Record<'_>) {
    let length = u32::try_from(record.payload.len()).expect("a payload is shorter than LONGEST_PAYLOAD");
    let head = into.len();
    into.extend_from_slice(&salt.to_le_bytes());
    into.extend_from_slice(&length.to_le_bytes());
    into.extend_from_slice(&sequence.to_le_bytes());
    into.push(record.kind.code());
    let checksum = checksum(&into[head..], record.payload);
    into.extend_from_slice(&checksum.to_le_bytes());
    into.extend_from_slice(record.payload);
}

/// The frame that begins here, where there is a whole one.
pub(super) fn read(bytes: &[u8], at: usize, salt: u32) -> Option<Found> {
    let head = bytes.get(at..at + FRAME_BYTES)?;
    if head[..4] != salt.to_le_bytes() {
        return None;
    }
    let length = u32::from_le_bytes(head[4..8].try_into().ok()?) as usize;
    let sequence = u64::from_le_bytes(head[8..16].try_into().ok()?);
    let kind = Kind::ALL.into_iter().find(|kind| kind.code() == head[16])?;
    let told = u32::from_le_bytes(head[17..21].try_into().ok()?);
    if length > LONGEST_PAYLOAD {
        return None;
    }
    let begin = at + FRAME_BYTES;
    let payload = bytes.get(begin..begin + length)?;
    (checksum(&head[..17], payload) == told).then_some(Found { at: begin, length, sequence, kind })
}

/// The next place after `at` where a frame may begin.
pub(super) fn next_place(bytes: &[u8], at: usize, salt: u32) -> usize {
    let wanted = salt.to_le_bytes();
    let rest = bytes.get(at + 1..).unwrap_or_default();
    rest.windows(4).position(|window| window == wanted).map_or(bytes.len(), |found| at + 1 + found)
}

pub(super) fn checksum(head: &[u8], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(head);
    hasher.update(payload);
    hasher.finalize()
}
