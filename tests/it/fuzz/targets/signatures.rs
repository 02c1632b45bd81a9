//! Signed requests: exactly those are let in that were signed with the secret, at about this time.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chartwell::auth::{KnownRequests, SignatureRefused, Signatures, Signed};
use chartwell::config::SigningKey;
use chartwell::rows::Rows;
use sha2::{Digest, Sha256};

use super::{NOW, now};

const KEYS: [(&str, &str); 2] = [
    ("k1", "0123456789abcdef0123456789abcdef"),
    ("k2", "a secret that is longer than a block of the hash, which is 64 bytes long"),
];

static SIGNATURES: LazyLock<Signatures> = LazyLock::new(|| {
    let keys: Vec<SigningKey> =
        KEYS.iter().map(|(id, secret)| format!("{id}:demo:{secret}").parse().expect("a key")).collect();
    Signatures::new(&keys, &["demo".parse().expect("an account")], KnownRequests::default())
});

/// The input: key, id, timestamp and signature, a line each, and the body.
pub fn check(bytes: &[u8]) -> Vec<Rows> {
    let mut parts = bytes.splitn(5, |byte| *byte == b'\n');
    let mut text = || std::str::from_utf8(parts.next().unwrap_or_default()).unwrap_or_default();
    let (key_id, id, timestamp, signature) = (text(), text(), text(), text());
    let body = parts.next().unwrap_or_default();
    let signed = Signed { key_id, id, timestamp, signature };
    assert_eq!(is_let_in(signed, body), should_be(signed, body), "{signed:?}");
    for (key_id, secret) in KEYS {
        let signature = sign(secret, id, timestamp, body);
        let signed = Signed { key_id, signature: &signature, ..signed };
        assert_eq!(is_let_in(signed, body), should_be(signed, body), "{signed:?}");
        check_split(secret, signed, body);
    }
    Vec::new()
}

/// What was signed is an id, a time and a body in one way only: no other split of it is let in.
fn check_split(secret: &str, signed: Signed<'_>, body: &[u8]) {
    if !is_let_in(signed, body) {
        return;
    }
    let content = [signed.id.as_bytes(), b".", signed.timestamp.as_bytes(), b".", body].concat();
    let dots: Vec<usize> = (0..content.len()).filter(|at| content[*at] == b'.').take(8).collect();
    for (first, second) in
        dots.iter().enumerate().flat_map(|(at, first)| dots[at + 1..].iter().map(move |second| (*first, *second)))
    {
        let (Ok(id), Ok(timestamp)) =
            (std::str::from_utf8(&content[..first]), std::str::from_utf8(&content[first + 1..second]))
        else {
            continue;
        };
        let other = Signed { id, timestamp, ..signed };
        let is_same = (id, timestamp) == (signed.id, signed.timestamp);
        assert!(is_same || !is_let_in(other, &content[second + 1..]), "{signed:?} is also {other:?}, with {secret}");
    }
}

/// Nothing is remembered: a request that is not accepted may come again.
fn is_let_in(signed: Signed<'_>, body: &[u8]) -> bool {
    match SIGNATURES.check(signed, body, now()) {
        Ok(_) => true,
        Err(SignatureRefused::Invalid(_)) => false,
        Err(SignatureRefused::Replayed) => panic!("nothing was accepted before"),
    }
}

/// The rule, said in another way.
fn should_be(signed: Signed<'_>, body: &[u8]) -> bool {
    let Some((_, secret)) = KEYS.iter().find(|(id, _)| *id == signed.key_id) else { return false };
    let is_now = signed.timestamp.parse().is_ok_and(|seconds: i64| (NOW - 300..=NOW + 300).contains(&seconds));
    let good = sign(secret, signed.id, signed.timestamp, body);
    let is_id = (1..=256).contains(&signed.id.len()) && !signed.id.contains('.');
    is_now && is_id && signed.signature.split(' ').any(|signature| signature == good)
}

/// HMAC-SHA256 as RFC 2104 has it, made without the library that checks it.
fn sign(secret: &str, id: &str, timestamp: &str, body: &[u8]) -> String {
    let mut block = [0; 64];
    match secret.as_bytes() {
        long if long.len() > 64 => block[..32].copy_from_slice(&Sha256::digest(long)),
        short => block[..short.len()].copy_from_slice(short),
    }
    let keyed = |pad: u8| Sha256::new().chain_update(block.map(|byte| byte ^ pad));
    let inner = keyed(0x36).chain_update(id).chain_update(".").chain_update(timestamp).chain_update(".");
    format!("v1,{}", STANDARD.encode(keyed(0x5c).chain_update(inner.chain_update(body).finalize()).finalize()))
}

pub fn seeds() -> Vec<Vec<u8>> {
    let body = r#"{"event":"e"}"#;
    let times = [NOW - 301, NOW - 300, NOW, NOW + 300, NOW + 301].map(|time| time.to_string());
    let mut seeds = Vec::new();
    for ((key_id, secret), id) in KEYS.iter().zip(["msg_1", "m.1770000000"]) {
        for time in times.iter().map(String::as_str).chain(["+1770000000", "01770000000", ""]) {
            let signature = sign(secret, id, time, body.as_bytes());
            seeds.push(format!("{key_id}\n{id}\n{time}\nv1a,x v1,AAAA {signature}\n{body}").into_bytes());
        }
    }
    seeds
}
