//! The daily work of the clinic's people: each piece is one request with one to three events.

use logbook_engine::{db::timestamp::Timestamp, event::NewEvent};
use serde_json::json;

use super::{
    clinic::{Act, Clinic, DOCTOR, Fields, Model, Record},
    people::{Job, PEOPLE},
    rng::Rng,
    texts,
};

#[derive(Clone, Copy)]
enum Duty {
    Register,
    Contact,
    Book,
    Receive,
    Reassign,
    Admit,
    Vitals,
    Notes,
    Close,
    Allergy,
    CareTeam,
    Prescribe,
    Dispense,
    OrderTest,
    Test,
    Bill,
    Collect,
    Tidy,
}

use Duty::{
    Admit, Allergy, Bill, Book, CareTeam, Close, Collect, Contact, Dispense, Notes, OrderTest, Prescribe,
    Reassign, Receive, Register, Test, Tidy, Vitals,
};

/// How often each kind of work comes up in a job.
fn duties(job: Job) -> &'static [(Duty, f64)] {
    match job {
        Job::Receptionist => &[
            (Register, 1.6),
            (Contact, 1.4),
            (Book, 5.0),
            (Receive, 5.0),
            (Reassign, 0.4),
            (Bill, 1.5),
            (Collect, 1.0),
            (Tidy, 0.25),
        ],
        Job::Nurse => {
            &[(Admit, 3.0), (Vitals, 5.0), (Notes, 2.0), (Allergy, 0.7), (OrderTest, 0.8), (Receive, 1.0)]
        }
        Job::Physician => {
            &[(Notes, 5.0), (Close, 3.0), (Prescribe, 4.0), (OrderTest, 1.5), (CareTeam, 0.6), (Admit, 0.5)]
        }
        Job::Pharmacist => &[(Dispense, 7.0), (Contact, 0.3), (Bill, 0.7)],
        Job::Lab => &[(Test, 8.0), (OrderTest, 0.3)],
        Job::Admin => &[(Collect, 4.0), (Bill, 1.5), (Contact, 0.8), (Book, 0.6), (Tidy, 0.7)],
    }
}

/// Patients from before the story begins.
pub(super) fn populate(clinic: &mut Clinic, rng: &mut Rng, act: &Act) {
    for _ in 0..250 {
        register(clinic, rng, act);
    }
}

/// How often a nurse asks for a patient of another ward: by mistake, or out of curiosity.
const WRONG_WARD: f64 = 0.012;

/// One request of somebody with this job.
pub(super) fn work(clinic: &mut Clinic, rng: &mut Rng, job: Job, mut act: Act) -> Vec<NewEvent> {
    if job == Job::Nurse && rng.chance(WRONG_WARD) {
        let patient = clinic.any(rng, Model::Patient);
        let denied =
            patient.map(|patient| clinic.deny(&act, Model::Patient, &patient, "patient_of_another_ward"));
        return denied.into_iter().collect();
    }
    let duties = duties(job);
    let weights: Vec<f64> = duties.iter().map(|(_, weight)| *weight).collect();
    let (duty, _) = duties[rng.weighted(&weights)];
    let mut events = Vec::new();
    perform(clinic, rng, duty, &mut act, &mut events);
    events
}

