//! Rate limits: how many requests a caller may send, and how often somebody may guess a password.
//!
//! Allowances come back with time, and on a slow machine some of one may be back before the next request is sent. So
//! each count is checked against the time that passed.

use std::{
    cell::Cell,
    thread,
    time::{Duration, Instant},
};

use logbook::accounts::{members, role::Role, users};
use logbook_tests::{Answer, Client, PASSWORD, TestServer, on_both, wait::wait_until, with_issuer};
use serde_json::json;

/// What the headers of an answer say about a rate limit.
struct Limit {
    name: String,
    requests: u32,
    seconds: u32,
    left: u32,
}

fn limit(answer: &Answer) -> Limit {
    let policy = Item::parse(&answer.headers["ratelimit-policy"]);
    let state = Item::parse(&answer.headers["ratelimit"]);
    assert_eq!(policy.name, state.name);
    Limit { name: policy.name, requests: policy.first, seconds: policy.second, left: state.first }
}

/// A header's name and its two numbers: `"key";q=6;w=60`.
struct Item {
    name: String,
    first: u32,
    second: u32,
}

impl Item {
    fn parse(header: &str) -> Self {
        let mut parts = header.split(';');
        let name = parts.next().unwrap_or_default().trim_matches('"').to_owned();
        let mut number = || {
            let part = parts.next().and_then(|part| part.split_once('=')).unwrap_or_default().1;
            part.parse().unwrap_or_else(|_| panic!("two numbers in {header}"))
        };
        Self { name, first: number(), second: number() }
    }
}

/// Checks that an answer is a refusal. Returns the seconds to wait.
#[track_caller]
fn refused(answer: Answer) -> u32 {
    let answer = answer.expect(429);
    assert_eq!(answer.code(), "rate_limited");
    let seconds: u32 = answer.headers["retry-after"].parse().expect("seconds");
    assert!(seconds > 0);
    seconds
}

/// A number of requests a minute that a story uses up.
struct Allowance {
    per_minute: u32,
    /// Requests that were answered.
    used: u32,
    began: Instant,
    /// Until then every request is refused.
    refused_until: Instant,
}

impl Allowance {
    /// `used`: requests that were sent just before.
    fn new(per_minute: u32, used: u32) -> Self {
        let now = Instant::now();
        Self { per_minute, used, began: now, refused_until: now }
    }

    /// Sends requests until one is refused, and checks that as many were answered, with this status, as are allowed.
    #[track_caller]
    fn use_up(&mut self, status: u16, ask: impl Fn() -> Answer) -> Answer {
        loop {
            let sent = Instant::now();
            let answer = ask();
            if answer.status != status {
                assert!(self.used >= self.per_minute, "refused after {}", self.used);
                let seconds = refused(answer.clone());
                assert!(seconds <= 60, "{seconds}");
                // The header rounds up.
                self.refused_until = sent + Duration::from_secs(u64::from(seconds) - 1);
                return answer;
            }
            self.used += 1;
            let back = self.began.elapsed().as_millis() * u128::from(self.per_minute) / 60_000;
            assert!(u128::from(self.used) <= u128::from(self.per_minute) + back, "{} answered", self.used);
        }
    }

    /// Checks that a request was refused, unless it took so long that some of the allowance was back. False then.
    #[track_caller]
    fn refuses(&self, answer: Answer) -> bool {
        let in_time = Instant::now() < self.refused_until;
        if in_time {
            assert!(refused(answer) <= 60);
        }
        in_time
    }
}

/// Guesses a password until a guess is refused, and checks that five cost nothing and each further one doubles the wait.
#[track_caller]
fn guess_until_refused(status: u16, before: u32, guess: impl Fn() -> Answer) {
    let began = Instant::now();
    for guesses in before.. {
        let answer = guess();
        if answer.status != status {
            refused(answer);
            assert!(guesses >= 5, "refused after {guesses}");
            return;
        }
        let waits = (1 << (guesses + 1).saturating_sub(5)) - 1;
        assert!(began.elapsed() >= Duration::from_secs(waits), "{} guesses were answered", guesses + 1);
    }
}

