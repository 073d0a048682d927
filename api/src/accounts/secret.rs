//! Random secrets, and what the database keeps of them.

use base16ct::lower::encode_string;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system provides random numbers");
    bytes
}

/// 256 random bits as base64url: for links, refresh tokens and keys.
pub fn random_token() -> String {
    URL_SAFE_NO_PAD.encode(random_bytes::<32>())
}

/// Random letters and digits: an id that nobody guesses or has to read aloud.
pub fn random_id(length: usize) -> String {
    random_token().chars().filter(char::is_ascii_alphanumeric).take(length).collect()
}

/// What the database keeps of a random token.
pub fn token_hash(token: &str) -> String {
    encode_string(&Sha256::digest(token.as_bytes()))
}