fn perform(clinic: &mut Clinic, rng: &mut Rng, duty: Duty, act: &mut Act, events: &mut Vec<NewEvent>) {
    match duty {
        Register => events.push(register(clinic, rng, act)),
        Contact => {
            let patient = patient(clinic, rng, act, events);
            let fields = match rng.below(3) {
                0 => vec![("phone_number", json!(texts::phone(rng)))],
                1 => vec![("address", json!(texts::address(rng)))],
                _ => {
                    vec![("phone_number", json!(texts::phone(rng))), ("address", json!(texts::address(rng)))]
                }
            };
            events.extend(clinic.update(act, Model::Patient, patient.id, fields));
        }
        Book => book(clinic, rng, act, events),
        Receive => {
            // Booked, confirmed, arrived; some cancel, some never come.
            let Some(record) = clinic.in_state(rng, Model::Appointment, &["booked", "confirmed"]) else {
                return book(clinic, rng, act, events);
            };
            let next = match (record.get("status") == "booked", rng.below(10)) {
                (true, 0..7) => "confirmed",
                (false, 0..8) => "arrived",
                (false, 8) => "no_show",
                _ => "cancelled",
            };
            events.extend(clinic.update(act, Model::Appointment, record.id, vec![("status", json!(next))]));
            if next == "arrived" && rng.chance(0.6) {
                act.later(rng);
                admit(clinic, rng, act, events);
            }
        }
        Reassign => {
            let Some(record) = clinic.in_state(rng, Model::Appointment, &["booked", "confirmed"]) else {
                return book(clinic, rng, act, events);
            };
            let fields = vec![(DOCTOR, json!(doctor(rng)))];
            events.extend(clinic.update(act, Model::Appointment, record.id, fields));
        }
        Admit => admit(clinic, rng, act, events),
        Vitals => {
            let Some(visit) = clinic.in_state(rng, Model::Visit, &["open", "triaged"]) else {
                return admit(clinic, rng, act, events);
            };
            let vitals = json!({
                "bp": format!("{}/{}", rng.between(98, 162), rng.between(58, 98)),
                "pulse": rng.between(54, 118),
                "temperature": rng.between(361, 392) as f64 / 10.0,
                "spo2": rng.between(91, 100),
            });
            let fields = vec![("vitals", vitals), ("status", json!("triaged"))];
            events.extend(clinic.update(act, Model::Visit, visit.id, fields));
        }
        Notes => {
            let Some(visit) = clinic.in_state(rng, Model::Visit, &["open", "triaged", "in_consultation"])
            else {
                return admit(clinic, rng, act, events);
            };
            let fields = vec![("notes", json!(texts::note(rng))), ("status", json!("in_consultation"))];
            events.extend(clinic.update(act, Model::Visit, visit.id, fields));
        }
        Close => {
            let Some(visit) = clinic.in_state(rng, Model::Visit, &["in_consultation", "triaged"]) else {
                return admit(clinic, rng, act, events);
            };
            let fields = vec![("status", json!("closed")), ("closed_at", json!(act.at))];
            events.extend(clinic.update(act, Model::Visit, visit.id, fields));
            if rng.chance(0.5) {
                act.later(rng);
                bill(clinic, rng, act, events);
            }
        }
        Allergy => {
            let patient = patient(clinic, rng, act, events);
            let allergy = rng.pick(texts::ALLERGIES);
            events.extend(clinic.update_set(act, Model::Patient, patient.id, "allergies", allergy));
        }
        CareTeam => {
            let patient = patient(clinic, rng, act, events);
            let member = PEOPLE[rng.below(PEOPLE.len())].name;
            events.extend(clinic.update_set(act, Model::Patient, patient.id, "care_team", member));
        }
        Prescribe => prescribe(clinic, rng, act, events),
        Dispense => {
            let Some(record) = clinic.in_state(rng, Model::Prescription, &["active"]) else {
                return prescribe(clinic, rng, act, events);
            };
            let status = if rng.chance(0.06) { "cancelled" } else { "dispensed" };
            let mut fields: Fields = vec![("status", json!(status))];
            if status == "dispensed" {
                fields.push(("batch_no", json!(format!("B_{}", rng.between(10_000, 99_999)))));
            }
            events.extend(clinic.update(act, Model::Prescription, record.id, fields));
        }
        OrderTest => order(clinic, rng, act, events),
        Test => test(clinic, rng, act, events),
        Bill => bill(clinic, rng, act, events),
        Collect => {
            let Some(invoice) = clinic.in_state(rng, Model::Invoice, &["draft", "issued", "overdue"]) else {
                return bill(clinic, rng, act, events);
            };
            let next = match invoice.get("status").as_str() {
                Some("draft") => "issued",
                Some("issued") if rng.chance(0.15) => "overdue",
                _ => "paid",
            };
            let mut fields: Fields = vec![("status", json!(next))];
            if next == "paid" {
                fields.push(("paid_by", json!(rng.pick(&["card", "cash", "UPI", "insurance"]))));
            }
            events.extend(clinic.update(act, Model::Invoice, invoice.id, fields));
        }
        Tidy => {
            let (model, states): (_, &[&str]) = if rng.chance(0.6) {
                (Model::Appointment, &["cancelled"])
            } else {
                (Model::Invoice, &["draft"])
            };
            let record = clinic.in_state(rng, model, states);
            events.extend(record.and_then(|record| clinic.delete(act, model, record.id)));
        }
    }
}

fn register(clinic: &mut Clinic, rng: &mut Rng, act: &Act) -> NewEvent {
    let name = texts::person(rng);
    let born = format!("{}-{:02}-{:02}", rng.between(1938, 2025), rng.between(1, 12), rng.between(1, 28));
    let fields = vec![
        ("name", json!(name)),
        ("dob", json!(born)),
        ("gender", json!(rng.pick(&["female", "male", "other"]))),
        ("phone_number", json!(texts::phone(rng))),
        ("address", json!(texts::address(rng))),
        ("blood_group", json!(rng.pick(&["O+", "A+", "B+", "AB+", "O-", "A-"]))),
        (
            "insurance",
            json!({"payer": rng.pick(&["Self", "StarCare", "MediPlus"]), "share": rng.between(0, 10) * 10}),
        ),
    ];
    clinic.create(act, Model::Patient, |_| name, fields)
}

/// What support mends for somebody: a patient's number.
pub(super) fn correct(clinic: &mut Clinic, rng: &mut Rng, act: &Act) -> Option<NewEvent> {
    let patient = clinic.any(rng, Model::Patient)?;
    clinic.update(act, Model::Patient, patient.id, vec![("phone_number", json!(texts::phone(rng)))])
}

