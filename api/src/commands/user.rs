//! `logbook user`.

use clap::{Args, Subcommand};
use logbook::{
    accounts::{
        member::Member,
        members,
        role::Role,
        sessions, sign_in_links,
        users::{self, User},
    },
    audit::{Destination, Record, events},
    auth::sessions::Sessions,
    config::DataConfig,
};
use logbook_engine::{
    db::Db,
    event::{Change, NewEvent},
};

use super::{Failure, audit::record, find_workspace, open};

use serde_json::Value;

#[derive(Subcommand)]
pub(crate) enum UserCommand {
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
    /// Disable an account: nobody can sign in to it, and its sessions end
    Disable(Account),
    /// Enable a disabled account
    Enable(Account),
    /// List the sessions of a user, or end them
    Sessions {
        #[command(flatten)]
        account: Account,
        /// End this session
        #[arg(long, conflicts_with = "end_all")]
        end: Option<String>,
        /// End all sessions, and delete unused sign-in links
        #[arg(long)]
        end_all: bool,
    },
    /// Give a user a role in a workspace, or make them a platform admin
    Grant {
        #[command(flatten)]
        account: Account,
        #[command(flatten)]
        what: Granted,
        /// The role in the workspace
        #[arg(long, requires = "workspace", required_unless_present = "platform_admin")]
        role: Option<Role>,
    },
    /// Take away what was granted
    Revoke {
        #[command(flatten)]
        account: Account,
        #[command(flatten)]
        what: Granted,
    },
}

#[derive(Args)]
pub(crate) struct Account {
    /// The user's e-mail address
    #[arg(long)]
    email: String,
}

impl Account {
    fn find(&self, db: &Db) -> Result<User, Failure> {
        let user = users::find_by_email(&mut *db.conn()?, &self.email)?;
        user.ok_or_else(|| Failure::Message(format!("there is no user {}", self.email)))
    }
}

/// What a user may do.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Granted {
    /// In this workspace
    #[arg(long)]
    workspace: Option<String>,
    /// Everything in every workspace
    #[arg(long)]
    platform_admin: bool,
}

#[derive(Args)]
pub(crate) struct Origin {
    /// Base URL of the server, for the link
    #[arg(long, env = "LOGBOOK_PUBLIC_URL", default_value = "http://127.0.0.1:8080")]
    public_url: String,
}

pub(crate) fn run(data: &DataConfig, command: UserCommand) -> Result<(), Failure> {
    let db = open(data)?;
    match command {
        UserCommand::Disable(account) => set_disabled(data, &db, &account, true),
        UserCommand::Enable(account) => set_disabled(data, &db, &account, false),
        UserCommand::Sessions { account, end, end_all } => sessions(data, &db, &account, end, end_all),
        UserCommand::Grant { account, what, role } => grant(data, &db, &account, what, role),
        UserCommand::Revoke { account, what } => grant(data, &db, &account, what, None),
        command => print_link(data, &db, command),
    }
}

fn record_one(data: &DataConfig, db: &Db, destination: Destination, event: NewEvent) {
    record(data, db, vec![Record::new(destination, event)]);
}

fn set_disabled(data: &DataConfig, db: &Db, account: &Account, disabled: bool) -> Result<(), Failure> {
    let user = account.find(db)?;
    let user = users::set_disabled(&mut *db.conn()?, user.id, disabled)?;
    let (action, state) = if disabled { ("user_disabled", "disabled") } else { ("user_enabled", "enabled") };
    record_one(
        data,
        db,
        Destination::Platform,
        events::by_command(action, events::of_user(&user), Vec::new()),
    );
    println!("The account {} is {state}.", user.email);
    Ok(())
}

fn sessions(
    data: &DataConfig,
    db: &Db,
    account: &Account,
    end: Option<String>,
    end_all: bool,
) -> Result<(), Failure> {
    let user = account.find(db)?;
    if end_all {
        users::end_sessions(&mut *db.conn()?, user.id)?;
    } else if let Some(id) = &end {
        if !sessions::end_of(&mut *db.conn()?, user.id, id)? {
            return Err(Failure::Message(format!("{} has no session {id}", user.email)));
        }
    } else {
        for session in sessions::list(&mut *db.conn()?, user.id)? {
            let sessions::Session { id, method, ip_address, created_at, renewed_at, ends_at, .. } = session;
            let address = ip_address.unwrap_or_default();
            println!("{id}\t{method}\t{address}\tsince {created_at}\trenewed {renewed_at}\tends {ends_at}");
        }
        return Ok(());
    }
    let mut ended = events::by_command("user_sessions_ended", events::of_user(&user), Vec::new());
    if let Some(id) = end {
        events::note(&mut ended, "session", id);
    }
    record_one(data, db, Destination::Platform, ended);
    println!("Ended. Running servers refuse its access tokens within two seconds.");
    Ok(())
}

/// Gives what is named, or without a role takes it away. `role` is None for a platform admin too.
fn grant(
    data: &DataConfig,
    db: &Db,
    account: &Account,
    Granted { workspace, platform_admin }: Granted,
    role: Option<Role>,
) -> Result<(), Failure> {
    let user = account.find(db)?;
    let Some(slug) = workspace else {
        let now = platform_admin && role.is_none();
        return grant_platform_admin(data, db, &user, now);
    };
    let workspace_id = find_workspace(db, &slug)?;
    let conn = &mut *db.conn()?;
    let (action, member, changes) = match role {
        Some(role) => {
            let before = members::role_of(conn, workspace_id, user.id)?;
            members::set(conn, workspace_id, user.id, role)?;
            let member = Member::new(user, role);
            let changes = events::new_member(&member, before);
            ("member_added", member, changes)
        }
        None => ("member_removed", members::remove(conn, workspace_id, user.id)?, Vec::new()),
    };
    let event = events::by_command(action, events::of_member(&member), changes);
    record_one(data, db, Destination::Workspace(workspace_id), event);
    println!("Done.");
    Ok(())
}

fn grant_platform_admin(data: &DataConfig, db: &Db, user: &User, now: bool) -> Result<(), Failure> {
    let after = users::set_platform_admin(&mut *db.conn()?, user.id, now)?;
    let changes = vec![Change::value("platform_admin", user.platform_admin.into(), now.into())];
    let event = events::by_command("platform_admin_changed", events::of_user(&after), changes);
    record_one(data, db, Destination::Platform, event);
    println!("Done.");
    Ok(())
}

/// For the commands that print a sign-in link.
fn print_link(data: &DataConfig, db: &Db, command: UserCommand) -> Result<(), Failure> {
    let mut records = Vec::new();
    let (user, origin) = match command {
        UserCommand::Create { email, name, platform_admin, workspace, role, origin } => {
            let workspace = workspace.map(|slug| find_workspace(db, &slug)).transpose()?;
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
        UserCommand::Disable(_)
        | UserCommand::Enable(_)
        | UserCommand::Sessions { .. }
        | UserCommand::Grant { .. }
        | UserCommand::Revoke { .. } => return Ok(()),
    };
    let token = sign_in_links::create(&mut *db.conn()?, user.id)?;
    record(data, db, records);
    println!("A sign-in link for {}, valid once, within a day:", user.email);
    println!("{}", Sessions::link(origin.public_url.trim_end_matches('/'), &token));
    Ok(())
}
