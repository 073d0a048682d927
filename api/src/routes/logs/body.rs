//! Reads a request's body for the parser, within a time limit and a size limit, and reserves its memory.

use std::io::Read as _;

use actix_web::{HttpRequest, http::header, web};
use flate2::read::MultiGzDecoder;
use logbook_engine::append::queue::MemoryPermit;

use crate::http::{
    body::{collect, demand_type},
    error::{Code, Problem, Result},
};

/// Maximum size of a body in bytes, both as received and decompressed.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;
/// Bytes that are decompressed at a time; their memory is reserved first.
const STEP: usize = 64 * 1024;

/// The media types of events.
const TYPES: &[&str] = &["application/json", "application/x-ndjson"];

/// Reads the body as the client sent it.
///
/// # Errors
/// `unsupported_media_type` for other types than JSON and NDJSON, and for other encodings than gzip; `body_too_large`, `request_timeout`, `queue_full`.
pub async fn read(
    request: &HttpRequest,
    payload: web::Payload,
    memory: &mut MemoryPermit,
) -> Result<Vec<u8>> {
    demand_type(request, TYPES)?;
    read_any(request, payload, memory).await
}

/// The same, of any type: shippers and vendors name what they send in many ways.
///
/// # Errors
/// As [`read`], but for the type.
pub async fn read_any(
    request: &HttpRequest,
    payload: web::Payload,
    memory: &mut MemoryPermit,
) -> Result<Vec<u8>> {
    let encoding = request.headers().get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    if let Some(encoding) = encoding
        && !["gzip", "x-gzip", "identity"].contains(&encoding.to_ascii_lowercase().as_str())
    {
        let detail = format!("the content encoding {encoding} is not supported; send plain JSON or gzip");
        return Err(Problem::new(Code::UnsupportedMediaType, detail));
    }
    collect(payload, |bytes| if bytes > MAX_BYTES { Err(too_large()) } else { Ok(memory.grow_to(bytes)?) })
        .await
}

fn too_large() -> Problem {
    Problem::new(Code::BodyTooLarge, "the limit is 16 MiB per request, decompressed; split it")
}

/// Decompresses a gzip body and returns any other unchanged. The first two bytes decide: shippers set headers in many
/// ways, but no JSON text begins with these bytes.
///
/// # Errors
/// `body_too_large` as soon as the limit is exceeded, so that no decompression bomb is expanded; `malformed_body`; whatever
/// `reserve` returns, which is called with the size in bytes before it grows.
pub fn decompressed(body: Vec<u8>, mut reserve: impl FnMut(usize) -> Result<()>) -> Result<Vec<u8>> {
    if !is_gzip(&body) {
        return Ok(body);
    }
    let mut plain = Vec::new();
    let mut decoder = MultiGzDecoder::new(body.as_slice());
    loop {
        reserve(plain.len() + STEP)?;
        let read = decoder.by_ref().take(STEP as u64).read_to_end(&mut plain);
        let read = read.map_err(|_| Problem::new(Code::MalformedBody, "the gzip data is damaged"))?;
        if plain.len() > MAX_BYTES {
            return Err(too_large());
        }
        if read == 0 {
            return Ok(plain);
        }
    }
}

fn is_gzip(body: &[u8]) -> bool {
    body.starts_with(&[0x1f, 0x8b])
}

/// Whether the body is parsed so quickly that handing it to another thread does not pay.
pub fn is_quick(body: &[u8]) -> bool {
    body.len() < 64 * 1024 && !is_gzip(body)
}
