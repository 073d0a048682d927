//! What the index stores of an event, and what a filter asks of it.
//!
//! An event leaves two kinds of marks:
//! - **keys**, stored exactly for each block of 32 events: every run of one, two and three bytes of its normalized
//!   texts, every run of four letters or four digits, every run of six that is rare ([`Runs::is_rare`]), and every
//!   value that can be filtered by, each combined with the log. A block has no key that none of its events has.
//! - **bits**, stored for each event: one for every run of three bytes, three for every value, one of its own for each
//!   log, outcome and type of actor. Different marks may share a bit, so a bit that is set means "maybe".
//!
//! The bit-sliced signatures are those of BitFunnel (Goodwin et al., SIGIR 2017). The keys beside them are for short
//! words: with bits alone (1,024 per event), a word of four letters that occurs nowhere left 25,000 candidates in a
//! million events; with the keys (and 768 bits) it left 17. One and two characters could not be searched for at all.

use crate::{
    event::{ActorType, Change, Common, Event, Log, Outcome},
    filter::{
        Filter, Network,
        search::{metadata_texts, searched_texts},
    },
    text::normalize,
};

/// Bits that marks are spread over. With 300 bytes of text per event, a third of them are set.
pub const SPREAD_BITS: u16 = 512;
/// The bits after them have one meaning each.
const LOG_BITS: u16 = SPREAD_BITS;
const OUTCOME_BITS: u16 = LOG_BITS + 4;
const ACTOR_TYPE_BITS: u16 = OUTCOME_BITS + 3;
/// All bits of an event.
pub const BITS: u16 = ACTOR_TYPE_BITS + 5;

/// Bits that are checked for one text, at most. Each lets through a quarter of what the others let through.
const MOST_BITS: usize = 16;
/// … and at least. A value has fewer.
const LEAST_BITS: usize = 4;
/// Keys that are looked up for one text.
const MOST_KEYS: usize = 8;
/// Keys that are looked up before the others.
const FIRST_KEYS: usize = 2;
/// A filter with more values is not checked by the index, only on the rows.
const MOST_VALUES: usize = 32;

/// The columns that are filtered by exact values.
#[derive(Clone, Copy)]
enum Value {
    Action = 1,
    Role,
    ActorId,
    TargetType,
    TargetId,
    /// Type and id together.
    Target,
    IpAddress,
    SessionId,
    Field,
}

/// A mark of an event.
pub enum Mark {
    Bit(u16),
    Key(u32),
}

/// The finalizer of SplitMix64 (Steele et al., OOPSLA 2014).
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// The hash of a run of `length` bytes, at most six, in a text of a log. The log is part of it, since a word that is
/// common in one log may be rare in another.
fn run_hash(log: Log, length: usize, bytes: u64) -> u64 {
    mix((log.number() as u64) << 56 | (length as u64) << 48 | bytes)
}

