//! How texts are compared: normalized with NFKC and lowercased. Only matching does so; stored texts are not changed.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfkc_quick};

/// Bytes of a normalized text that is never cut.
pub const NEVER_CUT: usize = 256;

/// A longer normalized text is cut. NFKC makes 33 bytes of the three of U+FDFA; without a bound an event of 256 KB would
/// cost what 2.8 MB do. Words of any language have half of this.
fn most(text: &str) -> usize {
    3 * text.len() + NEVER_CUT
}

/// The normalized text, and whether it was cut. A text that is cut between a letter and its combining mark normalizes
/// differently from the whole.
fn normalize_up_to(text: &str, most: usize) -> (Cow<'_, str>, bool) {
    if text.is_ascii() {
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return (Cow::Owned(text.to_ascii_lowercase()), false);
        }
        return (Cow::Borrowed(text), false);
    }
    let mut normalized = String::with_capacity(text.len() + 16);
    // Most texts are NFKC already, and stay so in lower case; to see it costs a fraction of doing it again. Only İ becomes two
    // characters, which may need another order.
    if is_nfkc_quick(text.chars()) == IsNormalized::Yes && !text.contains('İ') {
        for c in text.chars() {
            if c.is_ascii() {
                normalized.push(c.to_ascii_lowercase());
            } else {
                normalized.extend(c.to_lowercase());
            }
        }
        return (Cow::Owned(normalized), false);
    }
    // Lowercase after NFKC, then NFKC again: lowercasing may decompose a letter (İ).
    for c in text.nfkc().flat_map(char::to_lowercase).nfkc() {
        if normalized.len() + c.len_utf8() > most {
            return (Cow::Owned(normalized), true);
        }
        normalized.push(c);
    }
    (Cow::Owned(normalized), false)
}

/// The normalized text of an event, as far as it is searched: the index and [`Needle`] agree on it.
pub fn normalize(text: &str) -> Cow<'_, str> {
    normalize_up_to(text, most(text)).0
}

/// A search text, normalized once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needle(String);

impl Needle {
    pub fn new(text: &str) -> Self {
        Self(normalize_up_to(text, usize::MAX).0.into_owned())
    }

    pub fn normalized(&self) -> &str {
        &self.0
    }

    /// False only when no text inside of a JSON text can contain the search text.
    pub fn may_be_inside(&self, json: &str) -> bool {
        // Its texts may be cut later than it is.
        let (normalized, cut) = normalize_up_to(json, most(json));
        cut || normalized.contains(&self.0)
    }

    /// Whether the normalized `text` contains the search text.
    pub fn is_in(&self, text: &str) -> bool {
        normalize(text).contains(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalization() {
        assert!(Needle::new("JOSÉ").is_in("josé núñez"));
        assert!(Needle::new("jose\u{301}").is_in("José"));
        assert!(Needle::new("ﬁn").is_in("FINE"));
        assert!(Needle::new("李").is_in("李雷"));
        assert!(Needle::new("100%").is_in("at 100% now"));
        assert!(!Needle::new("100%").is_in("1000"));
        assert!(!Needle::new("a_b").is_in("axb"));
    }

    #[test]
    fn what_is_normalized_stays_so_in_lower_case() {
        let is_normalized = |c: char| is_nfkc_quick(std::iter::once(c)) == IsNormalized::Yes;
        for c in (char::MIN..=char::MAX).filter(|c| is_normalized(*c) && *c != 'İ') {
            let lower: Vec<char> = c.to_lowercase().collect();
            assert!(lower.len() == 1 && is_normalized(lower[0]), "{c:?}");
            assert!(lower[0].len_utf8() <= 3 * c.len_utf8(), "{c:?}: never cut");
        }
        for text in ["Žofie ÅNGSTRÖM", "Шевченко", "李雷 ΣΊΣΥΦΟΣ", "İ\u{334}x"] {
            let slowly: String = text.nfkc().flat_map(char::to_lowercase).nfkc().collect();
            assert_eq!(normalize(text), slowly);
        }
    }

    #[test]
    fn a_text_that_normalizes_to_a_much_longer_one_is_cut() {
        let needle = Needle::new("\u{fdfa}");
        assert!(needle.normalized().chars().count() == 18 && needle.is_in("a \u{fdfa} b"));
        let long = "\u{fdfa}".repeat(10_000);
        assert_eq!(normalize(&long).len(), most(&long) / 33 * 33 + most(&long) % 33 / 2 * 2);
        assert!(needle.is_in(&long) && !Needle::new("end").is_in(&format!("{long} end")));
        assert!(Needle::new("end").may_be_inside(&format!("{long} end")));
        // What people write is not: ligatures, full width, letters with marks, Hangul.
        for text in ["ﬁﬂﬀ", "ＦＵＬＬ", "क़ख़ग़", "각각", "ÅÉÎÕÜ", "㎏㎢㍿"] {
            let long = text.repeat(10_000);
            assert!(Needle::new("end").is_in(&format!("{long} end")), "{text}");
        }
    }
}
