//! `logbook token`.

use clap::{Args, Subcommand};
use logbook::{
    accounts::{
        claims::Claims,
        role::Role,
        script_tokens::{self, LONGEST_HOURS},
        workspaces,
    },
    audit::{Destination, Record, events},
    auth::tokens::Tokens,
    config::DataConfig,
    server,
};
use logbook_engine::{
    db::timestamp::Timestamp,
    event::{Change, Target},
};

use super::{
    Failure,
    audit::{record, record_if_possible},
    find_workspace, open,
};
use std::collections::BTreeMap;

use serde_json::Value;

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct TokenArgs {
    #[command(subcommand)]
    command: Option<TokenCommand>,
    /// The holder's role
    #[arg(long, required = true)]
    role: Option<Role>,
    /// The workspace it is valid in. Default: all workspaces; an admin's token then also makes its holder a platform admin
    #[arg(long)]
    workspace: Option<String>,
    /// The holder's name in the logs
    #[arg(long, default_value = "script")]
    name: String,
    /// Hours until it expires: a year at most
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=i64::from(LONGEST_HOURS)))]
    hours: u32,
}

#[derive(Subcommand)]
enum TokenCommand {
    /// Create a new signing key. Nobody is signed out: tokens that were signed before stay valid until they expire
    Rotate {
        /// After a leak: refuse all earlier tokens. People stay signed in; scripts need new tokens
        #[arg(long)]
        at_once: bool,
    },
    /// List the tokens that were created here: id, state, role, workspace, when it expires, name
    List,
    /// Revoke a token. Running servers refuse it within two seconds
    Revoke {
        /// The token's id, as listed
        id: String,
    },
}

pub(crate) fn run(data: &DataConfig, args: TokenArgs) -> Result<(), Failure> {
    let TokenArgs { command, role, workspace, name, hours } = args;
    let tokens = server::open_tokens(&data.data_dir)?;
    match command {
        Some(TokenCommand::Rotate { at_once }) => return rotate(data, &tokens, at_once),
        Some(TokenCommand::List) => return list(data),
        Some(TokenCommand::Revoke { id }) => return revoke(data, &id),
        None => {}
    }
    let role = role.ok_or_else(|| Failure::Message("the holder's role is missing: --role".into()))?;
    let mut claims = Claims::new(format!("token:{name}"), name, i64::from(hours) * 3600);
    let expires_at = instant(claims.exp).to_string();
    let changes = vec![
        Change::value("role", Value::Null, role.as_str().into()),
        Change::value("expires_at", Value::Null, expires_at.clone().into()),
    ];
    let target = events::target("token", &claims.sub, &claims.name);
    let created = events::by_command("token_created", target, changes);
    let db = open(data)?;
    let workspace_id = workspace.map(|slug| find_workspace(&db, &slug)).transpose()?;
    script_tokens::create(&mut *db.conn()?, &mut claims, role, workspace_id)?;
    // Recorded before it is printed: the token stays the last line even if stdout and stderr are combined.
    let destination = match workspace_id {
        Some(id) => {
            claims.roles.insert(id, role);
            Destination::Workspace(id)
        }
        None => {
            claims.everywhere = Some(role);
            claims.platform_admin = role == Role::Admin;
            Destination::Platform
        }
    };
    let token = tokens.sign_for_long(&claims)?;
    record(data, &db, vec![Record::new(destination, created)]);
    println!("{token}");
    Ok(())
}

fn list(data: &DataConfig) -> Result<(), Failure> {
    let db = open(data)?;
    let conn = &mut *db.conn()?;
    let slugs: BTreeMap<i32, String> =
        workspaces::list(conn)?.into_iter().map(|workspace| (workspace.id, workspace.slug)).collect();
    for token in script_tokens::list(conn)? {
        let workspace = token.workspace_id.and_then(|id| slugs.get(&id)).map_or("*", String::as_str);
        let state = token.state();
        println!("{}\t{state}\t{}\t{workspace}\t{}\t{}", token.id, token.role, token.expires_at, token.name);
    }
    Ok(())
}

fn revoke(data: &DataConfig, id: &str) -> Result<(), Failure> {
    let db = open(data)?;
    let revoked = script_tokens::revoke(&mut *db.conn()?, id)?;
    let unknown =
        || Failure::Message(format!("there is no token {id} that is still valid; see: logbook token list"));
    let token = revoked.ok_or_else(unknown)?;
    let target = events::target("token", &token.id, &token.name);
    let destination = token.workspace_id.map_or(Destination::Platform, Destination::Workspace);
    record(
        data,
        &db,
        vec![Record::new(destination, events::by_command("token_revoked", target, Vec::new()))],
    );
    println!("The token {} of {} is revoked.", token.id, token.name);
    Ok(())
}

fn rotate(data: &DataConfig, tokens: &Tokens, at_once: bool) -> Result<(), Failure> {
    let valid_until = tokens.rotate(at_once)?.map(instant);
    println!("Tokens are now signed with a new key.");
    match valid_until {
        Some(until) => {
            println!(
                "Tokens that were signed before stay valid until they expire, at the latest until {until}."
            )
        }
        None => println!("Tokens that were signed before are refused."),
    }
    let keys = Target { kind: events::text("token_keys"), ..Target::default() };
    let mut rotated = events::by_command("token_key_rotated", keys, Vec::new());
    let until = valid_until.map_or(Value::Null, |until| until.to_string().into());
    events::note(&mut rotated, "keys_before_good_until", until);
    record_if_possible(data, vec![Record::new(Destination::Platform, rotated)]);
    Ok(())
}

/// From seconds since 1970.
fn instant(seconds: i64) -> Timestamp {
    Timestamp(seconds * 1_000_000)
}
