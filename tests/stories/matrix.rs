//! Who may do what: every operation of the contract, asked by everybody there is. An operation that the table does not
//! have fails the test, so that none is ever added without saying who may use it. The file is as long as the table.

use std::collections::BTreeMap;

use logbook::accounts::{
    api_keys::{self, Created, NewApiKey},
    claims::Claims,
    exports::{self, NewExport, Progress},
    invitations::{self, NewMember},
    members,
    role::Role,
    source_kind::Kind,
    users,
    views::{self, NewView},
    workspaces::Workspace,
};
use logbook_engine::event::Log;
use logbook_tests::{
    Answer, Client, TestServer,
    audit_events::{audit_events, store_activity},
    on_both,
    server::sample,
};
use serde_json::{Value, json};

/// The status of each answer. `none`: no token, and one that is none. `bad`: a token that expired, one for another
/// audience, and keys that are revoked, expired or wrong. `other`: an admin of another workspace. `platform`: a platform
/// admin. The roles are asked both with a token and with an API key. `reads`: what the audit says was read, if anything.
const MATRIX: &str = "
operation                 none bad other viewer auditor writer admin platform   reads
listSources               401  401 404   200    200     403    200   200        -
createSource              401  401 404   403    403     403    201   201        -
getSource                 401  401 404   200    200     403    200   200        -
changeSource              401  401 404   403    403     403    200   200        -
removeSource              401  401 404   403    403     403    204   204        -
getSourceMapping          401  401 404   200    200     403    200   200        -
setSourceMapping          401  401 404   403    403     403    200   200        -
previewSourceMapping      401  401 404   403    403     403    200   200        -
listRejectedRecords       401  401 404   403    200     403    200   200        quarantine
exportRejectedRecords     401  401 404   403    200     403    200   200        quarantine
replayRejectedRecords     401  401 404   403    403     403    200   200        -
discardRejectedRecords    401  401 404   403    403     403    200   200        -
sendToSource              401  401 401   401    401     401    401   401        -
sendHeartbeat             401  401 401   401    401     401    401   401        -
listAccessEvents          401  401 404   200    200     403    200   200        access
appendAccessEvents        401  401 404   403    403     201    201   201        -
getAccessFacets           401  401 404   200    200     403    200   200        access
getAccessHistogram        401  401 404   200    200     403    200   200        access
getAccessMetrics          401  401 404   200    200     403    200   200        access
getAccessEvent            401  401 404   200    200     403    200   200        access
listApplicationEvents     401  401 404   200    200     403    200   200        application
appendApplicationEvents   401  401 404   403    403     201    201   201        -
getApplicationFacets      401  401 404   200    200     403    200   200        application
getApplicationHistogram   401  401 404   200    200     403    200   200        application
getApplicationMetrics     401  401 404   200    200     403    200   200        application
getApplicationEvent       401  401 404   200    200     403    200   200        application
listFrameworkEvents       401  401 404   200    200     403    200   200        framework
appendFrameworkEvents     401  401 404   403    403     201    201   201        -
getFrameworkFacets        401  401 404   200    200     403    200   200        framework
getFrameworkHistogram     401  401 404   200    200     403    200   200        framework
getFrameworkMetrics       401  401 404   200    200     403    200   200        framework
getFrameworkEvent         401  401 404   200    200     403    200   200        framework
listActivityEvents        401  401 404   403    200     403    200   200        activity
getActivityFacets         401  401 404   403    200     403    200   200        activity
getActivityHistogram      401  401 404   403    200     403    200   200        activity
getActivityMetrics        401  401 404   403    200     403    200   200        activity
getActivityEvent          401  401 404   403    200     403    200   200        activity
getTopAccessValues        401  401 404   200    200     403    200   200        access
groupAccessEvents         401  401 404   200    200     403    200   200        access
exportAccessEventsAsNdjson 401  401 404   403    200     403    200   200        access
exportAccessEventsAsParquet 401  401 404   403    200     403    200   200        access
exportAccessEventsAsCsv 401  401 404   403    200     403    200   200        access
startAccessExport         401  401 404   403    202     403    202   202        access
tailAccessEvents          401  401 404   200    200     403    200   200        access
getTopApplicationValues   401  401 404   200    200     403    200   200        application
groupApplicationEvents    401  401 404   200    200     403    200   200        application
exportApplicationEventsAsNdjson 401  401 404   403    200     403    200   200        application
exportApplicationEventsAsParquet 401  401 404   403    200     403    200   200        application
exportApplicationEventsAsCsv 401  401 404   403    200     403    200   200        application
startApplicationExport    401  401 404   403    202     403    202   202        application
tailApplicationEvents     401  401 404   200    200     403    200   200        application
getTopFrameworkValues     401  401 404   200    200     403    200   200        framework
groupFrameworkEvents      401  401 404   200    200     403    200   200        framework
exportFrameworkEventsAsNdjson 401  401 404   403    200     403    200   200        framework
exportFrameworkEventsAsParquet 401  401 404   403    200     403    200   200        framework
exportFrameworkEventsAsCsv 401  401 404   403    200     403    200   200        framework
startFrameworkExport      401  401 404   403    202     403    202   202        framework
tailFrameworkEvents       401  401 404   200    200     403    200   200        framework
getTopActivityValues      401  401 404   403    200     403    200   200        activity
groupActivityEvents       401  401 404   403    200     403    200   200        activity
exportActivityEventsAsNdjson 401  401 404   403    200     403    200   200        activity
exportActivityEventsAsParquet 401  401 404   403    200     403    200   200        activity
exportActivityEventsAsCsv 401  401 404   403    200     403    200   200        activity
startActivityExport       401  401 404   403    202     403    202   202        activity
tailActivityEvents        401  401 404   403    200     403    200   200        activity
readTimeline              401  401 404   200    200     403    200   200        timeline
listSessions              401  401 404   200    200     403    200   200        sessions
exportTimelineAsNdjson    401  401 404   403    200     403    200   200        timeline
exportTimelineAsCsv       401  401 404   403    200     403    200   200        timeline
startTimelineExport       401  401 404   403    202     403    202   202        timeline
tailTimeline              401  401 404   200    200     403    200   200        timeline
suggest                   401  401 404   200    200     403    200   200        suggest
getRecordHistory          401  401 404   200    200     403    200   200        record
getRecordState            401  401 404   200    200     403    200   200        record
getRecordDiff             401  401 404   200    200     403    200   200        record
getRecordBlame            401  401 404   200    200     403    200   200        record
getRecordRestorePatch     401  401 404   200    200     403    200   200        record
readFeed                  401  401 404   200    200     403    200   200        feed
ingestEvents              401  401 404   403    403     201    201   201        -
listWorkspaces            401  401 200   200    200     200    200   200        -
createWorkspace           401  401 403   403    403     403    403   201        -
getWorkspace              401  401 404   200    200     200    200   200        -
changeWorkspace           401  401 404   403    403     403    200   200        -
getMasking                401  401 404   200    200     200    200   200        -
changeMasking             401  401 404   403    403     403    200   200        -
previewMasking            401  401 404   403    403     403    200   200        -
listViews                 401  401 404   200    200     403    200   200        -
listExports               401  401 404   403    200     403    200   200        -
getExport                 401  401 404   403    200     403    200   200        -
downloadExport            401  401 404   403    200     403    200   200        export
removeExport              401  401 404   403    403     403    204   204        -
listNotes                 401  401 404   200    200     403    200   200        -
addNote                   401  401 404   201    201     403    201   201        -
removeNote                401  401 404   403    403     403    204   204        -
saveView                  401  401 404   201    201     403    201   201        -
changeView                401  401 404   403    403     403    403   403        -
removeView                401  401 404   403    403     403    204   204        -
listMembers               401  401 404   403    403     403    200   200        -
inviteMember              401  401 404   403    403     403    201   201        -
changeMember              401  401 404   403    403     403    200   200        -
removeMember              401  401 404   403    403     403    204   204        -
listInvitations           401  401 404   403    403     403    200   200        -
cancelInvitation          401  401 404   403    403     403    204   204        -
acceptInvitation          401  401 403   403    403     403    403   403        -
declineInvitation         401  401 403   403    403     403    403   403        -
listUsers                 401  401 403   403    403     403    403   200        -
changeUser                401  401 403   403    403     403    403   200        -
listUserSessions          401  401 403   403    403     403    403   200        -
endUserSessions           401  401 403   403    403     403    403   204        -
listMySessions            401  401 403   403    403     403    403   403        -
endMySession              401  401 403   403    403     403    403   403        -
listApiKeys               401  401 404   403    403     403    200   200        -
createApiKey              401  401 404   403    403     403    201   201        -
revokeApiKey              401  401 404   403    403     403    204   204        -
getMe                     401  401 200   200    200     200    200   200        -
setPassword               401  401 403   403    403     403    403   403        -
setUpSecondFactor         401  401 403   403    403     403    403   403        -
confirmSecondFactor       401  401 403   403    403     403    403   403        -
removeSecondFactor        401  401 403   403    403     403    403   403        -
signIn                    200  200 200   200    200     200    200   200        -
signInByLink              401  401 401   401    401     401    401   401        -
refreshSession            401  401 401   401    401     401    401   401        -
signOut                   204  204 204   204    204     204    204   204        -
getSignInMethods          200  200 200   200    200     200    200   200        -
startProviderSignIn       303  303 303   303    303     303    303   303        -
finishProviderSignIn      303  303 303   303    303     303    303   303        -
getHealth                 200  200 200   200    200     200    200   200        -
getReadiness              200  200 200   200    200     200    200   200        -
getServerMetrics          401  401 403   403    403     403    403   200        -
";

