//! Names with values inside a text: `password=…`, `X-Api-Key: …`, `"token": "…"`, cookies.

use std::ops::Range;

use super::{
    fields::Names,
    json,
    names::{Verdict, verdict},
    random::{is_uuid, looks_random},
    sentences,
    words::{PLACEHOLDERS, SESSIONS},
};

/// Longest name that is looked for before a separator, in bytes.
pub(super) const LONGEST_NAME: usize = 64;
/// Longest value in quotes that is looked at where it is masked only when it looks random, in bytes.
pub(super) const LONGEST_QUOTED: usize = 4096;
/// As many bytes of a value tell whether it looks random.
const ENOUGH: usize = 64;
/// Most blanks and quotes between name, separator and value.
const MOST_BETWEEN: usize = 8;
/// Most words of a name, as in "API key of Stripe".
const MOST_WORDS: usize = 3;
/// What stands before the credentials of an `Authorization` header, and whether they go on to the end of the line.
const SCHEMES: &[(&str, bool)] = &[
    ("bearer", false),
    ("basic", false),
    ("token", false),
    ("negotiate", false),
    ("ntlm", false),
    ("apikey", false),
    ("api-key", false),
    ("key", false),
    ("sso-key", false),
    ("splunk", false),
    ("digest", true),
    ("oauth", true),
    ("hmac", true),
    ("aws4-hmac-sha256", true),
    ("signature", true),
    ("hawk", true),
    ("dpop", false),
];

/// Adds the places of the values to `found`.
pub(super) fn find(text: &str, in_cookies: bool, names: Names<'_>, found: &mut Vec<Range<usize>>) {
    if in_cookies {
        cookies(text, 0..text.len(), names, found);
        return;
    }
    let bytes = text.as_bytes();
    // What is before is a value already.
    let mut done = 0;
    let mut seen = Seen::default();
    for separator in memchr::memchr2_iter(b'=', b':', bytes) {
        if separator < done {
            continue;
        }
        let Some(name) = name_before(text, separator) else { continue };
        let name = &text[name];
        if name != seen.name {
            (seen.name, seen.verdict) = (name, name_verdict(name, names));
        }
        if seen.verdict <= Verdict::Plain {
            continue;
        }
        let at = ValueAt::after(text, separator);
        done = done.max(value(text, &mut seen, &at, names, found));
    }
    sentences::flags(text, names, found);
    sentences::verbs(text, names, found);
}

/// What the last name and value were, so that a text that repeats them costs no more than another one.
struct Seen<'a> {
    name: &'a str,
    verdict: Verdict,
    /// The end of the value without quotes that was looked at last.
    bare_end: usize,
}

impl Default for Seen<'_> {
    fn default() -> Self {
        Self { name: "", verdict: Verdict::Plain, bare_end: 0 }
    }
}

