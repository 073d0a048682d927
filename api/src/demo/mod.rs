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

use logbook_engine::{
    append::AppendRequest,
    event::{ActorType, Log, NewEvent, limits::SourceName},
};

/// Requests that append the clinic's events in their order, each with those of one source that follow each other.
pub fn requests(workspace_id: i32, events: Vec<NewEvent>) -> Vec<AppendRequest> {
    let mut requests: Vec<(&str, Vec<NewEvent>)> = Vec::new();
    for event in events {
        let source = source_of(&event);
        match requests.last_mut() {
            Some((last, events)) if *last == source => events.push(event),
            _ => requests.push((source, vec![event])),
        }
    }
    let request = |(source, events)| AppendRequest::new(workspace_id, &SourceName::truncated(source), events);
    requests.into_iter().map(request).collect()
}

/// The program that sends an event: the app, its assistant, or the platform on which both run.
fn source_of(event: &NewEvent) -> &'static str {
    let by_agent = event.common.actor.as_ref().is_some_and(|actor| actor.kind == ActorType::Agent);
    match event.common.log {
        Log::Framework => "platform",
        _ if by_agent => "triage assistant",
        _ => "clinic producer",
    }
}
