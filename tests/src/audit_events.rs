//! What a server wrote to the activity log.

use logbook::{
    accounts::workspaces::{self, Workspace},
    audit::{self, Destination, Record, events},
};
use logbook_engine::event::Target;

use crate::{TestServer, pagination::feed};

use serde_json::Value;

/// The audit events of a workspace, oldest first, without those of the story's own requests as a platform admin.
pub fn audit_events(server: &TestServer, slug: &str) -> Vec<Value> {
    server.settle();
    let mut events = feed(&server.admin(), slug, "0".into(), 1000);
    events.retain(|event| event["log"] == "activity" && event["actor"]["id"] != "token:test");
    events
}

/// Stores events of the activity log, which nobody can post, and returns the id of the last.
pub fn store_activity(server: &TestServer, workspace: &Workspace, count: usize) -> String {
    let record = || {
        let event = events::by_command("token_created", Target::default(), Vec::new());
        Record::new(Destination::Workspace(workspace.id), event)
    };
    let mut conn = server.db.conn().expect("a connection");
    audit::store_now(&mut conn, (0..count).map(|_| record()).collect()).expect("stored");
    let path = format!("/workspaces/{}/logs/activity?limit=1", workspace.slug);
    server.admin().get(&path).expect(200).data()[0]["id"].as_str().expect("an id").to_owned()
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
