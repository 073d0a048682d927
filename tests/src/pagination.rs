//! Reads a log or the feed from end to end, page by page, as a client does.

use serde_json::Value;

use crate::Client;

/// Every event of a list. Checks what each page promises.
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

/// Every event of the feed after a seq.
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