/// In a text, session ids count too, since that is where cookies and URLs have them.
fn name_verdict(name: &str, names: Names<'_>) -> Verdict {
    if let Some(listed) = names.listed_in_text(name) {
        return listed;
    }
    let known = verdict(name);
    if known > Verdict::Plain {
        return known;
    }
    let last = name.rsplit(['.', '_', '-', ' ']).next().unwrap_or(name).to_ascii_lowercase();
    if SESSIONS.contains(&last.as_str()) || last.starts_with("aspsessionid") {
        Verdict::Weak
    } else {
        Verdict::Plain
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric()
        || matches!(c, '_' | '-' | '.' | '[' | ']' | '$')
        || !c.is_ascii() && !c.is_whitespace()
}

/// The name that ends before the separator: with blanks and quotes between, up to three words when it has no quotes.
pub(super) fn name_before(text: &str, separator: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut end = separator;
    while end > 0 && separator - end < MOST_BETWEEN && b" \t\"'`\\".contains(&bytes[end - 1]) {
        end -= 1;
    }
    let is_quoted = text[end..separator].contains(['"', '\'', '`']);
    let least = text.floor_char_boundary(end.saturating_sub(LONGEST_NAME));
    let mut start = end;
    let mut words = 1;
    for (at, c) in text[least..end].char_indices().rev() {
        let is_gap = c == ' ' && !is_quoted && words < MOST_WORDS && start < end;
        if !is_name(c) && !is_gap {
            break;
        }
        words += usize::from(is_gap);
        start = least + at;
    }
    let name = text[start..end].trim_start();
    let has_letters = name.chars().any(char::is_alphabetic);
    has_letters.then(|| end - name.len()..end)
}

/// Where a value is: with its quotes left out.
pub(super) struct ValueAt {
    pub(super) start: usize,
    /// The closing quotes, with the backslashes before them.
    quotes: Option<(usize, u8)>,
    /// Behind a colon and a blank, as in a sentence.
    in_prose: bool,
}

impl ValueAt {
    pub(super) fn after(text: &str, separator: usize) -> Self {
        let bytes = text.as_bytes();
        let mut start = separator + 1;
        // => and :=
        if bytes.get(start).is_some_and(|byte| matches!(byte, b'>' | b'=')) {
            start += 1;
        }
        let blanks = start;
        while start < bytes.len() && start - blanks < MOST_BETWEEN && matches!(bytes[start], b' ' | b'\t') {
            start += 1;
        }
        let in_prose = bytes[separator] == b':' && start > blanks;
        let slashes = bytes[start..].iter().take(MOST_BETWEEN * 4).take_while(|byte| **byte == b'\\').count();
        let quote = bytes.get(start + slashes).copied().filter(|byte| b"\"'`".contains(byte));
        match quote {
            Some(quote) => {
                Self { start: start + slashes + 1, quotes: Some((slashes, quote)), in_prose: false }
            }
            None => Self { start, quotes: None, in_prose },
        }
    }

    /// The end of the value, at most `most` bytes on. A value that is longer than that is None.
    pub(super) fn end(&self, text: &str, most: usize) -> Option<usize> {
        let bytes = text.as_bytes();
        let limit = bytes.len().min(self.start.saturating_add(most));
        let rest = &bytes[self.start..limit];
        let end = match self.quotes {
            Some((slashes, quote)) => closing(rest, slashes, quote),
            None => bare(rest),
        };
        match end {
            Some(end) => Some(self.start + end),
            None => (limit == bytes.len()).then_some(limit),
        }
    }
}

/// Where the quotes close: with as many backslashes before them as the opening ones have.
fn closing(rest: &[u8], slashes: usize, quote: u8) -> Option<usize> {
    let mut escaped = 0;
    for (i, byte) in rest.iter().enumerate() {
        if *byte == quote && escaped <= slashes {
            return Some(i - escaped);
        }
        escaped = if *byte == b'\\' { escaped + 1 } else { 0 };
    }
    None
}

/// Where a value without quotes ends: at a blank, a quote, or a separator behind which another name or nothing follows.
fn bare(rest: &[u8]) -> Option<usize> {
    let begins_name = |from: usize| {
        let name = rest[from..].iter().take(LONGEST_NAME);
        let name = name.take_while(|byte| byte.is_ascii_alphanumeric() || b"_-.[]%".contains(byte)).count();
        rest.get(from + name)
            .is_none_or(|byte| matches!(byte, b'=' | b':') && name > 0 || byte.is_ascii_whitespace())
    };
    for (i, byte) in rest.iter().enumerate() {
        let ends = match byte {
            b'"' | b'\'' | b'`' | b'<' => true,
            b'\\' => matches!(rest.get(i + 1), Some(b'n' | b'r' | b't' | b'"' | b'\\')),
            b'&' | b';' | b',' | b'|' => begins_name(i + 1),
            byte => byte.is_ascii_whitespace(),
        };
        if ends {
            return Some(i);
        }
    }
    None
}

/// Adds the place of one value, if it is to be masked. Returns up to where other names do not matter.
fn value(
    text: &str,
    seen: &mut Seen<'_>,
    at: &ValueAt,
    names: Names<'_>,
    found: &mut Vec<Range<usize>>,
) -> usize {
    let (name, verdict) = (seen.name, seen.verdict);
    if verdict == Verdict::Listed {
        let end = listed_end(text, at);
        found.push(at.start..end);
        return end;
    }
    let rest = &text[at.start..];
    if rest.starts_with("//") {
        return 0;
    }
    if verdict == Verdict::Cookies {
        let end = line_end(text, at.start);
        cookies(text, at.start..end, names, found);
        return end;
    }
    if names_header(name)
        && let Some(secret) = credentials(text, at.start)
    {
        found.push(secret.clone());
        return secret.end;
    }
    let end = match &at.quotes {
        // Wherever in it a value begins, it ends there.
        None if at.start <= seen.bare_end => Some(seen.bare_end),
        None => at.end(text, usize::MAX),
        Some(_) if verdict == Verdict::Secret => at.end(text, usize::MAX),
        Some(_) => at.end(text, LONGEST_QUOTED),
    };
    let Some(mut end) = end else { return 0 };
    if at.quotes.is_none() {
        seen.bare_end = end;
        let kept = text[at.start..end].trim_end_matches([')', ']', '}', '>', ',', ';', '.', '!']);
        end = at.start + kept.len();
    }
    let value = &text[at.start..end];
    let continues = || at.in_prose && is_sentence(text, at.start, end);
    if is_secret_value(value, verdict) && !continues() {
        found.push(at.start..end);
        return end;
    }
    if verdict == Verdict::Weak { at.start } else { end }
}

/// The end of a value that is masked whatever it is. In a sentence it may have several words.
fn listed_end(text: &str, at: &ValueAt) -> usize {
    let rest = &text[at.start..];
    if at.quotes.is_none() && rest.starts_with(['[', '{', '(']) {
        return at.start + json::closing_bracket(rest.as_bytes());
    }
    if at.in_prose {
        return at.start + rest.find(['\n', '\r', ',', ';', '"']).unwrap_or(rest.len());
    }
    at.end(text, usize::MAX).unwrap_or(text.len())
}

/// What stands behind the scheme at the beginning of an `Authorization` header's value.
pub(super) fn credentials(text: &str, start: usize) -> Option<Range<usize>> {
    let Scheme { end: from, to_line_end } = scheme(text, start)?;
    let rest = &text.as_bytes()[from..];
    let ends = |byte: &u8| byte.is_ascii_whitespace() || b"\\\"',;&".contains(byte);
    let end = match to_line_end {
        true => line_end(text, from),
        false => from + rest.iter().position(ends).unwrap_or(rest.len()),
    };
    (!is_placeholder(&text[from..end])).then_some(from..end)
}

fn names_header(name: &str) -> bool {
    let last = name.rsplit(['-', '_', ' ', '.']).next().unwrap_or(name);
    let last = last.get(last.len().saturating_sub("authorization".len())..).unwrap_or(last);
    last.eq_ignore_ascii_case("authorization")
}

/// Whether a value of a field with this verdict is one to mask.
pub(super) fn is_secret_value(value: &str, verdict: Verdict) -> bool {
    match verdict {
        Verdict::Kept | Verdict::Plain => false,
        Verdict::Weak | Verdict::Cookies => {
            looks_random(&value[..value.floor_char_boundary(ENOUGH)]) || is_uuid(value)
        }
        Verdict::PinCode => {
            let digits = value.bytes().filter(u8::is_ascii_digit).count();
            digits == value.trim().len() && digits >= 3 && digits != 6
        }
        Verdict::Secret => !is_placeholder(value),
        Verdict::Listed => !value.is_empty(),
    }
}

/// What stands where a secret would be and is none: nothing, asterisks, `${PASSWORD}`, "changed".
pub(super) fn is_placeholder(value: &str) -> bool {
    let inner = value.trim().trim_matches(['[', ']', '<', '>', '(', ')', '{', '}', '*', '•', '.', '-', '_']);
    let is_crossed_out = |c| matches!(c, 'x' | 'X' | '*' | '•' | '●');
    if inner.is_empty() || inner.len() >= 3 && inner.chars().all(is_crossed_out) {
        return true;
    }
    let value = value.trim();
    let is_variable = ["${", "$(", "{{", "%(", "<%"].iter().any(|start| value.starts_with(start));
    let is_mask = value.starts_with("[masked");
    let inner = inner.trim();
    is_variable || is_mask || inner.len() <= 10 && PLACEHOLDERS.contains(&inner.to_ascii_lowercase().as_str())
}

/// "password: must have a digit" goes on as a sentence does; "password: hunter2" does not.
fn is_sentence(text: &str, start: usize, end: usize) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_lowercase() || c == '\'');
    let mut first = text[start..end].chars();
    let first_is_word = first.next().is_some_and(char::is_alphabetic) && first.all(|c| c.is_lowercase());
    let next = text[end..].strip_prefix(' ').unwrap_or_default();
    let next =
        next.get(..next.find([' ', ',', '.', ';', ':', '\n']).unwrap_or(next.len())).unwrap_or_default();
    first_is_word && next.len() < LONGEST_NAME && is_word(next)
}

