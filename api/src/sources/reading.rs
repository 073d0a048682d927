//! Reads elements: each becomes an event that can be stored, or a rejected record.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::web::Bytes;
use base16ct::lower::encode_string;
use logbook_engine::{
    append::{MAX_EVENT_BYTES, MAX_MONTHS, prepared::Prepared},
    counts::calendar::month_at,
    event::{
        NewEvent,
        limits::{DedupeKey, SourceName},
        masking::Masker,
    },
    sources::{Record, quarantine::NewRejected},
};
use serde_json::{Map, Value, value::RawValue};
use sha2::{Digest as _, Sha256};

use super::{
    element::Element,
    mapping::{Mapped, Mapping},
    own,
};
use crate::{
    accounts::source_kind::Kind,
    http::error::{FieldError, Result},
};

/// How long the elements of one request are read. A mapping of a kind takes 10 to 50 µs for an element; those that are left then go
/// into quarantine, and can be replayed.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Parses an element that already is an event of Logbook, in its log's own words.
pub type ParseOwn = fn(&str, &RawValue) -> Result<NewEvent, Vec<FieldError>>;

/// How the elements of a source are read.
pub struct Reading<'a> {
    pub kind: Kind,
    pub mapping: Option<&'a Mapping>,
    pub own: ParseOwn,
    pub source: &'a SourceName,
    pub masker: &'a Masker,
}

/// What the elements of a body became. `records` are the bytes of `events`, in their order.
#[derive(Default)]
pub struct Read {
    pub events: Vec<Prepared>,
    pub records: Vec<Record>,
    pub rejected: Vec<NewRejected>,
    pub skipped: u64,
    /// Bytes of memory that the events take.
    pub bytes: usize,
}

/// What one element became.
pub enum Became {
    Event(Box<NewEvent>),
    Skipped,
    Rejected(Vec<FieldError>),
}

impl Reading<'_> {
    /// Reads elements one after the other, since a parsed one takes up to a hundred times the memory of its text. `patience` is
    /// [`PATIENCE`], but for tests. `reserve` is called with the bytes of all that are read, before the next one.
    ///
    /// # Errors
    /// What `reserve` returns.
    pub fn read<E>(
        &self,
        elements: Vec<Element>,
        patience: Duration,
        mut reserve: impl FnMut(usize) -> Result<(), E>,
    ) -> Result<Read, E> {
        let mut read = Read::default();
        let mut months = HashSet::new();
        let mut alike = Alike::default();
        let until = Instant::now() + patience;
        let mut contexts = Contexts::default();
        for element in elements {
            let record = contexts.record(&element);
            if Instant::now() >= until {
                let detail =
                    "the elements before it took too long to read; replay it, or make the mapping simpler";
                let late = [FieldError::at("", "too_slow", detail)];
                read.rejected.push(rejected(record, &late));
                continue;
            }
            // With what belongs to it: the elements of a request share that, and it is read with each of them.
            let length = record.bytes.len() + record.context.as_deref().map_or(0, str::len);
            let became = if length > MAX_EVENT_BYTES { too_long() } else { self.element(&element) };
            let became = match became {
                Became::Event(event) => {
                    let is_new = months.insert(month_at(event.occurred_at.timestamp()));
                    if is_new && months.len() > MAX_MONTHS {
                        let detail = format!("the events of one request may lie in {MAX_MONTHS} months");
                        Became::Rejected(vec![FieldError::at("/occurred_at", "too_many_months", detail)])
                    } else {
                        Became::Event(event)
                    }
                }
                became => became,
            };
            match became {
                Became::Skipped => read.skipped += 1,
                Became::Rejected(errors) => read.rejected.push(rejected(record, &errors)),
                Became::Event(event) => {
                    let prepared = self.prepare(*event, &record, &mut alike);
                    read.bytes += prepared.bytes();
                    reserve(read.bytes)?;
                    read.events.push(prepared);
                    read.records.push(record);
                }
            }
        }
        Ok(read)
    }

    /// Makes an event ready to be stored. One without a dedupe key gets the key of its content.
    pub fn prepare(&self, mut event: NewEvent, record: &Record, alike: &mut Alike) -> Prepared {
        // Without a time, two events that look alike may well be two.
        if event.dedupe_key.is_none() && event.occurred_at.is_given() {
            event.dedupe_key = content_key(record, alike);
        }
        Prepared::new(event, self.source, self.masker)
    }

    /// Reads one element.
    pub fn element(&self, element: &Element) -> Became {
        if element.raw.len() > MAX_EVENT_BYTES {
            return too_long();
        }
        if let Some(own) = own_event(self.kind, &element.raw) {
            return match (self.own)("", own) {
                Ok(event) => Became::Event(Box::new(event)),
                Err(errors) => Became::Rejected(errors),
            };
        }
        let Some(mapping) = self.mapping else {
            let detail = "the mapping of the source is no longer accepted; save it again";
            return Became::Rejected(vec![FieldError::at("", "mapping_invalid", detail)]);
        };
        match mapping.event(element) {
            Ok(Mapped::Event(event)) => Became::Event(event),
            Ok(Mapped::Skipped) => Became::Skipped,
            Err(errors) => Became::Rejected(errors),
        }
    }
}

