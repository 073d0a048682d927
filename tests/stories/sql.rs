//! The SQL of each read, as it is sent, and that an index answers it.

use std::sync::{Arc, Mutex};

use diesel::{
    Connection as _, QueryableByName, RunQueryDsl as _,
    connection::{InstrumentationEvent, SimpleConnection as _},
    sql_query,
    sql_types::Text,
};
use logbook_engine::{
    caches::Caches,
    counts::{self, Effort},
    db::{Conn, timestamp::Timestamp},
    event::{ActorType, Log, Outcome, id::EventId},
    filter::{Accepted, Filter, Network},
    history::{self, Limits, RecordKey},
    order::{Order, Position},
    query,
};
use logbook_tests::{TestServer, on_both, server::sample};

/// The statements that a piece of work sends, without bound values.
fn sent(conn: &mut Conn, work: impl FnOnce(&mut Conn)) -> Vec<String> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let writer = seen.clone();
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            let text = query.to_string();
            let sql = text.split(" -- binds:").next().unwrap_or_default().to_owned();
            writer.lock().expect("one thread").push(sql);
        }
    });
    work(conn);
    conn.set_instrumentation(|_: InstrumentationEvent<'_>| {});
    seen.lock().expect("one thread").clone()
}

/// The first statement of a piece of work.
fn statement(conn: &mut Conn, work: impl FnOnce(&mut Conn)) -> String {
    sent(conn, work).into_iter().next().expect("a statement")
}

/// Empty caches.
fn caches() -> Caches {
    Caches::new(1 << 20, 1 << 20)
}

fn list(conn: &mut Conn, filter: &Filter, order: Order, after: Option<Position>) -> String {
    statement(conn, |conn| {
        drop(query::list(conn, &caches().index, filter, (order, after), 50).expect("a page"))
    })
}

/// The first statement that reads the versions of a record, and that of a version's number.
fn record(conn: &mut Conn) -> (String, String) {
    let key = RecordKey { model: "patient".into(), id: "92".into() };
    let filter = key.filter(1);
    (
        statement(conn, |conn| drop(history::versions(conn, 1, &key, Limits::MOST).expect("versions"))),
        statement(conn, |conn| {
            assert_eq!(history::number_of(conn, &filter, POSITION).expect("a number"), Some(1));
        }),
    )
}

/// The statements of counting with empty caches.
fn counts(conn: &mut Conn, filter: &Filter) -> Vec<String> {
    sent(conn, |conn| {
        drop(counts::cells(conn, &caches().counts, &caches().index, filter, Effort::Scan).expect("cells"))
    })
}

/// A statement over several lines.
fn readable(sql: &str) -> String {
    [" FROM ", " WHERE ", " AND ", " GROUP BY ", " ORDER BY ", "  LIMIT "]
        .iter()
        .fold(sql.to_owned(), |sql, word| sql.replace(word, &format!("\n{}", word.trim_start())))
}

fn backend(server: &TestServer) -> &'static str {
    if server.is_postgres() { "postgres" } else { "sqlite" }
}

const POSITION: Position = Position { occurred_at: Timestamp(1_772_928_000_000_000), seq: 7 };

/// A filter with every condition that SQL evaluates.
fn everything() -> Filter {
    let words = || Accepted { only: vec!["a".to_owned(), "b".to_owned()], not: vec!["c".to_owned()] };
    let address = |text| Network::parse(text).expect("an address");
    Filter {
        since: Some(Timestamp(0)),
        until: Some(Timestamp(1)),
        actions: words(),
        outcomes: Accepted::only([Outcome::Failure]),
        roles: words(),
        sources: words(),
        actor_types: Accepted::only([ActorType::System]),
        actor_ids: words(),
        on_behalf_of: words(),
        targets: Accepted {
            only: vec![("policy".into(), None), ("role".into(), Some("2".into()))],
            not: vec![("task".into(), None), ("role".into(), Some("3".into()))],
        },
        target_ids: words(),
        records: Accepted {
            only: vec![("role".into(), Some("4".into()))],
            not: vec![("role".into(), Some("5".into()))],
        },
        ip_addresses: Accepted::only([address("10.0.0.1"), address("::1")]),
        session_ids: words(),
        correlation_ids: words(),
        ..Filter::all(1, Log::Framework)
    }
}

/// A range that begins and ends inside of a quarter hour.
fn range() -> Filter {
    Filter {
        since: Some(Timestamp(1)),
        until: Some(Timestamp(200 * 86_400_000_001)),
        ..Filter::all(1, Log::Access)
    }
}

