//! `logbook sources`.

use clap::Subcommand;
use logbook::{
    accounts::{
        source_kind::Kind,
        sources::{self, NewSource},
    },
    audit::{
        Destination, Record,
        changes::change_and_record,
        events::{self, COMMAND_LINE},
        sources::{new_source, of_source},
    },
    config::DataConfig,
};
use logbook_engine::{db::roles, sources::health};

use super::{Failure, find_workspace, open};

#[derive(Subcommand)]
pub(crate) enum SourcesCommand {
    /// Register a source and print its key, alone on the last line; it is shown only once
    Create {
        /// The workspace to which it sends
        #[arg(long)]
        workspace: String,
        /// Its name, which stands on each of its events
        #[arg(long)]
        name: String,
        /// What it sends
        #[arg(long)]
        kind: Kind,
        /// Minutes after which its silence is reported. Default: it is not
        #[arg(long, value_parser = clap::value_parser!(i32).range(1..=500_000))]
        silence_minutes: Option<i32>,
    },
    /// List the sources of a workspace: name, kind, events, records in quarantine, when each last sent
    List {
        /// The workspace to which they send
        #[arg(long)]
        workspace: String,
    },
}

pub(crate) fn run(data: &DataConfig, command: SourcesCommand) -> Result<(), Failure> {
    let db = open(data)?;
    match command {
        SourcesCommand::Create { workspace, name, kind, silence_minutes } => {
            let workspace_id = find_workspace(&db, &workspace)?;
            let silence_seconds = silence_minutes.map(|minutes| minutes * 60);
            let new = NewSource { name, kind, silence_seconds, replay_days: None, secret: None };
            let (source, created) = change_and_record(&mut *db.conn()?, data.audit, |conn| {
                let made = sources::register(conn, workspace_id, new, None, (COMMAND_LINE, None))?;
                let (source, key) = (&made.0, &made.1.key);
                let records = [
                    events::by_command("source_created", of_source(source), new_source(source)),
                    events::by_command("api_key_created", events::of_key(key), events::new_key(key)),
                ]
                .map(|event| Record::new(Destination::Workspace(workspace_id), event));
                Ok((made, records.into()))
            })?;
            println!("Registered {} in {workspace}. Its key is shown only once:", source.name);
            println!("{}", created.text);
        }
        SourcesCommand::List { workspace } => {
            let workspace_id = find_workspace(&db, &workspace)?;
            let conn = &mut *db.conn()?;
            let registered = sources::list(conn, workspace_id)?;
            let states = roles::as_reader(conn, workspace_id, |conn| health::states(conn, workspace_id))?;
            for source in registered {
                let state = states.iter().find(|state| state.source == source.name);
                let (events, rejected) = state.map_or((0, 0), |state| (state.events, state.rejected));
                let sent = state.and_then(|state| state.last_received_at);
                let sent = sent.map_or_else(|| "never".into(), |at| at.to_string());
                println!("{}\t{}\t{events}\t{rejected}\t{sent}", source.name, source.kind);
            }
        }
    }
    Ok(())
}
