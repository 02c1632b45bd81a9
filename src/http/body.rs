//! The body of a request: read, decompressed and bounded, before and after.

use std::error::Error;
use std::io::{self, Read};
use std::ops::Deref;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::{ApiError, Code};

/// How large a body may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes as sent.
    pub sent: usize,
    /// Bytes after decompression.
    pub content: usize,
}

/// Content of all requests together, in KiB: what is read from it takes a few times as much memory.
static ROOM: Semaphore = Semaphore::const_new(128 << 10);
/// How long a request waits for room.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bodies that are decompressed at once.
static DECOMPRESSING: Semaphore = Semaphore::const_new(4);

/// The content of a body. Its room is free when it is dropped.
pub struct Content {
    bytes: Bytes,
    _room: Option<SemaphorePermit<'static>>,
}

impl Deref for Content {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Content {
    pub fn text(&self) -> Result<&str, ApiError> {
        std::str::from_utf8(self).map_err(|_| malformed("the body is not UTF-8"))
    }
}

/// The content type of a request, without its parameters.
pub fn essence(headers: &HeaderMap) -> Option<String> {
    let content_type = headers.get(header::CONTENT_TYPE)?.to_str().unwrap_or("unreadable");
    Some(content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

/// Reads and decompresses a body.
pub async fn read(headers: &HeaderMap, body: Body, limits: Limits) -> Result<Content, ApiError> {
    let encoding = Encoding::of(headers)?;
    let sent = collect(body, limits).await?;
    let most = limits.content;
    let bytes = match encoding {
        Encoding::Identity => sent,
        Encoding::Gzip => {
            decompress(most, move || inflate(flate2::read::MultiGzDecoder::new(sent.as_ref()), most)).await?
        }
        Encoding::Zstd => decompress(most, move || inflate(zstd::Decoder::new(sent.as_ref())?, most)).await?,
    };
    let kibibytes = u32::try_from(bytes.len() >> 10).unwrap_or(u32::MAX);
    let room = match kibibytes {
        0 => None,
        kibibytes => match tokio::time::timeout(PATIENCE, ROOM.acquire_many(kibibytes)).await {
            Ok(room) => Some(room.expect("the semaphore is never closed")),
            Err(_) => {
                let detail = "Too many large bodies are being read; send this one again.";
                return Err(ApiError::new(Code::IngestionUnavailable, detail).retry_after(5));
            }
        },
    };
    Ok(Content { bytes, _room: room })
}

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Identity,
    Gzip,
    Zstd,
}

impl Encoding {
    fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let Some(encoding) = headers.get(header::CONTENT_ENCODING) else { return Ok(Self::Identity) };
        match encoding.to_str().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "identity" | "" => Ok(Self::Identity),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "zstd" => Ok(Self::Zstd),
            _ => {
                Err(ApiError::new(Code::UnsupportedMediaType, "Content-Encoding may be `gzip`, `zstd` or `identity`."))
            }
        }
    }
}

async fn collect(body: Body, limits: Limits) -> Result<Bytes, ApiError> {
    match Limited::new(body, limits.sent).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(too_large(format!("The body has more than {} MiB.", limits.sent >> 20)))
        }
        Err(error) if is_timeout(error.as_ref()) => {
            Err(ApiError::new(Code::RequestTimeout, "The body came too slowly."))
        }
        Err(_) => Err(malformed("the body broke off")),
    }
}

fn is_timeout(error: &(dyn Error + 'static)) -> bool {
    let mut source = Some(error);
    while let Some(error) = source {
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut) {
            return true;
        }
        source = error.source();
    }
    false
}

/// Reads to the end, or to one byte more than is allowed.
fn inflate(reader: impl Read, most: usize) -> io::Result<Option<Vec<u8>>> {
    let mut content = Vec::new();
    reader.take(most as u64 + 1).read_to_end(&mut content)?;
    Ok((content.len() <= most).then_some(content))
}

/// Decompressing takes a core for as long as it lasts.
async fn decompress(
    most: usize,
    work: impl FnOnce() -> io::Result<Option<Vec<u8>>> + Send + 'static,
) -> Result<Bytes, ApiError> {
    let _turn = DECOMPRESSING.acquire().await.expect("the semaphore is never closed");
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(Some(content))) => Ok(content.into()),
        Ok(Ok(None)) => Err(too_large(format!("The body has more than {} MiB after decompression.", most >> 20))),
        Ok(Err(_)) => Err(malformed("the body cannot be decompressed")),
        Err(error) => Err(ApiError::internal(format!("decompression: {error}"))),
    }
}

fn too_large(detail: String) -> ApiError {
    ApiError::new(Code::BodyTooLarge, detail)
}

pub fn malformed(what: &str) -> ApiError {
    ApiError::new(Code::MalformedBody, format!("The body cannot be read: {what}."))
}
