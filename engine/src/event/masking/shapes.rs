//! Secrets that are known by their shape, whatever they are called: password hashes, JWTs, private keys, credentials in
//! URLs and behind Bearer and Basic.

use std::ops::Range;

use memchr::memmem;

use super::{pairs::is_placeholder, random::looks_random};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Hash,
    Jwt,
    PrivateKey,
    Url,
    Bearer,
    Basic,
    Telegram,
    Azure,
}

/// How each shape begins.
pub(super) const STARTS: &[(&str, Shape)] = &[
    // Django's and Werkzeug's: algorithm$iterations$salt$hash
    ("pbkdf2_sha", Shape::Hash),
    ("pbkdf2:sha", Shape::Hash),
    ("scrypt$", Shape::Hash),
    ("scrypt:", Shape::Hash),
    ("bcrypt_sha256$", Shape::Hash),
    ("bcrypt$", Shape::Hash),
    ("argon2$", Shape::Hash),
    ("md5$", Shape::Hash),
    ("sha1$", Shape::Hash),
    ("sha256$", Shape::Hash),
    // crypt(3) and PHC strings
    ("$2a$", Shape::Hash),
    ("$2b$", Shape::Hash),
    ("$2x$", Shape::Hash),
    ("$2y$", Shape::Hash),
    ("$1$", Shape::Hash),
    ("$5$", Shape::Hash),
    ("$6$", Shape::Hash),
    ("$7$", Shape::Hash),
    ("$y$", Shape::Hash),
    ("$gy$", Shape::Hash),
    ("$argon2", Shape::Hash),
    ("$scrypt$", Shape::Hash),
    ("$pbkdf2", Shape::Hash),
    ("$apr1$", Shape::Hash),
    ("$P$", Shape::Hash),
    ("$H$", Shape::Hash),
    // LDAP, PostgreSQL
    ("{SSHA", Shape::Hash),
    ("{SHA}", Shape::Hash),
    ("{CRYPT}", Shape::Hash),
    ("{PBKDF2", Shape::Hash),
    ("SCRAM-SHA-256$", Shape::Hash),
    // RFC 7519
    ("eyJ", Shape::Jwt),
    ("-----BEGIN ", Shape::PrivateKey),
    ("://", Shape::Url),
    ("earer ", Shape::Bearer),
    ("EARER ", Shape::Bearer),
    ("earer%20", Shape::Bearer),
    ("asic ", Shape::Basic),
    ("ASIC ", Shape::Basic),
    ("asic%20", Shape::Basic),
    // gitleaks: telegram-bot-api-token, azure-ad-client-secret
    (":AA", Shape::Telegram),
    ("8Q~", Shape::Azure),
    ("7Q~", Shape::Azure),
];

/// Shortest hash behind its start, in bytes.
const LEAST_HASH: usize = 16;
/// Longest user and password in a URL, in bytes.
const LONGEST_USERINFO: usize = 1024;
/// Longest words between BEGIN and the dashes.
const LONGEST_LABEL: usize = 80;
/// Longest text that can be a header's value alone, in bytes.
const SHORT: usize = 256;
/// Longest value of an `Authorization` header that is looked at, in bytes, where it need not be masked.
const LONGEST_BASIC: usize = 4096;

/// What was found at a start, and up to where no other start matters.
pub(super) struct Seen {
    pub secret: Option<Range<usize>>,
    pub until: usize,
}

impl Seen {
    fn nothing() -> Self {
        Self { secret: None, until: 0 }
    }

    fn secret(range: Range<usize>) -> Self {
        Self { until: range.end, secret: Some(range) }
    }
}

