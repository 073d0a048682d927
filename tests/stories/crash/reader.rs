//! A client that follows the feed from process to process.

use std::{collections::HashMap, thread, time::Duration};

use logbook_tests::Client;
use serde_json::Value;

use super::{SLUG, writer::Batch};

/// An event of the feed. Its seq is its place, counted from 1.
#[derive(Debug, PartialEq, Eq)]
pub struct Seen {
    pub id: String,
    pub marker: String,
    pub log: String,
}

#[derive(Default)]
pub struct Reader {
    pub events: Vec<Seen>,
    /// The seq of each marker.
    pub seqs: HashMap<String, i64>,
}

impl Reader {
    /// Reads until the server is gone.
    pub fn follow(&mut self, client: &Client) {
        while let Some(caught_up) = self.page(client) {
            if caught_up {
                thread::sleep(Duration::from_millis(5));
            }
        }
    }

    /// Reads to the end.
    pub fn catch_up(&mut self, client: &Client) {
        while !self.page(client).expect("the server answers") {}
    }

    /// True when there is no more; None when the server is gone.
    fn page(&mut self, client: &Client) -> Option<bool> {
        let path = format!("/workspaces/{SLUG}/logs/feed?after={}&limit=500", self.events.len());
        let answer = client.try_send("GET", &path, "application/json", b"").ok()?;
        // The process died between the answer's status and its end.
        let data = answer.json["data"].as_array()?;
        assert_eq!(answer.status, 200, "{}", answer.text);
        for event in data {
            self.take(event);
        }
        Some(answer.json["has_more"] == false)
    }

    fn take(&mut self, event: &Value) {
        let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        let seq = self.events.len() as i64 + 1;
        assert_eq!(event["seq"], seq, "seq has no gap");
        let seen = Seen { id: text("id"), marker: text("correlation_id"), log: text("log") };
        let before = self.seqs.insert(seen.marker.clone(), seq);
        assert_eq!(before, None, "{} is stored twice", seen.marker);
        self.events.push(seen);
    }

    /// True when a batch is there, false when it is not.
    pub fn has_all_or_none(&self, batch: &Batch) -> bool {
        let found = batch.events.iter().filter(|made| self.seqs.contains_key(&made.marker)).count();
        assert!(found == 0 || found == batch.events.len(), "{found} of {} are stored", batch.events.len());
        found > 0
    }
}
