//! `logbook user`.

use clap::{Args, Subcommand};
use logbook::{
    accounts::{
        member::Member,
        members,
        role::Role,
        second_factors, sessions, sign_in_links,
        users::{self, User},
    },
    audit::{Destination, Record, changes::change_and_record, events},
    auth::sessions::Sessions,
    config::DataConfig,
    http::error::{Code, Problem},
};
use logbook_engine::{
    db::{Conn, Db},
    event::Change,
};

use super::{Failure, find_workspace, open};

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
        #[command(flatten)]
        account: Account,
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
    /// Tell whether a user has a second factor, or remove it for somebody who has lost it
    SecondFactor {
        #[command(flatten)]
        account: Account,
        /// Remove it with its recovery codes, end all sessions and delete unused sign-in links
        #[arg(long)]
        remove: bool,
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
        UserCommand::Create { email, name, platform_admin, workspace, role, origin } => {
            let membership = match (workspace, role) {
                (Some(slug), Some(role)) => Some((find_workspace(&db, &slug)?, role)),
                _ => None,
            };
            create(data, &db, (&email, &name, platform_admin), membership, &origin)
        }
        UserCommand::Link { account, origin } => link(data, &db, &account, &origin),
        UserCommand::Disable(account) => set_disabled(data, &db, &account, true),
        UserCommand::Enable(account) => set_disabled(data, &db, &account, false),
        UserCommand::Sessions { account, end, end_all } => sessions(data, &db, &account, end, end_all),
        UserCommand::SecondFactor { account, remove } => second_factor(data, &db, &account, remove),
        UserCommand::Grant { account, what: Granted { workspace, .. }, role } => match workspace {
            Some(slug) => set_role(data, &db, &account, &slug, role),
            None => set_platform_admin(data, &db, &account, true),
        },
        UserCommand::Revoke { account, what: Granted { workspace, .. } } => match workspace {
            Some(slug) => set_role(data, &db, &account, &slug, None),
            None => set_platform_admin(data, &db, &account, false),
        },
    }
}

/// Makes a change and stores its event with it.
fn change<T>(
    data: &DataConfig,
    db: &Db,
    work: impl FnOnce(&mut Conn) -> Result<(T, Vec<Record>), Problem>,
) -> Result<T, Failure> {
    Ok(change_and_record(&mut *db.conn()?, data.audit, work)?)
}

fn create(
    data: &DataConfig,
    db: &Db,
    (email, name, platform_admin): (&str, &str, bool),
    membership: Option<(i32, Role)>,
    origin: &Origin,
) -> Result<(), Failure> {
    let (user, token) = change(data, db, |conn| {
        let user = users::create(conn, email, name, platform_admin)?;
        let changes = vec![
            Change::value("email", Value::Null, user.email.clone().into()),
            Change::value("platform_admin", Value::Null, platform_admin.into()),
        ];
        let created = events::by_command("user_created", events::of_user(&user), changes);
        let mut records = vec![Record::new(Destination::Platform, created)];
        if let Some((workspace_id, role)) = membership {
            members::set(conn, workspace_id, user.id, role)?;
            let member = Member::new(user.clone(), role);
            let changes = events::new_member(&member, None);
            let added = events::by_command("member_added", events::of_member(&member), changes);
            records.push(Record::new(Destination::Workspace(workspace_id), added));
        }
        let token = sign_in_links::create(conn, user.id)?;
        Ok(((user, token), records))
    })?;
    print_link(&user, origin, &token);
    Ok(())
}

fn link(data: &DataConfig, db: &Db, account: &Account, origin: &Origin) -> Result<(), Failure> {
    let user = account.find(db)?;
    let token = change(data, db, |conn| {
        // The link signs in as this person, in every workspace of which they are a member.
        let linked = events::by_command("sign_in_link_created", events::of_user(&user), Vec::new());
        let token = sign_in_links::create(conn, user.id)?;
        Ok((token, vec![Record::new(Destination::Person(user.id), linked)]))
    })?;
    print_link(&user, origin, &token);
    Ok(())
}

