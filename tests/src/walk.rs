//! Reads a log or the feed from end to end, as a client would.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::Client;

/// Every event of a list, page after page. Checks what every page promises on the way.
#[track_caller]
pub fn pages(client: &Client, path: &str, parameters: &[(&str, &str)]) -> Vec<Value> {
    let mut all = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut with_cursor = parameters.to_vec();
        with_cursor.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page = client.query(path, &with_cursor).expect(200);
        all.extend(page.data().iter().cloned());
        let next = page.json["next_cursor"].as_str().map(str::to_owned);
        assert_eq!(page.json["has_more"], next.is_some(), "has_more and next_cursor agree");
        assert_eq!(page.headers.contains_key("link"), next.is_some(), "Link and next_cursor agree");
        if next.is_none() {
            return all;
        }
        assert!(!page.data().is_empty(), "a page with a next one is never empty");
        cursor = next;
    }
}

/// The feed from a seq to its end.
#[track_caller]
pub fn feed(client: &Client, workspace: &str, mut after: String, limit: u32) -> Vec<Value> {
    let mut all = Vec::new();
    loop {
        let page =
            client.get(&format!("/workspaces/{workspace}/logs/feed?after={after}&limit={limit}")).expect(200);
        all.extend(page.data().iter().cloned());
        after = page.json["next_cursor"].as_str().expect("never null").to_owned();
        if page.json["has_more"] == false {
            return all;
        }
    }
}

/// The seq of each event.
pub fn seqs(events: &[Value]) -> Vec<i64> {
    events.iter().map(|event| event["seq"].as_i64().expect("a seq")).collect()
}

/// Tries until it comes true. For what another thread is about to bring about.
#[track_caller]
pub fn wait_until(what: &str, mut come_true: impl FnMut() -> bool) {
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !come_true() {
        assert!(std::time::Instant::now() < patience, "{what}: it never came true");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// Raises a flag when it goes, also by a panic: threads that look at the flag would otherwise go on for ever.
pub struct AtEnd<'a>(pub &'a AtomicBool);

impl Drop for AtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A figure of `/metrics`; of one with labels, the sum.
#[track_caller]
pub fn figure(admin: &Client, name: &str) -> u64 {
    let text = admin.get("/metrics").expect(200).text;
    let value = |line: &str| {
        let rest = line.strip_prefix(name)?.trim_start_matches(|c| c != ' ');
        rest.trim().parse::<u64>().ok()
    };
    let values: Vec<u64> = text.lines().filter_map(value).collect();
    assert!(!values.is_empty(), "no figure {name} in {text}");
    values.iter().sum()
}
