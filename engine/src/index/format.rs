//! Guards [`FORMAT`]: stored bytes may not change without it, or an index that is already there would give wrong
//! answers.

use sha2::{Digest as _, Sha256};

use super::{
    building::Building,
    directory::{LARGE, Level, MEDIUM, SMALL},
    run::{FORMAT, SMALL_COLUMNS},
};
use crate::{
    db::timestamp::Timestamp,
    event::{
        Actor, ActorType, Common, Event, Log, Outcome, Target,
        limits::{Action, IpAddress, Sequence, Targets, Text},
    },
};

/// An event with something in every field, and texts of all kinds.
fn event(seq: i64) -> Event {
    fn text<const MIN: usize, const MAX: usize>(name: &str, seq: i64) -> Option<Text<MIN, MAX>> {
        Some(Text::stored(format!("{name}-{seq}")))
    }
    let actor_type = ActorType::ALL[seq as usize % ActorType::ALL.len()];
    let actor = Actor { kind: actor_type, id: text("actor", seq), name: text("Žofie Rao", seq) };
    Event {
        workspace_id: 1,
        seq,
        // Back and forth, and some at the same time.
        occurred_at: Timestamp(1_790_000_000_000_000 + seq * 7919 % 1009 * 1_000_000),
        received_at: Timestamp(0),
        source: Text::stored(format!("key {}", seq % 3)),
        common: Common {
            log: Log::ALL[seq as usize % Log::ALL.len()],
            on_behalf_of: (seq % 4 == 0).then(|| Actor {
                kind: ActorType::User,
                id: text("person", seq),
                name: None,
            }),
            actor: (seq % 5 > 0).then_some(actor),
            role: (seq % 3 > 0).then(|| Text::stored(format!("role-{}", seq + 4000))),
            action: Action::stored(format!("action_{}", seq % 7)),
            outcome: Outcome::ALL[seq as usize % 2],
            outcome_reason: text("because", seq),
            purpose: text("ticket", seq),
            target: Target {
                kind: text("patient", seq), id: text("9f0c2b1e", seq), name: text("李雷", seq)
            },
            targets: Targets::stored(&format!(r#"[{{"id":"{seq}","type":"app"}}]"#)),
            ip_address: Some(IpAddress::stored(format!("2001:db8:-{seq}"))),
            user_agent: text("Mozilla/5.0 (X11; Linux x86_64)", seq),
            session_id: text("session", seq),
            correlation_id: text("correlation", seq),
            epoch: text("epoch", seq),
            sequence: Some(Sequence::stored(seq)),
        },
        changes: Some(format!(
            r#"[{{"field":"status","label":"State","new":"closed {seq}","old":null}},{{"added":["Nurse"],"field":"roles","removed":[{seq}]}}]"#
        )),
        metadata: Some(r#"{"source":"here"}"#.into()),
        masked: None,
    }
}

/// The digest of everything that is stored of a run with `count` events.
fn digest(level: Level, count: usize) -> String {
    let events: Vec<Event> = (1..=count as i64).map(event).collect();
    let times: Vec<i64> = events.iter().map(|event| event.occurred_at.0).collect();
    let mut building = Building::new(1, level, 1, &times);
    for event in &events {
        assert!(building.add(event, &event.parse_changes(), &event.parse_metadata()), "it is not too large");
    }
    let (run, pieces) = building.finish();
    let mut digest = Sha256::new();
    digest.update(format!("{run:?}"));
    for (number, piece) in pieces {
        digest.update(number.to_le_bytes());
        digest.update((piece.len() as u64).to_le_bytes());
        digest.update(piece);
    }
    base16ct::lower::encode_string(&digest.finalize()[..8])
}

#[test]
fn another_format_has_another_number() {
    let digests =
        [SMALL, MEDIUM, LARGE].map(|level| digest(level, SMALL_COLUMNS - 100 + level as usize * 100));
    // When this fails, the bytes of the index have changed: give FORMAT the next number, and then write down what is here.
    assert_eq!(
        (FORMAT, digests),
        (6, ["74425e91b41a802f", "a7ca0710b2c58935", "744d64769353d5d9"].map(str::to_owned))
    );
}
