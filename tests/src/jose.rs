//! Tokens made by hand, of any header, payload and key: for what no honest library would sign.

use std::{path::Path, sync::LazyLock};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _, spki::der::pem::LineEnding};
use jsonwebtoken::{Algorithm, EncodingKey};
use p256::elliptic_curve::sec1::ToEncodedPoint as _;
use rand_core::OsRng;
use rsa::{pkcs1::EncodeRsaPrivateKey as _, traits::PublicKeyParts as _};
use serde_json::{Value, json};

pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// `header.payload.signature`, for any bytes as header and payload.
pub fn jws(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>, key: &EncodingKey, alg: Algorithm) -> String {
    let message = format!("{}.{}", base64url(header), base64url(payload));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, alg).expect("a signature");
    format!("{message}.{signature}")
}

/// The header or the claims with another value for one name; null removes it.
pub fn with(object: &Value, name: &str, value: Value) -> Value {
    let mut object = object.clone();
    let members = object.as_object_mut().expect("an object");
    match value {
        Value::Null => members.remove(name),
        value => members.insert(name.into(), value),
    };
    object
}

/// An asymmetric key, with its public half as a JWKS publishes it.
#[derive(Clone)]
pub struct KeyPair {
    pub alg: Algorithm,
    pub private: EncodingKey,
    /// The public half without `kid`, `alg` and `use`.
    pub jwk: Value,
    /// The public half in PEM.
    pub pem: String,
}

impl KeyPair {
    pub fn rsa(bits: usize) -> Self {
        let key = rsa::RsaPrivateKey::new(&mut OsRng, bits).expect("a key");
        let jwk = json!({
            "kty": "RSA",
            "n": base64url(key.n().to_bytes_be()),
            "e": base64url(key.e().to_bytes_be()),
        });
        let der = key.to_pkcs1_der().expect("a key");
        let pem = key.to_public_key().to_public_key_pem(LineEnding::LF).expect("PEM");
        Self { alg: Algorithm::RS256, private: EncodingKey::from_rsa_der(der.as_bytes()), jwk, pem }
    }

    pub fn p256() -> Self {
        let key = p256::SecretKey::random(&mut OsRng);
        let point = key.public_key().to_encoded_point(false);
        let coordinate = |part: Option<&p256::FieldBytes>| base64url(part.expect("a coordinate"));
        let jwk = json!({
            "kty": "EC", "crv": "P-256", "x": coordinate(point.x()), "y": coordinate(point.y()),
        });
        let der = key.to_pkcs8_der().expect("a key");
        let pem = key.public_key().to_public_key_pem(LineEnding::LF).expect("PEM");
        Self { alg: Algorithm::ES256, private: EncodingKey::from_ec_der(der.as_bytes()), jwk, pem }
    }

    pub fn ed25519() -> Self {
        let key = ed25519_dalek::SigningKey::generate(&mut OsRng);
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(key.verifying_key().as_bytes())});
        let der = key.to_pkcs8_der().expect("a key");
        let pem = key.verifying_key().to_public_key_pem(LineEnding::LF).expect("PEM");
        Self { alg: Algorithm::EdDSA, private: EncodingKey::from_ed_der(der.as_bytes()), jwk, pem }
    }

    /// The same key, used with another algorithm of its family.
    pub fn as_alg(&self, alg: Algorithm) -> Self {
        Self { alg, ..self.clone() }
    }

    /// The public half as an entry of a JWKS.
    pub fn public(&self, kid: &str) -> Value {
        let mut jwk = self.jwk.clone();
        jwk["kid"] = kid.into();
        jwk["use"] = "sig".into();
        jwk
    }

    pub fn header(&self, kid: &str) -> Value {
        json!({"typ": "JWT", "alg": format!("{:?}", self.alg), "kid": kid})
    }

    pub fn sign(&self, kid: &str, payload: &Value) -> String {
        self.sign_as(&self.header(kid), payload)
    }

    pub fn sign_as(&self, header: &Value, payload: &Value) -> String {
        jws(header.to_string(), payload.to_string(), &self.private, self.alg)
    }
}

/// Finding RSA keys takes a while, so all tests share two.
pub static RSA: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::rsa(2048));
pub static OTHER_RSA: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::rsa(2048));

/// A key that a server signs its own tokens with.
pub struct OwnKey {
    pub kid: String,
    pub secret: Vec<u8>,
}

/// The keys that a server signs its own tokens with, newest first.
pub fn own_keys(data_dir: &Path) -> Vec<OwnKey> {
    let file = std::fs::read(data_dir.join("token-keys.json")).expect("the server's keys");
    let keys: Value = serde_json::from_slice(&file).expect("JSON");
    let text = |key: &Value, name: &str| key[name].as_str().expect("a text").to_owned();
    let secret = |key: &Value| URL_SAFE_NO_PAD.decode(text(key, "secret")).expect("base64url");
    let own_key = |key: &Value| OwnKey { kid: text(key, "kid"), secret: secret(key) };
    keys.as_array().expect("keys").iter().map(own_key).collect()
}