/// A row of the table.
struct Row {
    /// By column.
    statuses: BTreeMap<&'static str, u16>,
    reads: Option<&'static str>,
}

/// The table, by operation.
fn matrix() -> BTreeMap<&'static str, Row> {
    let mut rows = MATRIX.trim().lines().map(|line| line.split_whitespace());
    let mut columns: Vec<_> = rows.next().expect("a head").skip(1).collect();
    assert_eq!(columns.pop(), Some("reads"));
    let mut table = BTreeMap::new();
    for mut row in rows {
        let operation = row.next().expect("a name");
        let reads = row.next_back().filter(|reads| *reads != "-");
        let statuses: Vec<u16> = row.map(|status| status.parse().expect("a status")).collect();
        assert_eq!(statuses.len(), columns.len(), "{operation}");
        let statuses = columns.iter().copied().zip(statuses).collect();
        assert!(table.insert(operation, Row { statuses, reads }).is_none(), "{operation} is there twice");
    }
    table
}

/// Name, method and path of every operation.
fn operations() -> Vec<(String, String, String)> {
    let document = serde_json::to_value(logbook::openapi::document()).expect("JSON");
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            if let Some(name) = operation["operationId"].as_str() {
                operations.push((name.to_owned(), method.to_uppercase(), path.clone()));
            }
        }
    }
    operations
}

