//! JSON values one after another: an array, one a line, or simply concatenated. Senders do all three, and mix them.
//!
//! After a damaged place the rest of it, up to the next line that begins with `{`, is one damaged element, and reading goes on
//! there. The parts cover every byte of the body but white space, and commas and brackets of an array.

use std::ops::Range;

use serde_json::value::RawValue;

use super::{MAX_EVENTS, TooMany};

/// Damaged values that go on over their line are looked for so often: each may have to be read to the end of the body.
const MOST_LONG_FAILURES: usize = 16;

/// The places of the values of a body, damaged ones among them.
///
/// # Errors
/// [`TooMany`]
pub(super) fn split(body: &[u8]) -> Result<Vec<Range<usize>>, TooMany> {
    let mut places = Vec::new();
    let mut at = if body.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let mut in_array = false;
    let mut line_end = 0;
    let mut long_failures = 0;
    while let Some(byte) = body.get(at) {
        match byte {
            // RFC 7464 begins each text with a record separator.
            byte if byte.is_ascii_whitespace() || *byte == 0x1e => {
                at += 1;
                continue;
            }
            b'[' if !in_array => {
                in_array = true;
                at += 1;
                continue;
            }
            b',' | b']' if in_array => {
                in_array = *byte == b',';
                at += 1;
                continue;
            }
            _ => {}
        }
        if line_end <= at {
            line_end = next_line(body, at).unwrap_or(body.len());
        }
        // Within its line first: most are one line, and a damaged one is found out there.
        let end = match value_end(&body[at..line_end]) {
            Ok(length) => Some(at + length),
            Err(is_cut_off) if is_cut_off && long_failures < MOST_LONG_FAILURES => {
                let end = value_end(&body[at..]).ok().map(|length| at + length);
                long_failures += usize::from(end.is_none());
                end
            }
            Err(_) => None,
        };
        let end = end.unwrap_or_else(|| damaged_end(body, at));
        places.push(at..trimmed_end(body, at, end));
        if places.len() > MAX_EVENTS {
            return Err(TooMany);
        }
        at = end;
    }
    Ok(places)
}

/// The length of the value at the beginning, or whether it is only cut off.
fn value_end(text: &[u8]) -> Result<usize, bool> {
    let mut values = serde_json::Deserializer::from_slice(text).into_iter::<&RawValue>();
    match values.next() {
        Some(Ok(_)) => Ok(values.byte_offset()),
        Some(Err(error)) => Err(error.is_eof()),
        None => Err(true),
    }
}

/// Where the next line begins.
fn next_line(body: &[u8], at: usize) -> Option<usize> {
    body[at..].iter().position(|byte| *byte == b'\n').map(|offset| at + offset + 1)
}

/// Where a line begins with `{`, after a damaged place.
fn damaged_end(body: &[u8], at: usize) -> usize {
    let mut from = at;
    while let Some(line) = next_line(body, from) {
        if body.get(line) == Some(&b'{') {
            return line;
        }
        from = line;
    }
    body.len()
}

/// Without the white space, or the commas of an array, at the end.
fn trimmed_end(body: &[u8], at: usize, end: usize) -> usize {
    let last = body[at..end].iter().rposition(|byte| !byte.is_ascii_whitespace());
    last.map_or(end, |offset| at + offset + 1)
}
