//! Folds the versions of a record into its state at one moment.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, VecDeque},
};

use super::{
    delta::{Content as Changed, Delta, deltas},
    record::Version,
    value::{Content, FieldValue, Json, Match, Set, Value, array},
};
use crate::{
    error::{Error, Result},
    event::Outcome,
};

/// Fields, and members of sets, that a state may have.
pub const MAX_VALUES: usize = 100_000;
/// Gaps that are described, the latest ones. Further ones are only counted.
pub const MAX_GAPS: usize = 1000;

/// Whether the record is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Nothing has been written by then.
    Unwritten,
    Present,
    /// With its last values.
    Deleted,
}

/// A record at one moment.
#[derive(Debug)]
pub struct Fold<'a> {
    pub presence: Presence,
    /// True when the log has the record's creation, so that it knows every field.
    pub is_complete: bool,
    pub record_name: Option<&'a str>,
    pub fields: BTreeMap<Cow<'a, str>, Field<'a>>,
    pub gaps: VecDeque<Gap<'a>>,
    /// Also those that are not described.
    pub gap_count: usize,
    /// Fields of an incomplete record that are known to have had no value.
    pub(super) absent: BTreeSet<Cow<'a, str>>,
    /// Values that are kept in memory.
    values: usize,
}

/// A field of a record at one moment.
#[derive(Debug)]
pub struct Field<'a> {
    /// The last one that the log gave it.
    pub label: Option<String>,
    pub value: FieldValue<'a>,
    own_label: Option<String>,
    /// What set it. None where the log missed that.
    pub(super) setting: Option<Setting<'a>>,
    /// True when only a later change says what it was at this moment.
    pub is_inferred: bool,
}

impl Field<'_> {
    /// The value's own label.
    pub fn value_label(&self) -> Option<String> {
        self.own_label.clone().or_else(|| self.value.label())
    }
}

/// The change that gave a field its value.
#[derive(Debug)]
pub(super) struct Setting<'a> {
    /// The index of the version.
    pub version: usize,
    pub old: Old<'a>,
}

#[derive(Debug)]
pub(super) enum Old<'a> {
    /// With its label.
    One(Value<'a>, Option<String>),
    /// What came and what went.
    Set(Vec<Value<'a>>, Vec<Value<'a>>),
}

impl Old<'_> {
    fn is_nothing(&self) -> bool {
        matches!(self, Self::Set(came, went) if came.is_empty() && went.is_empty())
    }
}

/// A write that the log missed: it happened before this version, which names another old value than the fold has.
#[derive(Debug)]
pub struct Gap<'a> {
    pub field: Cow<'a, str>,
    /// The index of the version.
    pub version: usize,
    /// What the fold has. Of a set: which of the members that the change names it has.
    pub expected: Json<'a>,
    /// What the version says was there.
    pub found: Json<'a>,
}

/// What a version does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Create,
    Update,
    Delete,
}

/// None when it changes nothing: a read, or what failed or was denied.
fn effect(version: &Version, changes: &[Delta<'_>]) -> Option<Effect> {
    if version.outcome != Outcome::Success {
        return None;
    }
    match version.action.as_str() {
        "create" => Some(Effect::Create),
        "delete" => Some(Effect::Delete),
        // These bring a deleted record back, even if they change no field.
        "update" | "restore" => Some(Effect::Update),
        // An action of the app's own.
        _ => (!changes.is_empty()).then_some(Effect::Update),
    }
}

/// The state after the first `count` versions. Those after them are asked only for what an incomplete record was before
/// its first known change.
///
/// # Errors
/// [`Error::RecordTooLarge`].
pub fn fold(versions: &[Version], count: usize) -> Result<Fold<'_>> {
    let (before, after) = versions.split_at(count.min(versions.len()));
    let mut fold = Fold {
        presence: Presence::Unwritten,
        is_complete: false,
        record_name: None,
        fields: BTreeMap::new(),
        gaps: VecDeque::new(),
        gap_count: 0,
        absent: BTreeSet::new(),
        values: 0,
    };
    for (n, version) in before.iter().enumerate() {
        fold.apply(n, version)?;
    }
    fold.infer(after)?;
    Ok(fold)
}

/// What holds for all changes of one version.
#[derive(Clone, Copy)]
struct Now {
    version: usize,
    effect: Effect,
    /// False for a creation where nothing was before: it is no evidence of what was.
    checks: bool,
    /// True where the record had been deleted: then it is right, too, that nothing was there.
    was_deleted: bool,
}