struct Scheme {
    end: usize,
    to_line_end: bool,
}

/// `Bearer `, `Basic%20` and the like at the beginning of a value.
fn scheme(text: &str, start: usize) -> Option<Scheme> {
    let rest = &text.as_bytes()[start..];
    let length =
        rest.iter().take(20).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
    let (_, to_line_end) =
        SCHEMES.iter().find(|(scheme, _)| scheme.as_bytes().eq_ignore_ascii_case(&rest[..length]))?;
    let mut end = length;
    while end < length + MOST_BETWEEN {
        match &rest[end..] {
            [b' ' | b'\t' | b'+', ..] => end += 1,
            [b'%', b'2', b'0', ..] => end += 3,
            _ => break,
        }
    }
    let goes_on = rest.get(end).is_some_and(|byte| byte.is_ascii_graphic() && !b"\\\"',;".contains(byte));
    (end > length && goes_on).then_some(Scheme { end: start + end, to_line_end: *to_line_end })
}

/// The end of the line or of the quotes around it.
fn line_end(text: &str, start: usize) -> usize {
    let bytes = &text.as_bytes()[start..];
    start + memchr::memchr3(b'\n', b'\r', b'\'', bytes).unwrap_or(bytes.len())
}

/// `theme=dark; sessionid=…`: names are kept, and values that are neither secret by name nor random.
fn cookies(text: &str, place: Range<usize>, names: Names<'_>, found: &mut Vec<Range<usize>>) {
    let mut start = place.start;
    for cookie in text[place].split(';') {
        let at = start;
        start += cookie.len() + 1;
        let (from, name, value) = match cookie.split_once('=') {
            Some((name, value)) => (at + name.len() + 1, name.trim(), value),
            None => (at, "", cookie),
        };
        let value = value.trim_end().trim_matches('"');
        let from = from + text[from..].len() - text[from..].trim_start_matches([' ', '"']).len();
        let value = value.trim_start_matches([' ', '"']);
        let verdict = match name_verdict(name, names) {
            Verdict::Kept => Verdict::Kept,
            known => known.max(Verdict::Weak),
        };
        if is_secret_value(value, verdict) {
            found.push(from..from + value.len());
        }
    }
}
