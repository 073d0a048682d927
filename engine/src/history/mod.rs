//! What a record was at any time, folded from the events that changed it.
//!
//! | file | what it has |
//! |---|---|
//! | `record.rs` | reads the versions of a record; the only file with a query |
//! | `delta.rs` | parses what a version changed |
//! | `value.rs` | values, sets, and how masked ones compare |
//! | `state.rs` | folds versions into a state, and finds gaps |
//! | `blame.rs` | who last set a field |
//! | `diff.rs` | how two states differ |
//! | `restore.rs` | what to write to get back to a state |
//!
//! A version is an event of the application log whose first target is the record; reads are versions too. Of those that
//! succeeded, `create` starts a record, `delete` ends it, and any other with changes sets fields. Where a change says that
//! the old value was another one than the fold has, the log missed a write: that is a [`Gap`].

mod blame;
mod delta;
mod diff;
mod record;
mod restore;
mod state;
mod value;

pub use blame::{Blame, blame};
pub use diff::{Difference, Kind, diff};
pub use record::{Limits, Point, RecordKey, Version, count_until, number_of, versions};
pub use restore::{Patch, Reason, patch};
pub use state::{Field, Fold, Gap, MAX_GAPS, MAX_VALUES, Presence, fold};
pub use value::{FieldValue, Json};