/// The event of Logbook in an element that is or carries one: it says in which log it belongs and what happened.
fn own_event(kind: Kind, raw: &Bytes) -> Option<&RawValue> {
    #[derive(serde::Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow)]
        event: &'a RawValue,
    }
    let value: &RawValue = match kind {
        Kind::Api => serde_json::from_slice(raw).ok()?,
        Kind::Hec => serde_json::from_slice::<Envelope<'_>>(raw).ok()?.event,
        _ => return None,
    };
    own::is_own(value).then_some(value)
}

/// Counts the elements of one request that are alike: they are two, while those of two requests are one that was sent again.
#[derive(Default)]
pub struct Alike(HashMap<[u8; 32], usize>);

/// The dedupe key of an event that has none: what is sent again after an answer was lost is sent alike.
fn content_key(record: &Record, alike: &mut Alike) -> Option<DedupeKey> {
    let mut hash = Sha256::new();
    hash.update(&record.bytes);
    if let Some(context) = &record.context {
        hash.update([0]);
        hash.update(context.as_bytes());
    }
    let digest: [u8; 32] = hash.finalize().into();
    let count = alike.0.entry(digest).or_default();
    *count += 1;
    DedupeKey::try_from(format!("content:{}:{count}", encode_string(&digest[..16]))).ok()
}

fn too_long() -> Became {
    let detail = format!("the limit is {} KiB per event, with what belongs to it", MAX_EVENT_BYTES / 1024);
    Became::Rejected(vec![FieldError::at("", "too_long", detail)])
}

/// The context of the last element, as text: thousands of records may share one.
#[derive(Default)]
struct Contexts(Option<(Context, Arc<str>)>);

type Context = Arc<Map<String, Value>>;

impl Contexts {
    /// The bytes of an element, and what else belongs to it.
    fn record(&mut self, element: &Element) -> Record {
        let context = element.context.as_ref().and_then(|context| match &self.0 {
            Some((last, text)) if Arc::ptr_eq(last, context) => Some(text.clone()),
            _ => {
                let text: Arc<str> = serde_json::to_string(&**context).ok()?.into();
                self.0 = Some((context.clone(), text.clone()));
                Some(text)
            }
        });
        Record { bytes: element.raw.clone(), context }
    }
}

/// A record that could not be read, with the first of its errors.
pub fn rejected(record: Record, errors: &[FieldError]) -> NewRejected {
    let first = errors.first();
    let more = errors.len().saturating_sub(1);
    let mut reason = first.map_or_else(|| "it could not be read".to_owned(), |error| error.detail.clone());
    if more > 0 {
        reason.push_str(&format!(" (and {more} more)"));
    }
    NewRejected {
        record,
        code: first.map_or_else(|| "unreadable".into(), |error| error.code.clone()),
        reason,
        pointer: first.and_then(|error| error.pointer.clone()).filter(|pointer| !pointer.is_empty()),
    }
    .bounded()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::sources::formats::{self, Head};

    #[test]
    fn what_takes_too_long_waits_in_quarantine() {
        let body = Bytes::from_static(br#"[{"action":"a"},{"action":"b"}]"#);
        let read = |patience| {
            let elements = formats::elements(Kind::Api, &Head::default(), &body).expect("elements");
            let reading = Reading {
                kind: Kind::Api,
                mapping: Some(Mapping::of(Kind::Api)),
                own: |_, _| Err(Vec::new()),
                source: &SourceName::truncated("s"),
                masker: &Masker::default(),
            };
            reading.read::<Infallible>(elements, patience, |_| Ok(())).unwrap_or_default()
        };
        assert_eq!(read(PATIENCE).events.len(), 2);
        let late = read(Duration::ZERO);
        assert!(late.events.is_empty());
        let codes: Vec<&str> = late.rejected.iter().map(|rejected| rejected.code.as_str()).collect();
        assert_eq!(codes, ["too_slow", "too_slow"]);
    }
}
