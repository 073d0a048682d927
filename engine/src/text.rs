//! How texts are compared: normalized with NFKC and lowercased. Only matching does so; stored texts are not changed.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

/// The normalized text. A text that is cut between a letter and its combining mark normalizes differently from the
/// whole.
pub fn normalize(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Cow::Owned(text.to_ascii_lowercase());
        }
        return Cow::Borrowed(text);
    }
    // Lowercase after NFKC, then NFKC again: lowercasing may decompose a letter (İ).
    Cow::Owned(text.nfkc().flat_map(char::to_lowercase).nfkc().collect())
}

/// A search text, normalized once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needle(String);

impl Needle {
    pub fn new(text: &str) -> Self {
        Self(normalize(text).into_owned())
    }

    pub fn normalized(&self) -> &str {
        &self.0
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
}
