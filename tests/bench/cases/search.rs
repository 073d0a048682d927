//! Searches: with many hits, with few, with none.

use std::{collections::BTreeMap, sync::LazyLock};

use logbook_engine::event::Log;

use super::{
    At, Case, Expect, Group, HARD, LOGS, PAGE, Plan, QUICK, Question, Samples, What, case, samples::is_uuid,
};
use crate::generate::{words, world};

use rand::RngExt as _;
use rand_pcg::Pcg64Mcg;

const COMMON: [(Log, &[&str]); 3] = [
    (
        Log::Application,
        &["patient", "the", "open", "Clinic.Test", "with", "review", "status", "update", "2026-0"],
    ),
    (Log::Access, &["windows", "login", "chrome", "nurse", "safari/537", "logout", "10.", "Mozilla"]),
    (Log::Framework, &["task", "policy", "deploy", "service", "_updated", "app"]),
];

pub(super) fn cases(samples: &mut Samples, plan: &Plan) -> Vec<Case> {
    let mut cases = with_hits(samples, plan);
    cases.extend(with_few_hits(samples, plan));
    cases.extend(without_hits(samples, plan));
    cases
}

fn with_hits(samples: &mut Samples, plan: &Plan) -> Vec<Case> {
    let hits = (QUICK, Expect::Hits);
    let many = case("search: many hits", Group::Hits, hits, plan, |n| {
        let (log, common) = COMMON[n % 3];
        Some(Question::page(log).search(samples.pick(common)))
    });
    let second = case("search: many hits, second page", Group::Hits, hits, plan, |n| {
        let (log, common) = COMMON[n % 3];
        let question = Question::page(log).search(samples.pick(common));
        let path = question.path(samples.connection.target(), 0);
        let page = samples.connection.get(&path).expect(200).json();
        let at = At::Cursor(page["next_cursor"].as_str()?.to_owned(), PAGE);
        Some(Question { what: What::Page { limit: PAGE, at }, ..question })
    });
    let middle = case("search: many hits, page in the middle", Group::Hits, hits, plan, |n| {
        let (log, common) = COMMON[n % 3];
        let at = At::After(samples.position(log, 0.2, 0.8)?);
        Some(Question::new(log, What::Page { limit: PAGE, at }).search(samples.pick(common)))
    });
    let one = case("search: 1 character, many hits", Group::Hits, hits, plan, |n| {
        let letters: Vec<String> = "aeinorst1234".chars().map(String::from).collect();
        Some(Question::page(LOGS[n % 3]).search(samples.pick(&letters)))
    });
    let two = case("search: 2 characters, many hits", Group::Hits, hits, plan, |n| {
        Some(
            Question::page(LOGS[n % 3])
                .search(samples.pick(&["er", "in", "at", "on", "20", "st", "es", "te"])),
        )
    });
    let filtered = case("search with a filter", Group::Hits, hits, plan, |_| {
        let (event, action) = samples.with(Log::Application, "/action", |_| true)?;
        let words = event["changes"][0]["new"].as_str()?;
        let word = words.split(' ').find(|word| word.len() > 3)?;
        Some(Question::page(Log::Application).search(word).with("action", action))
    });
    let ranged = case("search in a range", Group::Hits, (QUICK, Expect::Any), plan, |n| {
        let (log, common) = COMMON[n % 3];
        Some(Question::page(log).search(samples.pick(common)).between(samples.range(60)))
    });
    vec![many, second, middle, one, two, filtered, ranged]
}

fn with_few_hits(samples: &mut Samples, plan: &Plan) -> Vec<Case> {
    let hits = (QUICK, Expect::Hits);
    let page = |log, q: String| Some(Question::page(log).search(q));
    let few: [(&str, Log, &str); 4] = [
        ("search: a record's UUID", Log::Application, "/target/id"),
        ("search: a rare name", Log::Application, "/target/name"),
        ("search: a session", Log::Access, "/session_id"),
        ("search: a correlation", Log::Framework, "/correlation_id"),
    ];
    let mut cases = Vec::new();
    for (name, log, pointer) in few {
        cases.push(case(name, Group::Hits, hits, plan, |_| {
            let passes = |value: &str| pointer != "/target/id" || is_uuid(value);
            let (_, value) = samples.with(log, pointer, passes)?;
            page(log, value)
        }));
    }
    cases.push(case("search: a value of one event", Group::Hits, hits, plan, |_| {
        page(Log::Application, samples.changed(is_uuid)?)
    }));
    cases.push(case("search: a part of a value of one event", Group::Hits, hits, plan, |_| {
        page(Log::Application, samples.changed(is_uuid)?[3..21].to_uppercase())
    }));
    cases.push(case("search in metadata", Group::Hits, hits, plan, |n| {
        let log = LOGS[n / 2 % 3];
        let q = if n.is_multiple_of(2) {
            samples.pick(words::REGIONS).to_owned()
        } else {
            samples.value(log, "/metadata/request/id")?
        };
        page(log, q)
    }));
    cases.push(case("search: an event's id", Group::Hits, hits, plan, |n| {
        let log = LOGS[n % 3];
        page(log, samples.value(log, "/id")?)
    }));
    cases
}

