//! What commands do is in the logs, and a command does its work even where it cannot be logged.

use std::{collections::BTreeMap, path::Path};

use logbook::{accounts::users, auth::tokens::Tokens, config::DataConfig};
use logbook_tests::{
    Client, TestServer, audit_events::platform_slug, on_both, pagination::feed, process, wait::wait_until,
};
use serde_json::{Value, json};

/// What a command printed.
struct Printed {
    stdout: String,
    stderr: String,
}

fn run(data: &DataConfig, words: &str) -> Printed {
    let output = process::run(data, &words.split(' ').collect::<Vec<_>>());
    let [stdout, stderr] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("a text"));
    assert!(output.status.success(), "{words}: {stderr}");
    Printed { stdout, stderr }
}

fn last_line(text: &str) -> &str {
    text.lines().last().expect("a line")
}

/// What a command did, as the log has it.
struct Logged {
    action: String,
    target: String,
    changes: Value,
}

/// What commands did in a workspace, oldest first.
fn logged(server: &TestServer, slug: &str) -> Vec<Logged> {
    let mut events = feed(&server.admin(), slug, "0".into(), 1000);
    events.retain(|event| event["metadata"]["via"] == "command line");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let logged = |event: &Value| {
        assert_eq!((&event["log"], &event["source"]), (&json!("activity"), &json!("logbook")));
        assert_eq!(event["actor"], json!({"type": "system", "id": null, "name": "command line"}));
        Logged {
            action: text(&event["action"]),
            target: text(&event["target"]["type"]),
            changes: event["changes"].clone(),
        }
    };
    events.iter().map(logged).collect()
}

/// Actions and kinds of targets.
fn actions(logged: &[Logged]) -> Vec<(&str, &str)> {
    logged.iter().map(|event| (event.action.as_str(), event.target.as_str())).collect()
}

on_both!(
    what_commands_do_is_logged,
    |config| {
        config.audit = true;
    },
    |server| {
        let run = |words: &str| run(&server.data, words);
        run("workspace create clinic");
        let made = run("keys create --workspace clinic --role writer --name Vector");
        let key = last_line(&made.stdout).to_owned();
        run(&format!("keys revoke --workspace clinic {}", key.split('_').nth(1).expect("a prefix")));
        run("user create --email asha@clinic.test --name Asha --workspace clinic --role auditor");
        let linked = run("user link --email asha@clinic.test");
        let Printed { stdout: token, stderr } = run("token --role viewer --workspace clinic --name nightly");
        assert_eq!((token.lines().count(), stderr.as_str()), (1, ""));
        server.bearer(token.trim()).get("/workspaces/clinic/logs/access").expect(200);
        let Printed { stdout: everywhere, stderr } = run("token --role admin --hours 1");
        assert_eq!((everywhere.lines().count(), stderr.as_str()), (1, ""));
        server.bearer(everywhere.trim()).get("/workspaces").expect(200);
        run("token rotate");

        let clinic = logged(&server, "clinic");
        assert_eq!(
            actions(&clinic),
            [
                ("workspace_created", "workspace"),
                ("api_key_created", "api_key"),
                ("api_key_revoked", "api_key"),
                ("member_added", "member"),
                ("sign_in_link_created", "user"),
                ("token_created", "token"),
            ]
        );
        assert_eq!(clinic[5].changes[0], json!({"field": "role", "old": null, "new": "viewer"}));
        let slug = platform_slug(&server);
        let platform = logged(&server, &slug);
        assert_eq!(
            actions(&platform),
            [
                ("workspace_created", "workspace"),
                ("user_created", "user"),
                ("sign_in_link_created", "user"),
                ("token_created", "token"),
                ("token_key_rotated", "token_keys"),
            ]
        );
        assert_eq!(
            platform[1].changes,
            json!([
                {"field": "email", "old": null, "new": "asha@clinic.test"},
                {"field": "platform_admin", "old": null, "new": false}
            ])
        );
        // No log has a secret that was printed.
        let all: Vec<_> =
            ["clinic", &slug].map(|slug| feed(&server.admin(), slug, "0".into(), 1000)).concat();
        let all = serde_json::to_string(&all).expect("JSON");
        let part = |text: &str, separator: char, n: usize| {
            text.trim().splitn(3, separator).nth(n).map(str::to_owned)
        };
        for secret in [
            part(&key, '_', 2),
            part(&linked.stdout, '=', 1),
            part(&token, '.', 2),
            part(&everywhere, '.', 2),
        ] {
            let secret = secret.expect("a part");
            assert!(secret.len() > 40 && !all.contains(&secret), "{secret}");
        }
    }
);

