//! Where events were altered or removed, what is derived from them still tells. No command takes that away by itself: a check
//! reports and records it, and a repair wants to be told twice.

use diesel::connection::SimpleConnection as _;
use logbook_tests::{TestServer, audit_events::audit_events, on_both, process, server::sample};
use serde_json::Value;

const ACCESS: &str = "/workspaces/clinic/logs/access";

/// Runs a command. Returns its exit code and what it printed.
fn run(server: &TestServer, command: &[&str]) -> (i32, String) {
    let output = process::run(&server.data, command);
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().expect("a code"), String::from_utf8_lossy(&said).into_owned())
}

/// Changes events as somebody does who has the whole database in their hands.
fn tamper(server: &TestServer, statement: &str) {
    let conn = &mut server.own_connection();
    if server.is_postgres() {
        conn.batch_execute(statement).expect("tampered");
    } else {
        conn.batch_execute(&format!(
            "DROP TRIGGER events_are_not_updated; DROP TRIGGER events_are_not_deleted; {statement};
             CREATE TRIGGER events_are_not_updated BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'no'); END;
             CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'no'); END"
        ))
        .expect("tampered");
    }
}

fn recorded(server: &TestServer, action: &str) -> Vec<Value> {
    let mut events = audit_events(server, "clinic");
    events.retain(|event| event["action"] == action);
    events
}

macro_rules! tampered {
    ($($name:ident $statement:literal $kind:literal;)*) => {$(
        on_both!(
            $name,
            |config| {
                config.audit = true;
                config.no_background_jobs = true;
            },
            |server| {
                server.workspace("clinic");
                let admin = server.admin();
                let events: Vec<Value> = (0..40).map(|n| sample("access", n)).collect();
                admin.post(ACCESS, events.into()).expect(201);
                let (code, said) = run(&server, &["repair"]);
                assert_eq!(code, 0, "nothing differs, and what is not derived yet is: {said}");
                let (code, said) = run(&server, &["repair", "index"]);
                assert_eq!(code, 0, "{said}");
                assert_eq!(run(&server, &["check"]).0, 0);
                assert!(recorded(&server, "check_failed").is_empty());

                tamper(&server, $statement);
                for commands in [1, 2] {
                    let (code, said) = run(&server, &["check"]);
                    assert_eq!(code, 3, "{said}");
                    // It says what to do, and that is not to take the evidence away.
                    assert!(!said.contains("repair") && !said.contains("rebuil"), "{said}");
                    let failed = recorded(&server, "check_failed");
                    assert_eq!(failed.len(), commands);
                    let event = failed.last().expect("an event");
                    assert_eq!(event["outcome"], "failure");
                    assert!(event["metadata"][$kind].as_array().is_some_and(|lines| !lines.is_empty()), "{event}");
                    for command in [&["repair"][..], &["repair", "index"], &["repair", "counts"]] {
                        let (code, said) = run(&server, command);
                        let sees = command.len() == 1 || $kind == "events" || command[1] == $kind;
                        assert!(!sees || code == 3, "{command:?}: {said}");
                    }
                }
                assert!(recorded(&server, "repair_refused").len() >= 2);
                assert!(recorded(&server, "repaired").is_empty());
                let (code, said) = run(&server, &["repair", "--discard-evidence"]);
                assert_eq!(code, 0, "{said}");
                let repaired = recorded(&server, "repaired");
                assert_eq!(repaired.len(), 1, "{said}");
                assert!(!repaired[0]["metadata"][$kind].is_null());
                // What is missing stays missing.
                assert_eq!(run(&server, &["check"]).0, if $kind == "events" { 3 } else { 0 });
            }
        );
    )*};
}

tampered! {
    an_event_whose_text_was_altered_is_found_and_kept_as_evidence
        "UPDATE events SET actor_name = 'Somebody Else' WHERE seq = 7" "index";
    an_event_whose_outcome_was_altered_is_found_and_kept_as_evidence
        "UPDATE events SET outcome = 3 WHERE seq = 7" "counts";
    an_event_that_was_removed_is_found_and_kept_as_evidence
        "DELETE FROM events WHERE seq = 7" "events";
    a_removed_end_is_found_and_kept_as_evidence
        "DELETE FROM events WHERE seq > 35 AND seq <= 40" "events";
}
