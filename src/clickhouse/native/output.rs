//! Bytes on their way out, in pieces: what is long already is not copied to be together with the rest.

use std::ops::{Deref, DerefMut};

use bytes::Bytes;

/// From so many bytes on, a piece stays by itself.
const LONG: usize = 16 << 10;

/// Takes bytes; what is put into it as a vector goes to the piece at its end.
#[derive(Default)]
pub(super) struct Output {
    pieces: Vec<Bytes>,
    last: Vec<u8>,
}

impl Output {
    /// Adds bytes that are in a vector of their own.
    pub(super) fn put(&mut self, bytes: Vec<u8>) {
        if bytes.len() < LONG {
            self.last.extend_from_slice(&bytes);
            return;
        }
        self.cut();
        self.pieces.push(bytes.into());
    }

    pub(super) fn finish(mut self) -> Vec<Bytes> {
        self.cut();
        self.pieces
    }

    fn cut(&mut self) {
        if !self.last.is_empty() {
            self.pieces.push(std::mem::take(&mut self.last).into());
        }
    }
}

impl Deref for Output {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.last
    }
}

impl DerefMut for Output {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.last
    }
}
