//! Measures Logbook: how fast it answers and ingests events, and how much space it needs, compared with the usual way.
//! `make bench` runs it; docs/PERFORMANCE.md says what is measured and how.

mod cases;
mod copy;
mod database;
mod doors;
mod export;
mod generate;
mod http;
mod load;
mod measure;
mod neighbour;
mod plot;
mod processor;
mod publish;
mod report;
mod run;
mod server;
mod settings;
#[cfg(test)]
mod smoke;
mod storage;
mod throughput;

use std::process::ExitCode;

use report::{Machine, Report};
use settings::Settings;

fn main() -> ExitCode {
    match Settings::from_environment().and_then(run_and_publish) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::from(2)
        }
    }
}

/// False when a case did not measure what its name says.
fn run_and_publish(settings: Settings) -> Result<bool, String> {
    let right = settings.only_publish || measure_all(&settings);
    if settings.publish {
        publish::publish(&settings.target)?;
    }
    Ok(right)
}

fn measure_all(settings: &Settings) -> bool {
    let mut report = Report {
        events: settings.events,
        generator: generate::VERSION,
        machine: Machine::this(),
        runs: Vec::new(),
    };
    for kind in &settings.databases {
        let run = run::database(settings, *kind);
        println!("{}", run.table());
        report.runs.push(run);
        settings.write(&report);
    }
    let wrong: Vec<_> = report.runs.iter().flat_map(|run| run.wrong()).collect();
    for (case, what) in &wrong {
        eprintln!("wrong: {case}: {what}");
    }
    wrong.is_empty()
}
