//! Output formats whose chunks can be joined, and the header that the engine repeats in each.

/// Formats made of rows alone, or of rows behind a header. Documents (`JSON`, `Parquet`, …) have a
/// beginning and an end, so they are never streamed.
pub fn is_streamable(format: &str) -> bool {
    HEADED.iter().any(|(name, _)| *name == format)
        || matches!(
            format,
            "RowBinary"
                | "CSV"
                | "TSV"
                | "TabSeparated"
                | "TSVRaw"
                | "TabSeparatedRaw"
                | "JSONEachRow"
                | "JSONCompactEachRow"
        )
}

#[derive(Clone, Copy)]
enum Shape {
    /// Count, names and, where told, types, each a length and bytes.
    Binary { types: bool },
    /// As many lines; a quoted name may contain a line break.
    Lines(usize),
}

const HEADED: [(&str, Shape); 8] = [
    ("RowBinaryWithNames", Shape::Binary { types: false }),
    ("RowBinaryWithNamesAndTypes", Shape::Binary { types: true }),
    ("CSVWithNames", Shape::Lines(1)),
    ("CSVWithNamesAndTypes", Shape::Lines(2)),
    ("TSVWithNames", Shape::Lines(1)),
    ("TabSeparatedWithNames", Shape::Lines(1)),
    ("TSVWithNamesAndTypes", Shape::Lines(2)),
    ("TabSeparatedWithNamesAndTypes", Shape::Lines(2)),
];

/// The header of a streamed answer, which the engine writes before the rows of every chunk.
pub struct Header(Vec<u8>);

impl Header {
    /// Reads it off the first chunk.
    pub fn of(format: &str, first_chunk: &[u8]) -> Self {
        let shape = HEADED.iter().find(|(name, _)| *name == format).map(|(_, shape)| *shape);
        let length = match shape {
            None => Some(0),
            Some(Shape::Binary { types }) => binary_header_length(first_chunk, types),
            Some(Shape::Lines(lines)) => lines_length(first_chunk, lines),
        };
        Self(first_chunk[..length.unwrap_or(0)].to_vec())
    }

    /// A later chunk without it.
    pub fn strip<'a>(&self, chunk: &'a [u8]) -> &'a [u8] {
        chunk.strip_prefix(self.0.as_slice()).unwrap_or(chunk)
    }
}

fn binary_header_length(bytes: &[u8], types: bool) -> Option<usize> {
    let (columns, mut at) = leb128(bytes)?;
    for _ in 0..columns * if types { 2 } else { 1 } {
        let (length, used) = leb128(bytes.get(at..)?)?;
        at += used + length;
    }
    (at <= bytes.len()).then_some(at)
}

/// An unsigned LEB128 number and its length in bytes.
fn leb128(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0;
    for (index, byte) in bytes.iter().enumerate().take(9) {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
    }
    None
}

fn lines_length(bytes: &[u8], lines: usize) -> Option<usize> {
    let mut quoted = false;
    let ends = bytes.iter().enumerate().filter(|(_, byte)| {
        quoted ^= **byte == b'"';
        **byte == b'\n' && !quoted
    });
    ends.map(|(index, _)| index + 1).nth(lines - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_header_is_taken_off_and_rows_that_look_alike_are_kept() {
        let first = b"\x01\x01n\x06UInt64\x01\0\0\0\0\0\0\0";
        let header = Header::of("RowBinaryWithNamesAndTypes", first);
        assert_eq!(header.strip(b"\x01\x01n\x06UInt64\x02\0\0\0\0\0\0\0"), b"\x02\0\0\0\0\0\0\0");

        let header = Header::of("CSVWithNames", b"\"a\nb\",c\n1,2\n");
        assert_eq!(header.strip(b"\"a\nb\",c\n3,4\n"), b"3,4\n");

        let header = Header::of("CSV", b"1\n");
        assert_eq!(header.strip(b"1\n"), b"1\n");
    }

    #[test]
    fn documents_are_not_streamable() {
        assert!(is_streamable("RowBinaryWithNamesAndTypes"));
        for format in ["JSON", "JSONCompact", "Parquet", "Values", "Native", "PrettyCompact"] {
            assert!(!is_streamable(format), "{format}");
        }
    }
}