#[test]
fn the_table_has_every_operation_of_the_contract_and_no_other() {
    let mut named: Vec<_> = operations().into_iter().map(|(name, _, _)| name).collect();
    named.sort();
    let table = matrix();
    let tabled: Vec<_> = table.keys().map(|name| (*name).to_owned()).collect();
    assert_eq!(named, tabled);
}

/// Everybody who asks, with their column of the table.
fn callers(server: &TestServer, clinic: &Workspace, shop: &Workspace) -> Vec<(&'static str, String, Client)> {
    let mut callers = vec![
        ("none", "nobody".to_owned(), server.nobody()),
        ("none", "nonsense".into(), server.bearer("nonsense")),
        ("none", "no key".into(), server.bearer("lbk_")),
        ("platform", "platform admin".into(), server.admin()),
    ];
    let mut claims = Claims::new("token:test".into(), "test".into(), 3600);
    claims.everywhere = Some(Role::Admin);
    claims.platform_admin = true;
    let expired = Claims { exp: claims.iat - 60, nbf: claims.nbf - 120, ..claims.clone() };
    callers.push(("bad", "expired token".into(), server.client(&expired)));
    callers.push((
        "bad",
        "another audience".into(),
        server.client(&Claims { aud: "other".into(), ..claims }),
    ));

    let key = |workspace: &Workspace, role: Role| {
        let new = NewApiKey { name: "test".into(), role, source: None, expires_at: None };
        api_keys::create(&mut server.db.conn().expect("a connection"), workspace.id, &new, "test", None)
            .expect("a key")
    };
    let Created { key: revoked, text } = key(clinic, Role::Admin);
    api_keys::revoke(&mut server.db.conn().expect("a connection"), clinic.id, &revoked.prefix)
        .expect("revoked");
    callers.push(("bad", "revoked key".into(), server.bearer(&text)));
    let Created { key: old, text } = key(clinic, Role::Admin);
    server.sql(&format!("UPDATE api_keys SET expires_at = created_at WHERE prefix = '{}'", old.prefix));
    callers.push(("bad", "expired key".into(), server.bearer(&text)));
    let Created { key: good, text } = key(clinic, Role::Admin);
    let wrong = format!("{}x", &text[..text.len() - 1]);
    callers.push(("bad", format!("wrong secret of {}", good.prefix), server.bearer(&wrong)));

    callers.push(("other", "another workspace's admin".into(), server.member(shop, Role::Admin)));
    callers.push(("other", "another workspace's key".into(), server.bearer(&key(shop, Role::Admin).text)));
    for (column, role) in [
        ("viewer", Role::Viewer),
        ("auditor", Role::Auditor),
        ("writer", Role::Writer),
        ("admin", Role::Admin),
    ] {
        callers.push((column, format!("{column}'s token"), server.member(clinic, role)));
        callers.push((column, format!("{column}'s key"), server.bearer(&key(clinic, role).text)));
    }
    callers
}

