//! The users, browsers, models and records. They are the same for the same number of events.

use rand::{RngExt as _, SeedableRng as _};
use rand_distr::{Distribution as _, Zipf, weighted::WeightedAliasIndex};
use rand_pcg::Pcg64Mcg;

use super::words::{self, Kind};

pub const USERS: usize = 5000;
const AGENTS: usize = 200;
/// The model and the id of a record with about 1,000 versions.
pub const HOT_RECORD: (&str, &str) = ("patient", "1");

pub struct User {
    pub id: String,
    pub name: String,
    pub login: String,
    pub role: &'static str,
    pub home_ip: String,
    pub agent: usize,
}

pub struct Model {
    pub name: &'static str,
    pub fields: Vec<(&'static str, Kind)>,
    records: Zipf<f64>,
    ids: Ids,
    names: Names,
    seed: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ids {
    Number,
    Uuid,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    Person,
    Code,
    None,
}

pub struct World {
    pub users: Vec<User>,
    pub agents: Vec<String>,
    pub models: Vec<Model>,
    pub by_rank: Ranks,
}

/// How often each of them occurs: by Zipf's law.
pub struct Ranks {
    users: Zipf<f64>,
    agents: Zipf<f64>,
    models: Zipf<f64>,
    /// The same law as a table: an event has some twenty words.
    words: WeightedAliasIndex<f64>,
    deeds: Zipf<f64>,
}

fn zipf(n: usize, exponent: f64) -> Zipf<f64> {
    Zipf::new(n.max(1) as f64, exponent).expect("a size and an exponent that are positive")
}

/// An index of a list, the first ones most often.
fn place(law: &Zipf<f64>, rng: &mut Pcg64Mcg) -> usize {
    law.sample(rng) as usize - 1
}

impl Ranks {
    pub fn user(&self, rng: &mut Pcg64Mcg) -> usize {
        place(&self.users, rng)
    }

    pub fn model(&self, rng: &mut Pcg64Mcg) -> usize {
        place(&self.models, rng)
    }

    pub fn deed(&self, rng: &mut Pcg64Mcg) -> usize {
        place(&self.deeds, rng)
    }

    pub fn word(&self, rng: &mut Pcg64Mcg) -> &'static str {
        words::VOCABULARY[self.words.sample(rng)]
    }
}

pub fn pick<'a>(list: &[&'a str], rng: &mut Pcg64Mcg) -> &'a str {
    list[rng.random_range(0..list.len())]
}

pub fn uuid(rng: &mut Pcg64Mcg) -> String {
    uuid::Builder::from_random_bytes(rng.random()).into_uuid().to_string()
}

pub fn person(rng: &mut Pcg64Mcg) -> String {
    if rng.random_ratio(1, 40) {
        return pick(words::WHOLE_NAMES, rng).to_owned();
    }
    format!("{} {}", pick(&words::GIVEN, rng), pick(&words::FAMILY, rng))
}

/// An address that is not in public use: from the ranges for private networks and for documentation.
pub fn address(rng: &mut Pcg64Mcg) -> String {
    if rng.random_ratio(1, 8) {
        return format!("2001:db8:{:x}::{:x}", rng.random::<u16>(), rng.random::<u16>());
    }
    let [a, b, c] = rng.random::<[u8; 3]>();
    if rng.random() { format!("10.{a}.{b}.{c}") } else { format!("100.{}.{b}.{c}", 64 + a % 64) }
}

impl World {
    /// `events` is the number of events that will be generated: the more events, the more records.
    pub fn new(events: u64, seed: u64) -> Self {
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        let rng = &mut rng;
        let agents = agents();
        let shares = (1..=words::VOCABULARY.len()).map(|rank| (rank as f64).powf(-0.8)).collect();
        let by_rank = Ranks {
            users: zipf(USERS, 1.0),
            agents: zipf(agents.len(), 1.0),
            models: zipf(words::MODELS.len(), 1.0),
            words: WeightedAliasIndex::new(shares).expect("weights that are positive"),
            deeds: zipf(words::DEEDS.len(), 0.8),
        };
        let roles = zipf(words::ROLES.len(), 0.8);
        let users = (0..USERS)
            .map(|n| {
                let name = person(rng);
                let first = name.split(' ').next().unwrap_or(&name).to_lowercase();
                User {
                    id: (n + 1).to_string(),
                    login: format!("{first}.{}@clinic.test", n + 1),
                    name,
                    role: words::ROLES[place(&roles, rng)],
                    home_ip: address(rng),
                    agent: place(&by_rank.agents, rng),
                }
            })
            .collect();
        let models = (0..words::MODELS.len()).map(|n| Model::new(n, events, seed)).collect();
        Self { users, agents, models, by_rank }
    }
}