impl<'a> Fold<'a> {
    fn apply(&mut self, n: usize, version: &'a Version) -> Result<()> {
        let changes = deltas(version);
        let Some(effect) = effect(version, &changes) else { return Ok(()) };
        self.record_name = version.record_name.as_deref().or(self.record_name);
        let was = self.presence;
        let creates = effect == Effect::Create;
        if creates && was != Presence::Present {
            self.fields.clear();
            self.values = 0;
            self.is_complete = true;
        }
        let now = Now {
            version: n,
            effect,
            checks: !creates || was == Presence::Present,
            was_deleted: was == Presence::Deleted,
        };
        for change in changes {
            self.change(now, change)?;
        }
        if creates {
            // What an earlier life had and this one does not name is gone.
            let is_new = |field: &Field<'_>| field.setting.as_ref().is_some_and(|own| own.version == n);
            self.fields.retain(|_, field| is_new(field));
            self.values = self.fields.values().map(|field| field.value.len()).sum();
            self.is_complete = true;
        }
        self.presence = if effect == Effect::Delete { Presence::Deleted } else { Presence::Present };
        Ok(())
    }

    fn change(&mut self, now: Now, delta: Delta<'a>) -> Result<()> {
        let Delta { field, label, old_label, new_label, content } = delta;
        match content {
            Changed::One { old, new } => {
                self.set_value(now, field, (label, old_label, new_label), (old, new))
            }
            Changed::Set { added, removed } => {
                self.change_set(now, field, (label, new_label), (added, removed))
            }
        }
    }

    fn set_value(
        &mut self,
        now: Now,
        name: Cow<'a, str>,
        (label, old_label, new_label): (Option<String>, Option<String>, Option<String>),
        (old, new): (Value<'a>, Value<'a>),
    ) -> Result<()> {
        let known = self.take(&name);
        let value = known.as_ref().map(|field| &field.value);
        let same = match value {
            Some(value) => value.compare(&FieldValue::one(old)),
            None if self.is_complete => Value::default().compare(old),
            None => Match::Unknown,
        };
        let is_gap = now.checks && same == Match::Different && !(now.was_deleted && old.is_null());
        if is_gap {
            let (expected, found) = (value.and_then(FieldValue::json), FieldValue::one(old).json());
            self.gap(Gap { field: name.clone(), version: now.version, expected, found });
        }
        let is_new = now.effect == Effect::Create
            || old.text() != new.text()
            || value.is_none_or(|value| value.compare(&FieldValue::one(new)) != Match::Same);
        let field = match (now.effect, known) {
            (Effect::Delete, Some(field)) if !is_gap => field,
            // The last value is the old one. Where nobody knows who wrote it, nobody is named.
            (Effect::Delete, _) => Field::new(label, FieldValue::one(old), old_label, None),
            (_, Some(field)) if !is_new => {
                let (label, own_label) = (label.or(field.label), new_label.or(field.own_label));
                Field { label, own_label, ..field }
            }
            (_, known) => {
                let known_label = known.as_ref().filter(|_| !is_gap).and_then(Field::value_label);
                let old = Old::One(old, old_label.or(known_label));
                let setting = Setting { version: now.version, old };
                let label = label.or_else(|| known?.label);
                Field::new(label, FieldValue::one(new), new_label, Some(setting))
            }
        };
        self.put(name, field)
    }

