//! Finds the secrets inside a text.
//!
//! One pass of an automaton decides for most texts that there is nothing. What it hits is looked at where it stands
//! ([`shapes`](super::shapes), [`issuers`](super::issuers)); names with values ([`pairs`](super::pairs)) are looked for
//! when the text has a part of such a name.
//!
//! Time is linear: from each hit a rule reads a bounded number of bytes, or as far as it masks or as a hit can no longer
//! matter, and no byte twice so.

use std::{ops::Range, sync::LazyLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::{
    fields::Names,
    issuers::ISSUERS,
    pairs,
    shapes::{self, Shape},
    words::{HINTS, WIDE_HINTS},
};

/// Shortest text that can have a secret inside: `pin=1234`.
const SHORTEST: usize = 8;
/// Shortest secret of the bytes of words alone (`sk_live_…`): names, dates and most other values are shorter.
const SHORTEST_OF_WORDS: usize = 18;

/// Letters, digits, and what joins words, dates and paths.
fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/')
}

#[derive(Clone, Copy)]
enum Pattern {
    Issuer(usize),
    Shape(Shape),
    /// Part of a secret's name.
    Hint,
}

static PATTERNS: LazyLock<(AhoCorasick, Vec<Pattern>)> = LazyLock::new(|| {
    let mut texts: Vec<String> = Vec::new();
    let mut patterns = Vec::new();
    let mut add = |text: String, pattern| {
        if !texts.contains(&text) {
            texts.push(text);
            patterns.push(pattern);
        }
    };
    for (i, issuer) in ISSUERS.iter().enumerate() {
        add(issuer.prefix.to_owned(), Pattern::Issuer(i));
    }
    for (text, shape) in shapes::STARTS {
        add((*text).to_owned(), Pattern::Shape(*shape));
    }
    for hint in HINTS.iter().chain(WIDE_HINTS) {
        let mut chars = hint.chars();
        let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
        add((*hint).to_owned(), Pattern::Hint);
        add(first + chars.as_str(), Pattern::Hint);
        add(hint.to_uppercase(), Pattern::Hint);
    }
    for script in super::words::SCRIPTS {
        add((*script).to_owned(), Pattern::Hint);
    }
    // Letters that are written full-width or have something invisible between them may hide a name.
    for c in ('ａ'..='ｚ')
        .chain('Ａ'..='Ｚ')
        .chain(('\u{ad}'..='\u{feff}').filter(|c| super::names::is_invisible(*c)))
    {
        add(c.to_string(), Pattern::Hint);
    }
    let look = AhoCorasick::builder()
        .match_kind(MatchKind::Standard)
        .kind(Some(AhoCorasickKind::DFA))
        .build(&texts)
        .expect("a constant list");
    (look, patterns)
});

/// Whether a text may have a secret inside, by one pass.
pub(super) fn may_have_secrets(text: &str) -> bool {
    if text.len() < SHORTEST || (text.len() < SHORTEST_OF_WORDS && text.bytes().all(is_of_word)) {
        return false;
    }
    PATTERNS.0.is_match(text)
}

/// The places of the secrets, in order and apart from each other. `in_cookies`: the text is what a header of cookies says.
pub(super) fn secrets(text: &str, in_cookies: bool, of: Names<'_>) -> Vec<Range<usize>> {
    let listed = of.has_masks() && text.contains(['=', ':', ' ']);
    if !in_cookies && !listed && !may_have_secrets(text) {
        return Vec::new();
    }
    let (look, patterns) = &*PATTERNS;
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut names = in_cookies || listed;
    // What is before is masked already, or belongs to a run of letters that was looked at.
    let mut done = 0;
    for hit in look.find_overlapping_iter(text) {
        let start = hit.start();
        match patterns[hit.pattern().as_usize()] {
            Pattern::Hint => names = true,
            _ if start < done => {}
            Pattern::Issuer(i) => {
                if let Some(end) = ISSUERS[i].end(bytes, start) {
                    found.push(start..end);
                    done = end;
                }
            }
            Pattern::Shape(shape) => {
                let seen = shapes::look(shape, text, start, hit.end());
                found.extend(seen.secret);
                done = done.max(seen.until);
            }
        }
    }
    if names {
        pairs::find(text, in_cookies, of, &mut found);
    }
    united(found)
}

fn united(mut found: Vec<Range<usize>>) -> Vec<Range<usize>> {
    found.retain(|range| !range.is_empty());
    found.sort_unstable_by_key(|range| (range.start, range.end));
    let mut united: Vec<Range<usize>> = Vec::new();
    for range in found {
        match united.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => united.push(range),
        }
    }
    united
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_of_word_bytes_is_shorter_than_is_looked_at() {
        let of_words = |text: &str| text.bytes().all(is_of_word);
        for issuer in ISSUERS.iter().filter(|issuer| of_words(issuer.prefix)) {
            assert!(issuer.prefix.len() + issuer.least >= SHORTEST_OF_WORDS, "{}", issuer.prefix);
        }
        // A hash has at least 16 bytes behind its start, a JWT 20 in all; the other shapes have other bytes.
        let starts: Vec<_> =
            shapes::STARTS.iter().map(|(start, _)| *start).filter(|start| of_words(start)).collect();
        assert_eq!(starts, ["pbkdf2_sha", "eyJ"]);
    }
}
