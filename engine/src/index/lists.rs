//! Which values of a field there are in a segment.
//!
//! An exclusion asks for the events that do not have some values. Where these are nearly all there are, the sets of nearly
//! all events would have to be read to find a few. With the list of all values, the few that are left are looked up
//! instead. A list is stored as a part of the dictionary ([`words`](super::words)): merging keeps it right.

use std::collections::BTreeSet;

use super::{
    values::{self, Field},
    words::Dictionary,
};
use crate::event::Log;

/// The fields that have lists.
pub const LISTED: [Field; 5] = [Field::Action, Field::Outcome, Field::Role, Field::Source, Field::TargetType];
/// Bytes of a list, at most. One with more is [`INCOMPLETE`]: what a tenant makes up is not listed.
pub const MOST_BYTES: usize = 16 << 10;

/// A line of a list: an event has no value of the field.
const ABSENT: &[u8] = b"-";
/// The only line of a list that does not have all values.
pub const INCOMPLETE: &[u8] = b"!";
/// What a line with a value begins with.
const VALUE: u8 = b'+';

/// The lines of a list.
pub type Lines = BTreeSet<Box<[u8]>>;

/// Leaves only [`INCOMPLETE`] of a list that is too long, or was.
pub fn bound(lines: &mut Lines, bytes: usize) {
    if bytes > MOST_BYTES || lines.contains(INCOMPLETE) {
        *lines = BTreeSet::from([INCOMPLETE.into()]);
    }
}

/// The bytes of a list, with a line break after each line.
pub fn bytes(lines: &Lines) -> usize {
    lines.iter().map(|line| line.len() + 1).sum()
}

/// The lists of a run under construction, each with its bytes.
#[derive(Default)]
pub struct Lists {
    lists: [[(Lines, usize); LISTED.len()]; Log::ALL.len()],
}

impl Lists {
    /// Adds a value that [`values::values`] passed.
    pub fn add(&mut self, log: Log, field: Field, parts: [&[u8]; 2]) {
        let (field, line) = match field {
            Field::Absent => (parts[0].first().copied(), ABSENT.to_vec()),
            _ if parts[0].contains(&b'\n') => (Some(field as u8), INCOMPLETE.to_vec()),
            _ => (Some(field as u8), [&[VALUE], parts[0]].concat()),
        };
        if let Some(nth) = LISTED.iter().position(|listed| Some(*listed as u8) == field) {
            let (lines, bytes) = &mut self.lists[log.number() as usize - 1][nth];
            if !lines.contains(INCOMPLETE) && !lines.contains(line.as_slice()) {
                *bytes += line.len() + 1;
                lines.insert(line.into());
                bound(lines, *bytes);
            }
        }
    }

    pub fn add_to(&self, dictionary: &mut Dictionary) {
        for (log, of_log) in Log::ALL.iter().zip(&self.lists) {
            for (nth, (lines, _)) in of_log.iter().enumerate() {
                lines.iter().for_each(|line| dictionary.add_line(*log, nth, line));
            }
        }
    }
}

/// The keys of the values in a list that are not among the excluded ones. None when the list is incomplete.
pub fn left<'a>(
    lines: impl Iterator<Item = &'a [u8]>,
    (log, field): (Log, Field),
    excluded: &[String],
) -> Option<Vec<u64>> {
    let mut keys = Vec::new();
    for line in lines {
        match line {
            INCOMPLETE => return None,
            ABSENT => keys.push(values::key(log, Field::Absent, [&[field as u8], b""])),
            line => {
                let value = line.strip_prefix(&[VALUE])?;
                if !excluded.iter().any(|excluded| excluded.as_bytes() == value) {
                    keys.push(values::key(log, field, [value, b""]));
                }
            }
        }
    }
    Some(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left_of(values: &[Option<&str>], excluded: &[&str]) -> Option<Vec<u64>> {
        let mut lists = Lists::default();
        for value in values {
            match value {
                Some(value) => lists.add(Log::Access, Field::Role, [value.as_bytes(), b""]),
                None => lists.add(Log::Access, Field::Absent, [&[Field::Role as u8], b""]),
            }
        }
        let mut dictionary = Dictionary::new(1);
        lists.add_to(&mut dictionary);
        let parts: Vec<(usize, Vec<u8>)> = dictionary.finish().collect();
        let part = super::super::words::list(Log::Access, 2, 1);
        let bytes = parts.iter().find(|(number, _)| *number == part).map(|(_, bytes)| &**bytes);
        let excluded: Vec<String> = excluded.iter().map(|text| (*text).into()).collect();
        left(super::super::words::lines(bytes.unwrap_or_default()), (Log::Access, Field::Role), &excluded)
    }

    #[test]
    fn what_is_left_are_all_others_and_no_value_at_all() {
        let key = |role: &str| values::key(Log::Access, Field::Role, [role.as_bytes(), b""]);
        let absent = values::key(Log::Access, Field::Absent, [&[Field::Role as u8], b""]);
        let all = [Some("nurse"), None, Some("clerk"), Some("-"), Some("!"), Some("nurse"), Some("")];
        assert_eq!(left_of(&all, &["nurse", "clerk", "", "-", "!"]), Some(vec![absent]));
        assert_eq!(left_of(&all[2..4], &["nurse"]), Some(vec![key("-"), key("clerk")]));
        assert_eq!(left_of(&[], &["nurse"]), Some(vec![]));
    }

    #[test]
    fn a_list_that_is_too_long_or_has_a_line_break_is_incomplete() {
        assert_eq!(left_of(&[Some("a"), Some("b\nc")], &["a"]), None);
        let many: Vec<String> = (0..2000).map(|n| format!("role {n:06}")).collect();
        let many: Vec<Option<&str>> = many.iter().map(|role| Some(role.as_str())).collect();
        assert_eq!(left_of(&many, &["a"]), None);
        assert_eq!(left_of(&many[..1000], &["a"]).map(|keys| keys.len()), Some(1000));
    }
}
