//! Members of a workspace are invited, given roles and removed; and the workspace's settings.

use logbook::accounts::{role::Role, workspaces::Workspace};
use logbook_tests::{
    Answer, Client, TestServer,
    oidc_browser::{Visit, person, session},
    on_both,
    server::sample,
    with_issuer,
};
use serde_json::{Value, json};

const MEMBERS: &str = "/workspaces/clinic/members";
const LOG: &str = "/workspaces/clinic/logs/access";

fn invite(client: &Client, email: &str, role: &str) -> Answer {
    client.post(MEMBERS, json!({"email": email, "role": role}))
}

/// Signs in with an invitation's link, as the person who opens it does.
#[track_caller]
fn come_in(server: &TestServer, invitation: &Answer) -> Client {
    let link = invitation.json["sign_in_link"].as_str().expect("a link");
    let (address, token) = link.split_once("/sign-in#link=").expect("a sign-in link");
    assert_eq!(address, format!("http://{}", server.address));
    let session = server.nobody().post("/auth/link", json!({"token": token})).expect(200);
    server.bearer(session.json["access_token"].as_str().expect("a token"))
}

/// Somebody who accepted an invitation, and their id.
#[track_caller]
fn member(server: &TestServer, email: &str, role: &str) -> (Client, String) {
    let client = come_in(server, &invite(&server.admin(), email, role).expect(201));
    let id = client.get("/me").expect(200).json["user"]["id"].as_str().expect("an id").to_owned();
    (client, id)
}

/// E-mail addresses and roles as an admin sees them.
fn roles(server: &TestServer) -> Vec<(String, String)> {
    let list = server.admin().get(MEMBERS).expect(200);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    list.data().iter().map(|member| (text(&member["email"]), text(&member["role"]))).collect()
}

on_both!(an_invitation_brings_somebody_in_once, |server| {
    server.workspace("clinic");
    let sent = invite(&server.admin(), "Asha.Rao@Clinic.test", "viewer").expect(201);
    assert_eq!(sent.headers["cache-control"], "no-store");
    let invitation = &sent.json["invitation"];
    assert_eq!(
        (&invitation["email"], &invitation["role"]),
        (&json!("asha.rao@clinic.test"), &json!("viewer"))
    );
    // There is no account yet, and no member.
    assert!(roles(&server).is_empty());
    assert_eq!(server.admin().get("/users").expect(200).data().len(), 0);
    // Until she comes, she can be invited again, also in another role; the link before is void.
    let again = invite(&server.admin(), "asha.rao@clinic.test", "auditor").expect(201);
    assert_eq!(again.json["invitation"]["id"], invitation["id"]);
    let link = |sent: &Answer| {
        sent.json["sign_in_link"].as_str().and_then(|link| link.split('=').nth(1)).map(str::to_owned)
    };
    let old = json!({"token": link(&sent).expect("a link")});
    assert_eq!(server.nobody().post("/auth/link", old).expect(401).code(), "link_invalid");
    let asha = come_in(&server, &again);
    assert_eq!(asha.get("/me").expect(200).json["user"]["name"], "asha.rao");
    asha.get(LOG).expect(200);
    asha.post(LOG, json!([sample("access", 1)])).expect(403);
    asha.get(MEMBERS).expect(403);
    assert!(server.admin().get(MEMBERS).expect(200).data()[0]["last_sign_in_at"].is_string());
    assert!(server.admin().get("/workspaces/clinic/invitations").expect(200).data().is_empty());
    let used = json!({"token": link(&again).expect("a link")});
    assert_eq!(server.nobody().post("/auth/link", used).expect(401).code(), "link_invalid");

    let answer = invite(&server.admin(), "asha.rao@clinic.test", "viewer").expect(409);
    assert_eq!((answer.code(), answer.places().as_slice()), ("conflict", ["/email"].as_slice()));
    assert_eq!(roles(&server), [("asha.rao@clinic.test".into(), "auditor".into())]);
});

