//! The command line.

mod commands;

use std::{io::IsTerminal as _, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use commands::audit::record;
use logbook::{
    accounts::workspaces::{self, NewWorkspace},
    audit::{Destination, events},
    config::{DataConfig, ServeConfig},
    demo::{self, Filled},
    http::error::Problem,
    import::zango::{self, ZangoImport},
    openapi,
    server::{self, StartError},
};
use logbook_engine::{
    append::{AppendRequest, queue::Appender},
    db::{Db, migrations, partitions, timestamp::Timestamp},
};

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
    /// Serve the API, and the web application where its folder is given
    Serve(Box<ServeArgs>),
    /// Apply pending migrations
    Migrate,
    /// Print an access token for scripts, alone on the last line
    Token(commands::token::TokenArgs),
    /// Bring in the logs of another system
    #[command(subcommand)]
    Import(ImportCommand),
    /// Fill the demo workspaces
    Demo,
    /// Make workspaces
    #[command(subcommand)]
    Workspace(WorkspaceCommand),
    /// Make, list and revoke API keys
    #[command(subcommand)]
    Keys(commands::keys::KeysCommand),
    /// Make users and sign-in links
    #[command(subcommand)]
    User(commands::user::UserCommand),
    /// Look after the search index
    #[command(subcommand)]
    Index(commands::index::IndexCommand),
    /// Look after the kept counts
    #[command(subcommand)]
    Counts(commands::counts::CountsCommand),
    /// Print the OpenAPI document as YAML
    Openapi,
}

#[derive(Subcommand)]
enum ImportCommand {
    Zango(ZangoImport),
}

#[derive(Args)]
struct ServeArgs {
    #[command(flatten)]
    config: ServeConfig,
    /// Fill the demo workspaces first, and let the clinic go on living
    #[arg(long, env = "LOGBOOK_DEMO")]
    demo: bool,
}

