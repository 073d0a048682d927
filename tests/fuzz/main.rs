//! Throws mutated inputs at the code that reads what strangers send: cursors, filters, request bodies, bodies at doors,
//! texts to mask, rows to import. `make fuzz` runs millions of them; `cargo test` a few thousand. tests/README.md says how to run one again.

mod driver;
mod growth;
mod minimize;
mod mutate;
mod nasty;
mod settings;
#[cfg(test)]
mod smoke;
mod targets;
mod values;

use std::process::ExitCode;

use settings::Settings;

fn main() -> ExitCode {
    let settings = match Settings::from_environment() {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("fuzz: {error}");
            return ExitCode::from(2);
        }
    };
    driver::silence_panics();
    println!("seed {}, {} inputs for each target", settings.seed, settings.inputs);
    let mut failed = false;
    for name in &settings.targets {
        let Some(mut target) = targets::by_name(name) else { continue };
        let report = driver::run(target.as_mut(), &settings, true);
        println!("{report}");
        failed |= !report.failures.is_empty();
        for slow in growth::check(target.as_mut(), &report.slowest) {
            failed = true;
            println!("{slow}");
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
