//! Swagger UI and the document it shows. `utoipa-swagger-ui` would do the same, and compile a ZIP library, a second
//! regex and 4 MB of files into every build; the archive it takes them from has all that is needed.

use std::{io::Read as _, sync::LazyLock};

use actix_web::{HttpResponse, http::header::ContentType, web};
use flate2::read::DeflateDecoder;
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;

use crate::openapi;

/// What Swagger UI's own file of this name does, for our document.
const INITIALIZER: &str = r##"window.onload = () => {
  window.ui = SwaggerUIBundle({
    url: "/api/openapi.json",
    dom_id: "#swagger-ui",
    deepLinking: true,
    presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
    plugins: [SwaggerUIBundle.plugins.DownloadUrl],
  });
};
"##;

/// The document as JSON.
pub async fn document() -> HttpResponse {
    static DOCUMENT: LazyLock<String> =
        LazyLock::new(|| openapi::document().to_json().expect("a document is JSON"));
    HttpResponse::Ok().content_type(ContentType::json()).body(DOCUMENT.as_str())
}

/// A file of Swagger UI; its page for the empty name.
pub async fn file(name: web::Path<String>) -> HttpResponse {
    let name = if name.is_empty() { "index.html" } else { name.as_str() };
    let body = match name {
        "swagger-initializer.js" => Some(INITIALIZER.into()),
        _ => unpack(SWAGGER_UI_VENDORED, name),
    };
    let kind = match name.rsplit_once('.') {
        Some((_, "html")) => "text/html",
        Some((_, "js")) => "text/javascript",
        Some((_, "css")) => "text/css",
        Some((_, "png")) => "image/png",
        _ => "application/octet-stream",
    };
    body.map_or_else(
        || HttpResponse::NotFound().finish(),
        |body| HttpResponse::Ok().content_type(kind).body(body),
    )
}

/// The file `swagger-ui-<version>/dist/<name>` of a ZIP archive (PKWARE's APPNOTE 6.3.10, section 4.3) without comments,
/// encryption and ZIP64. None for what is not there.
fn unpack(archive: &[u8], name: &str) -> Option<Vec<u8>> {
    // The last record says where the directory is, the directory where each file is.
    let mut entry = archive.get(long(archive, archive.len().checked_sub(6)?)?..)?;
    while entry.starts_with(b"PK\x01\x02") {
        let (name_length, extra, comment) = (short(entry, 28)?, short(entry, 30)?, short(entry, 32)?);
        let path = str::from_utf8(entry.get(46..46 + name_length)?).ok()?;
        let mut parts = path.splitn(3, '/');
        if (parts.nth(1), parts.next()) == (Some("dist"), Some(name)) {
            let (method, packed, size) = (short(entry, 10)?, long(entry, 20)?, long(entry, 24)?);
            let local = archive.get(long(entry, 42)?..)?;
            let start = 30 + short(local, 26)? + short(local, 28)?;
            let data = local.get(start..start + packed)?;
            let mut file = Vec::with_capacity(size);
            match method {
                0 => file.extend(data),
                8 => drop(DeflateDecoder::new(data).read_to_end(&mut file).ok()?),
                _ => return None,
            }
            return Some(file);
        }
        entry = entry.get(46 + name_length + extra + comment..)?;
    }
    None
}

fn short(bytes: &[u8], at: usize) -> Option<usize> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes).into())
}

fn long(bytes: &[u8], at: usize) -> Option<usize> {
    u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?).try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swagger_ui_is_whole() {
        let page =
            String::from_utf8(unpack(SWAGGER_UI_VENDORED, "index.html").expect("its page")).expect("text");
        let names = page.split("=\"./").skip(1).filter_map(|rest| rest.split('"').next());
        let mut count = 0;
        for name in names {
            assert!(unpack(SWAGGER_UI_VENDORED, name).is_some_and(|file| !file.is_empty()), "{name}");
            count += 1;
        }
        assert!(count >= 5, "{page}");
        assert_eq!(unpack(SWAGGER_UI_VENDORED, "gone.js"), None);
        assert_eq!(unpack(b"PK", "index.html"), None);
    }
}
