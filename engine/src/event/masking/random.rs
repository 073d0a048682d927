//! Whether a text looks like a key that a machine made, rather than a word, a number, a date or a path.

/// Shortest text that can look random.
const LEAST: usize = 8;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Upper,
    Lower,
    Digit,
    /// Between parts of a name: `-`, `_`, `.`, `:`.
    Separator,
    /// `+`, `/`, `=` and other characters.
    Other,
}

fn class(byte: u8) -> Class {
    match byte {
        b'A'..=b'Z' => Class::Upper,
        b'a'..=b'z' => Class::Lower,
        b'0'..=b'9' => Class::Digit,
        b'-' | b'_' | b'.' | b':' => Class::Separator,
        _ => Class::Other,
    }
}

/// True for base64, hexadecimal and base32 of some length, and for shorter mixtures of letters and digits. A path, a URL,
/// a date, a number, a UUID and words are not random; a UUID is one in `is_uuid`.
pub(super) fn looks_random(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < LEAST || !bytes.iter().all(u8::is_ascii_graphic) || is_uuid(text) {
        return false;
    }
    if is_address(bytes) || is_date(bytes) || is_labelled_digest(text) {
        return false;
    }
    let (mut changes, mut letters, mut vowels, mut digits, mut longest) = (0, 0, 0, 0, 0);
    let mut run = 0;
    let mut before = Class::Separator;
    for (i, byte) in bytes.iter().enumerate() {
        let now = class(*byte);
        match (before, now) {
            // A word may begin with one capital letter.
            (Class::Upper, Class::Lower) if i < 2 || !bytes[i - 2].is_ascii_uppercase() => {}
            (Class::Upper | Class::Lower | Class::Digit, Class::Upper | Class::Lower | Class::Digit)
                if before != now =>
            {
                changes += 1;
            }
            _ => {}
        }
        match now {
            Class::Upper | Class::Lower => {
                letters += 1;
                vowels += usize::from(matches!(byte | 0x20, b'a' | b'e' | b'i' | b'o' | b'u' | b'y'));
            }
            Class::Digit => digits += 1,
            Class::Separator | Class::Other => {}
        }
        run = if now == Class::Separator { 0 } else { run + 1 };
        longest = longest.max(run);
        before = now;
    }
    if letters == 0 {
        // A number, however long.
        return false;
    }
    let size = letters + digits;
    // Letters, digits and cases take turns more often than in names such as `PA-2024-00187` and `userName2`.
    if changes >= 3 && changes * 6 >= size {
        return true;
    }
    // Letters alone: no language has so few vowels over such a length.
    digits == 0 && longest >= 20 && vowels * 6 < letters
}

/// A path, a URL, an email address: its parts are names.
fn is_address(bytes: &[u8]) -> bool {
    let is_path = matches!(bytes[0], b'/' | b'~') || bytes.starts_with(b"./") || bytes.starts_with(b"../");
    is_path
        || bytes.windows(3).take(12).any(|three| three == b"://" || three == b":\\\\")
        || bytes.iter().position(|byte| *byte == b'@').is_some_and(|at| at > 0 && bytes[at..].contains(&b'.'))
}

fn is_date(bytes: &[u8]) -> bool {
    bytes.len() >= 10 && bytes[4] == b'-' && bytes[7] == b'-' && bytes[..4].iter().all(u8::is_ascii_digit)
}

/// `sha256:…`, `sha512-…`: the digest of something, and it says so.
fn is_labelled_digest(text: &str) -> bool {
    let lower = text.get(..7).unwrap_or(text).to_ascii_lowercase();
    lower.starts_with("sha") && lower.bytes().any(|byte| matches!(byte, b':' | b'-'))
        || lower.starts_with("md5:")
}

pub(super) fn is_uuid(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(i, byte)| match i {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_random() {
        for text in [
            "f7k2-99xq",
            "87dd40ba8b86f724a7aa2efff0306a396a64f200",
            "lobXEDJH5S5-vNUNqMcHfhCdh33XelJ7zyU2gAUW",
            "MRTGYZ3BNVXW4ZLSOQ",
            "qzXwvkPnRtLmBcGhJdFsKx",
            "Zx81kQ9p",
        ] {
            assert!(looks_random(text), "{text}");
        }
        for text in [
            "PA-2024-00187",
            "A0098812",
            "approved",
            "2026-03-01T10:00:00Z",
            "/etc/ssl/private/clinic.key",
            "uploads/2026/scan-17.png",
            "patient.name",
            "userName2",
            "ORD-2024-0000918273",
            "a401a006-e524-460b-87c3-efe91686bc82",
            "sha256:87dd40ba8b86f724a7aa2efff0306a396a64f200",
            "correct horse battery staple",
            "asha@clinic.test",
            "https://clinic.test/a9f3k2",
            "DE89370400440532013000",
            "internationalization",
            "v2.14.0-rc1",
        ] {
            assert!(!looks_random(text), "{text}");
        }
    }
}
