//! The changed fields of an event, and their values.

use std::borrow::Cow;

use rand::RngExt as _;

use super::{
    Generator,
    event::{Change, Value},
    words::{self, Kind},
    world::{self, pick},
};

/// Of the events with changes: they have three changes on average, so of the changes one in ten.
const WITH_LABELS: f64 = 0.3;

impl Generator {
    /// Fills `changes` with what the action does to a record of the model.
    pub(super) fn change(&mut self, model: usize, action: &str, at: &str) {
        self.changes.clear();
        let fields = self.world.models[model].fields.len();
        let count = match action {
            "create" => self.rng.random_range(4..=6),
            "update" => (1..6).take_while(|_| self.rng.random_bool(0.65)).count() + 1,
            "delete" => self.rng.random_range(1..=3),
            _ => 0,
        };
        let first = self.rng.random_range(0..fields);
        for n in 0..count.min(fields) {
            let (field, kind) = self.world.models[model].fields[(first + n) % fields];
            let old = if action == "create" { Value::Null } else { self.value(kind, at) };
            let new = if action == "delete" { Value::Null } else { self.value(kind, at) };
            self.changes.push(Change::new(field, old, new));
        }
        if !self.changes.is_empty() && self.rng.random_bool(WITH_LABELS) {
            self.changes.pop();
            let owner = |generator: &mut Self| {
                let user = &generator.world.users[generator.world.by_rank.user(&mut generator.rng)];
                (Value::Text(Cow::Owned(user.id.clone())), Some(user.name.clone()))
            };
            let nobody = || (Value::Null, None);
            let (old, old_label) = if action == "create" { nobody() } else { owner(self) };
            let (new, new_label) = if action == "delete" { nobody() } else { owner(self) };
            let (field, label) = words::LABELLED;
            self.changes.push(Change { field, old, new, label: Some(label), old_label, new_label });
        }
    }

    fn value(&mut self, kind: Kind, at: &str) -> Value {
        let rng = &mut self.rng;
        let known = |text: &'static str| Value::Text(Cow::Borrowed(text));
        let text = |text: String| Value::Text(Cow::Owned(text));
        match kind {
            Kind::Status => known(pick(&words::STATUSES, rng)),
            Kind::Category => known(pick(&words::CATEGORIES, rng)),
            Kind::Flag => Value::Flag(rng.random()),
            Kind::Count => Value::Number(rng.random_range(0..500)),
            Kind::Money => Value::Money(f64::from(rng.random_range(0..2_000_000)) / 100.0),
            Kind::Time => text(format!(
                "{}{:02}:{:02}:00Z",
                &at[..11],
                rng.random_range(0..24),
                rng.random_range(0..60)
            )),
            Kind::Date => text(format!("{}-{:02}", &at[..7], rng.random_range(1..29))),
            Kind::Uuid => text(world::uuid(rng)),
            Kind::Name => text(self.world.users[self.world.by_rank.user(rng)].name.clone()),
            Kind::Email => text(self.world.users[self.world.by_rank.user(rng)].login.clone()),
            Kind::Phone => text(format!("+9198{:08}", rng.random_range(0..100_000_000))),
            Kind::Address => text(format!(
                "{} {} Road, {}",
                rng.random_range(1..240),
                pick(&words::FAMILY, rng),
                pick(&words::CITIES, rng)
            )),
            Kind::Phrase => text(self.words(2..=5)),
            Kind::Sentence if rng.random_bool(0.03) => known(pick(words::FOREIGN, rng)),
            Kind::Sentence if rng.random_bool(0.06) => text(self.words(30..=70)),
            Kind::Sentence => text(self.words(9..=20)),
        }
    }

    fn words(&mut self, count: std::ops::RangeInclusive<usize>) -> String {
        let mut text = String::with_capacity(96);
        for n in 0..self.rng.random_range(count) {
            if n > 0 {
                text.push(' ');
            }
            text.push_str(self.world.by_rank.word(&mut self.rng));
        }
        text[..1].make_ascii_uppercase();
        text
    }
}
