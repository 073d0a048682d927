//! What one workspace does is not felt in another: readers without end, bodies that never arrive, ingest without pause.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use logbook::accounts::{claims::Claims, role::Role};
use logbook_tests::{
    Answer, TestServer, on_both,
    server::{PASSWORD, sample},
    wait::{SetOnDrop, wait_until},
};
use serde_json::{Value, json};

const NOISY: &str = "/workspaces/noisy/logs/application";
const QUIET: &str = "/workspaces/quiet/logs/application";

fn cookie(answer: &Answer) -> String {
    answer.headers["set-cookie"].split(';').next().expect("a cookie").to_owned()
}

on_both!(
    searches_without_end_make_nobody_else_wait_in_vain,
    |config| {
        // Without an index every search reads all events.
        config.no_background_jobs = true;
    },
    |server| {
        let workspaces = [server.workspace("noisy"), server.workspace("quiet")];
        let events: Vec<Value> = (0..2000).map(|n| sample("application", n)).collect();
        server.admin().post(NOISY, events.into()).expect(201);
        let viewer = server.member(&workspaces[0], Role::Viewer);
        let quiet = {
            let mut claims = Claims::new("token:quiet".into(), "quiet".into(), 3600);
            claims.roles.insert(workspaces[1].id, Role::Admin);
            server.client(&claims)
        };
        server.user("asha@quiet.test");
        let (ends, answered, refused) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            let _ends = SetOnDrop(&ends);
            for n in 0..64 {
                let (viewer, ends, answered, refused) = (&viewer, &ends, &answered, &refused);
                scope.spawn(move || {
                    while !ends.load(Ordering::Relaxed) {
                        let q = format!("not there {n}");
                        let answer = viewer.query(NOISY, &[("q", &q)]);
                        match answer.status {
                            200 => answered.fetch_add(1, Ordering::Relaxed),
                            // On a slow machine it also waits for too long, behind itself.
                            429 | 503 => {
                                assert!(
                                    ["too_many_at_once", "busy"].contains(&answer.code()),
                                    "{}",
                                    answer.text
                                );
                                assert!(answer.headers.contains_key("retry-after"));
                                refused.fetch_add(usize::from(answer.status == 429), Ordering::Relaxed)
                            }
                            _ => panic!("{}", answer.text),
                        };
                    }
                });
            }
            wait_until("more are asked than may wait", || refused.load(Ordering::Relaxed) > 64);
            let signed_in = sign_in(&server);
            let mut session = cookie(&signed_in);
            for n in 0..20 {
                quiet.post(QUIET, json!([sample("application", n)])).expect(201);
                assert_eq!(quiet.get(QUIET).expect(200).data().len() as i64, n + 1);
                assert_eq!(quiet.query(QUIET, &[("q", "patient")]).expect(200).data().len() as i64, n + 1);
                quiet.get("/workspaces/quiet/members").expect(200);
                let renewed = server
                    .nobody()
                    .with_header("cookie", &session)
                    .send("POST", "/auth/refresh", "application/json", b"")
                    .expect(200);
                session = cookie(&renewed);
                server.nobody().get("/readyz").expect(200);
            }
            assert!(answered.load(Ordering::Relaxed) > 0, "the viewer is answered too");
        });
    }
);

/// An array of events of about this size.
fn events_of(bytes: usize) -> Vec<Value> {
    let event = json!({
        "action": "create", "model": "note", "record_id": "1", "metadata": {"text": "x".repeat(50_000)}
    });
    vec![event; bytes / 50_100]
}

/// Sixteen requests whose bodies never arrive as a whole.
fn stall(server: &TestServer, path: &str, authorization: &str) -> Vec<TcpStream> {
    let bytes = 16 * 1024 * 1024;
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: logbook\r\nauthorization: {authorization}\r\ncontent-type: application/json\r\ncontent-length: {bytes}\r\n\r\n",
    );
    thread::scope(|scope| {
        let senders: Vec<_> = (0..16)
            .map(|_| {
                scope.spawn(|| {
                    let mut stream = TcpStream::connect(server.address).expect("a connection");
                    stream.write_all(head.as_bytes()).expect("its head arrives");
                    // Those for which there is no room are answered before their body has arrived.
                    let _ = stream.write_all(&vec![b' '; bytes - 10]);
                    stream
                })
            })
            .collect();
        senders.into_iter().map(|sender| sender.join().expect("a sender")).collect()
    })
}

on_both!(bodies_that_never_arrive_at_a_door_keep_only_their_source_from_sending, |server| {
    let [_, quiet] = [server.workspace("noisy"), server.workspace("quiet")]
        .map(|workspace| server.member(&workspace, Role::Writer));
    for (kind, path) in [("hec", "/services/collector"), ("otlp", "/v1/logs")] {
        let source = json!({"name": kind, "kind": kind});
        let made = server.admin().post("/workspaces/noisy/sources", source).expect(201);
        let key = made.json["key"].as_str().expect("a key");
        let stalled = stall(&server, path, &format!("Bearer {key}"));
        for n in 0..5 {
            quiet.post(QUIET, json!([sample("application", n)])).expect(201);
        }
        quiet.post(QUIET, events_of(15_000_000).into()).expect(201);
        let statuses: Vec<String> = stalled.into_iter().filter_map(status).collect();
        assert!(statuses.iter().all(|status| ["408", "503"].contains(&status.as_str())), "{statuses:?}");
        let event = match kind {
            "hec" => json!({"event": {"action": "login"}}),
            _ => json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [{"eventName": "login"}]}]}]}),
        };
        wait_until("the source has room again", || {
            server.bearer(key).send("POST", path, "application/json", event.to_string().as_bytes()).status
                == 200
        });
    }
});

on_both!(bodies_that_never_arrive_keep_only_their_sender_from_sending, |server| {
    let [noisy, quiet] = [server.workspace("noisy"), server.workspace("quiet")]
        .map(|workspace| server.member(&workspace, Role::Writer));
    let stalled = stall(&server, &format!("/api/v1{NOISY}"), &noisy.headers["authorization"]);
    for n in 0..20 {
        quiet.post(QUIET, json!([sample("application", n)])).expect(201);
    }
    quiet.post(QUIET, events_of(15_000_000).into()).expect(201);
    // The sender has room for one of them, which is given up.
    let statuses: Vec<String> = stalled.into_iter().filter_map(status).collect();
    assert!(statuses.iter().all(|status| ["408", "503"].contains(&status.as_str())), "{statuses:?}");
    // A connection that is closed with bytes unread may be reset before its answer is read.
    assert!(statuses.len() < 16 || statuses.iter().any(|status| status == "408"), "{statuses:?}");
    wait_until("the sender has room again", || {
        noisy.post(NOISY, json!([sample("application", 1)])).status == 201
    });
});

/// None when the server closed the connection before its answer was read.
fn status(mut stream: TcpStream) -> Option<String> {
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).ok()?;
    String::from_utf8(answer.to_vec()).ok()?.split(' ').nth(1).map(str::to_owned)
}

fn sign_in(server: &TestServer) -> Answer {
    let credentials = json!({"email": "asha@quiet.test", "password": PASSWORD});
    server.nobody().post("/auth/login", credentials).expect(200)
}