fn create_key(server: &TestServer, name: &str) -> Client {
    let body = json!({"name": name, "role": "viewer"});
    let made = server.admin().post("/workspaces/clinic/keys", body).expect(201);
    server.bearer(made.json["token"].as_str().expect("a key"))
}

on_both!(
    each_caller_has_an_allowance_and_the_answer_says_what_is_left,
    |config| {
        config.rate_key = 6;
        config.rate_user = 3;
        config.rate_address = 4;
        config.trusted_proxies = vec!["127.0.0.1".parse().expect("an address")];
    },
    |server| {
        let clinic = server.workspace("clinic");
        let path = "/workspaces/clinic/logs/access";
        // A script's token is limited as a key is.
        let script = limit(&server.member(&clinic, Role::Admin).get(path).expect(200));
        assert_eq!((script.name.as_str(), script.requests, script.seconds, script.left), ("key", 6, 60, 5));
        let (one, other) = (create_key(&server, "one"), create_key(&server, "other"));
        let over = Allowance::new(6, 0).use_up(200, || one.get(path));
        assert_eq!(limit(&over).left, 0);
        assert!(refused(over) <= 10);
        other.get(path).expect(200);
        // Whoever knows only a key's prefix uses up the allowance of their own address, and nothing of the key's.
        let wrong =
            server.bearer(&format!("{}x", other.headers["authorization"].trim_start_matches("Bearer ")));
        let mut strangers = Allowance::new(4, 1);
        assert_eq!(limit(&wrong.get(path).expect(401)).name, "address");
        strangers.use_up(401, || wrong.get(path));
        strangers.refuses(server.nobody().get(path));
        let guess = json!({"email": "a@clinic.test", "password": "x"});
        strangers.refuses(server.nobody().post("/auth/login", guess));
        assert!(limit(&other.get(path).expect(200)).left >= 4);
        // Another address has an allowance of its own, and known callers are not affected.
        let elsewhere = |address: &str| server.nobody().with_header("x-forwarded-for", address);
        elsewhere("203.0.113.9").get(path).expect(401);
        let n = Cell::new(0);
        let neighbours = || elsewhere(&format!("2001:db8:1:2::{:x}", n.replace(n.get() + 1))).get(path);
        Allowance::new(4, 0).use_up(401, neighbours);
        elsewhere("2001:db8:1:3::1").get(path).expect(401);

        let mut conn = server.db.conn().expect("a connection");
        let user = users::create(&mut conn, "asha@clinic.test", "Asha Rao", false).expect("a user");
        members::set(&mut conn, clinic.id, user.id, Role::Viewer).expect("a member");
        let asha = server.client(&server.signed_in(&user));
        drop(conn);
        let mut requests = Allowance::new(3, 1);
        assert_eq!(limit(&asha.get(path).expect(200)).name, "user");
        requests.use_up(200, || asha.get(path));
        // Machines that watch the server have no limit.
        assert!(!server.nobody().get("/healthz").expect(200).headers.contains_key("ratelimit"));
    }
);

on_both!(
    an_address_over_its_allowance_costs_little_and_holds_up_no_known_caller,
    |config| {
        config.rate_address = 2;
        config.trusted_proxies = vec!["127.0.0.1".parse().expect("an address")];
    },
    |server| {
        let clinic = server.workspace("clinic");
        let path = "/workspaces/clinic/logs/access";
        let (known, new) = (create_key(&server, "known"), create_key(&server, "new"));
        known.get(path).expect(200);
        let mut strangers = Allowance::new(2, 0);
        strangers.use_up(401, || server.nobody().get(path));
        // A stranger's next token is looked at in half a minute, when one more request is allowed. Until then not even the
        // database is asked: here that would be an error.
        server.sql("ALTER TABLE api_keys RENAME TO gone");
        for n in 0..20 {
            let stranger = server.bearer(&format!("lbk_{n:0>12}_{}", "x".repeat(43)));
            strangers.refuses(stranger.get(path));
        }
        let elsewhere =
            server.bearer(&format!("lbk_{:0>12}_x", 1)).with_header("x-forwarded-for", "203.0.113.9");
        assert!(elsewhere.get(path).status >= 500, "refusing a key takes the database");
        server.sql("ALTER TABLE gone RENAME TO api_keys");
        // A known caller is not held up; a key that is new to this server waits with the strangers.
        known.get(path).expect(200);
        server.member(&clinic, Role::Viewer).get(path).expect(200);
        let over = new.get(path);
        let name = over.headers.get("ratelimit").map(|_| limit(&over).name);
        if strangers.refuses(over) {
            assert_eq!(name.as_deref(), Some("address"));
        }
        new.with_header("x-forwarded-for", "203.0.113.9").get(path).expect(200);
        new.get(path).expect(200);
    }
);