#[derive(Subcommand)]
enum WorkspaceCommand {
    /// Make a workspace
    Create {
        /// Names it in every address: lower-case letters, digits and hyphens
        slug: String,
        /// Default: the slug
        #[arg(long)]
        name: Option<String>,
        /// IANA time zone
        #[arg(long, default_value = "UTC")]
        timezone: String,
        /// dd/mm/yyyy, mm/dd/yyyy, yyyy-mm-dd or "dd mmm yyyy"
        #[arg(long, default_value = "dd/mm/yyyy")]
        date_format: String,
    },
    /// List the workspaces
    List,
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Problem(#[from] Problem),
    #[error(transparent)]
    Engine(#[from] logbook_engine::Error),
    #[error(transparent)]
    Database(#[from] logbook_engine::db::Error),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Import(#[from] zango::ImportError),
    #[error("{0}")]
    Said(String),
    /// What was compared differed.
    #[error("{0}")]
    Differed(String),
}

/// How a command ends that found a difference: 1 is any other failure, and 2 is clap's.
const DIFFERED: u8 = 3;

fn main() -> ExitCode {
    let Cli { data, command } = Cli::parse();
    let done = match command {
        Command::Serve(args) => serve(&data, &args),
        Command::Migrate => migrate(&data),
        Command::Demo => open(&data).and_then(|db| fill_demo(&db, &data)),
        Command::Token(args) => commands::token::run(&data, args),
        Command::Import(ImportCommand::Zango(args)) => import_zango(&data, &args),
        Command::Workspace(command) => workspace(&data, command),
        Command::Keys(command) => commands::keys::run(&data, command),
        Command::User(command) => commands::user::run(&data, command),
        Command::Index(command) => commands::index::run(&data, command),
        Command::Counts(command) => commands::counts::run(&data, command),
        Command::Openapi => openapi::yaml().map_err(Failure::Said).map(|yaml| print!("{yaml}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("logbook: {failure}");
            if let Failure::Differed(_) = failure { DIFFERED.into() } else { ExitCode::FAILURE }
        }
    }
}

fn start_logging(json: bool) {
    use tracing_subscriber::{
        filter::{LevelFilter, Targets},
        fmt,
        prelude::*,
    };
    let usual = || {
        Targets::new()
            .with_default(LevelFilter::INFO)
            .with_target("actix_server", LevelFilter::WARN)
            .with_target("logbook::request", LevelFilter::WARN)
    };
    let filter = std::env::var("LOGBOOK_LOG").ok().and_then(|text| text.parse().ok()).unwrap_or_else(usual);
    let colours = std::io::stderr().is_terminal();
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(colours);
    let logging = tracing_subscriber::registry().with(filter);
    if json { logging.with(lines.json()).init() } else { logging.with(lines.with_target(false)).init() }
}

fn serve(data: &DataConfig, args: &ServeArgs) -> Result<(), Failure> {
    let ServeArgs { config, demo } = args;
    start_logging(config.log_json);
    actix_web::rt::System::new().block_on(async {
        let started = server::start(data, config)?;
        if *demo {
            fill_demo(&started.db, data)?;
            actix_web::rt::spawn(keep_demo_alive(started.db.clone(), started.appender.clone()));
        }
        println!("Logbook listens on {}", started.origin);
        if let Some(link) = server::first_link(&mut *started.db.conn()?, &started.origin)? {
            println!("Sign in: {link}");
        }
        started.server.await?;
        started.audit.flush().await;
        Ok(())
    })
}

fn fill_demo(db: &Db, data: &DataConfig) -> Result<(), Failure> {
    let Filled { peerapp, clinic } = demo::fill(db, &data.data_dir, true)?;
    if peerapp + clinic > 0 {
        println!("Filled the demo: {peerapp} events in peerapp, {clinic} in clinic.");
    }
    Ok(())
}

/// Appends what happens in the demo's clinic, until the server ends.
async fn keep_demo_alive(db: Db, appender: Appender) {
    let trickle = actix_web::web::block(move || demo::trickle(&db)).await;
    let Ok(Ok(Some((workspace, mut trickle)))) = trickle else {
        tracing::warn!("the demo's clinic cannot go on; its story is not there");
        return;
    };
    loop {
        actix_web::rt::time::sleep(trickle.pause()).await;
        let request = AppendRequest::new(workspace.id, trickle.batch(Timestamp::now()));
        if let Err(problem) = appender.append(request, appender.reserve()).await {
            tracing::warn!(%problem, "the demo's clinic missed a beat");
        }
    }
}

/// The database for a command that does its work and ends, with its migrations applied.
fn open(data: &DataConfig) -> Result<Db, Failure> {
    let db = Db::open(&data.database_url, 2)?;
    migrations::run(&mut *db.conn()?)?;
    Ok(db)
}

fn migrate(data: &DataConfig) -> Result<(), Failure> {
    let db = Db::open(&data.database_url, 1)?;
    let applied = migrations::run(&mut *db.conn()?)?;
    // Who may migrate may make tables; the server's own user perhaps may not.
    partitions::create_upcoming(&mut *db.conn()?)?;
    match applied.as_slice() {
        [] => println!("Nothing to do."),
        names => println!("Applied: {}", names.join(", ")),
    }
    Ok(())
}

fn import_zango(data: &DataConfig, args: &ZangoImport) -> Result<(), Failure> {
    let summary = zango::run(&open(data)?, &data.data_dir, args, true)?;
    println!("{summary}");
    Ok(())
}

fn find_workspace(db: &Db, slug: &str) -> Result<i32, Failure> {
    let workspace = workspaces::find(&mut *db.conn()?, slug)?;
    let unknown = || Failure::Said(format!("there is no workspace {slug}; see: logbook workspace list"));
    Ok(workspace.ok_or_else(unknown)?.id)
}

fn workspace(data: &DataConfig, command: WorkspaceCommand) -> Result<(), Failure> {
    let db = open(data)?;
    match command {
        WorkspaceCommand::Create { slug, name, timezone, date_format } => {
            let name = name.unwrap_or_else(|| slug.clone());
            let new = NewWorkspace { slug, name, timezone, date_format };
            let workspace = workspaces::create(&mut *db.conn()?, &new)?;
            let (target, changes) = (events::of_workspace(&workspace), events::settings_of(None, &workspace));
            let created = events::by_command("workspace_created", target, changes);
            let places = [Destination::Workspace(workspace.id), Destination::Platform];
            record(data, &db, places.map(|place| (place, created.clone())).into());
            println!("Made the workspace {}.", workspace.slug);
        }
        WorkspaceCommand::List => {
            for workspace in workspaces::list(&mut *db.conn()?)? {
                println!("{}\t{}\t{}", workspace.slug, workspace.name, workspace.timezone);
            }
        }
    }
    Ok(())
}
