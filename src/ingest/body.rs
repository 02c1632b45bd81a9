//! The body of an ingestion request: read, decompressed and bounded, before and after.

use std::error::Error;
use std::io::{self, Read};

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::error::{ApiError, Code};

/// Bytes as sent.
pub const LARGEST_BODY: usize = 8 << 20;
/// Bytes after decompression.
pub const LARGEST_CONTENT: usize = 64 << 20;

/// Content types that are read as JSON or as a JSON document a line.
const JSON_TYPES: [&str; 5] =
    ["application/json", "application/x-ndjson", "application/ndjson", "application/jsonl", "text/plain"];

/// Reads a body of JSON text.
pub async fn read_json(headers: &HeaderMap, body: Body) -> Result<String, ApiError> {
    let content_type = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or("unreadable"));
    let essence = content_type.map(|value| value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    if essence.as_deref().is_some_and(|essence| !JSON_TYPES.contains(&essence)) {
        return Err(ApiError::new(Code::UnsupportedMediaType, "Send `application/json` or `application/x-ndjson`."));
    }
    let encoding = Encoding::of(headers)?;
    let sent = collect(body).await?;
    let content = match encoding {
        Encoding::Identity => sent.into(),
        // Decompressing takes a core for as long as it lasts.
        Encoding::Gzip => blocking(move || inflate(flate2::read::MultiGzDecoder::new(sent.as_ref()))).await?,
        Encoding::Zstd => blocking(move || inflate(zstd::Decoder::new(sent.as_ref())?)).await?,
    };
    String::from_utf8(content).map_err(|_| malformed("the body is not UTF-8"))
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

async fn collect(body: Body) -> Result<Bytes, ApiError> {
    match Limited::new(body, LARGEST_BODY).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(too_large(format!("The body has more than {} MiB.", LARGEST_BODY >> 20)))
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
fn inflate(reader: impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut content = Vec::new();
    reader.take(LARGEST_CONTENT as u64 + 1).read_to_end(&mut content)?;
    Ok((content.len() <= LARGEST_CONTENT).then_some(content))
}

async fn blocking(work: impl FnOnce() -> io::Result<Option<Vec<u8>>> + Send + 'static) -> Result<Vec<u8>, ApiError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(Some(content))) => Ok(content),
        Ok(Ok(None)) => {
            Err(too_large(format!("The body has more than {} MiB after decompression.", LARGEST_CONTENT >> 20)))
        }
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
