//! `logbook serve`.

use std::io::IsTerminal as _;

use clap::Args;
use logbook::{
    config::{DataConfig, ServeConfig},
    demo, server,
};
use logbook_engine::{
    append::queue::Appender,
    db::{Db, timestamp::Timestamp},
};

use super::{Failure, demo::fill};

#[derive(Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    config: ServeConfig,
    /// Fill the demo workspaces, and keep adding events to the clinic
    #[arg(long, env = "LOGBOOK_DEMO")]
    demo: bool,
}

fn start_logging(json: bool) {
    use tracing_subscriber::{
        filter::{LevelFilter, Targets},
        fmt,
        prelude::*,
    };
    let default = || {
        Targets::new()
            .with_default(LevelFilter::INFO)
            .with_target("actix_server", LevelFilter::WARN)
            .with_target("logbook::request", LevelFilter::WARN)
    };
    let filter = std::env::var("LOGBOOK_LOG").ok().and_then(|text| text.parse().ok()).unwrap_or_else(default);
    let colours = std::io::stderr().is_terminal();
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(colours);
    let logging = tracing_subscriber::registry().with(filter);
    if json { logging.with(lines.json()).init() } else { logging.with(lines.with_target(false)).init() }
}

pub(crate) fn run(data: &DataConfig, args: &ServeArgs) -> Result<(), Failure> {
    let ServeArgs { config, demo } = args;
    start_logging(config.log_json);
    actix_web::rt::System::new().block_on(async {
        let started = server::start(data, config)?;
        if *demo {
            fill(&started.db, data)?;
            actix_web::rt::spawn(keep_demo_alive(started.db.clone(), started.appender.clone()));
        }
        let streams = started.streams.clone();
        actix_web::rt::spawn(async move { streams.stop_at_signals().await });
        println!("Logbook listens on {}", started.origin);
        if let Some(link) = server::first_link(&mut *started.db.conn()?, &started.origin)? {
            println!("Sign in: {link}");
        }
        started.server.await?;
        started.audit.record_counted(true);
        started.audit.flush().await;
        Ok(())
    })
}

/// Appends new events to the demo's clinic until the server stops.
async fn keep_demo_alive(db: Db, appender: Appender) {
    let trickle = actix_web::web::block(move || demo::trickle(&db)).await;
    let Ok(Ok(Some((workspace, mut trickle)))) = trickle else {
        tracing::warn!("the demo's clinic was not filled; no events are added to it");
        return;
    };
    loop {
        actix_web::rt::time::sleep(trickle.pause()).await;
        for request in demo::requests(workspace.id, trickle.batch(Timestamp::now())) {
            let memory = appender.reserve(workspace.id, "demo");
            if let Err(problem) = appender.append(request, memory).await {
                tracing::warn!(%problem, "events of the demo's clinic could not be appended");
            }
        }
    }
}
