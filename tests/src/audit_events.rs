//! What a server wrote to the logs about itself.

use logbook::{accounts::workspaces, audit};

use crate::{TestServer, pagination::feed};

use serde_json::Value;

/// The audit events of a workspace, oldest first, without those of the story's own requests as a platform admin.
pub fn audit_events(server: &TestServer, slug: &str) -> Vec<Value> {
    server.settle();
    let mut events = feed(&server.admin(), slug, "0".into(), 1000);
    events.retain(|event| event["log"] == "activity" && event["actor"]["id"] != "token:test");
    assert!(events.iter().all(|event| event["source"] == "logbook"));
    events
}

pub fn actions(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["action"].as_str().unwrap_or_default()).collect()
}

/// The slug of the workspace that has the events which belong to no other.
pub fn platform_slug(server: &TestServer) -> String {
    server.settle();
    let mut conn = server.db.conn().expect("a connection");
    let id = audit::platform::find(&mut conn).expect("an answer").expect("the platform's workspace");
    let all = workspaces::list(&mut conn).expect("a list");
    all.into_iter().find(|workspace| workspace.id == id).expect("it is in the list").slug
}
