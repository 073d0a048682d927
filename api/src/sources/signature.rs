//! The signatures of vendors: an HMAC-SHA256 of the body as it was received, in hexadecimal.
//!
//! | kind | header |
//! |---|---|
//! | Keycloak | `X-Keycloak-Signature` (Phase Two, keycloak-events) |
//! | others | `X-Hub-Signature-256: sha256=…`, as GitHub's webhooks have it and many took over |

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::formats::Head;
use crate::accounts::source_kind::Kind;

/// Why a body is not taken for the vendor's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the signature is missing; this source demands the header {0}")]
    Missing(&'static str),
    #[error("the signature is wrong: check the secret of the source and that of the sender")]
    Wrong,
}

/// Checks the signature of a body, as it was received: before it is decompressed. The comparison takes constant time.
///
/// # Errors
/// [`Refused`]
pub fn verify(kind: Kind, secret: &[u8], head: &Head, body: &[u8]) -> Result<(), Refused> {
    let (header, shown, prefix) = match kind {
        Kind::Keycloak => ("x-keycloak-signature", "X-Keycloak-Signature", ""),
        _ => ("x-hub-signature-256", "X-Hub-Signature-256", "sha256="),
    };
    let sent = head.header(header).ok_or(Refused::Missing(shown))?;
    let digits = sent.trim().strip_prefix(prefix).ok_or(Refused::Wrong)?;
    let signature = bytes(digits).ok_or(Refused::Wrong)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).map_err(|_| Refused::Wrong)?;
    mac.update(body);
    // A part of a signature is none.
    mac.verify_slice(&signature).map_err(|_| Refused::Wrong)
}

/// 32 bytes of hexadecimal digits, in either case.
fn bytes(digits: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> =
        digits.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
    let pairs: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] * 16 + pair[1]).collect();
    if digits.len() == 64 { pairs.try_into().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(name: &str, value: &str) -> Head {
        Head::new([(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn only_the_whole_signature_of_the_same_bytes_with_the_same_secret_is_right() {
        // The example of GitHub's documentation, "Validating webhook deliveries".
        let (secret, body) = (b"It's a Secret to Everybody", b"Hello, World!");
        let right = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let github = |value: &str| verify(Kind::Github, secret, &head("x-hub-signature-256", value), body);
        assert_eq!(github(&format!("sha256={right}")), Ok(()));
        assert_eq!(github(&format!("sha256={}", right.to_uppercase())), Ok(()));
        let keycloak =
            |value: &str| verify(Kind::Keycloak, secret, &head("X-Keycloak-Signature", value), body);
        assert_eq!(keycloak(right), Ok(()));
        for wrong in ["", "sha256=", right, &format!("sha256={}", &right[..62]), &format!("sha256={right}00")]
        {
            assert_eq!(github(wrong), Err(Refused::Wrong), "{wrong}");
        }
        for n in 0..64 {
            let mut changed = right.to_owned();
            let other = if changed.as_bytes()[n] == b'0' { "1" } else { "0" };
            changed.replace_range(n..=n, other);
            assert_eq!(keycloak(&changed), Err(Refused::Wrong));
        }
        assert_eq!(keycloak("zz"), Err(Refused::Wrong));
        let missing = Refused::Missing("X-Keycloak-Signature");
        assert_eq!(verify(Kind::Keycloak, secret, &Head::default(), body), Err(missing));
        let other = verify(Kind::Keycloak, b"another secret", &head("x-keycloak-signature", right), body);
        assert_eq!(other, Err(Refused::Wrong));
    }
}
