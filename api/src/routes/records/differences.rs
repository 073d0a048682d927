//! How a record differs between two moments, and how to get back, as the API returns it.

use std::{borrow::Cow, collections::BTreeMap};

use logbook_engine::history::{self, Difference, Json, Kind, Patch, Presence, Reason, RecordKey, Version};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Moment,
    answers::{RecordGap, RecordMoment, gaps},
};
use crate::http::error::{Code, FieldError, Problem, Result};

/// A field that differs between two moments.
#[derive(Serialize, ToSchema)]
pub struct RecordChange<'a> {
    #[schema(value_type = String, example = "status")]
    field: Cow<'a, str>,
    #[schema(required, example = "Status")]
    label: Option<String>,
    /// `added`, `removed` or `changed`.
    #[schema(example = "changed")]
    kind: &'static str,
    /// The value at the earlier moment; null where there was none.
    #[schema(required, value_type = Value)]
    old: Json<'a>,
    #[schema(required)]
    old_label: Option<String>,
    /// The value at the later moment; null where there was none.
    #[schema(required, value_type = Value)]
    new: Json<'a>,
    #[schema(required)]
    new_label: Option<String>,
}

impl<'a> From<Difference<'a>> for RecordChange<'a> {
    fn from(difference: Difference<'a>) -> Self {
        let Difference { field, label, kind, old, old_label, new, new_label } = difference;
        let kind = match kind {
            Kind::Added => "added",
            Kind::Removed => "removed",
            Kind::Changed => "changed",
        };
        Self { field, label, kind, old, old_label, new, new_label }
    }
}

/// How a record differs between two moments.
#[derive(Serialize, ToSchema)]
pub struct RecordDiff<'a> {
    #[schema(example = "patient")]
    model: &'a str,
    #[schema(example = "92")]
    record_id: &'a str,
    #[schema(required, example = "李雷")]
    record_name: Option<&'a str>,
    from: RecordMoment,
    to: RecordMoment,
    /// By the field's name.
    changes: Vec<RecordChange<'a>>,
    /// The gaps between the two moments, among the latest 1,000 up to the later one.
    gaps: Vec<RecordGap<'a>>,
}

impl<'a> RecordDiff<'a> {
    /// # Errors
    /// `record_too_large`
    pub(super) fn new(
        key: &'a RecordKey,
        versions: &'a [Version],
        (from, to): (Moment, Moment),
    ) -> Result<Self> {
        let (old, new) = (history::fold(versions, from.count)?, history::fold(versions, to.count)?);
        Ok(Self {
            model: &key.model,
            record_id: &key.id,
            record_name: new.record_name,
            from: RecordMoment::new(versions, from, &old),
            to: RecordMoment::new(versions, to, &new),
            changes: history::diff(&old, &new).into_iter().map(RecordChange::from).collect(),
            gaps: gaps(versions, &new, from.count),
        })
    }
}

/// A field that the patch cannot bring back.
#[derive(Serialize, ToSchema)]
pub struct LeftOutField<'a> {
    #[schema(value_type = String, example = "token")]
    field: Cow<'a, str>,
    /// `masked`: its value was masked before it was stored. `unknown`: the log does not say what it was. `null_inside`: an
    /// object with null inside, which a merge patch would remove.
    #[schema(example = "masked")]
    reason: &'static str,
}

/// What to write to a record to get it back to what it was.
#[derive(Serialize, ToSchema)]
pub struct RecordRestore<'a> {
    #[schema(example = "patient")]
    model: &'a str,
    #[schema(example = "92")]
    record_id: &'a str,
    #[schema(required, example = "李雷")]
    record_name: Option<&'a str>,
    /// The latest version, from which the patch leads back.
    from: RecordMoment,
    to: RecordMoment,
    /// A JSON Merge Patch (RFC 7396) of the fields that differ. Null removes a value; sets are written whole.
    #[schema(value_type = Object, example = json!({"status": "open", "phone": null, "roles": ["Nurse"]}))]
    patch: BTreeMap<Cow<'a, str>, Json<'a>>,
    left_out: Vec<LeftOutField<'a>>,
    /// The latest 1,000 gaps up to now: where the log missed writes, the record may be another one than it says.
    gaps: Vec<RecordGap<'a>>,
    gap_count: usize,
}

impl<'a> RecordRestore<'a> {
    /// # Errors
    /// `record_too_large`; `invalid_parameter` for a moment when the record was not there, and for a field that it never had.
    pub(super) fn new(
        key: &'a RecordKey,
        versions: &'a [Version],
        to: Moment,
        wanted: &[String],
    ) -> Result<Self> {
        let latest = Moment::latest(versions);
        let (now, then) = (history::fold(versions, latest.count)?, history::fold(versions, to.count)?);
        match then.presence {
            Presence::Present => {}
            Presence::Deleted => return Err(Problem::parameter("to", "the record was deleted then")),
            Presence::Unwritten if then.is_complete => {
                return Err(Problem::parameter("to", "the record was not created yet"));
            }
            Presence::Unwritten => {
                return Err(Problem::parameter("to", "the log does not say what the record was then"));
            }
        }
        let unknown = |name: &&String| {
            !now.fields.contains_key(name.as_str()) && !then.fields.contains_key(name.as_str())
        };
        let error = |name: &String| {
            FieldError::parameter("field", "unknown", format!("the record has no field {name}"))
        };
        let errors: Vec<FieldError> = wanted.iter().filter(unknown).map(error).collect();
        if !errors.is_empty() {
            return Err(Problem::with_errors(Code::InvalidParameter, errors));
        }
        let accepts = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
        let Patch { fields, left_out } = history::patch(&now, &then, accepts);
        let leave_out = |(field, reason)| {
            let reason = match reason {
                Reason::Masked => "masked",
                Reason::Unknown => "unknown",
                Reason::NullInside => "null_inside",
            };
            LeftOutField { field, reason }
        };
        Ok(Self {
            model: &key.model,
            record_id: &key.id,
            record_name: now.record_name,
            from: RecordMoment::new(versions, latest, &now),
            to: RecordMoment::new(versions, to, &then),
            patch: fields,
            left_out: left_out.into_iter().map(leave_out).collect(),
            gaps: gaps(versions, &now, 0),
            gap_count: now.gap_count,
        })
    }
}
