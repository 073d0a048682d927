//! Who last set a field.

use super::{
    state::{Field, Old, Setting},
    value::{FieldValue, Json},
};

/// The change that gave a field its value.
#[derive(Debug)]
pub struct Blame<'a> {
    /// The index of the version.
    pub version: usize,
    /// The value before it, as the version says.
    pub old: Json<'a>,
    pub old_label: Option<String>,
}

/// None where the log missed who set it, or where only a later change says what it was.
pub fn blame<'a>(field: &Field<'a>) -> Option<Blame<'a>> {
    let Setting { version, old } = field.setting.as_ref()?;
    let (old, old_label) = match old {
        Old::One(value, label) => (FieldValue::one(*value).json(), label.clone()),
        Old::Set(came, went) => (field.value.before(came, went), None),
    };
    Some(Blame { version: *version, old, old_label })
}
