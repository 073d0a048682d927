//! `logbook keys`.

use clap::Subcommand;
use logbook::{
    accounts::{
        api_keys::{self, Created},
        role::Role,
    },
    audit::{
        Destination, Record,
        changes::change_and_record,
        events::{self, COMMAND_LINE},
    },
    config::DataConfig,
};
use logbook_engine::db::timestamp::Timestamp;

use super::{Failure, find_workspace, open};

#[derive(Subcommand)]
pub(crate) enum KeysCommand {
    /// Create an API key and print it, alone on the last line; it is shown only once
    Create {
        /// The workspace that the key belongs to
        #[arg(long)]
        workspace: String,
        /// The key's role
        #[arg(long)]
        role: Role,
        /// The key's name, such as who or what uses it
        #[arg(long)]
        name: String,
        /// Days until it expires. Default: it does not expire
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: Option<u32>,
    },
    /// List the API keys of a workspace: prefix, role, state, last use, name
    List {
        /// The workspace that the keys belong to
        #[arg(long)]
        workspace: String,
    },
    /// Revoke an API key; running servers refuse it within two seconds
    Revoke {
        /// The workspace that the key belongs to
        #[arg(long)]
        workspace: String,
        /// The key's prefix, as listed
        prefix: String,
    },
}

pub(crate) fn run(data: &DataConfig, command: KeysCommand) -> Result<(), Failure> {
    let db = open(data)?;
    match command {
        KeysCommand::Create { workspace, role, name, days } => {
            let workspace_id = find_workspace(&db, &workspace)?;
            let expires_at = days.map(|days| Timestamp::now().plus_seconds(i64::from(days) * 86_400));
            let new = api_keys::NewApiKey { name, role, source: None, expires_at };
            let Created { key, text } = change_and_record(&mut *db.conn()?, data.audit, |conn| {
                let created = api_keys::create(conn, workspace_id, &new, COMMAND_LINE, None)?;
                let (target, changes) = (events::of_key(&created.key), events::new_key(&created.key));
                let event = events::by_command("api_key_created", target, changes);
                Ok((created, vec![Record::new(Destination::Workspace(workspace_id), event)]))
            })?;
            println!("Created the key {} in {workspace}. It is shown only once:", key.prefix);
            println!("{text}");
        }
        KeysCommand::List { workspace } => {
            let workspace_id = find_workspace(&db, &workspace)?;
            for key in api_keys::list(&mut *db.conn()?, workspace_id)? {
                let used = key.last_used_at.map_or_else(|| "never".into(), |at| at.to_string());
                println!("{}\t{}\t{}\t{used}\t{}", key.prefix, key.role, key.state().as_str(), key.name);
            }
        }
        KeysCommand::Revoke { workspace, prefix } => {
            let workspace_id = find_workspace(&db, &workspace)?;
            let revoked = change_and_record(&mut *db.conn()?, data.audit, |conn| {
                let revoked = api_keys::revoke(conn, workspace_id, &prefix)?;
                let event = |key| events::by_command("api_key_revoked", events::of_key(key), Vec::new());
                let record = |key| Record::new(Destination::Workspace(workspace_id), event(key));
                let records = revoked.iter().map(record).collect();
                Ok((revoked, records))
            })?;
            match revoked {
                Some(key) => println!("Revoked the key {} ({}).", key.prefix, key.name),
                None => println!("The key {prefix} was already revoked."),
            }
        }
    }
    Ok(())
}
