//! `logbook import`.

use std::thread;

use actix_web::rt::{
    System,
    signal::unix::{SignalKind, signal},
};
use clap::Subcommand;
use futures_util::future::select_all;
use logbook::{
    config::DataConfig,
    import::{
        ImportArgs, Stop,
        django::{AuditlogImport, AxesImport},
        zango::{self, ZangoImport},
    },
};

use super::{Failure, open};

#[derive(Subcommand)]
pub(crate) enum ImportCommand {
    Zango(ZangoImport),
    DjangoAuditlog(AuditlogImport),
    DjangoAxes(AxesImport),
}

impl ImportCommand {
    fn args(&self) -> &ImportArgs {
        match self {
            Self::Zango(args) => &args.import,
            Self::DjangoAuditlog(args) => &args.django.import,
            Self::DjangoAxes(args) => &args.django.import,
        }
    }
}

pub(crate) fn run(data: &DataConfig, command: ImportCommand) -> Result<(), Failure> {
    let (db, folder) = (open(data)?, &data.data_dir);
    let summary = if command.args().follow {
        let stop = stop_at_signals()?;
        match command {
            ImportCommand::Zango(args) => zango::follow(&db, folder, &args, &stop),
            ImportCommand::DjangoAuditlog(args) => args.follow(&db, folder, &stop),
            ImportCommand::DjangoAxes(args) => args.follow(&db, folder, &stop),
        }
    } else {
        match command {
            ImportCommand::Zango(args) => zango::run(&db, folder, &args, true),
            ImportCommand::DjangoAuditlog(args) => args.run(&db, folder, true),
            ImportCommand::DjangoAxes(args) => args.run(&db, folder, true),
        }
    };
    println!("{}", summary?);
    Ok(())
}

/// Set at the first signal that asks the program to end. A second one ends it at once: what is stored is whole at any time.
fn stop_at_signals() -> Result<Stop, Failure> {
    let stop = Stop::default();
    let set = stop.clone();
    thread::Builder::new().name("signals".into()).spawn(move || {
        System::new().block_on(async move {
            let kinds = [SignalKind::terminate(), SignalKind::interrupt()];
            let mut signals: Vec<_> = kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect();
            for _ in 0..2 {
                if signals.is_empty() {
                    return;
                }
                select_all(signals.iter_mut().map(|signal| Box::pin(signal.recv()))).await;
                if set.is_set() {
                    std::process::exit(1);
                }
                set.set();
            }
        });
    })?;
    Ok(stop)
}
