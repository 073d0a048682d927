//! An authenticator app, which shares no code with the server's library (RFC 6238 over RFC 4226).

use std::time::{SystemTime, UNIX_EPOCH};

use ring::hmac;
use serde_json::json;

use crate::{Client, TestServer};

/// The app of somebody who has turned the second factor on.
pub struct Authenticator {
    pub secret: Vec<u8>,
    /// As they were shown.
    pub recovery_codes: Vec<String>,
}

impl Authenticator {
    /// Turns the second factor of a signed-in person on.
    #[track_caller]
    pub fn turn_on(server: &TestServer, client: &Client) -> Self {
        let made = client.post("/me/second_factor", json!(null)).expect(201).json;
        let mut app = Self::new(made["secret"].as_str().expect("a secret"));
        let on = client.put("/me/second_factor", json!({"code": app.code(0)})).expect(200).json;
        app.recovery_codes = serde_json::from_value(on["recovery_codes"].clone()).expect("ten codes");
        half_a_minute_later(server);
        app
    }

    pub fn new(base32: &str) -> Self {
        Self { secret: decode(base32), recovery_codes: Vec::new() }
    }

    /// The code of now, or of so many steps of half a minute later.
    pub fn code(&self, later: i64) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_secs();
        let step = (now / 30).checked_add_signed(later).expect("a time after 1970");
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.secret);
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let offset = usize::from(tag[19] & 15);
        let bytes: [u8; 4] = tag[offset..offset + 4].try_into().expect("four bytes");
        format!("{:06}", (u32::from_be_bytes(bytes) & 0x7fff_ffff) % 1_000_000)
    }

    /// Six digits that are not among those that are accepted now.
    pub fn wrong_code(&self) -> String {
        let right: Vec<String> = (-2..=2).map(|later| self.code(later)).collect();
        (0..10).map(|n| format!("{n:06}")).find(|code| !right.contains(code)).expect("a wrong code")
    }
}

/// As if the last code had been used long ago: the one of now is accepted.
pub fn half_a_minute_later(server: &TestServer) {
    server.sql("UPDATE second_factors SET last_step = 1");
}

fn decode(base32: &str) -> Vec<u8> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits: String = base32
        .chars()
        .map(|letter| format!("{:05b}", ALPHABET.find(letter).expect("a letter of base32")))
        .collect();
    let bytes = bits.as_bytes().chunks_exact(8);
    bytes
        .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).expect("bits"), 2).expect("a byte"))
        .collect()
}
