//! Bodies: decompressed within limits, and never to anything but what was compressed.

use std::io::{Read, Write};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, header};
use chartwell::error::Code;
use chartwell::http::body::{self, Limits};
use chartwell::rows::Rows;

use super::RUNTIME;

/// Small ones, so that inputs can be beyond them.
const LIMITS: Limits = Limits { sent: 1_500, content: 4_000 };
const ENCODINGS: [&str; 3] = ["identity", "gzip", "zstd"];

pub fn check(bytes: &[u8]) -> Vec<Rows> {
    for encoding in ENCODINGS {
        check_sent(encoding, bytes);
        check_compressed(encoding, bytes);
    }
    Vec::new()
}

/// The bytes as they are sent.
fn check_sent(encoding: &str, sent: &[u8]) {
    // One byte more than is allowed says enough.
    let mut content = Vec::new();
    let decoded =
        reader(encoding, sent).and_then(|reader| reader.take(LIMITS.content as u64 + 1).read_to_end(&mut content));
    match read(encoding, sent) {
        Ok(read) => {
            assert!(sent.len() <= LIMITS.sent && read.len() <= LIMITS.content && decoded.is_ok());
            assert_eq!(read, content);
        }
        Err(Code::BodyTooLarge) => assert!(sent.len() > LIMITS.sent || content.len() > LIMITS.content),
        Err(Code::MalformedBody) => assert!(decoded.is_err()),
        Err(code) => panic!("{code:?}"),
    }
}

/// The bytes as what is compressed.
fn check_compressed(encoding: &str, content: &[u8]) {
    let sent = compressed(encoding, content);
    let fits = sent.len() <= LIMITS.sent && content.len() <= LIMITS.content;
    assert_eq!(read(encoding, &sent), if fits { Ok(content.to_vec()) } else { Err(Code::BodyTooLarge) });
}

fn read(encoding: &str, sent: &[u8]) -> Result<Vec<u8>, Code> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_str(encoding).expect("a name"));
    let read = RUNTIME.block_on(body::read(&headers, Body::from(sent.to_vec()), LIMITS));
    read.map(|content| content.to_vec()).map_err(|error| error.code)
}

fn reader<'s>(encoding: &str, sent: &'s [u8]) -> std::io::Result<Box<dyn Read + 's>> {
    Ok(match encoding {
        "gzip" => Box::new(flate2::read::MultiGzDecoder::new(sent)),
        "zstd" => Box::new(zstd::Decoder::new(sent)?),
        _ => Box::new(sent),
    })
}

fn compressed(encoding: &str, content: &[u8]) -> Vec<u8> {
    match encoding {
        "gzip" => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(content).and_then(|()| encoder.finish()).expect("memory takes it")
        }
        "zstd" => zstd::encode_all(content, 1).expect("memory takes it"),
        _ => content.to_vec(),
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let event = br#"{"event":"Send Message","data":{"text_length":120}}"#;
    let bomb = vec![b' '; 1 << 20];
    let exact = [vec![7; LIMITS.content], vec![7; LIMITS.content + 1]];
    let mut seeds = vec![event.to_vec(), vec![b' '; LIMITS.sent + 1]];
    for encoding in ["gzip", "zstd"] {
        let one = compressed(encoding, event);
        // Two members, or frames, are one body.
        seeds.push([one.clone(), one.clone()].concat());
        seeds.push(one);
        seeds.push(compressed(encoding, &bomb));
        seeds.extend(exact.iter().map(|content| compressed(encoding, content)));
    }
    // A frame that is to be skipped, before one that is not.
    seeds.push([&[0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4][..], &compressed("zstd", event)].concat());
    seeds
}
