//! What a server said of itself.

use logbook::{journal, workspaces};
use serde_json::Value;

use crate::{TestServer, pagination::feed};

/// What the server said of itself in a workspace, oldest first, without who looks now: a platform admin's token.
pub fn told(server: &TestServer, slug: &str) -> Vec<Value> {
    server.settle();
    let mut events = feed(&server.admin(), slug, "0".into(), 1000);
    events.retain(|event| event["metadata"]["source"] == "logbook" && event["actor"]["id"] != "token:test");
    events
}

pub fn actions(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["action"].as_str().unwrap_or_default()).collect()
}

/// The workspace where stands what belongs to none.
pub fn platform(server: &TestServer) -> String {
    server.settle();
    let mut conn = server.db.conn().expect("a connection");
    let id = journal::platform::find(&mut conn).expect("a look").expect("it was made");
    let all = workspaces::list(&mut conn).expect("a list");
    all.into_iter().find(|workspace| workspace.id == id).expect("it is in the list").slug
}
