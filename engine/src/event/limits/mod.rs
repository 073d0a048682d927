//! The limits of an event, as types: an unchecked event cannot be built.
//!
//! Each type is built from what a producer sent, or returns an [`Invalid`]: a place, a code for programs and a sentence
//! for people. [`Checks`] collects them, so that one response names every problem.

mod address;
mod json;
mod targets;

use std::{borrow::Cow, ops::Deref};

use serde::Serialize;

pub use address::IpAddress;
pub use json::{Changes, MAX_CHANGES, MAX_FIELD, MAX_VALUE_BYTES, Metadata};
pub use targets::{MAX_TARGETS, Targets};

use crate::db::timestamp::Timestamp;

/// Longest action, in characters, which are bytes.
pub const MAX_ACTION: usize = 64;
/// How far an event may lie ahead of this server's clock, in seconds.
const MAX_AHEAD_SECONDS: i64 = 86_400;

/// Why a value cannot be part of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// JSON pointer (RFC 6901) below the value; empty for the value itself.
    pub pointer: String,
    /// For programs, such as `length`.
    pub code: &'static str,
    /// For people, such as "must have at most 255 characters".
    pub detail: Cow<'static, str>,
}

impl Invalid {
    pub fn new(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { pointer: String::new(), code, detail: detail.into() }
    }

    /// The same, below another place.
    pub fn below(self, place: &str) -> Self {
        Self { pointer: format!("{place}{}", self.pointer), ..self }
    }
}

/// Collects the problems of an event.
#[derive(Debug, Default)]
pub struct Checks {
    invalid: Vec<Invalid>,
}

impl Checks {
    /// The value, or its default when it is invalid: then [`Checks::finish`] fails.
    pub fn take<T: Default>(&mut self, place: &str, value: Result<T, Invalid>) -> T {
        value.unwrap_or_else(|invalid| {
            self.refuse(place, invalid);
            T::default()
        })
    }

    /// Adds a problem that does not come from parsing a value.
    pub fn refuse(&mut self, place: &str, invalid: Invalid) {
        self.invalid.push(invalid.below(place));
    }

    /// A required value.
    pub fn required<T, V>(&mut self, place: &str, value: V) -> T
    where
        T: TryFrom<V, Error = Invalid> + Default,
    {
        self.take(place, T::try_from(value))
    }

    /// An optional value.
    pub fn optional<T, V>(&mut self, place: &str, value: Option<V>) -> Option<T>
    where
        T: TryFrom<V, Error = Invalid> + Default,
    {
        value.map(|value| self.required(place, value))
    }

    /// # Errors
    /// All problems, by place.
    pub fn finish(mut self) -> Result<(), Vec<Invalid>> {
        self.invalid.sort_by(|a, b| a.pointer.cmp(&b.pointer));
        if self.invalid.is_empty() { Ok(()) } else { Err(self.invalid) }
    }
}

/// A text of `MIN` to `MAX` characters without U+0000, which PostgreSQL's text cannot hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Text<const MIN: usize, const MAX: usize>(String);

/// An id of something in the producer's system.
pub type Id = Text<0, 255>;
/// What people call an actor.
pub type ActorName = Text<0, 500>;
/// What people call a target, or the name that was entered to sign in.
pub type TargetName = Text<0, 1000>;
/// The role of an actor.
pub type RoleName = Text<0, 255>;
/// The type of a target, such as a model.
pub type TargetType = Text<0, 255>;
/// Why something failed.
pub type Reason = Text<0, 20_000>;
pub type UserAgent = Text<0, 2000>;
/// Why an actor did something, in their words: a ticket, a purpose of use.
pub type Purpose = Text<0, 1000>;
/// Who sent an event.
pub type SourceName = Text<0, 255>;
/// A run of a producer, in which it counts its events from the start.
pub type Epoch = Text<1, 64>;

impl<const MIN: usize, const MAX: usize> Text<MIN, MAX> {
    /// The longest prefix that fits, without U+0000. For Logbook's own events, which are never refused.
    pub fn truncated(text: &str) -> Self {
        Self(text.chars().filter(|c| *c != '\0').take(MAX).collect())
    }

    /// A stored text, which was checked before.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn as_mut(&mut self) -> &mut String {
        &mut self.0
    }

    /// The same text with wider limits.
    pub fn widen<const LESS: usize, const MORE: usize>(self) -> Text<LESS, MORE> {
        const { assert!(LESS <= MIN && MAX <= MORE, "these limits are no wider") };
        Text(self.0)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn into_string(self) -> String {
        self.0
    }
}