on_both!(
    a_new_key_is_let_in_when_the_strangers_leave_it_a_turn,
    |config| {
        config.rate_address = 60;
    },
    |server| {
        server.workspace("clinic");
        let path = "/workspaces/clinic/logs/access";
        // The address may send one more request after a second, and sometimes that is the new key's first one. Then
        // the next new key tries.
        let held_up = (0..100).map(|n| create_key(&server, &format!("new {n}"))).find(|new| {
            let over = (0..10_000).any(|_| server.nobody().get(path).status == 429);
            assert!(over, "the address is never over its allowance");
            let answer = new.get(path);
            let held_up = answer.status == 429;
            assert!(!held_up || refused(answer) == 1);
            held_up
        });
        let new = held_up.expect("a new key is held up");
        wait_until("it had its turn", || new.get(path).status == 200);
    }
);

with_issuer!(
    a_providers_token_that_was_good_is_not_held_up,
    |config| {
        config.rate_address = 2;
    },
    |server, issuer| {
        server.workspace("clinic");
        let path = "/workspaces/clinic/logs/access";
        let token = |role: &str| server.bearer(&issuer.token(json!({"clinic": role})));
        let (known, new) = (token("viewer"), token("auditor"));
        known.get(path).expect(200);
        let mut strangers = Allowance::new(2, 0);
        strangers.use_up(401, || server.nobody().get(path));
        known.get(path).expect(200);
        // It is good, but was not checked: checking a forged one would cost as much.
        strangers.refuses(new.get(path));
        known.get(path).expect(200);
    }
);

on_both!(without_limits_no_header_mentions_them, |server| {
    for path in ["/me", "/workspaces/clinic/logs/access"] {
        assert!(!server.nobody().get(path).expect(401).headers.contains_key("ratelimit"));
        assert!(!server.admin().get(path).headers.contains_key("ratelimit-policy"));
    }
});

fn log_in(client: &Client, email: &str, password: &str) -> Answer {
    client.post("/auth/login", json!({"email": email, "password": password}))
}

on_both!(
    whoever_guesses_waits_longer_and_longer,
    |config| {
        config.trusted_proxies = vec!["127.0.0.1".parse().expect("an address")];
    },
    |server| {
        server.user("asha@clinic.test");
        // Each time from another address: an address waits as well, after twenty wrong guesses.
        let from = |n: u32| server.nobody().with_header("x-forwarded-for", &format!("203.0.113.{n}"));
        let wrong = |n: u32, email: &str| log_in(&from(n), email, "wrong horse battery");
        for (n, email) in [(1, "asha@clinic.test"), (2, "unknown@clinic.test")] {
            // A wait does not tell whether there is such an account.
            guess_until_refused(401, 0, || wrong(n, email));
        }
        // The right password waits too: otherwise the answer would tell that it is the right one. A slow machine may
        // have waited long enough before it is sent.
        let wait = (3..100).find_map(|n| {
            while wrong(n, "asha@clinic.test").status == 401 {}
            let answer = log_in(&from(n), " ASHA@clinic.test", PASSWORD);
            (answer.status != 200).then(|| refused(answer))
        });
        thread::sleep(Duration::from_secs(wait.expect("the right password waits").into()));
        log_in(&from(100), "asha@clinic.test", PASSWORD).expect(200);
        // That made up for the wrong ones before.
        guess_until_refused(401, 0, || wrong(101, "asha@clinic.test"));
    }
);

on_both!(the_current_password_is_guessed_no_faster, |server| {
    let asha = server.user("asha@clinic.test");
    let guess =
        || asha.put("/auth/password", json!({"password": "another horse battery", "current_password": "x"}));
    assert_eq!(guess().expect(403).code(), "wrong_password");
    guess_until_refused(403, 1, guess);
});
