//! The command line.

mod commands;

use std::{io::IsTerminal as _, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use commands::tell::tell;
use logbook::{
    auth::{Role, sessions::Sessions, tokens::Claims, users},
    config::{DataConfig, ServeConfig},
    db::{Db, migrations, partitions, types::Instant},
    demo::{self, Filled},
    error::Problem,
    import::zango::{self, ZangoImport},
    journal::events,
    logs::{append::AppendRequest, appender::Appender},
    openapi,
    server::{self, StartError},
    workspaces::{self, NewWorkspace, members::Member},
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
    Token(TokenArgs),
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
    User(UserCommand),
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

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct TokenArgs {
    #[command(subcommand)]
    command: Option<TokenCommand>,
    /// What the holder may do
    #[arg(long, required = true)]
    role: Option<Role>,
    /// The one workspace it is good for. Default: every workspace; an admin may then make workspaces too
    #[arg(long)]
    workspace: Option<String>,
    /// Appears as the holder's name
    #[arg(long, default_value = "script")]
    name: String,
    /// Hours until it expires
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=87_600))]
    hours: u32,
}

#[derive(Subcommand)]
enum TokenCommand {
    /// Make a new key to sign tokens with. Nobody is signed out: the keys before verify what they have signed
    Rotate {
        /// For a key that has leaked: the keys before verify nothing any more. People stay signed in, scripts need new tokens
        #[arg(long)]
        at_once: bool,
    },
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

#[derive(Subcommand)]
enum UserCommand {
    /// Make a user and print a sign-in link
    Create {
        #[arg(long)]
        email: String,
        #[arg(long)]
        name: String,
        /// May make workspaces and everything else
        #[arg(long)]
        platform_admin: bool,
        /// A workspace to be a member of
        #[arg(long, requires = "role")]
        workspace: Option<String>,
        #[arg(long, requires = "workspace")]
        role: Option<Role>,
        #[command(flatten)]
        origin: Origin,
    },
    /// Print a new sign-in link for a user
    Link {
        #[arg(long)]
        email: String,
        #[command(flatten)]
        origin: Origin,
    },
}

#[derive(Args)]
struct Origin {
    /// The address that people open
    #[arg(long, env = "LOGBOOK_PUBLIC_URL", default_value = "http://127.0.0.1:8080")]
    public_url: String,
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Problem(#[from] Problem),
    #[error(transparent)]
    Database(#[from] logbook::db::Error),
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
        Command::Token(args) => token(&data, args),
        Command::Import(ImportCommand::Zango(args)) => import_zango(&data, &args),
        Command::Workspace(command) => workspace(&data, command),
        Command::Keys(command) => commands::keys::run(&data, command),
        Command::User(command) => user(&data, command),
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
    use tracing_subscriber::{EnvFilter, fmt};
    let filter = EnvFilter::try_from_env("LOGBOOK_LOG")
        .unwrap_or_else(|_| EnvFilter::new("info,actix_server=warn,logbook::request=warn"));
    let colours = std::io::stderr().is_terminal();
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours);
    if json { builder.json().init() } else { builder.with_target(false).init() }
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
        started.journal.flush().await;
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
        let request = AppendRequest {
            workspace_id: workspace.id,
            events: trickle.batch(Instant::now()),
            idempotency: None,
            import_positions: Vec::new(),
        };
        if let Err(problem) = appender.append(request, appender.room()).await {
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
    partitions::make_ahead(&mut *db.conn()?)?;
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

fn token(data: &DataConfig, args: TokenArgs) -> Result<(), Failure> {
    let TokenArgs { command, role, workspace, name, hours } = args;
    let tokens = server::open_tokens(&data.data_dir)?;
    if let Some(TokenCommand::Rotate { at_once }) = command {
        let good_until = tokens.rotate(at_once)?.map(|seconds| Instant(seconds * 1_000_000));
        println!("Tokens are signed with a new key from now on.");
        match good_until {
            Some(until) => {
                println!("Tokens that were signed before are good until they expire, {until} at the latest.")
            }
            None => println!("Tokens that were signed before are no good any more."),
        }
        return Ok(());
    }
    let role = role.ok_or_else(|| Failure::Said("say what the holder may do: --role".into()))?;
    let mut claims = Claims::new(format!("token:{name}"), name, i64::from(hours) * 3600);
    match workspace {
        Some(slug) => {
            let id = find_workspace(&open(data)?, &slug)?;
            claims.roles.insert(id, role);
        }
        None => {
            claims.everywhere = Some(role);
            claims.platform_admin = role == Role::Admin;
        }
    }
    println!("{}", tokens.sign_for_long(&claims)?);
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
            tell(data, &db, workspace.id, "workspace_created", target, changes);
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

fn user(data: &DataConfig, command: UserCommand) -> Result<(), Failure> {
    let db = open(data)?;
    let (user, origin) = match command {
        UserCommand::Create { email, name, platform_admin, workspace, role, origin } => {
            let workspace = workspace.map(|slug| find_workspace(&db, &slug)).transpose()?;
            let user = users::create(&mut *db.conn()?, &email, &name, platform_admin)?;
            if let (Some(workspace_id), Some(role)) = (workspace, role) {
                users::set_member(&mut *db.conn()?, workspace_id, user.id, role)?;
                let member = Member::new(user.clone(), role);
                let changes = events::new_member(&member, None);
                tell(data, &db, workspace_id, "member_added", events::of_member(&member), changes);
            }
            (user, origin)
        }
        UserCommand::Link { email, origin } => {
            let user = users::find_by_email(&mut *db.conn()?, &email)?;
            (user.ok_or_else(|| Failure::Said(format!("there is no user {email}")))?, origin)
        }
    };
    let token = users::create_link(&mut *db.conn()?, user.id)?;
    println!("A sign-in link for {}, good once, for a day:", user.email);
    println!("{}", Sessions::link(origin.public_url.trim_end_matches('/'), &token));
    Ok(())
}
