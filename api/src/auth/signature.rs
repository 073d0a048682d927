//! The signatures of vendors: an HMAC-SHA256 of the body as it was received, in hexadecimal, or a token that is signed with a private key
//! and names the body.
//!
//! | kind | header |
//! |---|---|
//! | Keycloak | `X-Keycloak-Signature` (Phase Two, keycloak-events); where the secret is the realm's key set, `Authorization: Bearer <token>` |
//! | others | `X-Hub-Signature-256: sha256=…`, as GitHub's webhooks have it and many took over |

use actix_web::http::header::HeaderMap;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jsonwebtoken::{Algorithm, Validation};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{jwt, public_keys};
use crate::accounts::source_kind::Kind;

/// What a realm may sign with: all that Keycloak offers and keys of a set can verify.
const ALGORITHMS: &[Algorithm] = &[
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// Why a body is not taken for the vendor's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the signature is missing; this source demands the header {0}")]
    Missing(&'static str),
    #[error("the signature is wrong: check the secret of the source and that of the sender")]
    Wrong,
    #[error(
        "the token is not valid: it must be signed with a key of the source's key set, not have expired, and have \
         request_body_sha256"
    )]
    WrongToken,
    #[error("the token is for another body: its request_body_sha256 is not the SHA-256 of this one")]
    OtherBody,
}

/// The claims that are needed of a token of keycloak-events.
#[derive(Deserialize)]
struct OfBody {
    request_body_sha256: String,
}

/// What a body must be, as its headers say.
pub enum Expected {
    /// That its HMAC with the secret is this one.
    Mac([u8; 32]),
    /// That its SHA-256 is this one.
    Digest([u8; 32]),
}

impl Expected {
    /// Checks all of a request that can be checked without its body: a stranger's is not read.
    ///
    /// # Errors
    /// [`Refused`]
    pub fn of(kind: Kind, secret: &[u8], headers: &HeaderMap) -> Result<Self, Refused> {
        if kind == Kind::Keycloak
            && let Some(keys) = key_set(secret)
        {
            return of_token(&keys, headers).map(Self::Digest);
        }
        let (header, shown, prefix) = match kind {
            Kind::Keycloak => ("x-keycloak-signature", "X-Keycloak-Signature", ""),
            _ => ("x-hub-signature-256", "X-Hub-Signature-256", "sha256="),
        };
        let sent = text(headers, header).ok_or(Refused::Missing(shown))?;
        let digits = sent.trim().strip_prefix(prefix).ok_or(Refused::Wrong)?;
        bytes(digits).map(Self::Mac).ok_or(Refused::Wrong)
    }

    /// Checks a body, as it was received: before it is decompressed. The comparison with a HMAC takes constant time.
    ///
    /// # Errors
    /// [`Refused`]
    pub fn verify(&self, secret: &[u8], body: &[u8]) -> Result<(), Refused> {
        match self {
            Self::Mac(expected) => {
                let mut mac = Hmac::<Sha256>::new_from_slice(secret).map_err(|_| Refused::Wrong)?;
                mac.update(body);
                // A part of a signature is none.
                mac.verify_slice(expected).map_err(|_| Refused::Wrong)
            }
            Self::Digest(expected) if Sha256::digest(body).as_slice() == expected => Ok(()),
            Self::Digest(_) => Err(Refused::OtherBody),
        }
    }
}

/// The keys of a secret that is a key set (RFC 7517, section 5), as a realm publishes it at `…/protocol/openid-connect/certs`.
fn key_set(secret: &[u8]) -> Option<Vec<Value>> {
    #[derive(Deserialize)]
    struct KeySet {
        keys: Vec<Value>,
    }
    serde_json::from_slice::<KeySet>(secret).ok().map(|set| set.keys)
}

/// A Keycloak realm's keys in a form that is not used: with them as a shared secret, everybody could sign.
pub fn is_useless(kind: Kind, secret: &str) -> bool {
    if kind != Kind::Keycloak {
        return false;
    }
    if let Some(keys) = key_set(secret.as_bytes()) {
        return public_keys::usable(&keys, ALGORITHMS).is_empty();
    }
    let begins = ["{", "[", "\u{feff}", "-----BEGIN", "MII"];
    begins.iter().any(|begin| secret.trim_start().starts_with(begin)) || secret.contains("\"kty\"")
}

/// The digest of the body that a token is for (keycloak-events, `WebhookJwtSigner`). Neither issuer nor audience is asked for: the keys
/// are those of one realm, and it names an audience only where the webhook is set up with one. So another receiver of the
/// realm's webhooks could pass a body on while its token lasts: what the realm has said.
fn of_token(keys: &[Value], headers: &HeaderMap) -> Result<[u8; 32], Refused> {
    let sent = text(headers, "authorization").and_then(|value| value.trim().split_once(' '));
    let token =
        sent.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    let token = token.ok_or(Refused::Missing("Authorization: Bearer with a token of the realm"))?;
    let header = jwt::header(token).map_err(|_| Refused::WrongToken)?;
    let keys = public_keys::usable(keys, ALGORITHMS);
    let key = public_keys::pick(&keys, header.kid.as_deref(), header.alg).ok_or(Refused::WrongToken)?;
    let mut validation = Validation::new(header.alg);
    validation.leeway = jwt::LEEWAY_SECONDS;
    validation.validate_nbf = true;
    validation.validate_aud = false;
    validation.set_required_spec_claims(&["exp"]);
    let token =
        jsonwebtoken::decode::<OfBody>(token, &key.decoding, &validation).map_err(|_| Refused::WrongToken)?;
    bytes(&token.claims.request_body_sha256).ok_or(Refused::OtherBody)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
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
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn verify(kind: Kind, secret: &[u8], headers: &HeaderMap, body: &[u8]) -> Result<(), Refused> {
        Expected::of(kind, secret, headers)?.verify(secret, body)
    }

    fn head(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).expect("a header"));
        headers
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
            |value: &str| verify(Kind::Keycloak, secret, &head("x-keycloak-signature", value), body);
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
        assert_eq!(verify(Kind::Keycloak, secret, &HeaderMap::new(), body), Err(missing));
        let other = verify(Kind::Keycloak, b"another secret", &head("x-keycloak-signature", right), body);
        assert_eq!(other, Err(Refused::Wrong));
    }

    #[test]
    fn keys_that_everybody_can_read_are_no_shared_secret() {
        let ed = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        let pem = "-----BEGIN PUBLIC KEY-----";
        for secret in [
            ed,
            &format!("[{ed}]"),
            "{}",
            r#"{"keys":[]}"#,
            pem,
            "MIIBIjANBgkqh",
            "\u{feff}{}",
            &format!("x{ed}"),
        ] {
            assert!(is_useless(Kind::Keycloak, secret), "{secret}");
            assert!(!is_useless(Kind::Github, secret));
        }
        assert!(!is_useless(Kind::Keycloak, &format!(r#"{{"keys":[{ed}]}}"#)));
        assert!(!is_useless(Kind::Keycloak, "a long secret"));
    }
}
