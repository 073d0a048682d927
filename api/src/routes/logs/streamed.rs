//! What exports and tails share: in which words they write events, and their place among others.

use actix_web::{HttpRequest, web::Data};
use logbook_engine::{
    caches::Caches,
    db::Db,
    event::{Event, Log},
    timeline::Part,
};
use serde::Serialize;

use crate::{
    audit::{AuditLog, events::By},
    auth::{Read, Reader, service},
    http::{client::ClientInfo, error::Result},
    limits::streams::{Place, Places, Streams},
    routes::logs::{
        columns::Column,
        log::{LogKind, reader_id},
    },
};

/// In which words events are written: those of a log, or those that all logs share.
pub trait Words: Read {
    /// An event as JSON.
    type Written: From<Event> + Serialize;

    /// The columns of a file between those that every file has.
    const OWN_COLUMNS: &'static [Column];

    /// Names of masked fields, by their common pointers.
    const MASKED_NAMES: &'static [(&'static str, &'static str)];
}

impl<L: LogKind> Words for L {
    type Written = L::Event;

    const OWN_COLUMNS: &'static [Column] = L::COLUMNS;
    const MASKED_NAMES: &'static [(&'static str, &'static str)] = L::NAMES;
}

/// What an export or a tail needs beside its parameters.
pub struct Context<'a> {
    pub request: &'a HttpRequest,
    pub db: &'a Db,
    pub caches: &'a Caches,
    pub streams: &'a Data<Streams>,
}

/// Takes a place. That there is none is on record.
///
/// # Errors
/// `busy`
pub fn place<R>(request: &HttpRequest, reader: &Reader<R>, places: &Places) -> Result<Place> {
    let taken = places.take(&reader_id(reader));
    if let Err(problem) = &taken {
        let Reader { workspace, role, caller, .. } = reader;
        let client_info = ClientInfo::from_request(request);
        let by = By { workspace, role: *role, caller, client_info: &client_info };
        service::<AuditLog>(request)?.place_refused(&by, places.what(), problem);
    }
    taken
}

/// The logs that are read, each once: the parts of a log follow each other.
pub fn logs_of(parts: &[Part]) -> Vec<Log> {
    let mut logs: Vec<Log> = parts.iter().map(|part| part.filter.log).collect();
    logs.dedup();
    logs
}
