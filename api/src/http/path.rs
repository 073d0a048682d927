//! Paths: their normal form, and the parameters that several routes share.

use actix_web::HttpRequest;
use serde::Deserialize;
use utoipa::IntoParams;

/// The path parameter of everything in a workspace.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct WorkspacePath {
    /// The workspace's slug.
    #[param(example = "clinic", pattern = "^[a-z0-9][a-z0-9-]{0,62}$")]
    pub workspace: String,
}

/// The path parameters of one event.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct EventPath {
    /// The workspace's slug.
    #[param(example = "clinic", pattern = "^[a-z0-9][a-z0-9-]{0,62}$")]
    pub workspace: String,
    /// The event's id.
    #[param(example = "01935fb2-8e31-8000-8000-040000000029")]
    pub id: String,
}

/// The path parameters of one record.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct RecordPath {
    /// The workspace's slug.
    #[param(example = "clinic", pattern = "^[a-z0-9][a-z0-9-]{0,62}$")]
    pub workspace: String,
    /// The model, percent-encoded. `-` where the query parameter `model` says it.
    #[param(example = "patient")]
    pub model: String,
    /// The record's id, percent-encoded. `-` where the query parameter `record_id` says it.
    #[param(example = "92")]
    pub record_id: String,
}

/// What a request does: its method and its route.
pub fn operation(request: &HttpRequest) -> String {
    format!("{} {}", request.method(), request.match_pattern().unwrap_or_default())
}

/// What is wrong with a path that is not in its normal form (RFC 3986, section 6.2.2), if anything. A path that could be
/// written in several ways would be one thing to the router and another to whoever reads its text.
///
/// The words of Logbook's routes can be written in one way only. The value of a parameter has each character encoded that
/// must be. Reserved characters, such as `:` or `!`, may be encoded or not: clients differ in this, and no route's word has
/// one.
pub fn flaw(path: &str) -> Option<&'static str> {
    let Some(rest) = path.strip_prefix('/') else { return Some("it does not begin with /") };
    let mut segments = rest.split('/').peekable();
    while let Some(segment) = segments.next() {
        // A path may end with a slash.
        if segment.is_empty() && segments.peek().is_some() {
            return Some("it has an empty segment");
        }
        if segment == "." || segment == ".." {
            return Some("it has a dot segment");
        }
        if let Err(flaw) = decoded(segment) {
            return Some(flaw);
        }
    }
    None
}

fn decoded(segment: &str) -> Result<String, &'static str> {
    let mut bytes = segment.bytes();
    let mut decoded = Vec::with_capacity(segment.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let digit = |byte: Option<u8>| match byte {
                    Some(digit @ b'0'..=b'9') => Ok(digit - b'0'),
                    Some(digit @ b'A'..=b'F') => Ok(digit - b'A' + 10),
                    _ => Err("after % come two digits, with capital letters"),
                };
                match digit(bytes.next())? * 16 + digit(bytes.next())? {
                    b'/' | b'\\' => return Err("it has an encoded slash or backslash"),
                    0..0x20 | 0x7f => return Err("it has an encoded control character"),
                    byte if is_unreserved(byte) => {
                        return Err("it encodes a character that needs no encoding");
                    }
                    byte => byte,
                }
            }
            byte if is_unreserved(byte) || b"!$&'()*+,;=:@".contains(&byte) => byte,
            _ => return Err("it has a character that must be encoded"),
        });
    }
    String::from_utf8(decoded).map_err(|_| "it is not UTF-8")
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::flaw;

    #[test]
    fn a_path_has_one_normal_form() {
        for path in [
            "/",
            "/api/v1/workspaces/clinic/logs/access",
            "/api/docs/",
            "/a/%E6%9D%8E%E9%9B%B7/b%20c%25",
            "/a/b:c@d!e",
            "/a/b%3Ac%40d%21e",
            "/assets/index-4f_2~.js",
            "/a/...",
        ] {
            assert_eq!(flaw(path), None, "{path}");
        }
        for path in [
            "",
            "*",
            "api",
            "//",
            "/api//v1",
            "//api/v1",
            "/api/./v1",
            "/api/../v1",
            "/api/..",
            "/%61pi/v1",
            "/api/v1/%6Cogs",
            "/api/v1/%2e%2e/x",
            "/api/%2E/x",
            "/a/b%2Fc",
            "/a/b%2fc",
            "/a/b%5Cc",
            "/a/b\\c",
            "/a/%00",
            "/a/%0A",
            "/a/%7F",
            "/a/%FF",
            "/a/%C0%AF",
            "/a/%e6%9d%8e",
            "/a/%",
            "/a/%4",
            "/a/%zz",
            "/a/b c",
            "/a/\u{674e}",
            "/a/[b]",
            "/a/b|c",
            "/a/b%7Ec",
        ] {
            assert!(flaw(path).is_some(), "{path}");
        }
    }
}