fn print_link(user: &User, origin: &Origin, token: &str) {
    println!("A sign-in link for {}, valid once, within a day:", user.email);
    println!("{}", Sessions::link(origin.public_url.trim_end_matches('/'), token));
}

fn set_disabled(data: &DataConfig, db: &Db, account: &Account, disabled: bool) -> Result<(), Failure> {
    let user = account.find(db)?;
    let (action, state) = if disabled { ("user_disabled", "disabled") } else { ("user_enabled", "enabled") };
    change(data, db, |conn| {
        let user = users::set_disabled(conn, user.id, disabled)?;
        let event = events::by_command(action, events::of_user(&user), Vec::new());
        Ok(((), vec![Record::new(Destination::Platform, event)]))
    })?;
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
    if end.is_none() && !end_all {
        for session in sessions::list(&mut *db.conn()?, user.id)? {
            let sessions::Session { id, method, ip_address, created_at, renewed_at, ends_at, .. } = session;
            let address = ip_address.unwrap_or_default();
            println!("{id}\t{method}\t{address}\tsince {created_at}\trenewed {renewed_at}\tends {ends_at}");
        }
        return Ok(());
    }
    change(data, db, |conn| {
        let mut ended = events::by_command("user_sessions_ended", events::of_user(&user), Vec::new());
        match end {
            Some(id) if !sessions::end_of(conn, user.id, &id)? => {
                let unknown = format!("{} has no session {id}", user.email);
                return Err(Problem::new(Code::NotFound, unknown));
            }
            Some(id) => events::note(&mut ended, "session", id),
            None => drop(users::end_sessions(conn, user.id)?),
        }
        Ok(((), vec![Record::new(Destination::Platform, ended)]))
    })?;
    println!("Ended. Running servers refuse its access tokens within two seconds.");
    Ok(())
}

fn second_factor(data: &DataConfig, db: &Db, account: &Account, remove: bool) -> Result<(), Failure> {
    let user = account.find(db)?;
    if !remove {
        let mut conn = db.conn()?;
        match second_factors::find_on(&mut conn, user.id)?.and_then(|factor| factor.confirmed_at) {
            Some(at) => {
                let left = second_factors::recovery_codes_left(&mut conn, user.id)?;
                println!("{}\ton since {at}\t{left} recovery codes left", user.email);
            }
            None => println!("{}\toff", user.email),
        }
        return Ok(());
    }
    change(data, db, |conn| {
        let user = second_factors::reset(conn, user.id)?;
        let removed = events::by_command("second_factor_removed", events::of_user(&user), Vec::new());
        Ok(((), vec![Record::new(Destination::Platform, removed)]))
    })?;
    println!("Removed. The account {} signs in without a code.", user.email);
    println!("Running servers refuse the access tokens of its sessions within two seconds.");
    Ok(())
}

/// Gives a role in a workspace; with None takes it away.
fn set_role(
    data: &DataConfig,
    db: &Db,
    account: &Account,
    slug: &str,
    role: Option<Role>,
) -> Result<(), Failure> {
    let (user, workspace_id) = (account.find(db)?, find_workspace(db, slug)?);
    change(data, db, |conn| {
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
        Ok(((), vec![Record::new(Destination::Workspace(workspace_id), event)]))
    })?;
    println!("Done.");
    Ok(())
}

fn set_platform_admin(data: &DataConfig, db: &Db, account: &Account, now: bool) -> Result<(), Failure> {
    let user = account.find(db)?;
    change(data, db, |conn| {
        let after = users::set_platform_admin(conn, user.id, now)?;
        let changes = vec![Change::value("platform_admin", user.platform_admin.into(), now.into())];
        let event = events::by_command("platform_admin_changed", events::of_user(&after), changes);
        Ok(((), vec![Record::new(Destination::Platform, event)]))
    })?;
    println!("Done.");
    Ok(())
}