on_both!(the_statements_that_read_are_these, |server| {
    server.workspace("clinic");
    server.admin().post("/workspaces/clinic/logs/access", vec![sample("access", 1)].into()).expect(201);
    let mut conn = server.own_connection();
    let conn = &mut conn;
    let id = EventId::new(1, 7, Timestamp(0));
    let plain = Filter::all(1, Log::Access);
    let (versions, number) = record(conn);
    let statements = [
        ("list", list(conn, &plain, Order::Desc, None)),
        ("next_page", list(conn, &plain, Order::Desc, Some(POSITION))),
        ("next_page_upwards", list(conn, &plain, Order::Asc, Some(POSITION))),
        ("every_filter", list(conn, &everything(), Order::Desc, None)),
        ("get", statement(conn, |conn| drop(query::get(conn, 1, Log::Access, id).expect("an answer")))),
        ("feed", statement(conn, |conn| drop(query::feed(conn, 1, Log::ALL, 7, 100).expect("a page")))),
        ("record_versions", versions),
        ("record_number", number),
        ("counts", counts(conn, &plain).join(" ;\n")),
        ("counts_of_a_range", counts(conn, &range()).join(" ;\n")),
    ];
    for (name, sql) in statements {
        insta::assert_snapshot!(format!("{name}_{}", backend(&server)), readable(&sql));
    }
});