/// `start..end` is what `STARTS` has.
pub(super) fn look(shape: Shape, text: &str, start: usize, end: usize) -> Seen {
    match shape {
        Shape::Hash => hash(text, start, end),
        Shape::Jwt => jwt(text.as_bytes(), start),
        Shape::PrivateKey => private_key(text, start, end),
        Shape::Url => userinfo(text, end),
        Shape::Bearer => bearer(text, start, end),
        Shape::Basic => basic(text, start, end),
        Shape::Telegram => telegram(text.as_bytes(), start),
        Shape::Azure => azure(text.as_bytes(), start, end),
    }
}

fn run(bytes: &[u8], from: usize, has: impl Fn(u8) -> bool) -> usize {
    from + bytes[from..].iter().take_while(|byte| has(**byte)).count()
}

/// As [`run`], of at most so many bytes.
fn short_run(bytes: &[u8], from: usize, most: usize, has: impl Fn(u8) -> bool) -> usize {
    from + bytes[from..].iter().take(most).take_while(|byte| has(**byte)).count()
}

fn after_word(bytes: &[u8], start: usize) -> bool {
    start > 0 && bytes[start - 1].is_ascii_alphanumeric()
}

fn hash(text: &str, start: usize, end: usize) -> Seen {
    let bytes = text.as_bytes();
    let has = |byte: u8| byte.is_ascii_alphanumeric() || b"./$=,+-_:}".contains(&byte);
    if text[start..end].starts_with(|c: char| c.is_ascii_alphabetic()) && after_word(bytes, start) {
        return Seen::nothing();
    }
    if short_run(bytes, end, LEAST_HASH, has) < end + LEAST_HASH {
        return Seen::nothing();
    }
    let to = run(bytes, end, has);
    // "scrypt:" and the like begin words too: a hash has its salt behind a dollar sign, and a part that is random.
    let parts = &text.as_bytes()[end..to];
    let salted = text[start..end].contains(['$', '{']) || parts.contains(&b'$');
    let random = parts.iter().any(u8::is_ascii_digit) || parts.iter().any(u8::is_ascii_uppercase);
    if salted && random { Seen::secret(start..to) } else { Seen { secret: None, until: to } }
}

fn is_base64_url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// Three parts, or the five of an encrypted one.
fn jwt(bytes: &[u8], start: usize) -> Seen {
    let header = run(bytes, start, is_base64_url);
    // The whole run is no header, wherever in it one might begin.
    let no = Seen { secret: None, until: header };
    if header < start + 11 || bytes.get(header) != Some(&b'.') {
        return no;
    }
    if short_run(bytes, header + 1, 8, is_base64_url) < header + 9 {
        return no;
    }
    let mut end = run(bytes, header + 1, is_base64_url);
    for _ in 0..3 {
        if bytes.get(end) != Some(&b'.') {
            break;
        }
        end = run(bytes, end + 1, is_base64_url);
    }
    Seen::secret(start..end)
}

/// To the line that ends it; without that, to the end of the text.
fn private_key(text: &str, start: usize, end: usize) -> Seen {
    let bytes = text.as_bytes();
    let label = &bytes[end..bytes.len().min(end + LONGEST_LABEL)];
    let Some(key) = memmem::find(label, b"PRIVATE KEY") else { return Seen::nothing() };
    let begun = &label[key..];
    if memmem::find(&label[..key], b"-----").is_some()
        || !(begun.starts_with(b"PRIVATE KEY-----") || begun.starts_with(b"PRIVATE KEY BLOCK-----"))
    {
        return Seen::nothing();
    }
    let body = end + key;
    let Some(last) = memmem::find(&bytes[body..], b"-----END ") else {
        return Seen::secret(start..bytes.len());
    };
    let last = body + last + "-----END ".len();
    let tail = &bytes[last..bytes.len().min(last + LONGEST_LABEL)];
    let length = memmem::find(tail, b"-----").map_or(0, |dashes| dashes + "-----".len());
    Seen::secret(start..last + length)
}