fn value_hash(log: Log, of: Value, parts: [&str; 2]) -> u64 {
    let mut hash = mix((of as u64) << 56 | (log.number() as u64) << 48 | parts[0].len() as u64);
    for part in parts {
        for chunk in part.as_bytes().chunks(8) {
            let mut eight = [0; 8];
            eight[..chunk.len()].copy_from_slice(chunk);
            hash = mix(hash.wrapping_add(u64::from_le_bytes(eight)).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        }
    }
    hash
}

/// The key of a hash: the half that [`run_bit`] does not use.
fn key(hash: u64) -> u32 {
    hash as u32
}

/// One of the bits that marks are spread over.
fn spread(part: u64) -> u16 {
    (((part & 0xffff) * u64::from(SPREAD_BITS)) >> 16) as u16
}

fn run_bit(hash: u64) -> u16 {
    spread(hash >> 32)
}

fn value_bits(hash: u64) -> [u16; 3] {
    [spread(hash >> 16), spread(hash >> 32), spread(hash >> 48)]
}

/// The runs of a text, which is pushed byte by byte.
#[derive(Default)]
struct Runs {
    /// The last eight bytes, the newest lowest.
    last: u64,
    /// How many bytes were pushed.
    length: usize,
    /// How many of the last bytes are letters without a break, and how many are digits.
    letters: usize,
    digits: usize,
}

impl Runs {
    fn push(&mut self, byte: u8) {
        self.last = self.last << 8 | u64::from(byte);
        self.length += 1;
        // Every byte of a letter beyond ASCII is at least 0x80.
        let is_letter = byte.is_ascii_lowercase() || byte >= 0x80;
        self.letters = if is_letter { self.letters + 1 } else { 0 };
        self.digits = if byte.is_ascii_digit() { self.digits + 1 } else { 0 };
    }

    /// The hash of the last `length` bytes, once that many were pushed.
    fn hash(&self, log: Log, length: usize) -> Option<u64> {
        let bytes = self.last & (u64::MAX >> (64 - 8 * length));
        (self.length >= length).then(|| run_hash(log, length, bytes))
    }

    /// Whether the last `length` bytes are all letters or all digits. Runs of four such bytes are more selective than
    /// runs of three. A UUID has many runs of four, but few of one kind.
    fn is_of_a_kind(&self, length: usize) -> bool {
        self.letters >= length || self.digits >= length
    }

    /// Whether the last six bytes are digits, or four hexadecimal digits between hyphens. Such runs distinguish an
    /// invoice number or a UUID from similar ones, whose shorter runs are in every block.
    fn is_rare(&self) -> bool {
        let byte = |back: u32| (self.last >> (8 * back)) as u8;
        self.digits >= 6
            || (byte(0) == b'-' && byte(5) == b'-' && (1..5).all(|back| byte(back).is_ascii_hexdigit()))
    }
}

fn log_bit(log: Log) -> u16 {
    LOG_BITS + log.number() as u16 - 1
}

fn outcome_bit(outcome: Outcome) -> u16 {
    OUTCOME_BITS + outcome.number() as u16 - 1
}

fn actor_type_bit(kind: ActorType) -> u16 {
    ACTOR_TYPE_BITS + kind.number() as u16 - 1
}

/// Passes every mark of an event to `mark`, some of them more than once.
pub fn marks(event: &Event, changes: &[Change], mark: &mut impl FnMut(Mark)) {
    mark(Mark::Bit(log_bit(event.common.log)));
    mark(Mark::Bit(outcome_bit(event.common.outcome)));
    if let Some(actor) = &event.common.actor {
        mark(Mark::Bit(actor_type_bit(actor.kind)));
    }
    let mut value = |of: Value, parts: [&str; 2]| {
        let hash = value_hash(event.common.log, of, parts);
        mark(Mark::Key(key(hash)));
        value_bits(hash).into_iter().for_each(|bit| mark(Mark::Bit(bit)));
    };
    let Common { actor, target, action, role, ip_address, session_id, .. } = &event.common;
    let values = [
        (Value::Action, Some(&**action)),
        (Value::Role, role.as_deref()),
        (Value::ActorId, actor.as_ref().and_then(|actor| actor.id.as_deref())),
        (Value::TargetType, target.kind.as_deref()),
        (Value::TargetId, target.id.as_deref()),
        (Value::IpAddress, ip_address.as_deref()),
        (Value::SessionId, session_id.as_deref()),
    ];
    for (of, text) in values {
        if let Some(text) = text {
            value(of, [text, ""]);
        }
    }
    if let (Some(kind), Some(id)) = (&target.kind, &target.id) {
        value(Value::Target, [kind, id]);
    }
    for change in changes {
        value(Value::Field, [change.field(), ""]);
    }
    let mut text = |text: &str| text_marks(event.common.log, normalize(text).as_bytes(), mark);
    searched_texts(event, changes, &mut text);
    metadata_texts(event, &mut text);
}

fn text_marks(log: Log, text: &[u8], mark: &mut impl FnMut(Mark)) {
    let mut runs = Runs::default();
    for byte in text {
        runs.push(*byte);
        for length in [1, 2] {
            if let Some(hash) = runs.hash(log, length) {
                mark(Mark::Key(key(hash)));
            }
        }
        if let Some(hash) = runs.hash(log, 3) {
            mark(Mark::Key(key(hash)));
            mark(Mark::Bit(run_bit(hash)));
        }
        if runs.is_of_a_kind(4)
            && let Some(hash) = runs.hash(log, 4)
        {
            mark(Mark::Key(key(hash)));
        }
        if runs.is_rare()
            && let Some(hash) = runs.hash(log, 6)
        {
            mark(Mark::Key(key(hash)));
        }
    }
}

/// A condition on an event: it has all of these marks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Term {
    pub keys: Vec<u32>,
    pub bits: Vec<u16>,
}

impl Term {
    fn bit(bit: u16) -> Self {
        Self { keys: Vec::new(), bits: vec![bit] }
    }

    fn value(log: Log, of: Value, parts: [&str; 2]) -> Self {
        let hash = value_hash(log, of, parts);
        Self { keys: vec![key(hash)], bits: value_bits(hash).to_vec() }
    }

