//! What is done at the command line stands in the logs, and the command does its work where it cannot.

use logbook::{auth::tokens::Tokens, config::DataConfig};
use logbook_engine::db::{Db, migrations};
use logbook_tests::{Client, TestServer, on_both, postgres, process, told::platform, walk::feed};
use serde_json::{Value, json};

/// What a command printed: its standard output, and what it said beside it.
fn run(data: &DataConfig, words: &str) -> (String, String) {
    let output = process::run(data, &words.split(' ').collect::<Vec<_>>());
    let [stdout, stderr] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("a text"));
    assert!(output.status.success(), "{words}: {stderr}");
    (stdout, stderr)
}

fn last_line(text: &str) -> &str {
    text.lines().last().expect("a line")
}

/// Action, kind of target and changes of what commands did in a workspace, oldest first.
fn told(server: &TestServer, slug: &str) -> Vec<(String, String, Value)> {
    let mut events = feed(&server.admin(), slug, "0".into(), 1000);
    events.retain(|event| event["metadata"]["via"] == "command line");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let tell = |event: &Value| {
        assert_eq!(event["log"], "framework");
        assert_eq!(event["actor"], json!({"type": "system", "id": null, "name": "command line"}));
        assert_eq!(event["metadata"]["source"], "logbook");
        (text(&event["action"]), text(&event["target"]["type"]), event["changes"].clone())
    };
    events.iter().map(tell).collect()
}

fn actions(told: &[(String, String, Value)]) -> Vec<(&str, &str)> {
    told.iter().map(|(action, target, _)| (action.as_str(), target.as_str())).collect()
}

on_both!(
    what_is_done_at_the_command_line_is_told,
    |config| {
        config.audit = true;
    },
    |server| {
        let run = |words: &str| run(&server.data, words);
        run("workspace create clinic");
        let (made, _) = run("keys create --workspace clinic --role writer --name Vector");
        let key = last_line(&made).to_owned();
        run(&format!("keys revoke --workspace clinic {}", key.split('_').nth(1).expect("a prefix")));
        run("user create --email asha@clinic.test --name Asha --workspace clinic --role auditor");
        let (linked, _) = run("user link --email asha@clinic.test");
        let (token, said) = run("token --role viewer --workspace clinic --name nightly");
        assert_eq!((token.lines().count(), said.as_str()), (1, ""));
        server.bearer(token.trim()).get("/workspaces/clinic/logs/access").expect(200);
        let (everywhere, said) = run("token --role admin --hours 1");
        assert_eq!((everywhere.lines().count(), said.as_str()), (1, ""));
        server.bearer(everywhere.trim()).get("/workspaces").expect(200);
        run("token rotate");

        let clinic = told(&server, "clinic");
        assert_eq!(
            actions(&clinic),
            [
                ("workspace_created", "workspace"),
                ("api_key_created", "api_key"),
                ("api_key_revoked", "api_key"),
                ("member_invited", "member"),
                ("sign_in_link_created", "user"),
                ("token_created", "token"),
            ]
        );
        assert_eq!(clinic[5].2[0], json!({"field": "role", "old": null, "new": "viewer"}));
        let slug = platform(&server);
        let platform = told(&server, &slug);
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
            platform[1].2,
            json!([
                {"field": "email", "old": null, "new": "asha@clinic.test"},
                {"field": "platform_admin", "old": null, "new": false}
            ])
        );
        // What was handed out is in no log.
        let all: Vec<_> =
            ["clinic", &slug].map(|slug| feed(&server.admin(), slug, "0".into(), 1000)).concat();
        let all = serde_json::to_string(&all).expect("JSON");
        let part = |text: &str, separator: char, n: usize| {
            text.trim().splitn(3, separator).nth(n).map(str::to_owned)
        };
        for secret in
            [part(&key, '_', 2), part(&linked, '=', 1), part(&token, '.', 2), part(&everywhere, '.', 2)]
        {
            let secret = secret.expect("a part");
            assert!(secret.len() > 40 && !all.contains(&secret), "{secret}");
        }
    }
);

on_both!(
    what_commands_do_is_not_told_where_own_events_are_off,
    |config| {
        config.audit = false;
    },
    |server| {
        run(&server.data, "workspace create clinic");
        run(&server.data, "token --role viewer --workspace clinic");
        let (_, said) = run(&server.data, "token --role admin");
        assert_eq!(said, "");
        assert!(told(&server, "clinic").is_empty());
        assert_eq!(server.admin().get("/workspaces").expect(200).data().len(), 1);
    }
);

/// A token is printed, it is good, and the command says that the log does not have it.
fn printed_and_not_told(data: &DataConfig, why: &str) {
    let (token, said) = run(data, "token --role admin");
    assert_eq!(token.lines().count(), 1, "{token}");
    Tokens::from_data_dir(&data.data_dir).expect("keys").verify(token.trim()).expect("a good token");
    assert!(said.contains("The event was not recorded: ") && said.contains(why), "{said}");
    let (rotated, said) = run(data, "token rotate");
    assert!(rotated.contains("new key") && said.contains(why), "{rotated} {said}");
}

#[test]
fn a_token_is_printed_whatever_the_database_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let data =
        |database_url: String| DataConfig { database_url, data_dir: folder.path().join("data"), audit: true };
    // None yet, and none is made.
    let path = folder.path().join("new/logbook.db");
    printed_and_not_told(&data(format!("sqlite://{}", path.display())), "it does not exist yet");
    assert!(!folder.path().join("new").exists());
    // Empty ones, and they stay so.
    let path = folder.path().join("empty.db");
    std::fs::write(&path, "").expect("written");
    for url in [format!("sqlite://{}", path.display()), postgres::new_database()] {
        printed_and_not_told(&data(url.clone()), "it has pending migrations");
        let db = Db::open(&url, 1).expect("it is there");
        assert!(migrations::pending(&mut db.conn().expect("a connection")).expect("a look"));
    }
    // Away.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    printed_and_not_told(&data(format!("postgres://logbook@127.0.0.1:{port}/logbook")), "not available");
    // No URL at all is a mistake, and still no reason to give no token.
    printed_and_not_told(&data("mysql://x".into()), "must start with");
}

#[test]
fn a_token_without_a_database_is_good_when_there_is_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = DataConfig {
        database_url: format!("sqlite://{}", folder.path().join("logbook.db").display()),
        data_dir: folder.path().join("data"),
        audit: true,
    };
    let (token, _) = run(&data, "token --role admin");
    let server = process::Process::start(&data, &[]);
    Client::new(server.address, Some(token.trim().to_owned())).get("/workspaces").expect(200);
}
