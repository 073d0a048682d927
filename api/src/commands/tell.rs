//! What a command changed, in the log of the workspace that it concerns.

use logbook::{
    config::DataConfig,
    db::Db,
    error::Problem,
    journal::events,
    logs::{
        append::{self, AppendRequest},
        event::{Actor, ActorType, Change, Target},
    },
    visitor::Visitor,
};

/// Who made what a command made.
pub const COMMAND_LINE: &str = "command line";

/// Logs the change in the framework log. It is made already: where it cannot be logged, the command says so and goes on.
pub fn tell(
    data: &DataConfig,
    db: &Db,
    workspace_id: i32,
    action: &str,
    target: Target,
    changes: Vec<Change>,
) {
    if !data.own_events {
        return;
    }
    let actor = Actor { kind: ActorType::System, id: None, name: Some(COMMAND_LINE.into()) };
    let mut event = events::managed(action, actor, None, &Visitor::default(), target);
    event.changes = changes;
    let request = AppendRequest::new(workspace_id, [event]);
    let stored = db.conn().map_err(Problem::from).and_then(|mut conn| append::store(&mut conn, request));
    if let Err(problem) = stored {
        eprintln!("It is not in the log: {problem}");
    }
}
