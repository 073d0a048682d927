//! Public keys that verify signatures of tokens: one in PEM, or a key set (JWKS, RFC 7517).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse},
};
use serde_json::Value;

/// Shorter keys can be broken (NIST SP 800-57, part 1).
const MIN_RSA_BYTES: usize = 2048 / 8;

/// A key, and the algorithms that it may be used with.
#[derive(Clone)]
pub(super) struct PublicKey {
    kid: Option<String>,
    pub algorithms: Vec<Algorithm>,
    pub decoding: DecodingKey,
}

/// The algorithms of a kind of key, as far as the configuration has them.
fn of_family(family: AlgorithmFamily, configured: &[Algorithm]) -> Vec<Algorithm> {
    configured.iter().copied().filter(|alg| alg.family() == family).collect()
}

impl PublicKey {
    /// # Errors
    /// A message for the person who configured it.
    pub(super) fn from_pem(pem: &[u8], configured: &[Algorithm]) -> Result<Self, String> {
        if !pem.starts_with(b"-----BEGIN PUBLIC KEY-----")
            && !pem.starts_with(b"-----BEGIN RSA PUBLIC KEY-----")
        {
            return Err("this is not a public key in PEM".into());
        }
        let decoding = DecodingKey::from_rsa_pem(pem)
            .or_else(|_| DecodingKey::from_ec_pem(pem))
            .or_else(|_| DecodingKey::from_ed_pem(pem))
            .map_err(|_| "this is not a public key for RSA, ECDSA or Ed25519".to_owned())?;
        if decoding.family() == AlgorithmFamily::Rsa
            && decoding.try_get_as_bytes().is_ok_and(|der| der.len() < MIN_RSA_BYTES)
        {
            return Err("an RSA key needs at least 2048 bits".into());
        }
        let algorithms = of_family(decoding.family(), configured);
        if algorithms.is_empty() {
            return Err("none of the configured algorithms fits this kind of key".into());
        }
        Ok(Self { kid: None, algorithms, decoding })
    }

    /// None for a key that is not for verifying signatures, or not for the configured algorithms. Always None for symmetric
    /// keys: whoever can read a published secret can sign with it.
    fn from_jwk(jwk: &Value, configured: &[Algorithm]) -> Option<Self> {
        // Unknown kinds of keys are ignored (RFC 7517, section 5).
        let jwk: Jwk = serde_json::from_value(jwk.clone()).ok()?;
        let signs = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature))
            && jwk.common.key_operations.as_ref().is_none_or(|ops| ops.contains(&KeyOperations::Verify));
        let mut algorithms = match &jwk.algorithm {
            AlgorithmParameters::RSA(rsa) => {
                let modulus = URL_SAFE_NO_PAD.decode(&rsa.n).ok()?;
                let bytes = modulus.iter().skip_while(|byte| **byte == 0).count();
                if bytes < MIN_RSA_BYTES {
                    return None;
                }
                of_family(AlgorithmFamily::Rsa, configured)
            }
            AlgorithmParameters::EllipticCurve(ec) => match ec.curve {
                EllipticCurve::P256 => vec![Algorithm::ES256],
                EllipticCurve::P384 => vec![Algorithm::ES384],
                _ => return None,
            },
            AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
                vec![Algorithm::EdDSA]
            }
            AlgorithmParameters::OctetKey(_) => {
                tracing::debug!(kid = jwk.common.key_id, "a key set has a secret; it is not used");
                return None;
            }
            _ => return None,
        };
        algorithms.retain(|alg| configured.contains(alg));
        if let Some(only) = jwk.common.key_algorithm {
            algorithms.retain(|alg| Algorithm::try_from(only).is_ok_and(|only| only == *alg));
        }
        if !signs || algorithms.is_empty() {
            return None;
        }
        let decoding = DecodingKey::from_jwk(&jwk).ok()?;
        Some(Self { kid: jwk.common.key_id, algorithms, decoding })
    }
}

/// The keys of a set that can be used here.
pub(super) fn usable(set: &[Value], configured: &[Algorithm]) -> Vec<PublicKey> {
    set.iter().filter_map(|jwk| PublicKey::from_jwk(jwk, configured)).collect()
}

/// A token that names no key is verified with the only key for its algorithm. Keys are never tried one after the other.
pub(super) fn pick(keys: &[PublicKey], kid: Option<&str>, alg: Algorithm) -> Option<PublicKey> {
    let mut fitting = keys
        .iter()
        .filter(|key| key.algorithms.contains(&alg))
        .filter(|key| kid.is_none() || key.kid.as_deref() == kid);
    let found = fitting.next()?;
    (kid.is_some() || fitting.next().is_none()).then(|| found.clone())
}