const PASSWORD: &str = "correct horse battery";

/// What there is to be read, changed and removed.
struct World<'a> {
    server: &'a TestServer,
    clinic: &'a Workspace,
    /// The id of an event of each log.
    ids: BTreeMap<&'static str, String>,
    count: std::cell::Cell<u32>,
}

impl<'a> World<'a> {
    fn new(server: &'a TestServer, clinic: &'a Workspace) -> Self {
        let mut ids = BTreeMap::new();
        for log in ["access", "application", "framework"] {
            let path = format!("/workspaces/clinic/logs/{log}");
            let made = server.admin().post(&path, json!([sample(log, 1)])).expect(201);
            ids.insert(log, made.json["results"][0]["id"].as_str().expect("an id").to_owned());
        }
        ids.insert("activity", store_activity(server, clinic, 1));
        let mut conn = server.db.conn().expect("a connection");
        let user = users::create(&mut conn, "asha@clinic.test", "Asha Rao", false).expect("a user");
        users::set_password(&mut conn, &user, None, PASSWORD, None).expect("a password");
        Self { server, clinic, ids, count: 0.into() }
    }

    /// A word that was not used before.
    fn fresh(&self, word: &str) -> String {
        self.count.set(self.count.get() + 1);
        format!("{word}-{}", self.count.get())
    }

