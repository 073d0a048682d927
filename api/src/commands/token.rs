//! `logbook token`.

use clap::{Args, Subcommand};
use logbook::{
    accounts::{claims::Claims, role::Role},
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
use serde_json::Value;

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct TokenArgs {
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
    /// Hours until it expires
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=87_600))]
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
}

pub fn run(data: &DataConfig, args: TokenArgs) -> Result<(), Failure> {
    let TokenArgs { command, role, workspace, name, hours } = args;
    let tokens = server::open_tokens(&data.data_dir)?;
    if let Some(TokenCommand::Rotate { at_once }) = command {
        return rotate(data, &tokens, at_once);
    }
    let role = role.ok_or_else(|| Failure::Message("the holder's role is missing: --role".into()))?;
    let mut claims = Claims::new(format!("token:{name}"), name, i64::from(hours) * 3600);
    let expires_at = instant(claims.exp).to_string();
    let changes = vec![
        Change::value("role", Value::Null, role.as_str().into()),
        Change::value("expires_at", Value::Null, expires_at.into()),
    ];
    let target = events::target("token", &claims.sub, &claims.name);
    let created = events::by_command("token_created", target, changes);
    // Recorded before it is printed: the token stays the last line even if stdout and stderr are combined.
    match workspace {
        Some(slug) => {
            let db = open(data)?;
            let id = find_workspace(&db, &slug)?;
            claims.roles.insert(id, role);
            let token = tokens.sign_for_long(&claims)?;
            record(data, &db, vec![Record::new(Destination::Workspace(id), created)]);
            println!("{token}");
        }
        None => {
            claims.everywhere = Some(role);
            claims.platform_admin = role == Role::Admin;
            let token = tokens.sign_for_long(&claims)?;
            record_if_possible(data, vec![Record::new(Destination::Platform, created)]);
            println!("{token}");
        }
    }
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