on_both!(whoever_has_an_account_accepts_or_declines, |server| {
    server.workspace("clinic");
    let shop = server.workspace("shop");
    let keeper = server.member(&shop, Role::Admin);
    let (jo, _) = member(&server, "jo@clinic.test", "viewer");
    let body = json!({"email": "jo@clinic.test", "role": "writer", "name": "Mine"});
    let sent = keeper.post("/workspaces/shop/members", body.clone()).expect(201).json;
    // The shop learns neither the name nor anything else of the account.
    assert_eq!(sent["sign_in_link"], Value::Null);
    for unknown in ["jo\"", "last_sign_in"] {
        assert!(!sent.to_string().contains(unknown), "{sent}");
    }
    assert_eq!(keeper.get("/workspaces/shop/members").expect(200).data().len(), 0);
    jo.get("/workspaces/shop").expect(404);
    let mine = jo.get("/me").expect(200).json["invitations"].clone();
    assert_eq!((&mine[0]["workspace"], &mine[0]["role"]), (&json!("shop"), &json!("writer")));
    let accept = |client: &Client| client.send("POST", "/me/invitations/shop", "application/json", b"");
    accept(&server.user("mallory@shop.test")).expect(404);
    jo.delete("/me/invitations/shop").expect(204);
    accept(&jo).expect(404);
    keeper.post("/workspaces/shop/members", body).expect(201);
    accept(&jo).expect(204);
    assert_eq!(jo.get("/workspaces/shop").expect(200).json["role"], "writer");
    let list = keeper.get("/workspaces/shop/members").expect(200);
    assert_eq!((&list.data()[0]["name"], list.data().len()), (&json!("jo"), 1));
    // What was taken back cannot be accepted, and what is over neither.
    let (asha, _) = member(&server, "asha@clinic.test", "viewer");
    let body = json!({"email": "asha@clinic.test", "role": "writer"});
    let sent = keeper.post("/workspaces/shop/members", body.clone()).expect(201).json;
    let path = format!("/workspaces/shop/invitations/{}", sent["invitation"]["id"].as_str().expect("an id"));
    keeper.delete(&path).expect(204);
    keeper.delete(&path).expect(404);
    accept(&asha).expect(404);
    keeper.post("/workspaces/shop/members", body).expect(201);
    server.shift("invitations", "expires_at", -15 * 86_400);
    accept(&asha).expect(404);
    assert_eq!(asha.get("/me").expect(200).json["invitations"], json!([]));
});

on_both!(a_changed_role_counts_at_once, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let (asha, id) = member(&server, "asha@clinic.test", "viewer");
    let path = format!("{MEMBERS}/{id}");
    asha.get(LOG).expect(200);
    asha.post(LOG, json!([])).expect(403);
    assert_eq!(admin.put(&path, json!({"role": "writer"})).expect(200).json["role"], "writer");
    asha.get(LOG).expect(403);
    asha.post(LOG, json!([])).expect(201);
    admin.put(&path, json!({"role": "admin"})).expect(200);
    asha.get(MEMBERS).expect(200);
    // With the same token, before it expires.
    member(&server, "jo@clinic.test", "admin");
    admin.delete(&path).expect(204);
    asha.get(LOG).expect(404);
    asha.get(MEMBERS).expect(404);
    assert_eq!(asha.get("/me").expect(200).json["workspaces"], json!([]));
    assert_eq!(roles(&server), [("jo@clinic.test".into(), "admin".into())]);
    admin.delete(&path).expect(404);
});

on_both!(the_last_admin_stays, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let path = format!("{MEMBERS}/{}", member(&server, "asha@clinic.test", "admin").1);
    for answer in [admin.delete(&path), admin.put(&path, json!({"role": "viewer"}))] {
        assert_eq!(answer.expect(409).code(), "last_admin");
    }
    admin.put(&path, json!({"role": "admin"})).expect(200);
    let (_, jo) = member(&server, "jo@clinic.test", "admin");
    admin.delete(&path).expect(204);
    assert_eq!(admin.delete(&format!("{MEMBERS}/{jo}")).expect(409).code(), "last_admin");
    // Somebody who cannot sign in is no admin left.
    let (_, sam) = member(&server, "sam@clinic.test", "admin");
    admin.patch(&format!("/users/{sam}"), json!({"disabled": true})).expect(200);
    assert_eq!(admin.delete(&format!("{MEMBERS}/{jo}")).expect(409).code(), "last_admin");
    admin.delete(&format!("{MEMBERS}/{sam}")).expect(204);
});