    /// The request that the operation wants, with a target of its own where it removes one.
    fn request(&self, operation: &str, path: &str) -> (String, Value) {
        let mut conn = self.server.db.conn().expect("a connection");
        let mut path = path.strip_prefix("/api/v1").unwrap_or(path).replace("{workspace}", "clinic");
        for (log, id) in &self.ids {
            if path.contains(&format!("/{log}/")) {
                path = path.replace("{id}", id);
            }
        }
        if path.contains("{key}") {
            let new = NewApiKey { name: "target".into(), role: Role::Viewer, source: None, expires_at: None };
            let Created { key, .. } =
                api_keys::create(&mut conn, self.clinic.id, &new, "test", None).expect("a key");
            path = path.replace("{key}", &key.prefix);
        }
        if path.contains("{user}") {
            let email = format!("{}@clinic.test", self.fresh("target"));
            let user = users::create(&mut conn, &email, "Target", false).expect("a user");
            members::set(&mut conn, self.clinic.id, user.id, Role::Viewer).expect("a member");
            path = path.replace("{user}", &user.id.to_string());
        }
        if path.contains("{invitation}") {
            let email = format!("{}@clinic.test", self.fresh("invited"));
            let new = NewMember { email, name: None, role: Role::Viewer };
            let sent = invitations::create(&mut conn, self.clinic.id, &new, "test", false);
            path = path.replace("{invitation}", &sent.expect("an invitation").invitation.id);
        }
        if path.contains("{view}") {
            let owner = Claims::new("user:0".into(), "Somebody".into(), 60);
            let new = NewView {
                log: Log::Access,
                name: self.fresh("view"),
                query: String::new(),
                shared: true,
                is_default: false,
            };
            let view = views::create(&mut conn, self.clinic.id, &owner, new).expect("a view");
            path = path.replace("{view}", &view.id);
        }
        if operation.ends_with("Export") {
            // There may be 20 of them, and one at once.
            crate::exports::wait(&self.server.admin());
            for export in exports::list(&mut conn, self.clinic.id).expect("exports") {
                exports::remove(&mut conn, &export).expect("removed");
            }
        }
        if operation == "removeExport" {
            let owner = Claims::new("user:0".into(), "Somebody".into(), 60);
            let new = NewExport { log: "access", format: "csv", query: String::new(), total: None };
            let made = exports::create(&mut conn, self.clinic.id, &owner, (new, 1)).expect("an export");
            let id = (self.clinic.id, made.0.id.as_str());
            exports::progress(&mut conn, id, (0, 0), Progress::Done).expect("done");
            path = path.replace("{export}", &made.0.id);
        } else if path.contains("{export}") {
            let id = crate::exports::export(
                &self.server.admin(),
                "/workspaces/clinic/logs/access/exports?format=csv",
            );
            path = path.replace("{export}", &id);
        }
        if operation == "listNotes" {
            path = format!("{path}?event_id={}", self.ids["access"]);
        }
        if path.contains("{note}") {
            let note = json!({"event_ids": [self.ids["access"]], "text": "Hm."});
            let note = new_key(self).1.post("/workspaces/clinic/notes", note).expect(201);
            path = path.replace("{note}", note.json["id"].as_str().expect("an id"));
        }
        if path.contains("{source}") {
            let name = self.fresh("source");
            self.server.sql("DELETE FROM sources");
            crate::sources::register(&mut conn, self.clinic.id, &name, Kind::Api);
            path = path.replace("{source}", &name);
        }
        // The record of the sample.
        path = path.replace("{model}", "patient").replace("{record_id}", "1");
        path = path.replace("{session}", "unknown") + parameters_of(operation);
        let mixed = |log: &str| {
            let mut event = sample(log, 1);
            event["log"] = log.into();
            json!([event])
        };
        let body = match operation {
            "appendAccessEvents" => json!([sample("access", 1)]),
            "appendApplicationEvents" => json!([sample("application", 1)]),
            "appendFrameworkEvents" => json!([sample("framework", 1)]),
            "ingestEvents" => mixed("access"),
            "createWorkspace" => json!({"slug": self.fresh("made"), "name": "Made"}),
            "changeMasking" => json!({"mask": ["mrn"], "keep": []}),
            "previewMasking" => json!({"masking": {"mask": ["mrn"], "keep": []}, "metadata": {}}),
            "changeWorkspace" => json!({"name": self.fresh("Clinic")}),
            "saveView" => json!({"log": "access", "name": "Failures", "query": "status=failure"}),
            "changeView" => json!({"name": "Denials"}),
            "addNote" => json!({"event_ids": [self.ids["access"]], "text": "It was her."}),
            "inviteMember" => {
                json!({"email": format!("{}@clinic.test", self.fresh("invited")), "role": "viewer"})
            }
            "changeUser" => json!({"disabled": true}),
            "changeMember" => json!({"role": "auditor"}),
            "createSource" => json!({"name": self.fresh("made"), "kind": "hec"}),
            "changeSource" => json!({"silence_seconds": 60}),
            "setSourceMapping" => json!({"mapping": null}),
            "previewSourceMapping" => json!({"sample": "{}"}),
            "replayRejectedRecords" | "sendHeartbeat" => json!({}),
            "discardRejectedRecords" => json!({"ids": [1]}),
            "createApiKey" => json!({"name": "made", "role": "viewer"}),
            "signIn" => json!({"email": "asha@clinic.test", "password": PASSWORD}),
            "signInByLink" => json!({"token": "unknown"}),
            "confirmSecondFactor" => json!({"code": "123456"}),
            "setPassword" => json!({"password": PASSWORD}),
            _ => Value::Null,
        };
        (path, body)
    }
}

/// The parameters that an operation cannot do without.
fn parameters_of(operation: &str) -> &'static str {
    match operation {
        "readTimeline" | "exportTimelineAsNdjson" | "exportTimelineAsCsv" | "tailTimeline" => {
            "?since=2026-01-01"
        }
        "startTimelineExport" => "?since=2026-01-01&format=ndjson",
        _ if operation.starts_with("start") && operation.ends_with("Export") => "?format=parquet",
        "suggest" => "?field=actor",
        _ if operation.starts_with("getTop") || operation.starts_with("group") => "?field=status",
        "getRecordDiff" => "?from=2026-01-01",
        "getRecordRestorePatch" => "?to=2026-11-01",
        _ => "",
    }
}

fn send(client: &Client, method: &str, path: &str, body: Value) -> Answer {
    match body {
        Value::Null if method == "GET" => client.get(path),
        Value::Null => client.send(method, path, "application/json", b""),
        body => client.send(method, path, "application/json", body.to_string().as_bytes()),
    }
}

