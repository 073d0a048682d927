//! What the platform does around the clinic's app: syncs, releases, tasks, people and roles.

use logbook_engine::{
    db::timestamp::Timestamp,
    event::{Actor, ActorType, Change, Log, NewEvent, Outcome, Target},
};
use serde_json::{Value, json};

use super::{
    actions::correct,
    clinic::{Act, Clinic, user},
    event::{address, changes, metadata, new_event, text},
    people::{DESK, PEOPLE, Person},
    rng::Rng,
    texts,
};

const POLICIES: &[&str] = &[
    "AllowFromAnywhere",
    "OpsAccess",
    "FrontDesk",
    "WardAccess",
    "PharmacyCounter",
    "LabBench",
    "Billing",
    "ReadOnlyAudit",
];

const ROLES: &[&str] = &["Nurse", "Physician", "Receptionist", "Pharmacist", "Lab", "Admin"];

const PACKAGES: &[&str] = &["crud", "workflow", "appbuilder", "login", "communication", "frame"];

/// The address of the platform's support.
const SUPPORT: &str = "203.0.113.41";

/// The day on which a renamed role broke the sync.
const BROKEN_DAY: i64 = 78;

#[derive(Clone, Copy, Debug)]
pub(super) enum Happening {
    PolicySync {
        broken: bool,
    },
    Tasks,
    TaskFails,
    Release,
    Repair,
    Joins(&'static Person),
    RoleChange,
    SecretRotation,
    Lockout,
    /// The platform's support signs in as somebody who asked for help.
    Support(&'static Person),
}

/// What the platform does on a day, and when.
pub(super) fn plan(rng: &mut Rng, midnight: Timestamp, day: i64) -> Vec<(Timestamp, Happening)> {
    let mut plan = Vec::new();
    let mut at = |hour: i64, minute: i64, rng: &mut Rng, happening: Happening| {
        let seconds = hour * 3600 + minute * 60 + rng.between(0, 50);
        plan.push((Timestamp(midnight.plus_seconds(seconds).0 + rng.between(0, 999_999)), happening));
    };
    at(2, 0, rng, Happening::Tasks);
    at(3, 30, rng, Happening::PolicySync { broken: false });
    if day == BROKEN_DAY {
        at(11, 5, rng, Happening::PolicySync { broken: true });
        at(11, 20, rng, Happening::PolicySync { broken: true });
        at(12, 40, rng, Happening::PolicySync { broken: true });
        at(13, 10, rng, Happening::Repair);
        at(13, 12, rng, Happening::PolicySync { broken: false });
    }
    for _ in 0..rng.below(4) {
        let (hour, minute) = (rng.between(0, 23), rng.between(0, 59));
        at(hour, minute, rng, Happening::TaskFails);
    }
    if day % 7 == 3 {
        at(21, 30, rng, Happening::Release);
    }
    if rng.chance(0.2) {
        at(15, 10, rng, Happening::RoleChange);
    }
    if day % 30 == 12 {
        at(10, 45, rng, Happening::SecretRotation);
    }
    if day == super::story::SPRAY_DAY {
        at(8, 41, rng, Happening::Lockout);
    }
    if rng.chance(0.3) {
        let there: Vec<&Person> = PEOPLE.iter().filter(|person| person.joins <= day).collect();
        let person = there[rng.below(there.len())];
        at(11, 50, rng, Happening::Support(person));
    }
    for person in PEOPLE.iter().filter(|person| person.joins == day && day > 0) {
        at(9, 15, rng, Happening::Joins(person));
    }
    plan
}

/// The events of one happening, some moments apart, tied by a correlation id.
pub(super) fn play(
    clinic: &mut Clinic,
    rng: &mut Rng,
    start: Timestamp,
    happening: Happening,
) -> Vec<NewEvent> {
    let mut scene = Scene { at: start, correlation_id: format!("job-{}", rng.hex(12)), events: Vec::new() };
    match happening {
        Happening::PolicySync { broken } => policy_sync(rng, &mut scene, broken),
        Happening::Tasks => {
            for task in texts::TASKS {
                let seconds = rng.between(2, 340);
                scene.at = scene.at.plus_seconds(seconds);
                let event = scene.add("task_completed", ("task", task, task), Actor::system());
                event.metadata = metadata([("seconds", seconds.into())]);
            }
        }
        Happening::TaskFails => {
            let task = rng.pick(texts::TASKS);
            let error = texts::stack(rng, task);
            scene.add("task_failed", ("task", task, task), Actor::system()).fail(error);
        }
        Happening::Release => release(clinic, rng, &mut scene),
        Happening::Repair => {
            let role = scene.add("role_created", ("role", "3", "Physician"), admin());
            role.changes = changes(vec![Change::value("name", Value::Null, json!("Physician"))]);
        }
        Happening::Joins(person) => {
            let event = scene.add("user_created", ("user", person.id, person.name), admin());
            event.changes = changes(vec![
                Change::value("name", Value::Null, json!(person.name)),
                Change::value("email", Value::Null, json!(person.login)),
                Change::value(
                    "password",
                    Value::Null,
                    json!(format!("pbkdf2_sha256$600000${}$x=", rng.hex(22))),
                ),
                Change::set("roles", vec![json!(person.job.role())], Vec::new()),
            ]);
        }
        Happening::RoleChange => {
            let index = rng.below(ROLES.len());
            let policy = json!(rng.pick(POLICIES));
            let event = scene.add("role_updated", ("role", &(index + 2).to_string(), ROLES[index]), admin());
            event.changes = changes(vec![if rng.chance(0.6) {
                Change::set("policies", vec![policy], Vec::new())
            } else {
                Change::set("policies", Vec::new(), vec![policy])
            }]);
        }
        Happening::SecretRotation => {
            let event = scene.add("secret_updated", ("secret", "4", "SMS_GATEWAY"), admin());
            event.changes = changes(vec![Change::value("api_key", json!(rng.hex(32)), json!(rng.hex(32)))]);
        }
        Happening::Lockout => {
            let person = &PEOPLE[14];
            let event = scene.add("user_updated", ("user", person.id, person.name), admin());
            event.changes = changes(vec![Change::value("must_change_password", json!(false), json!(true))]);
            event.common.purpose = text("sign-in from an unknown address at night");
        }
        Happening::Support(person) => return support(clinic, rng, start, person),
    }
    scene.events
}

struct Scene {
    at: Timestamp,
    correlation_id: String,
    events: Vec<NewEvent>,
}

impl Scene {
    /// `component`: its type, id and name.
    fn add(&mut self, action: &str, component: (&str, &str, &str), actor: Actor) -> &mut NewEvent {
        let mut event = new_event(Log::Framework, action, self.at);
        let (kind, id, name) = component;
        event.common.target = Target { kind: text(kind), id: text(id), name: text(name) };
        if actor.kind == ActorType::Admin {
            event.common.ip_address = address("203.0.113.40");
        }
        event.common.actor = Some(actor);
        event.common.correlation_id = text(&self.correlation_id);
        self.at = Timestamp(self.at.0 + 180_000);
        let index = self.events.len();
        self.events.push(event);
        &mut self.events[index]
    }
}

trait Fail {
    fn fail(&mut self, error: String);
}

impl Fail for NewEvent {
    fn fail(&mut self, error: String) {
        self.common.outcome = Outcome::Failure;
        self.common.outcome_reason = text(&error);
    }
}

/// Signs in as somebody, mends what they asked for, and signs out.
fn support(clinic: &mut Clinic, rng: &mut Rng, start: Timestamp, person: &'static Person) -> Vec<NewEvent> {
    let mut act = Act {
        actor: Actor { kind: ActorType::Admin, id: text("7"), name: text("Devika Nair (support)") },
        on_behalf_of: Some(user(person)),
        purpose: Some(format!("SUP-{}", rng.between(1000, 9999))),
        role: person.job.role(),
        ip_address: SUPPORT.into(),
        user_agent: DESK[0].into(),
        session_id: format!("s-{}", rng.hex(20)),
        correlation_id: format!("req-{}", rng.hex(12)),
        at: start,
    };
    let mut events = vec![signed(&act, "login", person)];
    act.at = act.at.plus_seconds(rng.between(30, 200));
    events.extend(correct(clinic, rng, &act));
    act.at = act.at.plus_seconds(rng.between(30, 200));
    events.push(signed(&act, "logout", person));
    events
}

/// Signing in or out as somebody else.
fn signed(act: &Act, action: &str, person: &Person) -> NewEvent {
    let mut event = new_event(Log::Access, action, act.at);
    event.common.actor = Some(act.actor.clone());
    event.common.on_behalf_of = act.on_behalf_of.clone();
    event.common.purpose = act.purpose.as_deref().and_then(text);
    event.common.target.name = text(person.login);
    event.common.role = text(act.role);
    event.common.ip_address = address(&act.ip_address);
    event.common.user_agent = text(&act.user_agent);
    event.common.session_id = text(&act.session_id);
    event
}

fn admin() -> Actor {
    Actor { kind: ActorType::Admin, id: text("1"), name: text("Platform Admin") }
}

fn deployer() -> Actor {
    Actor { kind: ActorType::Service, id: text("deploy-bot"), name: text("Deploy Bot") }
}

fn policy_sync(rng: &mut Rng, scene: &mut Scene, broken: bool) {
    for (index, policy) in POLICIES.iter().enumerate() {
        let event = scene.add("policy_synced", ("policy", &(index + 1).to_string(), policy), Actor::system());
        if broken && (index == 1 || index == 3) {
            event.fail("role Physician does not exist".into());
        } else if rng.chance(0.004) {
            event.fail("could not read policies.json: file is locked by another sync".into());
        }
    }
}

fn release(clinic: &mut Clinic, rng: &mut Rng, scene: &mut Scene) {
    let old = clinic.version();
    let next = format!("2.{}.0", clinic.release + 1);
    for _ in 0..rng.between(0, 3) {
        let package = rng.pick(PACKAGES);
        let minor = rng.between(2, 30);
        let event = scene.add("package_installed", ("package", package, package), deployer());
        let version = |minor: i64| json!(format!("1.{minor}.0"));
        event.changes = changes(vec![Change::value("version", version(minor - 1), version(minor))]);
        if rng.chance(0.08) {
            event.fail("no matching version: crud>=1.30 is required by workflow 1.12".into());
        }
    }
    if rng.chance(0.15) {
        scene.at = scene.at.plus_seconds(40);
        scene.add("release_applied", ("release", &next, &format!("Release {next}")), deployer()).fail(
            "migration 0042_invoice_currency failed: column \"currency\" of relation \"invoice\" already exists".into(),
        );
        scene.at = scene.at.plus_seconds(1_500);
    }
    scene.at = scene.at.plus_seconds(55);
    let event = scene.add("release_applied", ("release", &next, &format!("Release {next}")), deployer());
    event.metadata = metadata([("commit", rng.hex(40).into())]);
    let event = scene.add("app_updated", ("app", "clinic", "Riverside Clinic"), deployer());
    event.changes = changes(vec![Change::value("version", json!(old), json!(next))]);
    clinic.release += 1;
    policy_sync(rng, scene, false);
}
