//! The registered sources, remembered for a moment with their compiled mappings: every request of a shipper begins with one.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use logbook_engine::db::Db;

use super::mapping::Mapping;
use crate::{
    accounts::sources::{self, Source},
    http::error::{Code, Problem, Result},
    ttl_cache::TtlCache,
};

/// How long other servers may use settings that were changed here.
const TIME_TO_LIVE: Duration = Duration::from_secs(5);
/// Sources that are remembered.
const MOST: usize = 10_000;

/// A source and its mapping.
pub struct OpenSource {
    pub source: Source,
    /// None where its own mapping is no longer accepted, since another version of Logbook is stricter: then all that it sends
    /// goes into quarantine, and nothing is read as it was not meant.
    pub mapping: Option<Arc<Mapping>>,
}

/// Sources by workspace and name.
pub struct Registry {
    db: Db,
    known: TtlCache<(i32, String), Arc<OpenSource>>,
    /// Bytes that a workspace may have in quarantine.
    pub quarantine_bytes: u64,
}

impl Registry {
    pub fn new(db: &Db, quarantine_bytes: u64) -> Self {
        Self { db: db.clone(), known: TtlCache::new(MOST, TIME_TO_LIVE), quarantine_bytes }
    }

    /// None when the workspace has no such source.
    ///
    /// # Errors
    /// The database's.
    pub async fn find(&self, workspace_id: i32, name: &str) -> Result<Option<Arc<OpenSource>>> {
        let key = (workspace_id, name.to_owned());
        if let Some(source) = self.known.get(&key) {
            return Ok(Some(source));
        }
        let read_at = Instant::now();
        let wanted = name.to_owned();
        let found = self.db.run(move |conn| sources::find(conn, workspace_id, &wanted)).await;
        let source = match found {
            Ok(source) => source,
            Err(problem) if problem.code == Code::NotFound => return Ok(None),
            Err(problem) => return Err(problem),
        };
        let mapping = match source.mapping.as_deref().map(Mapping::compile) {
            Some(own) => own.ok().map(Arc::new),
            None => Some(Mapping::of(source.kind()).clone()),
        };
        let open = Arc::new(OpenSource { source, mapping });
        self.known.insert(key, open.clone(), read_at);
        Ok(Some(open))
    }

    /// The source of a key that is accepted.
    ///
    /// # Errors
    /// `unauthenticated` when the source was removed a moment ago; the database's.
    pub async fn of_key(&self, workspace_id: i32, name: &str) -> Result<Arc<OpenSource>> {
        let removed = || Problem::new(Code::Unauthenticated, "the source of this key was removed");
        self.find(workspace_id, name).await?.ok_or_else(removed)
    }

    /// Makes the next request of the source read it again.
    pub fn invalidate(&self, workspace_id: i32, name: &str) {
        self.known.invalidate(&(workspace_id, name.to_owned()));
    }
}