on_both!(of_two_admins_who_remove_each_other_one_stays, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    for round in 0..5 {
        let ids: Vec<_> =
            ["a", "b"].map(|name| member(&server, &format!("{name}{round}@clinic.test"), "admin").1).into();
        // The one who stayed in the round before is removed first.
        let old: Vec<_> = server.admin().get(MEMBERS).expect(200).data().clone();
        for member in old.iter().filter(|member| !ids.iter().any(|id| member["id"] == **id)) {
            admin.delete(&format!("{MEMBERS}/{}", member["id"].as_str().expect("an id"))).expect(204);
        }
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let tries: Vec<_> = ids
                .iter()
                .map(|id| {
                    let admin = admin.clone();
                    scope.spawn(move || admin.delete(&format!("{MEMBERS}/{id}")).status)
                })
                .collect();
            tries.into_iter().map(|t| t.join().expect("a thread")).collect()
        });
        assert_eq!(roles(&server).len(), 1, "{statuses:?}");
        assert!(statuses.contains(&204) && statuses.contains(&409), "{statuses:?}");
    }
});

on_both!(each_error_in_an_invitation_is_named, |server| {
    server.workspace("clinic");
    let long = format!("{}@clinic.test", "a".repeat(320));
    for (body, place) in [
        (json!({"role": "viewer"}), "/email"),
        (json!({"email": "", "role": "viewer"}), "/email"),
        (json!({"email": "asha", "role": "viewer"}), "/email"),
        (json!({"email": "a@b\u{0}", "role": "viewer"}), "/email"),
        // K, U+212A, which is k in lower case.
        (json!({"email": "\u{212a}ate@clinic.test", "role": "viewer"}), "/email"),
        (json!({"email": long, "role": "viewer"}), "/email"),
        (json!({"email": "a@b.test"}), "/role"),
        (json!({"email": "a@b.test", "role": "platform_admin"}), "/role"),
        (json!({"email": "a@b.test", "role": "viewer", "name": ""}), "/name"),
        (json!({"email": "a@b.test", "role": "viewer", "platform_admin": true}), "/platform_admin"),
    ] {
        let answer = server.admin().post(MEMBERS, body.clone()).expect(422);
        assert!(answer.places().iter().all(|found| *found == place), "{body}: {}", answer.text);
    }
    for user in ["1", "x", "-1", "99999999999999"] {
        server.admin().delete(&format!("{MEMBERS}/{user}")).expect(404);
        server.admin().put(&format!("{MEMBERS}/{user}"), json!({"role": "viewer"})).expect(404);
    }
    assert!(roles(&server).is_empty());
});

with_issuer!(a_member_by_the_providers_word_is_listed_and_can_be_overridden, |server, issuer| {
    let clinic = server.workspace("clinic");
    server.workspace("shop");
    let admin = server.member(&clinic, Role::Admin);
    let sign_in = |subject: &str, roles: Value, more: Value| {
        let mut claims = more;
        claims["logbook_roles"] = roles;
        session(&server, &Visit::start(&server, "/").finish(&issuer, subject, claims))
    };
    let asha = sign_in("asha", json!({"clinic": "viewer"}), person("asha@clinic.test"));
    sign_in("jo", json!({"*": "auditor"}), json!({"name": "Jo"}));
    sign_in("root", json!({"*": "admin"}), json!({"name": "Root"}));
    sign_in("platform", json!({"*": "platform_admin"}), json!({"name": "Platform"}));
    sign_in("keeper", json!({"shop": "admin"}), json!({"name": "Keeper"}));
    let list = || {
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let row = |member: &Value| {
            let provider = &member["provider"];
            assert_eq!(provider.is_null(), provider["ends_at"].is_null(), "{member}");
            let provider = format!("{} {}", text(&provider["role"]), provider["everywhere"] == true);
            ["name", "email", "role", "source"].map(|name| text(&member[name])).join(" ") + ", " + &provider
        };
        admin.get(MEMBERS).expect(200).data().iter().map(row).collect::<Vec<_>>()
    };
    let others = ["Jo - auditor provider, auditor true", "Root - admin provider, admin true"];
    let with = |asha: &str| [asha, others[0], others[1]].map(str::to_owned).to_vec();
    assert_eq!(list(), with("Asha Rao asha@clinic.test viewer provider, viewer false"));
    let path = |name: &str| {
        let list = admin.get(MEMBERS).expect(200);
        let member = list.data().iter().find(|member| member["name"] == name).expect("in the list");
        format!("{MEMBERS}/{}", member["id"].as_str().expect("an id"))
    };

    // Nobody can take that role away here, and a role that is given here takes precedence.
    assert_eq!(admin.delete(&path("Asha Rao")).expect(409).code(), "conflict");
    let changed = admin.put(&path("Asha Rao"), json!({"role": "writer"})).expect(200).json;
    assert_eq!((&changed["source"], &changed["provider"]["role"]), (&json!("member"), &json!("viewer")));
    asha.get(LOG).expect(403);
    asha.post(LOG, json!([sample("access", 1)])).expect(201);
    assert_eq!(list(), with("Asha Rao asha@clinic.test writer member, viewer false"));
    admin.delete(&path("Asha Rao")).expect(204);
    asha.get(LOG).expect(200);
    assert_eq!(list(), with("Asha Rao asha@clinic.test viewer provider, viewer false"));
    // But an admin of every workspace stays an admin.
    assert_eq!(admin.put(&path("Root"), json!({"role": "viewer"})).expect(409).code(), "conflict");
    assert_eq!(admin.delete(&path("Root")).expect(409).code(), "conflict");
    // People with a role elsewhere are unknown here.
    let elsewhere = server.admin().get("/workspaces/shop/members").expect(200);
    let keeper = elsewhere.data().iter().find(|member| member["name"] == "Keeper").expect("in the list");
    let keeper = format!("{MEMBERS}/{}", keeper["id"].as_str().expect("an id"));
    admin.put(&keeper, json!({"role": "viewer"})).expect(404);
    admin.delete(&keeper).expect(404);

    // Roles that have ended are not listed.
    server.shift("identities", "grants_end_at", -12 * 3600);
    assert!(list().is_empty());
    admin.put(&keeper, json!({"role": "viewer"})).expect(404);
});

