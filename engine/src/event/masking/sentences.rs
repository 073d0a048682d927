//! Names with values that no separator is between: `--password …`, `the PIN is …`.

use std::ops::Range;

use memchr::memmem;

use super::{
    fields::Names,
    names::{Verdict, verdict},
    pairs::{LONGEST_NAME, LONGEST_QUOTED, ValueAt, is_secret_value, name_before},
};

/// Words that join a name and its value in a sentence.
const IS: &[&str] = &[" is ", " was ", " ist ", " es ", " est ", " to "];

/// `--password hunter2`, and the password behind curl's `-u`.
pub(super) fn flags(text: &str, names: Names<'_>, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let has_curl = memmem::find(bytes, b"curl").is_some();
    let mut done = 0;
    for at in memmem::find_iter(bytes, " -") {
        let flag = at + 2 + usize::from(bytes.get(at + 2) == Some(&b'-'));
        if at < done {
            continue;
        }
        let name = bytes[flag..].iter().take(LONGEST_NAME);
        let name = name.take_while(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(byte)).count();
        if name == 0 || bytes.get(flag + name) != Some(&b' ') || bytes.get(flag + name + 1) == Some(&b'-') {
            continue;
        }
        let value_at = ValueAt::after(text, flag + name);
        let name = &text[flag..flag + name];
        let is_user = matches!(name, "u" | "user") && has_curl;
        let verdict = names.verdict(name);
        if !is_user && verdict <= Verdict::Plain {
            continue;
        }
        let Some(end) = value_at.end(text, LONGEST_QUOTED) else { continue };
        let value = &text[value_at.start..end];
        if is_user && let Some(colon) = value.find(':') {
            found.push(value_at.start + colon + 1..end);
        } else if is_secret_value(value, verdict) {
            found.push(value_at.start..end);
        }
        done = end;
    }
}

/// "Your PIN is 4821": only what has a digit.
pub(super) fn verbs(text: &str, names: Names<'_>, found: &mut Vec<Range<usize>>) {
    for is in IS {
        for at in memmem::find_iter(text.as_bytes(), is) {
            let Some(name) = name_before(text, at) else { continue };
            let name = text[name].rsplit("changed").next().map_or("", str::trim);
            let last = name.rsplit(' ').next().unwrap_or(name);
            let listed = names.listed_in_text(name);
            if listed.unwrap_or_else(|| verdict(last).max(verdict(name))) < Verdict::Secret {
                continue;
            }
            let start = at + is.len();
            let rest = &text[start..];
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len()).min(LONGEST_QUOTED);
            let value = rest[..rest.floor_char_boundary(end)]
                .trim_matches(['"', '\'', '.', ',', '!', ';', '`', '(', ')']);
            let from = start + rest.find(value).unwrap_or(0);
            let is_date = value.bytes().filter(|byte| matches!(byte, b'-' | b'/' | b':')).count() == 2;
            if value.len() >= 3 && value.bytes().any(|byte| byte.is_ascii_digit()) && !is_date {
                found.push(from..from + value.len());
            }
        }
    }
}