#[derive(QueryableByName)]
struct SqlitePlan {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[derive(QueryableByName)]
struct PostgresPlan {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    line: String,
}

/// The database's plan for a statement, whatever values are bound.
fn plan(conn: &mut Conn, sql: &str) -> String {
    // Bound values decide which partitions are pruned. Here none is.
    if let Conn::Pg(conn) = conn {
        conn.batch_execute("SET enable_partition_pruning = off").expect("a setting");
    }
    pruned_plan(conn, sql)
}

/// As [`plan`], with partitions pruned.
fn pruned_plan(conn: &mut Conn, sql: &str) -> String {
    let lines: Vec<String> = match conn {
        Conn::Sqlite(conn) => {
            let rows =
                sql_query(format!("EXPLAIN QUERY PLAN {sql}")).load::<SqlitePlan>(conn).expect("a plan");
            rows.into_iter().map(|row| row.detail).collect()
        }
        Conn::Pg(conn) => {
            // As requests are answered: the policy is part of every plan.
            conn.batch_execute("SET ROLE logbook_reader; SET logbook.workspace = 1").expect("the reader");
            // Reading a small table whole is always cheapest, so that is forbidden.
            conn.batch_execute(
                "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_bitmapscan = off",
            )
            .expect("settings");
            let parameters =
                (1..100).take_while(|n| sql.contains(&format!("${n}"))).map(|_| "NULL").collect::<Vec<_>>();
            conn.batch_execute(&format!("PREPARE explained AS {sql}")).expect("a statement");
            let explain = format!("EXPLAIN (COSTS OFF) EXECUTE explained ({})", parameters.join(", "));
            let rows = sql_query(explain).load::<PostgresPlan>(conn).expect("a plan");
            conn.batch_execute("DEALLOCATE explained; RESET ROLE").expect("forgotten");
            rows.into_iter().map(|row| row.line).collect()
        }
    };
    lines.join("\n")
}

/// Whether the plan uses this index. A partition's index has a name made of its columns.
fn uses(plan: &str, index: &str) -> bool {
    let columns = match index {
        "events_by_time" => "_workspace_id_log_occurred_at_seq_idx",
        "events_by_target" => "_workspace_id_target_type_target_id_occurred",
        key => key,
    };
    plan.contains(index) || plan.contains(columns)
}

/// The history of one record, in both ways to ask for it.
fn one_record() -> [Filter; 2] {
    let all = Filter::all(1, Log::Application);
    let by_two = Filter {
        target_ids: Accepted::only(["92"]),
        targets: Accepted::only([("patient".to_owned(), None)]),
        ..all.clone()
    };
    [by_two, Filter { records: Accepted::only([("patient".to_owned(), Some("92".to_owned()))]), ..all }]
}

on_both!(an_index_answers_every_list_get_and_feed_in_its_order, |server| {
    // The coordinator of Citus shows no plan of a shard for a statement without values.
    if server.is_citus() {
        return;
    }
    // Planners compare costs: an empty table has none.
    server.workspace("clinic");
    for log in ["access", "application", "framework"] {
        let events: Vec<_> = (0..1500).map(|n| sample(log, n)).collect();
        server.admin().post(&format!("/workspaces/clinic/logs/{log}"), events.into()).expect(201);
    }
    server.sql("ANALYZE events");
    let mut conn = server.own_connection();
    let conn = &mut conn;
    let id = EventId::new(1, 7, Timestamp(0));
    let plain = Filter::all(1, Log::Access);
    let short = Filter { since: Some(Timestamp(0)), until: Some(Timestamp(1)), ..plain.clone() };
    let one_component = Filter {
        targets: Accepted::only([("role".to_owned(), Some("2".to_owned()))]),
        ..Filter::all(1, Log::Framework)
    };
    let (versions, number) = record(conn);
    let by_key = if server.is_postgres() { "_pkey" } else { "sqlite_autoindex_events_1" };
    let [by_two, by_pair] = one_record();
    let statements = [
        (list(conn, &plain, Order::Desc, None), "events_by_time"),
        (list(conn, &plain, Order::Desc, Some(POSITION)), "events_by_time"),
        (list(conn, &plain, Order::Asc, Some(POSITION)), "events_by_time"),
        (list(conn, &short, Order::Desc, Some(POSITION)), "events_by_time"),
        (list(conn, &by_two, Order::Desc, None), "events_by_target"),
        (list(conn, &by_pair, Order::Desc, None), "events_by_target"),
        (list(conn, &by_two, Order::Desc, Some(POSITION)), "events_by_target"),
        (list(conn, &by_pair, Order::Desc, Some(POSITION)), "events_by_target"),
        (list(conn, &by_two, Order::Asc, Some(POSITION)), "events_by_target"),
        (list(conn, &by_pair, Order::Asc, Some(POSITION)), "events_by_target"),
        (list(conn, &one_component, Order::Desc, Some(POSITION)), "events_by_target"),
        (versions, "events_by_target"),
        (number, "events_by_target"),
        (statement(conn, |conn| drop(query::get(conn, 1, Log::Access, id).expect("an answer"))), by_key),
        (statement(conn, |conn| drop(query::feed(conn, 1, Log::ALL, 7, 100).expect("a page"))), by_key),
    ];
    for (sql, index) in statements {
        let plan = plan(conn, &sql);
        assert!(uses(&plan, index), "{index} is not used:\n{plan}\n{sql}");
        for costly in ["SCAN events", "Seq Scan", "TEMP B-TREE"] {
            assert!(!plan.contains(costly), "{costly}:\n{plan}\n{sql}");
        }
        let nodes = || plan.lines().map(|line| line.trim_start_matches(['-', '>', ' ']));
        assert!(!nodes().any(|node| node == "Sort" || node == "Incremental Sort"), "{plan}\n{sql}");
        // The policy of row-level security is in it, and is evaluated once, not for each partition.
        assert_eq!(plan.contains("InitPlan"), server.is_postgres(), "{plan}\n{sql}");
        assert!(!plan.contains("One-Time Filter"), "{plan}\n{sql}");
        // Partitions are read one after the other, so that a page ends in the first one that fills it. The feed has another
        // order.
        assert!(by_key == index || !plan.contains("Merge Append"), "{plan}\n{sql}");
    }
    // Counting looks at events only where a range begins and ends inside of a quarter hour.
    let counting = counts(conn, &range());
    let at_events: Vec<_> = counting.iter().filter(|sql| sql.contains("occurred_at")).collect();
    assert_eq!(at_events.len(), 2, "{counting:?}");
    for sql in &counting {
        let plan = plan(conn, sql);
        assert!(!plan.contains("SCAN") && !plan.contains("Seq Scan"), "{plan}\n{sql}");
        assert!(!sql.contains("occurred_at") || uses(&plan, "events_by_time"), "{plan}\n{sql}");
    }
    // With filters that have no index of their own the planner may choose, but never reads all workspaces' events.
    let sql = list(conn, &everything(), Order::Desc, Some(POSITION));
    let plan = plan(conn, &sql);
    assert!(!plan.contains("SCAN events") && !plan.contains("Seq Scan"), "{plan}\n{sql}");
});

on_both!(a_page_without_search_takes_one_statement, |server| {
    let mut conn = server.own_connection();
    let statements = sent(&mut conn, |conn| {
        drop(
            query::list(conn, &caches().index, &Filter::all(1, Log::Access), (Order::Desc, None), 50)
                .expect("a page"),
        );
    });
    assert_eq!(statements.len(), 1, "{statements:?}");
});

on_both!(an_event_is_looked_for_in_one_partition, |server| {
    if !server.is_postgres() || server.is_citus() {
        return;
    }
    let workspace = server.workspace("clinic");
    let events: Vec<_> = [1970, 2019, 2020]
        .map(|year| serde_json::json!({"event_type": "login", "occurred_at": format!("{year}-12-31T23:59:59.999999Z")}))
        .into();
    let sent = server.admin().post("/workspaces/clinic/logs/access", events.into()).expect(201);
    let id = EventId::parse(sent.json["results"][0]["id"].as_str().expect("an id")).expect("an id");
    let mut conn = server.own_connection();
    let conn = &mut conn;
    assert!(query::get(conn, workspace.id, Log::Access, id).expect("an answer").is_some());
    let sql = statement(conn, |conn| drop(query::get(conn, 1, Log::Access, id).expect("an answer")));
    let plan = pruned_plan(conn, &sql);
    assert!(plan.contains("Subplans Removed"), "{plan}");
    // Partitions are years before 2020 and months from then on; there is no default partition.
    let names = sql_query(
        "SELECT inhrelid::regclass::text AS \"QUERY PLAN\" FROM pg_inherits WHERE inhparent = 'events'::regclass ORDER BY 1",
    );
    let names: Vec<_> =
        names.load::<PostgresPlan>(conn).expect("names").into_iter().map(|row| row.line).collect();
    for name in ["events_1970", "events_2019", "events_2020_12"] {
        assert!(names.iter().any(|found| found == name), "{name}: {names:?}");
    }
});