on_both!(settings_change_and_what_is_left_out_stays, |server| {
    let clinic: Workspace = server.workspace_in("clinic", "Asia/Kolkata");
    let admin = server.member(&clinic, Role::Admin);
    let before = admin.get("/workspaces/clinic").expect(200).json;
    assert_eq!(admin.patch("/workspaces/clinic", json!({})).expect(200).json, before);
    let changed = admin.patch("/workspaces/clinic", json!({"name": "Lakeside"})).expect(200).json;
    assert_eq!((&changed["name"], &changed["timezone"]), (&json!("Lakeside"), &json!("Asia/Kolkata")));
    let zone = json!({"timezone": "America/New_York", "date_format": "yyyy-mm-dd"});
    admin.patch("/workspaces/clinic", zone).expect(200);
    // The server's cache of workspaces has it too.
    let histogram =
        admin.get("/workspaces/clinic/logs/access/histogram?interval=1d&since=2026-11-01&until=2026-11-03");
    assert_eq!(histogram.expect(200).json["timezone"], "America/New_York");

    for (body, place) in [
        (json!({"slug": "Clinic"}), "/slug"),
        (json!({"name": ""}), "/name"),
        (json!({"name": null}), "/name"),
        (json!({"date_format": null}), "/date_format"),
        (json!({"timezone": "Mars/Olympus"}), "/timezone"),
        (json!({"date_format": "dd.mm.yy"}), "/date_format"),
        (json!({"colour": "red"}), "/colour"),
    ] {
        assert_eq!(server.admin().patch("/workspaces/clinic", body).expect(422).places(), [place]);
    }
});

on_both!(a_workspace_moves_to_another_address_by_a_platform_admin, |server| {
    let clinic = server.workspace("clinic");
    server.workspace("shop");
    let admin = server.member(&clinic, Role::Admin);
    admin.post(LOG, json!([sample("access", 1)])).expect(201);
    assert_eq!(
        admin.patch("/workspaces/clinic", json!({"slug": "lakeside"})).expect(403).code(),
        "forbidden"
    );
    admin.patch("/workspaces/clinic", json!({"slug": "clinic", "name": "Clinic"})).expect(200);
    let taken = server.admin().patch("/workspaces/clinic", json!({"slug": "shop"})).expect(409);
    assert_eq!((taken.code(), taken.places().as_slice()), ("conflict", ["/slug"].as_slice()));
    let moved = server.admin().patch("/workspaces/clinic", json!({"slug": "lakeside"})).expect(200);
    assert_eq!(moved.json["slug"], "lakeside");
    admin.get("/workspaces/clinic").expect(404);
    assert_eq!(admin.get("/workspaces/lakeside/logs/access").expect(200).data().len(), 1);
});