on_both!(
    what_commands_do_is_not_logged_where_the_audit_is_off,
    |config| {
        config.audit = false;
    },
    |server| {
        run(&server.data, "workspace create clinic");
        run(&server.data, "token --role viewer --workspace clinic");
        assert_eq!(run(&server.data, "token --role admin").stderr, "");
        assert!(logged(&server, "clinic").is_empty());
        assert_eq!(server.admin().get("/workspaces").expect(200).data().len(), 1);
    }
);

on_both!(
    what_a_user_may_do_is_given_and_taken_by_command,
    |config| {
        config.audit = true;
    },
    |server| {
        let run = |words: &str| run(&server.data, words);
        let account = || server.admin().get("/users").expect(200).data()[0].clone();
        run("workspace create clinic");
        run("user create --email root@localhost --name Root --platform-admin");
        run("user create --email asha@clinic.test --name Asha");
        run("user grant --email asha@clinic.test --platform-admin");
        assert_eq!(account()["platform_admin"], true);
        run("user revoke --email asha@clinic.test --platform-admin");
        assert_eq!(account()["platform_admin"], false);
        let members = || server.admin().get("/workspaces/clinic/members").expect(200).data().clone();
        run("user grant --email root@localhost --workspace clinic --role admin");
        run("user grant --email asha@clinic.test --workspace clinic --role writer");
        assert_eq!((members().len(), &members()[0]["role"]), (2, &json!("writer")));
        run("user revoke --email asha@clinic.test --workspace clinic");
        assert_eq!(members().len(), 1);
        let asha = users::find_by_email(&mut server.db.conn().expect("a connection"), "asha@clinic.test");
        let client = server.client(&server.signed_in(&asha.expect("an answer").expect("a user")));
        let listed = run("user sessions --email asha@clinic.test").stdout;
        assert_eq!(listed.lines().count(), 1, "{listed}");
        let id = listed.split('\t').next().expect("an id").to_owned();
        run(&format!("user sessions --email asha@clinic.test --end {id}"));
        client.get("/me").expect(401);
        run("user disable --email asha@clinic.test");
        assert_eq!(account()["disabled"], true);
        run("user enable --email asha@clinic.test");
        assert_eq!(account()["disabled"], false);
        let token = run("token --role viewer --name nightly").stdout;
        server.bearer(token.trim()).get("/workspaces").expect(200);
        let listed = run("token list").stdout;
        let id =
            listed.lines().find(|line| line.ends_with("nightly")).and_then(|line| line.split('\t').next());
        run(&format!("token revoke {}", id.expect("its id")));
        wait_until("the token is refused", || server.bearer(token.trim()).get("/workspaces").status == 401);
    }
);

/// Checks that no token is printed that nobody could revoke, and that keys are rotated all the same.
fn not_printed(data: &DataConfig, why: &str) {
    let output = process::run(data, &["token", "--role", "admin"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && output.stdout.is_empty() && said.contains(why), "{output:?}");
    let Printed { stdout: rotated, stderr: said } = run(data, "token rotate");
    assert!(rotated.contains("new key") && said.contains(why), "{rotated} {said}");
}

#[test]
fn no_token_is_printed_that_could_not_be_revoked() {
    let folder = tempfile::tempdir().expect("a folder");
    let data =
        |database_url: String| DataConfig { database_url, data_dir: folder.path().join("data"), audit: true };
    // The server is away.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    not_printed(&data(format!("postgres://logbook@127.0.0.1:{port}/logbook")), "not available");
    not_printed(&data("mysql://x".into()), "must start with");
}

#[test]
fn a_token_without_a_database_is_good_when_there_is_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = DataConfig {
        database_url: format!("sqlite://{}", folder.path().join("logbook.db").display()),
        data_dir: folder.path().join("data"),
        audit: true,
    };
    let token = run(&data, "token --role admin").stdout;
    let server = process::Process::start(&data, &[]);
    Client::new(server.address, Some(token.trim().to_owned())).get("/workspaces").expect(200);
}

/// Names and contents of the files of a folder.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
    entries
        .map(|entry| {
            let name = entry.file_name().into_string().expect("a name");
            (name, std::fs::read(entry.path()).expect("its bytes"))
        })
        .collect()
}

#[test]
fn a_rotation_for_which_the_disk_has_no_room_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = DataConfig {
        database_url: format!("sqlite://{}", folder.path().join("logbook.db").display()),
        data_dir: folder.path().join("data"),
        audit: false,
    };
    let token = run(&data, "token --role admin").stdout;
    let before = files(&data.data_dir);
    // Files may have 100 bytes: the key file is longer, and cannot be written whole.
    let output = process::run_with_file_limit(&data, 100, &["token", "rotate"]);
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(files(&data.data_dir), before);
    let verify = || Tokens::from_data_dir(&data.data_dir).expect("keys").verify(token.trim()).is_ok();
    assert!(verify());
    run(&data, "token rotate");
    assert!(verify() && files(&data.data_dir) != before);
}
