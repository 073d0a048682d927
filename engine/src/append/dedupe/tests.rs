//! Keys on SQLite, with little memory for them.

use std::collections::HashMap;

use diesel::prelude::*;

use super::*;
use crate::{
    append::{DedupeWindow, Shard, store_group},
    db::{Db, migrations, schema::workspace_sequences},
    event::{
        Log, NewEvent,
        limits::{Action, DedupeKey, OccurredAt, SourceName},
    },
};

/// A database with one workspace.
struct Place {
    _folder: tempfile::TempDir,
    db: Db,
    shard: Shard,
}

impl Place {
    /// `heads`: bytes of them that are remembered.
    fn new(heads: u64) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let db = Db::open(&format!("sqlite://{}", folder.path().join("logbook.db").display()), 2)
            .expect("a database");
        let mut conn = db.conn().expect("a connection");
        migrations::run(&mut conn).expect("its tables");
        let sequence = (workspace_sequences::workspace_id.eq(1), workspace_sequences::last_seq.eq(0));
        diesel::insert_into(workspace_sequences::table)
            .values(sequence)
            .execute(&mut *conn)
            .expect("its sequence");
        drop(conn);
        Self { _folder: folder, db, shard: Shard::sharing(Heads::new(heads)) }
    }

    /// Stores an event for each key, and returns their seqs, and whether each is a duplicate.
    fn store(&mut self, keys: &[u64]) -> Vec<(i64, bool)> {
        let event = |key: &u64| {
            let mut event = NewEvent::new(Log::Access, Action::literal("login"), OccurredAt::now());
            event.dedupe_key = DedupeKey::try_from(key.to_string()).ok();
            event
        };
        let mut request = AppendRequest::new(1, &SourceName::truncated("s"), keys.iter().map(event));
        let mut conn = self.db.conn().expect("a connection");
        let requests = std::slice::from_mut(&mut request);
        let mut answers =
            store_group(&mut conn, &mut self.shard, requests, DedupeWindow::default()).expect("stored");
        let appended = answers.pop().expect("an answer").expect("accepted");
        appended.results.iter().map(|result| (result.seq, result.duplicate)).collect()
    }
}

#[test]
fn keys_are_known_whatever_is_remembered() {
    // Of some 20 parts at the end, a few.
    let mut place = Place::new(30_000);
    let mut known: HashMap<u64, i64> = HashMap::new();
    let mut state = 5_u64;
    let mut below = |most: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % most
    };
    let mut next = 0;
    for round in 0..40 {
        let keys: Vec<u64> = (0..1000)
            .map(|_| {
                if next > 0 && below(2) == 0 {
                    return below(next);
                }
                next += 1;
                next - 1
            })
            .collect();
        for (key, (seq, is_duplicate)) in keys.iter().zip(place.store(&keys)) {
            assert_eq!(known.contains_key(key), is_duplicate, "round {round}: {key}");
            assert_eq!(*known.entry(*key).or_insert(seq), seq, "round {round}: {key}");
        }
    }
}
