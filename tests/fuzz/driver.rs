//! Runs a target: makes inputs, catches panics, keeps the slowest inputs, prints the progress.

use std::{
    cell::RefCell,
    fmt, fs,
    io::Write as _,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use rand::SeedableRng as _;
use rand_pcg::Pcg64Mcg;

use crate::{minimize::minimized, settings::Settings, targets::Target};

/// Failures after which a run ends.
const ENOUGH: usize = 5;
/// How many of the slowest inputs are kept.
const SLOWEST: usize = 5;
/// An input that takes longer than this hangs: the longest bodies take a hundredth of it.
const HANGS: Duration = Duration::from_secs(60);

thread_local! {
    static MESSAGE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps the text of a panic instead of printing it.
pub(crate) fn silence_panics() {
    std::panic::set_hook(Box::new(|info| MESSAGE.set(info.to_string())));
}

/// An input that broke a promise, and how.
pub(crate) struct Failure {
    target: &'static str,
    number: u64,
    input: Vec<u8>,
    message: String,
}

impl Failure {
    pub(crate) fn describe(&self, settings: &Settings) -> String {
        let Self { target, number, input, message } = self;
        let shown: String = input.escape_ascii().take(2000).map(char::from).collect();
        format!(
            "FAILED {target}: {message}\n  smallest input found, {} bytes: {shown}\n  again: make fuzz TARGETS={target} \
             SEED={} FIRST={number} INPUTS=1",
            input.len(),
            settings.seed,
        )
    }

    fn save(&self, settings: &Settings) {
        let path = settings.folder.join(format!("{}-{}-{}", self.target, settings.seed, self.number));
        let written = fs::create_dir_all(&settings.folder).and_then(|()| fs::write(&path, &self.input));
        match written {
            Ok(()) => println!("  saved: {}", path.display()),
            Err(error) => eprintln!("{}: {error}", path.display()),
        }
    }
}

/// What a run found.
pub(crate) struct Report {
    target: &'static str,
    inputs: u64,
    accepted: u64,
    bytes: u64,
    longest: usize,
    took: Duration,
    /// The slowest inputs for their length, with the time that they took.
    pub slowest: Vec<(Duration, Vec<u8>)>,
    pub failures: Vec<Failure>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inputs = self.inputs.max(1);
        write!(
            f,
            "{:8} {} inputs in {:.0} s, {} % accepted, {} bytes on average, {} at most; {} failed",
            self.target,
            self.inputs,
            self.took.as_secs_f64(),
            self.accepted * 100 / inputs,
            self.bytes / inputs,
            self.longest,
            self.failures.len(),
        )?;
        if let Some((took, input)) = self.slowest.first() {
            write!(
                f,
                "; slowest for its length: {} bytes in {:.1} ms",
                input.len(),
                took.as_secs_f64() * 1e3
            )?;
        }
        Ok(())
    }
}

/// The inputs of one target.
pub(crate) fn run(target: &mut dyn Target, settings: &Settings, progress: bool) -> Report {
    let name = target.name();
    let seeds = target.seeds();
    let mut report = Report {
        target: name,
        inputs: 0,
        accepted: 0,
        bytes: 0,
        longest: 0,
        took: Duration::ZERO,
        slowest: Vec::new(),
        failures: Vec::new(),
    };
    let watched = Watched::start(name, settings);
    let start = Instant::now();
    let mut told = start;
    for number in settings.first..settings.first + settings.inputs {
        // Each input has a generator of its own, so that one of them can be made again without those before it.
        let mut rng = Pcg64Mcg::seed_from_u64(settings.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number);
        // The seeds themselves come first.
        let input = match usize::try_from(number).ok().and_then(|number| seeds.get(number)) {
            Some(seed) => seed.clone(),
            None => target.mutate(&mut rng, &seeds),
        };
        watched.begins(&input);
        let before = Instant::now();
        let result = attempt(target, &input);
        let took = before.elapsed();
        watched.ends();
        report.inputs += 1;
        report.bytes += input.len() as u64;
        report.longest = report.longest.max(input.len());
        match result {
            Ok(accepted) => report.accepted += u64::from(accepted),
            Err(message) => {
                let input = minimized(target, input);
                let failure = Failure { target: name, number, input, message };
                if progress {
                    println!("{}", failure.describe(settings));
                    failure.save(settings);
                }
                report.failures.push(failure);
                if report.failures.len() >= ENOUGH {
                    break;
                }
                continue;
            }
        }
        keep_slowest(&mut report.slowest, took, input);
        if progress && told.elapsed() > Duration::from_secs(10) {
            told = Instant::now();
            let per_second =
                report.inputs * 1000 / u64::try_from(start.elapsed().as_millis()).unwrap_or(1).max(1);
            eprintln!("{name}: {} of {}, {per_second}/s", report.inputs, settings.inputs);
        }
    }
    report.took = start.elapsed();
    report
}

/// Runs one input. The text of its panic, if it panics.
pub(crate) fn attempt(target: &mut dyn Target, input: &[u8]) -> Result<bool, String> {
    catch_unwind(AssertUnwindSafe(|| target.run(input))).map_err(|_| MESSAGE.take())
}

fn keep_slowest(slowest: &mut Vec<(Duration, Vec<u8>)>, took: Duration, input: Vec<u8>) {
    // Short inputs cost what every input costs.
    let per_byte = |took: Duration, length: usize| took.as_nanos() / (length as u128 + 500);
    let weight = per_byte(took, input.len());
    if slowest.len() < SLOWEST
        || slowest.last().is_some_and(|(took, last)| per_byte(*took, last.len()) < weight)
    {
        slowest.push((took, input));
        slowest.sort_by_key(|(took, input)| std::cmp::Reverse(per_byte(*took, input.len())));
        slowest.truncate(SLOWEST);
    }
}

/// The input that is running, and since when.
type Running = Mutex<Option<(Instant, Vec<u8>)>>;

/// Ends the process when an input hangs, after saving it.
struct Watched(Arc<Running>);

impl Watched {
    fn start(target: &'static str, settings: &Settings) -> Self {
        let running: Arc<Running> = Arc::default();
        let (weak, path) = (Arc::downgrade(&running), settings.folder.join(format!("{target}-hangs")));
        thread::spawn(move || {
            while let Some(running) = weak.upgrade() {
                let hangs = running.lock().ok().and_then(|running| {
                    running
                        .as_ref()
                        .filter(|(since, _)| since.elapsed() > HANGS)
                        .map(|(_, input)| input.clone())
                });
                if let Some(input) = hangs {
                    let saved = path.parent().map(fs::create_dir_all).is_some_and(|made| made.is_ok())
                        && fs::write(&path, &input).is_ok();
                    eprintln!(
                        "{target}: an input of {} bytes hangs; {} ({saved})",
                        input.len(),
                        path.display()
                    );
                    drop(std::io::stderr().flush());
                    std::process::exit(3);
                }
                drop(running);
                thread::sleep(Duration::from_secs(1));
            }
        });
        Self(running)
    }

    fn begins(&self, input: &[u8]) {
        *self.0.lock().expect("no thread panics with it") = Some((Instant::now(), input.to_vec()));
    }

    fn ends(&self) {
        *self.0.lock().expect("no thread panics with it") = None;
    }
}