    /// The marks of every event that has a text which contains this one.
    fn part_of_text(log: Log, normalized: &[u8]) -> Self {
        // The hashes of the wanted runs of one length.
        let all = |length: usize, wanted: &dyn Fn(&Runs) -> bool| -> Vec<u64> {
            let mut runs = Runs::default();
            let hashes = normalized.iter().filter_map(|byte| {
                runs.push(*byte);
                runs.hash(log, length).filter(|_| wanted(&runs))
            });
            hashes.collect()
        };
        let threes = all(3, &|_| true);
        let rare = all(6, &Runs::is_rare);
        let mut keys = match normalized.len() {
            length @ (1 | 2) => all(length, &|_| true),
            _ => {
                // Longer runs are more selective. Runs of three are for where letters, digits and others meet.
                let mut keys = spaced(&rare, MOST_KEYS / 2);
                let rest = MOST_KEYS * 3 / 4 - keys.len();
                keys.extend(spaced(&all(4, &|runs| runs.is_of_a_kind(4)), rest));
                let rest = MOST_KEYS - keys.len();
                let others = all(3, &|runs| !runs.is_of_a_kind(3));
                keys.extend(spaced(if keys.is_empty() { &threes } else { &others }, rest));
                keys
            }
        };
        // The first two are looked up first. They are taken from far apart in the text, unless two are rare.
        if keys.len() > 2 && rare.len() < FIRST_KEYS {
            let middle = keys.len() / 2;
            keys.swap(1, middle);
        }
        let mut bits: Vec<u16> = spaced(&threes, MOST_BITS).into_iter().map(run_bit).collect();
        bits.sort_unstable();
        bits.dedup();
        Self { keys: keys.into_iter().map(key).collect(), bits }
    }
}

/// At most `most` of them, evenly spaced from the first to the last.
fn spaced(all: &[u64], most: usize) -> Vec<u64> {
    if all.len() <= most {
        return all.to_vec();
    }
    (0..most).map(|n| all[n * (all.len() - 1) / (most - 1).max(1)]).collect()
}

/// What a filter asks of the index. An event that matches the filter fulfils, in each group, at least one term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub groups: Vec<Vec<Term>>,
}

impl Plan {
    pub fn new(filter: &Filter) -> Self {
        let Filter {
            workspace_id: _,
            log,
            since: _,
            until: _,
            search,
            actions,
            outcomes,
            roles,
            actor_types,
            actor_ids,
            targets,
            target_ids,
            ip_addresses,
            session_ids,
            fields,
            // These are decided on the rows.
            sources: _,
            on_behalf_of: _,
            any_targets: _,
            correlation_ids: _,
            metadata: _,
        } = filter;
        // Larger networks are decided on the rows, like exclusions.
        let addresses = ip_addresses.only.iter().map(Network::address).collect::<Option<Vec<_>>>();
        let mut groups: Vec<Vec<Term>> = vec![
            vec![Term::bit(log_bit(*log))],
            outcomes.only.iter().map(|outcome| Term::bit(outcome_bit(*outcome))).collect(),
            actor_types.only.iter().map(|kind| Term::bit(actor_type_bit(*kind))).collect(),
            search.iter().map(|search| Term::part_of_text(*log, search.normalized().as_bytes())).collect(),
            targets
                .only
                .iter()
                .map(|(kind, id)| match id {
                    None => Term::value(*log, Value::TargetType, [kind, ""]),
                    Some(id) => Term::value(*log, Value::Target, [kind, id]),
                })
                .collect(),
        ];
        let values = [
            (Value::Action, &actions.only),
            (Value::Role, &roles.only),
            (Value::ActorId, &actor_ids.only),
            (Value::TargetId, &target_ids.only),
            (Value::IpAddress, &addresses.unwrap_or_default()),
            (Value::SessionId, &session_ids.only),
            (Value::Field, &fields.only),
        ];
        groups.extend(
            values
                .iter()
                .map(|(of, texts)| texts.iter().map(|text| Term::value(*log, *of, [text, ""])).collect()),
        );
        groups.retain(|terms: &Vec<Term>| !terms.is_empty() && terms.len() <= MOST_VALUES);
        Self { groups }
    }

    /// The plan with only the first keys of each term. They usually suffice for a text that occurs nowhere.
    pub fn first_look(&self) -> Self {
        let mut plan = self.clone();
        plan.groups.iter_mut().flatten().for_each(|term| term.keys.truncate(FIRST_KEYS));
        plan
    }

    /// The plan with as many bits of each term as leave almost no false candidates among this many columns.
    pub fn for_columns(&self, columns: usize) -> Self {
        // A bit lets through a third at most.
        let enough = ((columns * 8).max(1) as f64).log(3.0).ceil() as usize;
        let mut plan = self.clone();
        plan.groups.iter_mut().flatten().for_each(|term| term.bits.truncate(enough.max(LEAST_BITS)));
        plan
    }

    /// All keys that are looked up.
    pub fn keys(&self) -> Vec<u32> {
        let mut keys: Vec<u32> = self.terms().flat_map(|term| term.keys.iter().copied()).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// All bits that are checked.
    pub fn bits(&self) -> Vec<u16> {
        let mut bits: Vec<u16> = self.terms().flat_map(|term| term.bits.iter().copied()).collect();
        bits.sort_unstable();
        bits.dedup();
        bits
    }

    fn terms(&self) -> impl Iterator<Item = &Term> {
        self.groups.iter().flatten()
    }
}
