//! The command line.

mod commands;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use commands::{
    Failure, backup::BackupArgs, check::CheckArgs, import::ImportCommand, keys::KeysCommand,
    repair::RepairArgs, serve::ServeArgs, sources::SourcesCommand, token::TokenArgs, user::UserCommand,
    workspace::WorkspaceCommand,
};
use logbook::{config::DataConfig, openapi};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Audit logs for platforms that host many apps.
#[derive(Parser)]
#[command(name = "logbook", version)]
struct Cli {
    #[command(flatten)]
    data: DataConfig,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API, and the web application if its folder is given
    Serve(Box<ServeArgs>),
    /// Apply pending migrations
    Migrate,
    /// Print an access token for scripts, alone on the last line
    Token(TokenArgs),
    /// Import the logs of another system
    #[command(subcommand)]
    Import(ImportCommand),
    /// Fill the demo workspaces
    Demo,
    /// Create and list workspaces
    #[command(subcommand)]
    Workspace(WorkspaceCommand),
    /// Create, list and revoke API keys
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Register and list the sources of events
    #[command(subcommand)]
    Sources(SourcesCommand),
    /// Create users and sign-in links
    #[command(subcommand)]
    User(UserCommand),
    /// Compare the search index and the kept counts with the events; record what differs and exit with 3
    Check(CheckArgs),
    /// Rebuild the search index and the kept counts; what differs from the events only with --discard-evidence
    Repair(RepairArgs),
    /// Copy the SQLite database to a new file, also while the server runs
    Backup(BackupArgs),
    /// Print the OpenAPI document as YAML
    Openapi,
}

/// The exit code of a command that found a difference. 1 is any other failure.
const DIFFERED: u8 = 3;
/// The exit code of a command that cannot be meant, as clap's.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let Cli { data, command } = Cli::parse();
    let done = match command {
        Command::Serve(args) => commands::serve::run(&data, &args),
        Command::Migrate => commands::migrate::run(&data),
        Command::Demo => commands::demo::run(&data),
        Command::Token(args) => commands::token::run(&data, args),
        Command::Import(command) => commands::import::run(&data, command),
        Command::Workspace(command) => commands::workspace::run(&data, command),
        Command::Keys(command) => commands::keys::run(&data, command),
        Command::Sources(command) => commands::sources::run(&data, command),
        Command::User(command) => commands::user::run(&data, command),
        Command::Check(args) => commands::check::run(&data, &args),
        Command::Repair(args) => commands::repair::run(&data, &args),
        Command::Backup(args) => commands::backup::run(&data, &args),
        Command::Openapi => openapi::yaml().map_err(Failure::Message).map(|yaml| print!("{yaml}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("logbook: {failure}");
            match failure {
                Failure::Differed(_) => DIFFERED.into(),
                Failure::Usage(_) => USAGE.into(),
                _ => ExitCode::FAILURE,
            }
        }
    }
}
