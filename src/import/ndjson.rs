//! A JSON object a line.

use std::io::{self, BufRead, Read};

use super::{LONGEST_LINE, Raw};
use crate::ingest::Rejection;
use crate::json::{self, Json, Object};

/// The rows of a text. Empty lines are none.
pub fn rows(text: Box<dyn BufRead + Send>) -> impl Iterator<Item = io::Result<Raw>> + Send {
    Lines { text, number: 0 }.filter_map(|line| match line {
        Ok((number, line)) => {
            let line = line.map(|line| line.trim_ascii().to_vec());
            if line.as_ref().is_ok_and(Vec::is_empty) {
                return None;
            }
            let bytes = line.as_ref().map_or(LONGEST_LINE, Vec::len);
            Some(Ok(Raw { number, document: line.and_then(|line| document(&line)), bytes }))
        }
        Err(error) => Some(Err(error)),
    })
}

fn document(line: &[u8]) -> Result<Object<'static>, Rejection> {
    let malformed = |why: String| Rejection::new("malformed_row", "", why);
    let text = std::str::from_utf8(line).map_err(|_| malformed("the line is not UTF-8".to_owned()))?;
    match json::read(text).map_err(|error| malformed(format!("the line is not JSON: {error}")))? {
        Json::Object(object) => Ok(object.into_owned()),
        _ => Err(malformed("the line is not a JSON object".to_owned())),
    }
}

/// The lines of a text with their numbers; a long one is passed over.
struct Lines {
    text: Box<dyn BufRead + Send>,
    number: u64,
}

impl Iterator for Lines {
    type Item = io::Result<(u64, Result<Vec<u8>, Rejection>)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.number += 1;
        let mut line = Vec::new();
        match self.text.by_ref().take(LONGEST_LINE as u64).read_until(b'\n', &mut line) {
            Ok(0) => return None,
            Ok(_) => {}
            Err(error) => return Some(Err(error)),
        }
        if self.number == 1 && line.starts_with("\u{feff}".as_bytes()) {
            line.drain(..3);
        }
        if line.len() < LONGEST_LINE || line.ends_with(b"\n") {
            return Some(Ok((self.number, Ok(line))));
        }
        if let Err(error) = self.text.skip_until(b'\n') {
            return Some(Err(error));
        }
        let detail = format!("the line has more than {} KiB", LONGEST_LINE >> 10);
        Some(Ok((self.number, Err(Rejection::new("row_too_large", "", detail)))))
    }
}
