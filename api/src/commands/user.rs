//! `logbook user`.

use clap::{Args, Subcommand};
use logbook::{
    accounts::{member::Member, members, role::Role, sign_in_links, users},
    audit::{Destination, Record, events},
    auth::sessions::Sessions,
    config::DataConfig,
};
use logbook_engine::event::Change;

use super::{Failure, audit::record, find_workspace, open};

use serde_json::Value;

#[derive(Subcommand)]
pub enum UserCommand {
    /// Create a user and print a sign-in link
    Create {
        /// The user's e-mail address
        #[arg(long)]
        email: String,
        /// The user's name
        #[arg(long)]
        name: String,
        /// Make the user a platform admin, with all permissions in every workspace
        #[arg(long)]
        platform_admin: bool,
        /// Make the user a member of this workspace
        #[arg(long, requires = "role")]
        workspace: Option<String>,
        /// The user's role in that workspace
        #[arg(long, requires = "workspace")]
        role: Option<Role>,
        #[command(flatten)]
        origin: Origin,
    },
    /// Print a new sign-in link for a user
    Link {
        /// The user's e-mail address
        #[arg(long)]
        email: String,
        #[command(flatten)]
        origin: Origin,
    },
}

#[derive(Args)]
pub struct Origin {
    /// Base URL of the server, for the link
    #[arg(long, env = "LOGBOOK_PUBLIC_URL", default_value = "http://127.0.0.1:8080")]
    public_url: String,
}

pub fn run(data: &DataConfig, command: UserCommand) -> Result<(), Failure> {
    let db = open(data)?;
    let mut records = Vec::new();
    let (user, origin) = match command {
        UserCommand::Create { email, name, platform_admin, workspace, role, origin } => {
            let workspace = workspace.map(|slug| find_workspace(&db, &slug)).transpose()?;
            let user = users::create(&mut *db.conn()?, &email, &name, platform_admin)?;
            let changes = vec![
                Change::value("email", Value::Null, user.email.clone().into()),
                Change::value("platform_admin", Value::Null, platform_admin.into()),
            ];
            records.push(Record::new(
                Destination::Platform,
                events::by_command("user_created", events::of_user(&user), changes),
            ));
            if let (Some(workspace_id), Some(role)) = (workspace, role) {
                members::set(&mut *db.conn()?, workspace_id, user.id, role)?;
                let member = Member::new(user.clone(), role);
                let changes = events::new_member(&member, None);
                let invited = events::by_command("member_invited", events::of_member(&member), changes);
                records.push(Record::new(Destination::Workspace(workspace_id), invited));
            }
            (user, origin)
        }
        UserCommand::Link { email, origin } => {
            let user = users::find_by_email(&mut *db.conn()?, &email)?;
            let user = user.ok_or_else(|| Failure::Message(format!("there is no user {email}")))?;
            // The link signs in as this person, in every workspace of which they are a member.
            let linked = events::by_command("sign_in_link_created", events::of_user(&user), Vec::new());
            records.push(Record::new(Destination::Person(user.id), linked));
            (user, origin)
        }
    };
    let token = sign_in_links::create(&mut *db.conn()?, user.id)?;
    record(data, &db, records);
    println!("A sign-in link for {}, valid once, within a day:", user.email);
    println!("{}", Sessions::link(origin.public_url.trim_end_matches('/'), &token));
    Ok(())
}