fn without_hits(samples: &mut Samples, plan: &Plan) -> Vec<Case> {
    let none = (QUICK, Expect::NoHits);
    let page = |log, q: String| (!occurs(&q)).then(|| Question::page(log).search(q));
    let mut cases = Vec::new();
    for letters in [4, 5, 6, 8, 12] {
        let name = format!("search without hits: {letters} letters");
        cases.push(case(&name, Group::NoHits, none, plan, |n| {
            page(Log::Application, word(n, letters, &mut samples.rng))
        }));
    }
    cases.push(case("search without hits: UUID", Group::NoHits, none, plan, |_| {
        page(Log::Application, world::uuid(&mut samples.rng))
    }));
    cases.push(case("search without hits: Chinese", Group::NoHits, none, plan, |_| {
        let letters = samples.rng.random_range(2..5);
        page(Log::Application, (0..letters).map(|_| chinese(&mut samples.rng)).collect())
    }));
    cases.push(case("search without hits: access, framework", Group::NoHits, none, plan, |n| {
        let letters = [4, 5, 6, 8, 12][n / 2 % 5];
        page(LOGS[1 + n % 2], word(n, letters, &mut samples.rng))
    }));
    cases.push(case("search without hits: 1 character", Group::NoHits, none, plan, |n| {
        let signs: Vec<String> = "^~|\\§¤€ツ∑ж".chars().map(String::from).collect();
        let sign = if n.is_multiple_of(2) { samples.pick(&signs) } else { chinese(&mut samples.rng).into() };
        page(LOGS[n / 2 % 3], sign)
    }));
    cases.push(case("search without hits: 2 characters", Group::NoHits, none, plan, |n| {
        let (first, second) = (samples.pick(b"qxzjvwk~^"), samples.pick(b"qxzjvwkpgb~|"));
        page(LOGS[n % 3], format!("{}{}", char::from(first), char::from(second)))
    }));
    cases.push(case("search without hits, with a filter", Group::NoHits, none, plan, |_| {
        let value = samples.changed(is_uuid)?;
        let action = samples.pick(words::RARE_ACTIONS);
        Some(Question::page(Log::Application).search(value).with("action", action))
    }));
    let hard = (HARD, Expect::NoHits);
    cases.push(case("search without hits: words of frequent parts", Group::Other, hard, plan, |_| {
        page(Log::Application, word_of_frequent_parts(&mut samples.rng)?)
    }));
    cases
}

/// A word that occurs nowhere while every four of its letters occur everywhere, as in "cementa": only the rows
/// themselves can rule it out. None when no letter continues what was drawn.
fn word_of_frequent_parts(rng: &mut Pcg64Mcg) -> Option<String> {
    /// By three letters, those that follow them in the most frequent words.
    static NEXT: LazyLock<BTreeMap<&str, Vec<&str>>> = LazyLock::new(|| {
        let mut next = BTreeMap::<_, Vec<_>>::new();
        let ascii = |word: &&&str| word.bytes().all(|byte| byte.is_ascii_lowercase());
        for word in words::VOCABULARY.iter().filter(ascii).take(FREQUENT) {
            for end in 4..=word.len() {
                next.entry(&word[end - 4..end - 1]).or_default().push(&word[end - 1..end]);
            }
        }
        next
    });
    const FREQUENT: usize = 300;
    let starts = NEXT.keys();
    let mut word = (*starts.clone().nth(rng.random_range(0..starts.len()))?).to_owned();
    for _ in 3..rng.random_range(5..=9) {
        let all = NEXT.get(&word[word.len() - 3..])?;
        word.push_str(all[rng.random_range(0..all.len())]);
    }
    Some(word)
}

/// A word that occurs nowhere: random letters, or two halves of real words, whose parts occur everywhere.
fn word(n: usize, letters: usize, rng: &mut Pcg64Mcg) -> String {
    if n.is_multiple_of(2) {
        return (0..letters).map(|_| char::from(rng.random_range(b'a'..=b'z'))).collect();
    }
    let long: Vec<&&str> =
        words::VOCABULARY.iter().filter(|word| word.is_ascii() && word.len() >= 4).collect();
    let mut word = String::new();
    while word.len() < letters {
        let real = long[rng.random_range(0..long.len())];
        let from = rng.random_range(0..real.len() - 2);
        word.push_str(&real[from..(from + 4).min(real.len())]);
    }
    word.truncate(letters);
    word.to_lowercase()
}

/// One of the common Chinese characters.
fn chinese(rng: &mut Pcg64Mcg) -> char {
    char::from_u32(rng.random_range(0x4e00..0x9fa5)).expect("a character")
}

/// True for what the generator's own words contain. Texts that it makes at random are not among them.
fn occurs(text: &str) -> bool {
    static TEXT: LazyLock<String> = LazyLock::new(words::everything);
    TEXT.contains(&text.to_lowercase())
}