    fn change_set(
        &mut self,
        now: Now,
        name: Cow<'a, str>,
        (label, new_label): (Option<String>, Option<String>),
        (added, removed): (Vec<Value<'a>>, Vec<Value<'a>>),
    ) -> Result<()> {
        let known = self.take(&name);
        let (mut setting, mut known_label) = (None, None);
        let mut value = FieldValue::none();
        let is_known = known.is_some();
        if let Some(field) = known {
            (setting, known_label, value) = (field.setting, field.label, field.value);
        }
        // What is neither a set nor can be one, such as a text.
        let (mut set, other) = match value.0 {
            Content::Set(set) => (set, None),
            Content::One(_) if !is_known => (Set::new(self.is_complete), None),
            Content::One(value) if value.is_null() => (Set::new(true), None),
            Content::One(value) => match value.items() {
                Some(items) => (Set::of(items), None),
                None => (Set::new(false), Some(value)),
            },
        };
        let is_wrong = |value: &Value<'a>, there: bool| {
            set.has(*value) == Some(!there) && (!there || !set.may_hide(*value))
        };
        let is_gap = other.is_some_and(|value| !value.is_masked)
            || removed.iter().any(|value| is_wrong(value, true))
            || (!now.was_deleted && added.iter().any(|value| is_wrong(value, false)));
        if now.checks && is_gap {
            let named = added.iter().chain(&removed).copied();
            let expected = match other {
                Some(value) => FieldValue::one(value).json(),
                None => array(named.filter(|value| set.has(*value) == Some(true))),
            };
            let found = array(removed.iter().copied());
            self.gap(Gap { field: name.clone(), version: now.version, expected, found });
        }
        if now.effect == Effect::Create {
            set = Set::new(true);
        }
        if now.effect == Effect::Delete {
            // The last members are the old ones.
            for value in removed {
                set.put(value, true, None);
            }
        } else {
            let label_of_one = new_label.as_deref().filter(|_| added.len() == 1);
            let came = added.iter().copied().filter(|value| set.has(*value) != Some(true)).collect();
            let went = removed.iter().copied().filter(|value| set.has(*value) != Some(false)).collect();
            let old = Old::Set(came, went);
            if !old.is_nothing() || setting.is_none() || now.effect == Effect::Create {
                setting = Some(Setting { version: now.version, old });
            }
            for value in &removed {
                set.put(*value, false, None);
            }
            for value in &added {
                set.put(*value, true, label_of_one);
            }
        }
        let value = FieldValue(Content::Set(set));
        self.put(name, Field::new(label.or(known_label), value, None, setting))
    }

    fn take(&mut self, name: &str) -> Option<Field<'a>> {
        let field = self.fields.remove(name)?;
        self.values -= field.value.len();
        Some(field)
    }

    fn put(&mut self, name: Cow<'a, str>, field: Field<'a>) -> Result<()> {
        self.values += field.value.len();
        if let Some(before) = self.fields.insert(name, field) {
            self.values -= before.value.len();
        }
        if self.values > MAX_VALUES { Err(Error::RecordTooLarge) } else { Ok(()) }
    }

    fn gap(&mut self, gap: Gap<'a>) {
        self.gap_count += 1;
        if self.gaps.len() == MAX_GAPS {
            self.gaps.pop_front();
        }
        self.gaps.push_back(gap);
    }

    /// Adds what later versions say of fields that no version up to this moment named: the first change of a field has the
    /// value that it had until then.
    fn infer(&mut self, later: &'a [Version]) -> Result<()> {
        if self.is_complete || self.presence == Presence::Deleted {
            return Ok(());
        }
        let mut is_first = self.presence == Presence::Unwritten;
        let mut named = BTreeSet::new();
        for version in later {
            let changes = deltas(version);
            let Some(effect) = effect(version, &changes) else { continue };
            if effect == Effect::Create {
                // Nothing was before the first one.
                self.is_complete = is_first;
                return Ok(());
            }
            is_first = false;
            for Delta { field, label, old_label, content, .. } in changes {
                if self.fields.contains_key(&field) || !named.insert(field.clone()) {
                    continue;
                }
                match content {
                    Changed::One { old, .. } if old.is_null() => {
                        self.absent.insert(field);
                    }
                    Changed::One { old, .. } => {
                        let inferred = Field::new(label, FieldValue::one(old), old_label, None);
                        self.put(field, Field { is_inferred: true, ..inferred })?;
                    }
                    Changed::Set { .. } => {}
                }
                if named.len() > MAX_VALUES {
                    return Err(Error::RecordTooLarge);
                }
            }
            if effect == Effect::Delete {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Whether the log says what a field was, if only that it had no value.
    pub(super) fn knows(&self, field: &str) -> bool {
        self.is_complete || self.fields.contains_key(field) || self.absent.contains(field)
    }

    /// The fields of a record that is there. A record that was deleted has none.
    pub(super) fn live(&self) -> Option<&BTreeMap<Cow<'a, str>, Field<'a>>> {
        (self.presence != Presence::Deleted).then_some(&self.fields)
    }
}

impl<'a> Field<'a> {
    fn new(
        label: Option<String>,
        value: FieldValue<'a>,
        own_label: Option<String>,
        setting: Option<Setting<'a>>,
    ) -> Self {
        Self { label, value, own_label, setting, is_inferred: false }
    }
}
