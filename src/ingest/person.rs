//! Persons: who somebody is, as a hash that tells nobody and is the same each time.

use sha2::{Digest, Sha256};

use crate::rows::hex;

/// SHA-256 of salt and text, in hexadecimal.
pub fn hashed(text: &str, salt: &str) -> String {
    let digest =
        Sha256::new().chain_update(salt.as_bytes()).chain_update(b"\0").chain_update(text.as_bytes()).finalize();
    hex(&digest)
}
