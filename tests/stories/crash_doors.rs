//! A killed server loses nothing of what shippers sent, and stores nothing twice: they send what was not answered again.
//!
//! `make test` kills a few times; `LOGBOOK_CRASHES=100` as in `crash.rs`. Each sender counts its events, so Logbook itself
//! tells what is missing: while one body is held back there is a gap, and after it came there is none.

use std::{thread, time::Duration};

use logbook::config::DataConfig;
use logbook_engine::db::timestamp::Timestamp;
use logbook_tests::{Client, postgres, process::Process};
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;
use serde_json::{Value, json};

/// Bodies that a sender gets through between two kills at most, and events of one.
const BODIES: usize = 40;
const EVENTS: i64 = 10;

fn kills() -> u32 {
    std::env::var("LOGBOOK_CRASHES").map_or(4, |kills| kills.parse().expect("LOGBOOK_CRASHES is a number"))
}

/// A shipper that has sent `sent` bodies, and repeats the next one until it is answered.
struct Shipper {
    name: &'static str,
    key: String,
    sent: i64,
    poison: i64,
    /// A body that is held back until the end.
    held: Option<(i64, String)>,
}

impl Shipper {
    fn first(&self) -> i64 {
        self.sent * EVENTS + 1
    }

    /// The next body: events in their order, with one that cannot be read where it `is_poisoned`.
    fn body(&self, is_poisoned: bool) -> String {
        match self.name {
            "hec" => self.hec(is_poisoned),
            _ => self.otlp(is_poisoned),
        }
    }

    fn hec(&self, is_poisoned: bool) -> String {
        let mut elements: Vec<String> = (self.first()..self.first() + EVENTS)
            .map(|sequence| {
                let event = json!({"action": "login", "user": "u", "epoch": "e", "sequence": sequence});
                json!({"time": 1_764_000_000 + sequence, "event": event}).to_string()
            })
            .collect();
        if is_poisoned {
            elements.insert(3, format!("{{\"time\": {}, oops}}", self.first()));
        }
        elements.join("\n")
    }

    fn otlp(&self, is_poisoned: bool) -> String {
        let attribute = |key: &str, value: Value| json!({"key": key, "value": value});
        let mut records: Vec<Value> = (self.first()..self.first() + EVENTS)
            .map(|sequence| {
                json!({
                    "timeUnixNano": format!("{}000", 1_764_000_000_000_000_i64 + sequence), "eventName": "login",
                    "attributes": [
                        attribute("audit.sequence", json!({"intValue": sequence.to_string()})),
                        attribute("audit.epoch", json!({"stringValue": "e"})),
                    ],
                })
            })
            .collect();
        if is_poisoned {
            records.insert(3, json!({"timeUnixNano": self.first().to_string()}));
        }
        json!({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}).to_string()
    }

    fn send(&self, client: &Client, body: &str) -> bool {
        let path = if self.name == "hec" { "/services/collector" } else { "/v1/logs" };
        let client = client.with_header("authorization", &format!("Bearer {}", self.key));
        let answer = client.try_send("POST", path, "application/json", body.as_bytes());
        answer.is_ok_and(|answer| answer.status == 200)
    }

    /// Sends until the server dies or enough is sent. The body of the answer that was lost is the next one.
    fn ship(&mut self, client: &Client, rng: &mut Pcg64Mcg, pending: &mut Option<(String, bool)>) {
        for _ in 0..BODIES {
            let (body, is_poisoned) = pending.take().unwrap_or_else(|| {
                let is_poisoned = rng.random_range(0..3) == 0;
                (self.body(is_poisoned), is_poisoned)
            });
            if self.held.is_none() && self.sent == 2 {
                self.held = Some((self.sent, self.body(false)));
                self.sent += 1;
                continue;
            }
            if !self.send(client, &body) {
                *pending = Some((body, is_poisoned));
                return;
            }
            self.sent += 1;
            self.poison += i64::from(is_poisoned);
        }
    }
}

fn how(client: &Client, name: &str) -> Value {
    client.get(&format!("/workspaces/clinic/sources/{name}")).expect(200).json
}

fn story(url: impl FnOnce(&std::path::Path) -> String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data =
        DataConfig { database_url: url(folder.path()), data_dir: folder.path().join("data"), audit: false };
    let mut rng = Pcg64Mcg::seed_from_u64(Timestamp::now().micros().unsigned_abs());
    let mut server = Process::start(&data, &[]);
    let admin = server.admin();
    admin.post("/workspaces", json!({"slug": "clinic", "name": "Clinic", "timezone": "UTC"})).expect(201);
    let mut shippers = ["hec", "otlp"].map(|name| {
        let made = admin.post("/workspaces/clinic/sources", json!({"name": name, "kind": name})).expect(201);
        let key = made.json["key"].as_str().expect("a key").to_owned();
        (Shipper { name, key, sent: 0, poison: 0, held: None }, None)
    });
    for _ in 0..kills() {
        let life = Duration::from_millis(rng.random_range(20..500));
        let seeds = [rng.random(), rng.random()];
        thread::scope(|scope| {
            for ((shipper, pending), seed) in shippers.iter_mut().zip(seeds) {
                let client = server.admin();
                scope.spawn(move || shipper.ship(&client, &mut Pcg64Mcg::seed_from_u64(seed), pending));
            }
            thread::sleep(life);
            server.kill();
        });
        server = Process::start(&data, &[]);
    }
    let admin = server.admin();
    for (shipper, pending) in &mut shippers {
        // The rest, until a body was held back and something came after it.
        while pending.is_some() || shipper.sent < 5 {
            shipper.ship(&admin, &mut rng, pending);
        }
        let (held, body) = shipper.held.take().expect("a body");
        let gap = json!({"from": held * EVENTS + 1, "to": (held + 1) * EVENTS, "epoch": "e"});
        let gaps = how(&admin, shipper.name)["gaps"].clone();
        assert_eq!(gaps.as_array().map(Vec::len), Some(1), "{gaps}");
        for name in ["from", "to", "epoch"] {
            assert_eq!(gaps[0][name], gap[name]);
        }
        assert!(shipper.send(&admin, &body));
        let now = how(&admin, shipper.name);
        assert_eq!(now["gaps"], json!([]));
        assert_eq!(now["events"], shipper.sent * EVENTS, "none is lost, none is there twice");
        // What cannot be read may be there twice, when its answer was lost.
        assert!(
            now["rejected"].as_i64() >= Some(shipper.poison),
            "{} of {}",
            now["rejected"],
            shipper.poison
        );
        let epoch = &now["epochs"][0];
        assert_eq!((&epoch["first"], &epoch["last"]), (&json!(1), &json!(shipper.sent * EVENTS)));
        // The logs have as many.
        let total = ["access", "framework"].map(|log| {
            let path = format!("/workspaces/clinic/logs/{log}/metrics?source={}", shipper.name);
            admin.get(&path).expect(200).json["total"].as_i64().expect("a number")
        });
        assert_eq!(total.iter().sum::<i64>(), shipper.sent * EVENTS);
        println!(
            "{}: {} events, {} rejected, {} sent again",
            shipper.name, now["events"], now["rejected"], now["duplicates"]
        );
    }
}

#[test]
fn sqlite() {
    story(|folder| format!("sqlite://{}", folder.join("logbook.db").display()));
}

#[test]
fn postgres() {
    story(|_| postgres::new_database());
}