/// A patient to work with; where there is none yet, one is registered first.
fn patient(clinic: &mut Clinic, rng: &mut Rng, act: &mut Act, events: &mut Vec<NewEvent>) -> Record {
    loop {
        if let Some(patient) = clinic.any(rng, Model::Patient) {
            return patient;
        }
        events.push(register(clinic, rng, act));
        act.later(rng);
    }
}

fn book(clinic: &mut Clinic, rng: &mut Rng, act: &mut Act, events: &mut Vec<NewEvent>) {
    let patient = patient(clinic, rng, act, events);
    // From half past three to half past ten UTC, which is nine to four in Kolkata, on the quarter hour.
    let midnight = act.at.0 - act.at.0.rem_euclid(86_400_000_000);
    let starts =
        Timestamp(midnight).plus_seconds(rng.between(1, 14) * 86_400 + (14 + rng.between(0, 28)) * 900);
    let fields = vec![
        ("patient", json!(patient.id)),
        (DOCTOR, json!(doctor(rng))),
        ("starts_at", json!(starts)),
        ("reason", json!(texts::complaint(rng))),
        ("status", json!("booked")),
    ];
    events.push(clinic.create(
        act,
        Model::Appointment,
        |id| format!("Appointment {id}, {}", patient.name),
        fields,
    ));
}

fn admit(clinic: &mut Clinic, rng: &mut Rng, act: &mut Act, events: &mut Vec<NewEvent>) {
    let patient = patient(clinic, rng, act, events);
    let fields = vec![
        ("patient", json!(patient.id)),
        (DOCTOR, json!(doctor(rng))),
        ("complaint", json!(texts::complaint(rng))),
        ("status", json!("open")),
        ("vitals", json!(null)),
    ];
    events.push(clinic.create(act, Model::Visit, |id| format!("Visit {id}, {}", patient.name), fields));
}

fn prescribe(clinic: &mut Clinic, rng: &mut Rng, act: &mut Act, events: &mut Vec<NewEvent>) {
    let patient = patient(clinic, rng, act, events);
    let count = if rng.chance(0.3) { 2 } else { 1 };
    for _ in 0..count {
        let drug = rng.pick(texts::DRUGS);
        let fields = vec![
            ("patient", json!(patient.id)),
            ("drug", json!(drug)),
            ("dosage", json!(rng.pick(&["1-0-1", "1-1-1", "0-0-1", "1-0-0", "as needed"]))),
            ("days", json!(rng.between(3, 30))),
            ("status", json!("active")),
        ];
        events.push(clinic.create(
            act,
            Model::Prescription,
            |_| format!("{drug} for {}", patient.name),
            fields,
        ));
        act.later(rng);
    }
}

fn order(clinic: &mut Clinic, rng: &mut Rng, act: &mut Act, events: &mut Vec<NewEvent>) {
    let patient = patient(clinic, rng, act, events);
    let test = rng.pick(texts::TESTS);
    let fields = vec![
        ("patient", json!(patient.id)),
        ("test", json!(test)),
        ("priority", json!(if rng.chance(0.1) { "urgent" } else { "routine" })),
        ("status", json!("ordered")),
        ("values", json!(null)),
    ];
    events.push(clinic.create(act, Model::LabResult, |_| format!("{test} of {}", patient.name), fields));
}

fn test(clinic: &mut Clinic, rng: &mut Rng, act: &mut Act, events: &mut Vec<NewEvent>) {
    let Some(record) = clinic.in_state(rng, Model::LabResult, &["ordered", "collected", "analysed"]) else {
        return order(clinic, rng, act, events);
    };
    let fields: Fields = match record.get("status").as_str() {
        Some("ordered") => vec![
            ("status", json!("collected")),
            ("sample_no", json!(format!("S-{}", rng.between(100_000, 999_999)))),
        ],
        Some("collected") => {
            let (low, high) = (rng.between(4, 9), rng.between(11, 18));
            let value = rng.between(20, 210) as f64 / 10.0;
            let flagged = value < low as f64 || value > high as f64;
            vec![
                ("status", json!("analysed")),
                ("values", json!({"value": value, "unit": "mmol/L", "range": [low, high]})),
                ("flagged", json!(flagged)),
            ]
        }
        _ => vec![("status", json!("released"))],
    };
    events.extend(clinic.update(act, Model::LabResult, record.id, fields));
}

fn bill(clinic: &mut Clinic, rng: &mut Rng, act: &mut Act, events: &mut Vec<NewEvent>) {
    let patient = patient(clinic, rng, act, events);
    let amount = format!("{}.{:02}", rng.between(150, 4800), rng.pick(&[&0_i64, &50]));
    let fields = vec![
        ("patient", json!(patient.id)),
        ("amount", json!(amount)),
        ("currency", json!("INR")),
        ("status", json!("draft")),
    ];
    events.push(clinic.create(act, Model::Invoice, |id| format!("INV_{id:05}"), fields));
}

/// A physician's id.
fn doctor(rng: &mut Rng) -> &'static str {
    let physicians: Vec<&str> =
        PEOPLE.iter().filter(|person| person.job == Job::Physician).map(|person| person.id).collect();
    physicians[rng.below(physicians.len())]
}