/// `scheme://user:password@host`.
fn userinfo(text: &str, from: usize) -> Seen {
    let bytes = text.as_bytes();
    let ends = |byte: &u8| byte.is_ascii_whitespace() || b"/?#\"'<>\\`".contains(byte);
    let authority = &bytes[from..bytes.len().min(from + LONGEST_USERINFO)];
    let authority = &authority[..authority.iter().position(ends).unwrap_or(authority.len())];
    let Some(at) = memchr::memrchr(b'@', authority) else { return Seen::nothing() };
    let secret = match memchr::memchr(b':', &authority[..at]) {
        Some(colon) => from + colon + 1..from + at,
        None => from..from + at,
    };
    let is_user = secret.start == from;
    let Some(value) = text.get(secret.clone()) else { return Seen::nothing() };
    if is_placeholder(value) || (is_user && !looks_random(value)) {
        return Seen::nothing();
    }
    Seen::secret(secret)
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._~+/=-".contains(&byte)
}

/// Behind `Bearer`. A short word is one of a sentence, unless nothing else is there.
fn bearer(text: &str, start: usize, from: usize) -> Seen {
    let bytes = text.as_bytes();
    let first = start.checked_sub(1).filter(|first| matches!(bytes[*first], b'b' | b'B'));
    let Some(first) = first.filter(|first| !after_word(bytes, *first)) else { return Seen::nothing() };
    let from = run(bytes, from, |byte| byte == b' ');
    let end = run(bytes, from, is_token);
    let value = text[from..end].trim_end_matches('.');
    let alone = text.len() <= SHORT && text[..first].trim().is_empty() && text[end..].trim().is_empty();
    let has_digit = value.bytes().any(|byte| byte.is_ascii_digit());
    let random = || looks_random(&value[..value.len().min(SHORT)]);
    if value.len() >= 20 || random() || (alone && has_digit) {
        return Seen::secret(from..from + value.len());
    }
    Seen { secret: None, until: end }
}

/// Behind `Basic`: base64 of a user, a colon and a password.
fn basic(text: &str, start: usize, from: usize) -> Seen {
    let bytes = text.as_bytes();
    let first = start.checked_sub(1).filter(|first| matches!(bytes[*first], b'b' | b'B'));
    if first.is_none_or(|first| after_word(bytes, first)) {
        return Seen::nothing();
    }
    let from = run(bytes, from, |byte| byte == b' ');
    let end = short_run(bytes, from, LONGEST_BASIC, is_token);
    let value = text[from..end].trim_end_matches(['.', '-']);
    let credentials = decoded(value.trim_end_matches('='));
    let is_text =
        |bytes: &Vec<u8>| bytes.contains(&b':') && bytes.iter().all(|byte| !byte.is_ascii_control());
    if credentials
        .is_some_and(|credentials| is_text(&credentials) && std::str::from_utf8(&credentials).is_ok())
    {
        return Seen::secret(from..from + value.len());
    }
    Seen { secret: None, until: end }
}

/// Base64 of either alphabet, without padding.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::with_capacity(text.len() * 3 / 4));
    for byte in text.bytes() {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}

/// `8417458145:AA…`
fn telegram(bytes: &[u8], colon: usize) -> Seen {
    let digits = bytes[..colon].iter().rev().take(17).take_while(|byte| byte.is_ascii_digit()).count();
    let end = short_run(bytes, colon + 1, 36, is_base64_url);
    if (5..=16).contains(&digits) && !after_word(bytes, colon - digits) && end == colon + 36 {
        return Seen::secret(colon - digits..end);
    }
    Seen::nothing()
}

/// `abc8Q~…`
fn azure(bytes: &[u8], digit: usize, from: usize) -> Seen {
    let has = |byte: u8| byte.is_ascii_alphanumeric() || b"_~.-".contains(&byte);
    let end = short_run(bytes, from, 40, has);
    if digit >= 3
        && bytes[digit - 3..digit].iter().all(|byte| has(*byte))
        && (31..=34).contains(&(end - from))
    {
        return Seen::secret(digit - 3..end);
    }
    Seen::nothing()
}
