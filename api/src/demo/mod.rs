//! The demo: the rows of a real app, and an invented clinic with about 50,000 events over 90 days.
//!
//! `logbook serve --demo` fills two workspaces and keeps adding events to the second one ([`Trickle`]):
//!
//! | workspace | what is in it |
//! |---|---|
//! | `peerapp` | the rows that the importer is tested with, embedded in the binary |
//! | `clinic` | the [`Story`]: forty people, their sessions, their records, their platform |

mod actions;
mod clinic;
mod event;
mod fill;
mod people;
mod platform;
mod rng;
mod sessions;
mod story;
mod texts;
mod trickle;

pub use fill::{Filled, fill, trickle};
pub use story::Story;
pub use trickle::Trickle;

use logbook_engine::event::limits::SourceName;

/// The source of the clinic's events.
pub fn source() -> SourceName {
    SourceName::truncated("clinic producer")
}