impl<const MIN: usize, const MAX: usize> PartialEq<&str> for Text<MIN, MAX> {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl<const MIN: usize, const MAX: usize> TryFrom<String> for Text<MIN, MAX> {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        if !(MIN..=MAX).contains(&text.chars().count()) {
            let detail = match MIN {
                0 => format!("must have at most {MAX} characters"),
                _ => format!("must have {MIN} to {MAX} characters"),
            };
            return Err(Invalid::new("length", detail));
        }
        if text.contains('\0') {
            return Err(Invalid::new("nul_character", "must not contain the character U+0000"));
        }
        Ok(Self(text))
    }
}

impl<const MIN: usize, const MAX: usize> TryFrom<&str> for Text<MIN, MAX> {
    type Error = Invalid;

    fn try_from(text: &str) -> Result<Self, Invalid> {
        text.to_owned().try_into()
    }
}

impl<const MIN: usize, const MAX: usize> Deref for Text<MIN, MAX> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<const MIN: usize, const MAX: usize> std::fmt::Display for Text<MIN, MAX> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A producer's key for an event, which is stored once however often it is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DedupeKey(String);

impl DedupeKey {
    /// Longer than any key that a producer may send, so that no producer's key can prevent an event of Logbook's own
    /// from being stored.
    const RESERVED_LENGTH: usize = 300;

    /// A key of Logbook itself.
    pub fn reserved(text: &str) -> Self {
        const LENGTH: usize = DedupeKey::RESERVED_LENGTH;
        Self(format!("{text:_<LENGTH$}"))
    }

    pub fn into_string(self) -> String {
        self.0
    }
}

impl TryFrom<String> for DedupeKey {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        Text::<1, 255>::try_from(text).map(|text| Self(text.into_string()))
    }
}

/// What happened, in lower snake case: `login_failed`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Action(Cow<'static, str>);

const fn is_action(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.is_empty() || !bytes[0].is_ascii_lowercase() {
        return false;
    }
    let mut i = 1;
    while i < bytes.len() {
        if !bytes[i].is_ascii_lowercase() && !bytes[i].is_ascii_digit() && bytes[i] != b'_' {
            return false;
        }
        i += 1;
    }
    true
}

impl Action {
    /// An action that is written in the code.
    ///
    /// # Panics
    /// When it is not a valid action; in a `const`, at compile time.
    pub const fn literal(text: &'static str) -> Self {
        assert!(text.len() <= MAX_ACTION && is_action(text), "an action is lower snake case");
        Self(Cow::Borrowed(text))
    }

    /// A stored action, which was checked before.
    pub(crate) fn stored(text: String) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn into_string(self) -> String {
        self.0.into_owned()
    }
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq<&str> for Action {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl TryFrom<String> for Action {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        if text.is_empty() || text.chars().count() > MAX_ACTION {
            return Err(Invalid::new("length", format!("must have 1 to {MAX_ACTION} characters")));
        }
        if !is_action(&text) {
            let detail = "must be lower snake case: a letter, then letters, digits and _";
            return Err(Invalid::new("regex", detail));
        }
        Ok(Self(text.into()))
    }
}

impl TryFrom<&str> for Action {
    type Error = Invalid;

    fn try_from(text: &str) -> Result<Self, Invalid> {
        text.to_owned().try_into()
    }
}

impl Deref for Action {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// A producer's own count of its events: 0 to 2^53.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sequence(i64);

impl Sequence {
    /// JSON numbers are doubles.
    const MAX: i64 = 1 << 53;

    /// A stored number, which was checked before.
    pub(crate) fn stored(number: i64) -> Self {
        Self(number)
    }

    pub fn number(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for Sequence {
    type Error = Invalid;

    fn try_from(number: i64) -> Result<Self, Invalid> {
        if !(0..=Self::MAX).contains(&number) {
            return Err(Invalid::new("out_of_range", "must lie between 0 and 2^53"));
        }
        Ok(Self(number))
    }
}

/// When something happened, by the producer's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OccurredAt {
    at: Timestamp,
    is_given: bool,
}

impl OccurredAt {
    pub fn now() -> Self {
        Self { at: Timestamp::now(), is_given: false }
    }

    pub fn timestamp(self) -> Timestamp {
        self.at
    }

    /// False where the producer gave no time, and it is that of the request.
    pub fn is_given(self) -> bool {
        self.is_given
    }
}

impl Default for OccurredAt {
    fn default() -> Self {
        Self::now()
    }
}

impl TryFrom<Timestamp> for OccurredAt {
    type Error = Invalid;

    fn try_from(time: Timestamp) -> Result<Self, Invalid> {
        if time.micros() < 0 || time > Timestamp::now().plus_seconds(MAX_AHEAD_SECONDS) {
            return Err(Invalid::new("out_of_range", "must lie between 1970 and a day ahead of now"));
        }
        Ok(Self { at: time, is_given: true })
    }
}