impl Model {
    fn new(n: usize, events: u64, seed: u64) -> Self {
        let name = words::MODELS[n];
        // A record has some 20 versions on average; what is changed often has many records.
        let records = (events / 30 / (n as u64 + 4)).max(20) as usize;
        let common = &words::FIELDS[..3];
        let own = (0..8).map(|i| words::FIELDS[3 + (n * 5 + i * 3) % (words::FIELDS.len() - 3)]);
        let fields = common.iter().copied().chain(own).collect();
        let ids = if n % 7 == 3 { Ids::Uuid } else { Ids::Number };
        let names = match name {
            "patient" | "employee" | "visitor" | "referral" => Names::Person,
            _ if n.is_multiple_of(5) => Names::None,
            _ => Names::Code,
        };
        Self { name, fields, records: zipf(records, 0.8), ids, names, seed: seed ^ ((n as u64 + 1) << 40) }
    }

    /// A record's id and name, the same at each of its versions.
    pub fn record(&self, rng: &mut Pcg64Mcg) -> (String, Option<String>) {
        // The first number is left to the record with very many versions.
        let rank = self.records.sample(rng) as u64 + 1;
        self.record_at(rank)
    }

    pub fn record_at(&self, rank: u64) -> (String, Option<String>) {
        let own = &mut Pcg64Mcg::seed_from_u64(self.seed ^ rank);
        let id = match self.ids {
            Ids::Number => rank.to_string(),
            Ids::Uuid => uuid(own),
        };
        let name = match self.names {
            Names::Person => Some(person(own)),
            Names::Code => Some(format!("{}-{rank:06}", self.name[..3].to_uppercase())),
            Names::None => None,
        };
        (id, name)
    }
}

/// The user agents of browsers: their real forms, over the versions of some two years.
pub fn agents() -> Vec<String> {
    const WINDOWS: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)";
    const MAC: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)";
    const LINUX: &str = "Mozilla/5.0 (X11; Linux x86_64)";
    const KHTML: &str = "AppleWebKit/537.36 (KHTML, like Gecko)";
    const WEBKIT: &str = "AppleWebKit/605.1.15 (KHTML, like Gecko)";
    const PHONES: &[&str] = &["K", "SM-S918B", "Pixel 9", "SM-A546E", "CPH2581"];
    let mut all = Vec::new();
    for age in 0.. {
        let (chrome, firefox) = (142 - age, 144 - age);
        let safari = format!("{}.{}", 26 - 8 * age.min(1), 6 - age % 7);
        let ios = format!("18_{}", 6 - age % 7);
        let phone = PHONES[age % PHONES.len()];
        all.push(format!("{WINDOWS} {KHTML} Chrome/{chrome}.0.0.0 Safari/537.36"));
        all.push(format!(
            "Mozilla/5.0 (iPhone; CPU iPhone OS {ios} like Mac OS X) {WEBKIT} Version/{safari} Mobile/15E148 Safari/604.1"
        ));
        all.push(format!(
            "Mozilla/5.0 (Linux; Android 1{}; {phone}) {KHTML} Chrome/{chrome}.0.0.0 Mobile Safari/537.36",
            5 - age % 5
        ));
        all.push(format!("{MAC} {WEBKIT} Version/{safari} Safari/605.1.15"));
        all.push(format!("{WINDOWS} {KHTML} Chrome/{chrome}.0.0.0 Safari/537.36 Edg/{chrome}.0.0.0"));
        all.push(format!("{MAC} {KHTML} Chrome/{chrome}.0.0.0 Safari/537.36"));
        all.push(format!(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:{firefox}.0) Gecko/20100101 Firefox/{firefox}.0"
        ));
        all.push(format!("{LINUX} {KHTML} Chrome/{chrome}.0.0.0 Safari/537.36"));
        all.push(format!(
            "Mozilla/5.0 (X11; Linux x86_64; rv:{firefox}.0) Gecko/20100101 Firefox/{firefox}.0"
        ));
        all.push(format!("Mozilla/5.0 (Linux; Android 1{}; {phone}) {KHTML} SamsungBrowser/2{}.0 Chrome/{}.0.0.0 Mobile Safari/537.36", 5 - age % 5, 9 - age % 9, chrome - 20));
        if all.len() >= AGENTS {
            break;
        }
    }
    all.truncate(AGENTS);
    all
}
