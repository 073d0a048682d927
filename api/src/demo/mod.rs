//! Something to look at: the real rows of a real app, and a clinic of about 50,000 events over 90 days.
//!
//! `logbook serve --demo` fills two workspaces and keeps the second one alive ([`Trickle`]):
//!
//! | workspace | what is in it |
//! |---|---|
//! | `peerapp` | the rows that the importer is tested with, imported from the binary itself |
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
