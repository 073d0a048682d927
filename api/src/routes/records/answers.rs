//! A record at one moment, as the API returns it.

use std::borrow::Cow;

use logbook_engine::{
    db::timestamp::Timestamp,
    event::{Actor, id::EventId},
    history::{self, Fold, Gap, Json, Presence, RecordKey, Version},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::Moment;
use crate::routes::logs::application::ApplicationEvent;

/// A page of versions.
#[derive(Serialize, ToSchema)]
pub struct RecordHistory {
    pub data: Vec<RecordVersion>,
    /// Send it as `cursor` to get the next page. Null on the last page.
    #[schema(required)]
    pub next_cursor: Option<String>,
    pub has_more: bool,
}

/// A version of a record: an event, and its number.
#[derive(Serialize, ToSchema)]
pub struct RecordVersion {
    /// 1 for the oldest. Null beyond 10,000.
    #[schema(required, minimum = 1)]
    pub version: Option<usize>,
    #[serde(flatten)]
    pub event: ApplicationEvent,
}

/// A record at a moment.
#[derive(Serialize, ToSchema)]
pub struct RecordMoment {
    /// The moment.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// How many versions had happened, which is the number of the last one. 0 before the first.
    version: usize,
    /// The last version's event.
    #[schema(required, value_type = Option<String>, example = "01935fb2-8e31-8000-8000-040000000029")]
    event_id: Option<EventId>,
    /// Null where the log does not say: before the first version of a record that was created before Logbook saw it.
    #[schema(required)]
    exists: Option<bool>,
    deleted: bool,
    /// False when the log does not have the record's creation: then it may have fields that the log never named.
    complete: bool,
}

impl RecordMoment {
    pub(super) fn new(versions: &[Version], moment: Moment, fold: &Fold<'_>) -> Self {
        let exists = match fold.presence {
            Presence::Present => Some(true),
            Presence::Deleted => Some(false),
            Presence::Unwritten => fold.is_complete.then_some(false),
        };
        Self {
            at: moment.at,
            version: moment.count,
            event_id: versions[..moment.count].last().map(Version::event_id),
            exists,
            deleted: fold.presence == Presence::Deleted,
            complete: fold.is_complete,
        }
    }
}

/// A write that the log missed: it happened before this event, whose old value is not the one that was there.
#[derive(Serialize, ToSchema)]
pub struct RecordGap<'a> {
    #[schema(value_type = String, example = "status")]
    field: Cow<'a, str>,
    #[schema(value_type = String, example = "01935fb2-8e31-8000-8000-040000000029")]
    event_id: EventId,
    #[schema(value_type = String, format = DateTime)]
    occurred_at: Timestamp,
    /// What the log says was there. Of a set: which of the members that the event names.
    #[schema(required, value_type = Value)]
    expected: Json<'a>,
    /// What the event says was there.
    #[schema(required, value_type = Value)]
    found: Json<'a>,
}

/// The gaps of the versions after the first `from`.
pub(super) fn gaps<'a>(versions: &[Version], fold: &Fold<'a>, from: usize) -> Vec<RecordGap<'a>> {
    let gap = |gap: &Gap<'a>| {
        let Gap { field, version, expected, found } = gap;
        let event = &versions[*version];
        RecordGap {
            field: field.clone(),
            event_id: event.event_id(),
            occurred_at: event.occurred_at,
            expected: expected.clone(),
            found: found.clone(),
        }
    };
    fold.gaps.iter().filter(|gap| gap.version >= from).map(gap).collect()
}

/// A field of a record.
#[derive(Serialize, ToSchema)]
pub struct RecordField<'a> {
    #[schema(example = "doctor_id")]
    field: &'a str,
    /// The field's own name for people, where a change had one.
    #[schema(required, example = "Doctor")]
    label: Option<&'a str>,
    /// Any JSON value; null where there is none. The members of a set are an array.
    #[schema(required, value_type = Value)]
    value: Json<'a>,
    /// What the value says to people, where a change had it.
    #[schema(required, example = "Ben Kim")]
    value_label: Option<String>,
    /// True when only a later change says what it was at this moment.
    inferred: bool,
}

fn field<'a>(name: &'a str, field: &'a history::Field<'a>) -> RecordField<'a> {
    RecordField {
        field: name,
        label: field.label.as_deref(),
        value: field.value.json(),
        value_label: field.value_label(),
        inferred: field.is_inferred,
    }
}