on_both!(everybody_may_do_what_the_table_says_and_nothing_else, |server| {
    let (clinic, shop) = (server.workspace("clinic"), server.workspace("shop"));
    let world = World::new(&server, &clinic);
    let table = matrix();
    let mut wrong = Vec::new();
    for (operation, method, path) in operations() {
        for (column, who, client) in callers(&server, &clinic, &shop) {
            let (path, body) = world.request(&operation, &path);
            let answer = send(&client, &method, &path, body);
            let expected = table[operation.as_str()].statuses[column];
            if answer.status != expected {
                wrong
                    .push(format!("{operation} by {who}: {} for {expected}: {}", answer.status, answer.text));
            }
            // What may not be known is not told in other words either, whatever else is wrong with the request.
            if column == "other" && answer.status == 404 {
                let path = path.split('?').next().unwrap_or_default();
                let details = [path, &path.replace("/clinic", "/unknown")].map(|path| {
                    let answer = client.send(&method, &format!("{path}?x=1"), "application/json", b"[{");
                    (answer.status, answer.json["detail"].clone())
                });
                let expected = (404, answer.json["detail"].clone());
                assert_eq!(details, [expected.clone(), expected], "{operation} by {who}");
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
});

/// A key of the clinic that reads its logs and manages it, and what the audit calls it.
fn new_key(world: &World) -> (String, Client) {
    let new = NewApiKey { name: world.fresh("reader"), role: Role::Admin, source: None, expires_at: None };
    let mut conn = world.server.db.conn().expect("a connection");
    let Created { key, text } =
        api_keys::create(&mut conn, world.clinic.id, &new, "test", None).expect("a key");
    (format!("key:{}", key.prefix), world.server.bearer(&text))
}

/// What each caller has read according to the audit, by the caller's id.
fn read_by(server: &TestServer) -> BTreeMap<String, Vec<String>> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let mut read = BTreeMap::<_, Vec<_>>::new();
    let is_read = |event: &&Value| ["log_read", "log_exported"].iter().any(|read| event["action"] == *read);
    for event in audit_events(server, "clinic").iter().filter(is_read) {
        read.entry(text(&event["actor"]["id"])).or_default().push(text(&event["metadata"]["log"]));
    }
    read
}

on_both!(
    every_read_is_recorded_and_nothing_else_is_recorded_as_one,
    |config| {
        config.audit = true;
    },
    |server| {
        let clinic = server.workspace("clinic");
        let world = World::new(&server, &clinic);
        let table = matrix();
        // A caller for each operation, since a caller's reads of a log are recorded once an hour.
        let mut expected = BTreeMap::new();
        for (operation, method, path) in operations() {
            let (caller, client) = new_key(&world);
            let (path, body) = world.request(&operation, &path);
            let answer = send(&client, &method, &path, body);
            let Row { statuses, reads } = &table[operation.as_str()];
            assert_eq!(answer.status, statuses["admin"], "{operation}: {}", answer.text);
            // Only whoever may read logs gets something from a read: an auditor may read all of them, a writer none.
            // A saved view is a question, a note an answer, an export a file, a source who sends, and none of them an event.
            let others = [
                "View",
                "Views",
                "Note",
                "Notes",
                "getExport",
                "listExports",
                "Source",
                "Sources",
                "SourceMapping",
            ];
            let is_view = others.iter().any(|end| operation.ends_with(end));
            let is_read = (200..300).contains(&statuses["auditor"]) && statuses["writer"] == 403 && !is_view;
            assert_eq!(is_read, reads.is_some(), "{operation}");
            if let Some(log) = reads {
                expected.insert(caller, vec![(*log).to_owned()]);
            }
        }
        assert_eq!(read_by(&server), expected);
    }
);

on_both!(
    another_spelling_of_an_address_is_refused_and_reads_nothing,
    |config| {
        config.audit = true;
    },
    |server| {
        let clinic = server.workspace("clinic");
        let world = World::new(&server, &clinic);
        for path in [
            "/workspaces/clinic/%6Cogs/access",
            "/workspaces/clinic/logs/%61pplication/metrics",
            "/workspaces/clin%69c/logs/fr%61mework/facets",
            "/workspaces/clinic/logs/%61ctivity/metrics",
            "/workspaces/clinic/%6c%6f%67%73/%66eed",
            "/w%6Frkspaces/clinic/logs/access/histogram",
        ] {
            let (_, client) = new_key(&world);
            client.get(path).expect(400);
        }
        assert_eq!(read_by(&server), BTreeMap::new());
    }
);
