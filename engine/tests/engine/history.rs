//! A record's history against a simple model: random lives, folded at random moments.

use std::collections::{BTreeMap, BTreeSet};

use logbook_engine::{
    db::timestamp::Timestamp,
    event::{Change, Outcome},
    history::{self, Fold, Kind, Point, Presence, Version},
};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

const FIELDS: &[&str] = &["name", "status", "a \"quoted\" name"];
const SETS: &[&str] = &["roles", "wards"];

/// What somebody does to the record, or tries to.
#[derive(Clone, Debug)]
enum Op {
    Create(Vec<Value>, Vec<u8>),
    Set(usize, Value),
    Members(usize, Vec<u8>, Vec<u8>),
    Delete,
    Read,
    Denied(usize, Value),
}

fn value() -> impl Strategy<Value = Value> {
    select(vec![
        Value::Null,
        json!(""),
        json!("open"),
        json!("closed"),
        json!(7),
        json!(["x", 1]),
        json!({"street": "Main"}),
        json!({"street": "Main", "city": {"zip": "1"}}),
        json!({"city": {"code": 2}}),
    ])
}

fn op() -> impl Strategy<Value = Op> {
    let members = || vec(0..5u8, 0..3);
    prop_oneof![
        1 => (vec(value(), FIELDS.len()), members()).prop_map(|(values, roles)| Op::Create(values, roles)),
        6 => (0..FIELDS.len(), value()).prop_map(|(field, value)| Op::Set(field, value)),
        5 => (0..SETS.len(), members(), members()).prop_map(|(set, add, take)| Op::Members(set, add, take)),
        1 => Just(Op::Delete),
        1 => Just(Op::Read),
        1 => (0..FIELDS.len(), value()).prop_map(|(field, value)| Op::Denied(field, value)),
    ]
}

/// Fields by name; a set is an array, sorted. What is null or has no members is not there.
type Fields = BTreeMap<&'static str, Value>;

#[derive(Clone, Debug, Default)]
struct Model {
    is_there: bool,
    was_created: bool,
    fields: Fields,
}

fn members(fields: &Fields, set: &str) -> BTreeSet<u8> {
    let items = fields.get(set).and_then(Value::as_array).cloned().unwrap_or_default();
    items.iter().filter_map(|item| u8::try_from(item.as_u64()?).ok()).collect()
}

fn put(fields: &mut Fields, name: &'static str, value: Value) {
    fields.insert(name, value);
    fields.retain(|name, value| !value.is_null() && (!SETS.contains(name) || *value != json!([])));
}

/// The versions, and the record after each of them; first before all of them.
struct Life {
    versions: Vec<Version>,
    models: Vec<Model>,
    changes: Vec<Vec<Change>>,
}

fn live(ops: &[Op]) -> Life {
    let mut life = Life { versions: Vec::new(), models: vec![Model::default()], changes: Vec::new() };
    for op in ops {
        let mut model = life.models.last().expect("the first").clone();
        let mut outcome = Outcome::Success;
        let (action, changes) = match op {
            Op::Create(values, roles) if !model.is_there => {
                model = Model { is_there: true, was_created: true, fields: Fields::new() };
                let mut changes = Vec::new();
                for (name, value) in FIELDS.iter().zip(values) {
                    changes.push(Change::value(*name, Value::Null, value.clone()));
                    put(&mut model.fields, name, value.clone());
                }
                let roles: BTreeSet<u8> = roles.iter().copied().collect();
                changes.push(Change::set(
                    SETS[0],
                    roles.iter().map(|role| json!(role)).collect(),
                    Vec::new(),
                ));
                put(&mut model.fields, SETS[0], json!(roles));
                ("create", changes)
            }
            Op::Set(field, value) if model.was_created => {
                let name = FIELDS[*field];
                let old = model.fields.get(name).cloned().unwrap_or_default();
                put(&mut model.fields, name, value.clone());
                model.is_there = true;
                ("update", vec![Change::value(name, old, value.clone())])
            }
            Op::Members(set, add, take) if model.was_created => {
                let have = members(&model.fields, SETS[*set]);
                let add: BTreeSet<u8> = add.iter().copied().filter(|member| !have.contains(member)).collect();
                let take: BTreeSet<u8> =
                    take.iter().copied().filter(|member| have.contains(member)).collect();
                let new: BTreeSet<u8> =
                    have.iter().chain(&add).copied().filter(|member| !take.contains(member)).collect();
                put(&mut model.fields, SETS[*set], json!(new));
                model.is_there = true;
                let json = |members: BTreeSet<u8>| members.into_iter().map(|member| json!(member)).collect();
                ("update", vec![Change::set(SETS[*set], json(add), json(take))])
            }
            Op::Delete if model.is_there => {
                model.is_there = false;
                ("delete", Vec::new())
            }
            Op::Denied(field, value) => {
                outcome = Outcome::Denied;
                ("update", vec![Change::value(FIELDS[*field], json!("never"), value.clone())])
            }
            _ => ("view", Vec::new()),
        };
        let n = life.versions.len() as i64;
        life.versions.push(version(n, action, outcome, &changes));
        life.models.push(model);
        life.changes.push(changes);
    }
    life
}