/// What a record was at a moment.
#[derive(Serialize, ToSchema)]
pub struct RecordState<'a> {
    #[schema(example = "patient")]
    model: &'a str,
    #[schema(example = "92")]
    record_id: &'a str,
    #[schema(required, example = "李雷")]
    record_name: Option<&'a str>,
    #[serde(flatten)]
    moment: RecordMoment,
    /// By name. Of a deleted record: its last values.
    fields: Vec<RecordField<'a>>,
    /// The latest 1,000 gaps up to the moment.
    gaps: Vec<RecordGap<'a>>,
    gap_count: usize,
}

impl<'a> RecordState<'a> {
    pub(super) fn new(
        key: &'a RecordKey,
        versions: &'a [Version],
        moment: Moment,
        fold: &'a Fold<'a>,
    ) -> Self {
        Self {
            model: &key.model,
            record_id: &key.id,
            record_name: fold.record_name,
            moment: RecordMoment::new(versions, moment, fold),
            fields: fold.fields.iter().map(|(name, own)| field(name, own)).collect(),
            gaps: gaps(versions, fold, 0),
            gap_count: fold.gap_count,
        }
    }
}

/// A field of a record, and who last set it.
#[derive(Serialize, ToSchema)]
pub struct BlamedField<'a> {
    #[serde(flatten)]
    field: RecordField<'a>,
    /// The event that set it. Null, as are the others, where the log missed that.
    #[schema(required, value_type = Option<String>, example = "01935fb2-8e31-8000-8000-040000000029")]
    event_id: Option<EventId>,
    /// The number of that event among the record's versions.
    #[schema(required)]
    set_in_version: Option<usize>,
    #[schema(required, value_type = Option<String>, format = DateTime)]
    set_at: Option<Timestamp>,
    #[schema(required, value_type = Option<Actor>)]
    set_by: Option<&'a Actor>,
    /// The person for whom the actor did it.
    #[schema(required, value_type = Option<Actor>)]
    on_behalf_of: Option<&'a Actor>,
    #[schema(required, example = "update")]
    action: Option<&'a str>,
    /// The value before it, as the event says.
    #[schema(required, value_type = Value)]
    old: Json<'a>,
    #[schema(required, example = "Asha Rao")]
    old_label: Option<String>,
}

/// Who last set each field of a record.
#[derive(Serialize, ToSchema)]
pub struct RecordBlame<'a> {
    #[schema(example = "patient")]
    model: &'a str,
    #[schema(example = "92")]
    record_id: &'a str,
    #[schema(required, example = "李雷")]
    record_name: Option<&'a str>,
    #[serde(flatten)]
    moment: RecordMoment,
    /// By name. Of a deleted record: its last values.
    fields: Vec<BlamedField<'a>>,
    /// The latest 1,000 gaps up to the moment.
    gaps: Vec<RecordGap<'a>>,
    gap_count: usize,
}

impl<'a> RecordBlame<'a> {
    pub(super) fn new(
        key: &'a RecordKey,
        versions: &'a [Version],
        moment: Moment,
        fold: &'a Fold<'a>,
    ) -> Self {
        let blamed = |(name, own): (&'a Cow<'a, str>, &'a history::Field<'a>)| {
            let blame = history::blame(own);
            let event = blame.as_ref().map(|blame| &versions[blame.version]);
            let set_in_version = blame.as_ref().map(|blame| blame.version + 1);
            let (old, old_label) = blame.map(|blame| (blame.old, blame.old_label)).unwrap_or_default();
            BlamedField {
                field: field(name, own),
                event_id: event.map(Version::event_id),
                set_in_version,
                set_at: event.map(|event| event.occurred_at),
                set_by: event.and_then(|event| event.actor.as_ref()),
                on_behalf_of: event.and_then(|event| event.on_behalf_of.as_ref()),
                action: event.map(|event| event.action.as_str()),
                old,
                old_label,
            }
        };
        Self {
            model: &key.model,
            record_id: &key.id,
            record_name: fold.record_name,
            moment: RecordMoment::new(versions, moment, fold),
            fields: fold.fields.iter().map(blamed).collect(),
            gaps: gaps(versions, fold, 0),
            gap_count: fold.gap_count,
        }
    }
}
