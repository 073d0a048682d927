//! Checks of every JSON Web Token before its key is looked up (RFC 7515, RFC 8725).

use jsonwebtoken::{Header, errors::ErrorKind};

use crate::http::error::{Code, Problem, Result};

/// More than any real token has, and cheap to parse.
const MAX_BYTES: usize = 16 * 1024;
/// How far the clock of whoever signs elsewhere may be from ours.
pub(super) const LEEWAY_SECONDS: u64 = 30;
/// Types of tokens that grant something (RFC 7519, section 5.1; RFC 9068, section 2.1). Logout tokens, security events
/// and proofs of possession have types of their own, and are signed with the same keys.
const TYPES: &[&str] = &["jwt", "at+jwt", "application/at+jwt"];

/// The header, unverified: enough to choose a key. Its `jku`, `x5u`, `jwk` and `x5c` are never read, since a token must not
/// choose the key that verifies it.
///
/// # Errors
/// `unauthenticated`
pub(super) fn header(token: &str) -> Result<Header> {
    if token.len() > MAX_BYTES {
        return Err(refused());
    }
    let header = jsonwebtoken::decode_header(token).map_err(|_| refused())?;
    let typed = header.typ.as_deref().is_none_or(|typ| TYPES.contains(&typ.to_ascii_lowercase().as_str()));
    // Critical extensions (RFC 7515, section 4.1.11) are not supported. An unencoded or compressed payload (RFC 7797,
    // RFC 7516) is such an extension, whether it is marked as critical or not.
    let plain = header.crit.is_none()
        && header.zip.is_none()
        && header.enc.is_none()
        && !header.extras.inner().contains_key("b64");
    if typed && plain { Ok(header) } else { Err(refused()) }
}

/// The same problem for every check that failed, so that a response does not help to forge a token.
pub(super) fn refused() -> Problem {
    Problem::new(Code::Unauthenticated, "the token is not valid")
}

/// `token_expired` for a token that is only expired; `unauthenticated` for everything else.
pub(super) fn problem(error: &jsonwebtoken::errors::Error) -> Problem {
    match error.kind() {
        ErrorKind::ExpiredSignature => Problem::new(Code::TokenExpired, "sign in again, or renew the token"),
        _ => refused(),
    }
}