/// Two versions share each moment.
pub(crate) fn version(n: i64, action: &str, outcome: Outcome, changes: &[Change]) -> Version {
    Version {
        workspace_id: 1,
        seq: n + 1,
        occurred_at: Timestamp(1_790_812_800_000_000 + n / 2 * 1_000_000),
        actor: None,
        on_behalf_of: None,
        action: action.to_owned(),
        outcome,
        record_name: None,
        changes: (!changes.is_empty()).then(|| serde_json::to_string(changes).expect("JSON")),
        masked: None,
    }
}

pub(crate) fn parse(json: &history::Json<'_>) -> Value {
    json.as_ref().map_or(Value::Null, |json| serde_json::from_str(json.get()).expect("JSON"))
}

/// The fields of a fold, as the model has them.
pub(crate) fn fields(fold: &Fold<'_>) -> BTreeMap<String, Value> {
    let fields = fold.fields.iter().filter(|(_, field)| !field.value.is_empty());
    fields.map(|(name, field)| (name.clone().into_owned(), parse(&field.value.json()))).collect()
}

fn named(fields: &Fields) -> BTreeMap<String, Value> {
    fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

/// RFC 7396, section 2.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let map = target.as_object_mut().expect("an object");
    for (name, value) in patch {
        if value.is_null() {
            map.remove(name);
        } else {
            merge(map.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_global_rejects: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn a_fold_is_what_the_record_was(ops in vec(op(), 1..40), at: prop::sample::Index, later: prop::sample::Index) {
        let Life { versions, models, .. } = live(&ops);
        let (a, b) = (at.index(versions.len() + 1), later.index(versions.len() + 1));
        let (from, to) = (a.min(b), a.max(b));
        let (old, new) = (history::fold(&versions, from).expect("small"), history::fold(&versions, to).expect("small"));
        for (fold, model) in [(&old, &models[from]), (&new, &models[to])] {
            prop_assert_eq!(fields(fold), named(&model.fields));
            prop_assert_eq!(fold.presence == Presence::Present, model.is_there);
            prop_assert_eq!(fold.presence == Presence::Deleted, model.was_created && !model.is_there);
            prop_assert_eq!(fold.gap_count, 0);
            prop_assert!(fold.is_complete || !models.iter().any(|model| model.was_created));
        }

        // A moment has all that had happened by then.
        if let Some(version) = to.checked_sub(1).map(|last| &versions[last]) {
            let expected = versions.iter().filter(|other| other.occurred_at <= version.occurred_at).count();
            prop_assert_eq!(history::count_until(&versions, Point::Time(version.occurred_at)), Some(expected));
            prop_assert_eq!(history::count_until(&versions, Point::Event(version.event_id())), Some(to));
        }

        // Who set it changed it, and nobody after them did.
        for (name, field) in &new.fields {
            let value = |n: usize| models[n].fields.get(name.as_ref()).cloned().unwrap_or_default();
            let blame = history::blame(field).expect("somebody");
            let is_creation = versions[blame.version].action == "create";
            if value(to) != Value::Null {
                prop_assert!(is_creation || value(blame.version) != value(blame.version + 1));
                prop_assert!((blame.version + 1..to).all(|n| value(n + 1) == value(n)), "{}", name);
            }
            if !is_creation {
                let old = parse(&blame.old);
                prop_assert!(old == value(blame.version) || old == json!([]) && value(blame.version).is_null());
            }
        }

        let live = |model: &Model| if model.is_there { model.fields.clone() } else { Fields::new() };
        let (before, after) = (live(&models[from]), live(&models[to]));
        let mut expected = BTreeMap::new();
        for name in before.keys().chain(after.keys()) {
            match (before.get(name), after.get(name)) {
                (Some(old), Some(new)) if old == new => {}
                (old, new) => {
                    let kind = match (old, new) {
                        (None, _) => Kind::Added,
                        (_, None) => Kind::Removed,
                        _ => Kind::Changed,
                    };
                    let value = |value: Option<&Value>| value.cloned().unwrap_or_default();
                    expected.insert((*name).to_owned(), (format!("{kind:?}"), value(old), value(new)));
                }
            }
        }
        let empty = |value: Value| if value == json!([]) { Value::Null } else { value };
        let found: BTreeMap<_, _> = history::diff(&old, &new)
            .into_iter()
            .map(|difference| {
                let (old, new) = (empty(parse(&difference.old)), empty(parse(&difference.new)));
                (difference.field.into_owned(), (format!("{:?}", difference.kind), old, new))
            })
            .collect();
        prop_assert_eq!(found, expected);

        // The patch leads back.
        if models[from].is_there {
            let patch = history::patch(&new, &old, |_| true);
            prop_assert!(patch.left_out.is_empty());
            let patch: BTreeMap<_, _> = patch.fields.iter().map(|(name, value)| (name, parse(value))).collect();
            let mut record = json!(after);
            merge(&mut record, &json!(patch));
            let map = record.as_object_mut().expect("an object");
            map.retain(|name, value| !SETS.contains(&name.as_str()) || *value != json!([]));
            prop_assert_eq!(record, json!(before));
        }
    }

    #[test]
    fn of_a_record_that_was_there_before_the_log_only_what_is_known_is_said(
        ops in vec(op(), 2..40), at: prop::sample::Index, cut: prop::sample::Index,
    ) {
        let Life { versions, models, .. } = live(&ops);
        let cut = cut.index(versions.len());
        let at = at.index(versions.len() - cut + 1);
        let fold = history::fold(&versions[cut..], at).expect("small");
        let model = &models[cut + at];
        prop_assert_eq!(fold.gap_count, 0);
        for (name, field) in &fold.fields {
            let value = model.fields.get(name.as_ref()).cloned().unwrap_or_default();
            let found = parse(&field.value.json());
            if field.value.is_whole() {
                prop_assert!(found == value || found == json!([]) && value.is_null(), "{} is {}", name, value);
            } else {
                let have = members(&model.fields, name);
                let is_there = |one: &Value| have.contains(&(one.as_u64().expect("a member") as u8));
                prop_assert!(found.as_array().expect("a set").iter().all(is_there));

            }
        }
    }

    #[test]
    fn a_removed_write_is_a_gap_where_it_shows_later(ops in vec(op(), 3..40), gone: prop::sample::Index) {
        let Life { mut versions, changes, .. } = live(&ops);
        let gone = gone.index(versions.len());
        let ends = |n: &usize| ["create", "delete"].contains(&versions[*n].action.as_str());
        prop_assume!(!ends(&gone) && versions[gone].outcome == Outcome::Success && !changes[gone].is_empty());
        let next: Vec<usize> = (gone + 1..versions.len()).take_while(|n| !ends(n)).collect();
        // Right after a deletion it may also be right that nothing was there.
        let was_restored = versions[..gone].iter().rev().find(|version| {
            version.outcome == Outcome::Success && version.action != "view"
        });
        prop_assume!(was_restored.is_none_or(|version| version.action != "delete"));
        let names = |n: usize, field: &str| {
            versions[n].outcome == Outcome::Success && changes[n].iter().any(|change| change.field() == field)
        };
        let shows = match &changes[gone][0] {
            Change::Value(change) if change.old != change.new => {
                next.iter().copied().find(|n| names(*n, &change.field)).map(|n| (n, change.field.clone()))
            }
            Change::Value(_) => None,
            Change::Set(change) => {
                let touched: Vec<&Value> = change.added.iter().chain(&change.removed).collect();
                let touches = |n: &usize| {
                    names(*n, &change.field)
                        && changes[*n].iter().any(|other| other.each_value().any(|value| touched.contains(&value)))
                };
                next.iter().copied().find(touches).map(|n| (n, change.field.clone()))
            }
        };
        versions.remove(gone);
        let fold = history::fold(&versions, versions.len()).expect("small");
        if let Some((shown, field)) = shows {
            let found = fold.gaps.iter().any(|gap| gap.version == shown - 1 && gap.field == field);
            prop_assert!(found, "{} at {}: {:?}", field, shown, fold.gaps);
        }
    }
}
