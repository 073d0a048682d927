//! Searching has a bound of time and work, whatever texts the events have.

use std::{ops::ControlFlow, time::Duration};

use logbook_engine::{
    caches::Caches,
    event::Log,
    filter::{
        Filter,
        rows::{Columns, Reading, Scanned},
        search::Search,
    },
    index::search,
    order::{Order, Position},
};
use logbook_tests::{Client, TestServer, on_both};
use serde_json::{Value, json};

const PATH: &str = "/workspaces/clinic/logs/access";
/// 18 characters when it is normalized.
const LONGEST: &str = "\u{fdfa}";

fn found(admin: &Client, q: &str) -> usize {
    admin.query(PATH, &[("q", q)]).expect(200).data().len()
}

on_both!(a_text_that_normalizes_to_a_much_longer_one_is_searched_up_to_a_bound, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let event = |n: usize| {
        let text = format!("begin{n} {}end{n}", LONGEST.repeat(20_000));
        json!({"event_type": "login", "metadata": {"text": text, "n": n}})
    };
    admin.post(PATH, (0..4).map(event).collect::<Vec<_>>().into()).expect(201);
    admin.post(PATH, json!([{"event_type": "login", "username": format!("{LONGEST} end0")}])).expect(201);
    let ask = || {
        assert_eq!(found(&admin, LONGEST), 5);
        assert_eq!(found(&admin, "begin3"), 1);
        assert_eq!(found(&admin, "end3"), 0, "what lies behind the bound is not searched");
        assert_eq!(found(&admin, "end0"), 1, "a short text has no bound");
    };
    ask();
    admin.wait_for_index();
    ask();
});

/// The seqs of each page of a search that never has any time.
fn pages_without_time(server: &TestServer, id: i32, (q, order): (&str, Order)) -> Vec<Vec<i64>> {
    let mut conn = server.own_connection();
    let index = Caches::new(1 << 20, 1 << 20).index;
    let filter = Filter { search: Some(Search::new(q, id)), ..Filter::all(id, Log::Access) };
    let (mut pages, mut after): (Vec<Vec<i64>>, Option<Position>) = (Vec::new(), None);
    loop {
        let mut page = Vec::new();
        let reading = Reading { expected: 50, patience: Duration::ZERO, columns: Columns::All };
        let scanned = search::scan(&mut conn, &index, &[&filter], (order, after), reading, &mut |event| {
            page.push(event.seq);
            ControlFlow::Continue(())
        });
        pages.push(page);
        match scanned.expect("a page") {
            Scanned::Until(position) => after = Some(position),
            Scanned::All | Scanned::Enough => return pages,
        }
    }
}

on_both!(a_search_whose_time_is_over_stops_at_an_event_and_goes_on_from_there, |server| {
    let workspace = server.workspace("clinic");
    let admin = server.admin();
    const EVENTS: i64 = 120;
    // Some in the same microsecond, and late ones.
    let event = |n: i64| {
        let time = format!("2026-10-01T08:{:02}:00Z", n * 7 % 40);
        json!({"event_type": "login", "username": format!("asha{n}"), "occurred_at": time})
    };
    admin.post(PATH, (1..=EVENTS).map(event).collect::<Vec<Value>>().into()).expect(201);
    let ask = |fewest: usize| {
        for order in [Order::Asc, Order::Desc] {
            let pages = pages_without_time(&server, workspace.id, ("asha", order));
            assert!(pages.len() > fewest, "{} pages", pages.len());
            let mut seqs = pages.concat();
            let mut expected: Vec<i64> = (1..=EVENTS).collect();
            expected.sort_by_key(|n| (n * 7 % 40, *n));
            if order == Order::Desc {
                expected.reverse();
            }
            assert_eq!(seqs, expected, "every event once, in order");
            seqs.clear();
            let none = pages_without_time(&server, workspace.id, ("nobody", order));
            assert!(none.concat().is_empty());
        }
    };
    ask(100);
    admin.wait_for_index();
    ask(100);
});
