//! What is run, from the environment.

use std::{env, path::PathBuf};

use crate::targets;

pub(crate) struct Settings {
    /// Of each target.
    pub inputs: u64,
    /// The number of the first input: with the seed it says which input it is.
    pub first: u64,
    pub seed: u64,
    pub targets: Vec<String>,
    /// Where failing inputs are saved.
    pub folder: PathBuf,
}

impl Settings {
    /// # Errors
    /// A text for the terminal, when a variable has a value that cannot be used.
    pub(crate) fn from_environment() -> Result<Self, String> {
        let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let number = |name: &str, default: u64| match variable(name) {
            None => Ok(default),
            Some(text) => text.replace('_', "").parse().map_err(|_| format!("{name} must be a whole number")),
        };
        let of_clock = || {
            let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
            since.as_secs() % 1_000_000
        };
        let seed = variable("SEED").map_or_else(|| Ok(of_clock()), |_| number("SEED", 0))?;
        let targets = variable("TARGETS").unwrap_or_else(|| targets::NAMES.join(" "));
        let targets: Vec<String> = targets.split_whitespace().map(str::to_owned).collect();
        if let Some(unknown) = targets.iter().find(|name| !targets::NAMES.contains(&name.as_str())) {
            return Err(format!("no target {unknown}; there are: {}", targets::NAMES.join(" ")));
        }
        let folder = variable("TARGET").map_or_else(|| "target".into(), PathBuf::from).join("fuzz");
        Ok(Self { inputs: number("INPUTS", 100_000)?, first: number("FIRST", 0)?, seed, targets, folder })
    }
}
