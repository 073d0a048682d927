//! The clinic's current records, and the events of changing them.

use std::collections::VecDeque;

use logbook_engine::{
    db::timestamp::Timestamp,
    event::{Actor, ActorType, Change, Labels, Log, NewEvent, Outcome, Target},
};
use serde_json::{Value, json};

use super::{
    event::{address, changes, metadata, new_event, targets, text},
    people::{PEOPLE, Person},
    rng::Rng,
};

/// Records of one model that are kept to be changed later; older ones are history.
const KEPT: usize = 400;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    Patient,
    Visit,
    Appointment,
    Prescription,
    Invoice,
    LabResult,
}

impl Model {
    pub fn name(self) -> &'static str {
        match self {
            Self::Patient => "patient",
            Self::Visit => "visit",
            Self::Appointment => "appointment",
            Self::Prescription => "prescription",
            Self::Invoice => "invoice",
            Self::LabResult => "lab_result",
        }
    }
}

/// The field that says who treats somebody: an id, which events show with a name.
pub(super) const DOCTOR: &str = "doctor_id";

pub(super) type Fields = Vec<(&'static str, Value)>;

#[derive(Clone, Debug)]
pub struct Record {
    pub id: i64,
    pub name: String,
    fields: Fields,
    /// The patient whom it concerns, where it is not the patient itself.
    patient: Option<Target>,
}

impl Record {
    pub fn get(&self, field: &str) -> Value {
        self.fields.iter().find(|(name, _)| *name == field).map_or(Value::Null, |(_, value)| value.clone())
    }

    fn set(&mut self, field: &'static str, value: Value) -> Value {
        match self.fields.iter_mut().find(|(name, _)| *name == field) {
            Some((_, old)) => std::mem::replace(old, value),
            None => {
                self.fields.push((field, value));
                Value::Null
            }
        }
    }
}

/// Somebody at work: what all events of one request have in common.
#[derive(Clone, Debug)]
pub struct Act {
    pub actor: Actor,
    /// For whom the actor acts, and why.
    pub on_behalf_of: Option<Actor>,
    pub purpose: Option<String>,
    pub role: &'static str,
    pub ip_address: String,
    pub user_agent: String,
    pub session_id: String,
    pub correlation_id: String,
    pub at: Timestamp,
}

impl Act {
    /// The next event of the same request, some milliseconds later.
    pub fn later(&mut self, rng: &mut Rng) {
        self.at = Timestamp(self.at.0 + rng.between(3_000, 60_000));
    }
}

pub(super) fn user(person: &Person) -> Actor {
    Actor { kind: ActorType::User, id: text(person.id), name: text(person.name) }
}

/// The program that writes notes and orders tests for physicians.
pub(super) fn assistant() -> Actor {
    Actor { kind: ActorType::Agent, id: text("triage-assistant"), name: text("Triage assistant") }
}

pub struct Clinic {
    records: [VecDeque<Record>; 6],
    last_ids: [i64; 6],
    /// The app's release, as requests report it.
    pub release: u32,
}

impl Clinic {
    /// An empty clinic.
    pub fn new() -> Self {
        Self { records: Default::default(), last_ids: [0; 6], release: 14 }
    }

    pub fn version(&self) -> String {
        format!("2.{}.0", self.release)
    }

    /// Skips ids, so that they do not collide with records that were created since.
    pub fn skip_ids(&mut self, count: i64) {
        self.last_ids.iter_mut().for_each(|id| *id += count);
    }

    pub fn create(
        &mut self,
        act: &Act,
        model: Model,
        name: impl FnOnce(i64) -> String,
        fields: Fields,
    ) -> NewEvent {
        let index = model as usize;
        self.last_ids[index] += 1;
        let id = self.last_ids[index];
        let patient = fields.iter().find(|(field, _)| *field == "patient").and_then(|(_, id)| id.as_i64());
        let patient = patient.and_then(|id| self.find_mut(Model::Patient, id));
        let patient = patient.map(|patient| target(Model::Patient, patient));
        let record = Record { id, name: name(id), fields, patient };
        let mut changes: Vec<Change> =
            record.fields.iter().map(|(field, value)| change(field, Value::Null, value.clone())).collect();
        changes.insert(0, Change::value("id", Value::Null, json!(id)));
        let event = self.event(act, "create", model, &record, changes);
        let kept = &mut self.records[index];
        kept.push_back(record);
        if kept.len() > KEPT {
            kept.pop_front();
        }
        event
    }

    /// Sets fields; a field that already has the value does not count as changed. None if nothing changed.
    pub fn update(&mut self, act: &Act, model: Model, id: i64, fields: Fields) -> Option<NewEvent> {
        let record = self.find_mut(model, id)?;
        let changes: Vec<Change> = fields
            .into_iter()
            .filter_map(|(field, new)| {
                let old = record.set(field, new.clone());
                (old != new).then(|| change(field, old, new))
            })
            .collect();
        let record = record.clone();
        (!changes.is_empty()).then(|| self.event(act, "update", model, &record, changes))
    }

    /// Adds to and removes from a field that is a set.
    pub fn update_set(
        &mut self,
        act: &Act,
        model: Model,
        id: i64,
        field: &'static str,
        value: &str,
    ) -> Option<NewEvent> {
        let record = self.find_mut(model, id)?;
        let mut set = record.get(field).as_array().cloned().unwrap_or_default();
        let change = match set.iter().position(|item| item == value) {
            Some(index) => Change::set(field, Vec::new(), vec![set.remove(index)]),
            None => {
                set.push(value.into());
                Change::set(field, vec![value.into()], Vec::new())
            }
        };
        record.set(field, set.into());
        let record = record.clone();
        Some(self.event(act, "update", model, &record, vec![change]))
    }

    pub fn delete(&mut self, act: &Act, model: Model, id: i64) -> Option<NewEvent> {
        let kept = &mut self.records[model as usize];
        let index = kept.iter().position(|record| record.id == id)?;
        let record = kept.remove(index)?;
        let gone = |(field, value): &(&'static str, Value)| change(field, value.clone(), Value::Null);
        let changes = record.fields.iter().map(gone).collect();
        Some(self.event(act, "delete", model, &record, changes))
    }

    /// Somebody wants to see a record and may not.
    pub fn deny(&self, act: &Act, model: Model, record: &Record, reason: &str) -> NewEvent {
        let mut event = self.event(act, "view", model, record, Vec::new());
        event.common.outcome = Outcome::Denied;
        event.common.outcome_reason = text(reason);
        event
    }

    /// A random record, more likely a recent one.
    pub fn any(&self, rng: &mut Rng, model: Model) -> Option<Record> {
        self.with(rng, model, |_| true)
    }

    /// A record in one of these states.
    pub fn in_state(&self, rng: &mut Rng, model: Model, states: &[&str]) -> Option<Record> {
        self.with(rng, model, |record| {
            record.get("status").as_str().is_some_and(|status| states.contains(&status))
        })
    }

    fn with(&self, rng: &mut Rng, model: Model, fits: impl Fn(&Record) -> bool) -> Option<Record> {
        let kept = &self.records[model as usize];
        for _ in 0..24 {
            // Squared, so that most work concerns recent records.
            let age = (rng.unit() * rng.unit() * kept.len() as f64) as usize;
            let record = kept.get(kept.len().checked_sub(1 + age)?)?;
            if fits(record) {
                return Some(record.clone());
            }
        }
        None
    }

    fn find_mut(&mut self, model: Model, id: i64) -> Option<&mut Record> {
        self.records[model as usize].iter_mut().rev().find(|record| record.id == id)
    }

    fn event(
        &self,
        act: &Act,
        action: &str,
        model: Model,
        record: &Record,
        changes: Vec<Change>,
    ) -> NewEvent {
        let mut event = new_event(Log::Application, action, act.at);
        event.common.actor = Some(act.actor.clone());
        event.common.on_behalf_of = act.on_behalf_of.clone();
        event.common.purpose = act.purpose.as_deref().and_then(text);
        event.common.role = text(act.role);
        event.common.target = target(model, record);
        event.common.targets = targets(record.patient.iter().cloned().collect());
        event.common.ip_address = address(&act.ip_address);
        event.common.user_agent = text(&act.user_agent);
        event.common.session_id = text(&act.session_id);
        event.common.correlation_id = text(&act.correlation_id);
        event.changes = self::changes(changes);
        let method = match action {
            "create" => "POST",
            "delete" => "DELETE",
            "view" => "GET",
            _ => "PATCH",
        };
        let path = match action {
            "create" => format!("/api/{}s", model.name()),
            _ => format!("/api/{}s/{}", model.name(), record.id),
        };
        event.metadata = metadata([
            ("request", json!({"method": method, "path": path, "id": act.correlation_id})),
            ("app_version", self.version().into()),
        ]);
        event
    }
}

fn target(model: Model, record: &Record) -> Target {
    Target { kind: text(model.name()), id: text(&record.id.to_string()), name: text(&record.name) }
}

/// A changed field; a doctor's id with the doctor's name beside it.
fn change(field: &'static str, old: Value, new: Value) -> Change {
    if field != DOCTOR {
        return Change::value(field, old, new);
    }
    let name = |id: &Value| {
        let person = PEOPLE.iter().find(|person| id == person.id)?;
        Some(person.name.to_owned())
    };
    let labels = Labels { label: Some("Doctor".into()), old_label: name(&old), new_label: name(&new) };
    Change::value(field, old, new).labelled(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn act() -> Act {
        Act {
            actor: Actor::system(),
            on_behalf_of: None,
            purpose: None,
            role: "Nurse",
            ip_address: "203.0.113.10".into(),
            user_agent: "test".into(),
            session_id: "s".into(),
            correlation_id: "c".into(),
            at: Timestamp(0),
        }
    }

    #[test]
    fn a_record_remembers_what_it_was() {
        let mut clinic = Clinic::new();
        let model = Model::Visit;
        let created =
            clinic.create(&act(), model, |id| format!("Visit {id}"), vec![("status", json!("open"))]);
        assert_eq!(created.common.target.name.as_deref(), Some("Visit 1"));
        assert_eq!(created.changes[1], Change::value("status", Value::Null, json!("open")));
        let updated = clinic.update(&act(), model, 1, vec![("status", json!("closed"))]).expect("a change");
        assert_eq!(*updated.changes, [Change::value("status", json!("open"), json!("closed"))]);
        assert!(clinic.update(&act(), model, 1, vec![("status", json!("closed"))]).is_none());
        let added = clinic.update_set(&act(), model, 1, "team", "A").expect("a change");
        assert_eq!(*added.changes, [Change::set("team", vec![json!("A")], vec![])]);
        let removed = clinic.update_set(&act(), model, 1, "team", "A").expect("a change");
        assert_eq!(*removed.changes, [Change::set("team", vec![], vec![json!("A")])]);
        let deleted = clinic.delete(&act(), model, 1).expect("a change");
        assert_eq!(deleted.changes[0], Change::value("status", json!("closed"), Value::Null));
        assert!(clinic.delete(&act(), model, 1).is_none());
        assert_eq!(Model::LabResult as usize + 1, clinic.records.len());
    }

    #[test]
    fn a_visit_concerns_its_patient_and_names_its_doctor() {
        let mut clinic = Clinic::new();
        clinic.create(&act(), Model::Patient, |_| "李雷".into(), Vec::new());
        let fields = vec![("patient", json!(1)), (DOCTOR, json!("13"))];
        let visit = clinic.create(&act(), Model::Visit, |id| format!("Visit {id}"), fields);
        let name = |target: &Target| target.name.clone().map(|name| name.to_string());
        assert_eq!(visit.common.targets.iter().map(name).collect::<Vec<_>>(), [Some("李雷".into())]);
        let moved = clinic.update(&act(), Model::Visit, 1, vec![(DOCTOR, json!("17"))]).expect("a change");
        let Labels { label, old_label, new_label } = moved.changes[0].labels();
        assert_eq!(
            [label, old_label, new_label].map(|text| text.as_deref()),
            [Some("Doctor"), Some("José Núñez"), Some("Zoë van der Meer")]
        );
        let visit = clinic.any(&mut Rng::new(1), Model::Visit).expect("a visit");
        let denied = clinic.deny(&act(), Model::Visit, &visit, "other_ward");
        assert_eq!((denied.common.outcome, denied.changes.len()), (Outcome::Denied, 0));
    }
}
