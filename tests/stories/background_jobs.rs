//! Background jobs go on, whatever is wrong with one workspace.

use diesel::prelude::*;
use logbook_engine::{
    counts::compact,
    db::{
        Conn,
        schema::{count_deltas, job_leases},
    },
};
use logbook_tests::{Client, on_both, process, server::sample, wait::wait_until};
use serde_json::json;

fn append(admin: &Client, slug: &str) {
    let path = format!("/workspaces/{slug}/logs/access");
    admin.post(&path, json!([sample("access", 1), sample("access", 2)])).expect(201);
}

/// Transactions of a workspace whose counts are not compacted yet.
fn waiting(conn: &mut Conn, id: i32) -> i64 {
    let own = count_deltas::table.filter(count_deltas::workspace_id.eq(id));
    own.count().get_result(conn).expect("a count")
}

on_both!(a_damaged_workspace_does_not_stop_the_jobs_of_another, |server| {
    let admin = server.admin();
    let slugs = ["bad-delta", "bad-row", "good"];
    let ids = slugs.map(|slug| server.workspace(slug).id);
    let [bad_delta, bad_row, good] = ids;
    let conn = &mut server.own_connection();
    append(&admin, "bad-row");
    compact::compact_all(conn, bad_row).expect("it compacts");
    slugs.iter().for_each(|slug| append(&admin, slug));
    let garbage = server.garbage();
    server.sql(&format!("UPDATE count_deltas SET cells = {garbage} WHERE workspace_id = {bad_delta}"));
    server.sql(&format!("UPDATE event_counts SET cells = {garbage} WHERE workspace_id = {bad_row}"));
    // As if they had waited long enough.
    let long_ago = if server.is_postgres() { "'2026-01-01T00:00:00Z'" } else { "0" };
    server.sql(&format!("UPDATE count_deltas SET received_at = {long_ago}"));

    wait_until("the good one is compacted", || waiting(conn, good) == 0);
    admin.wait_for_index();
    wait_until("failures are counted", || admin.metric("logbook_job_failures_total") >= 2);
    assert_eq!([bad_delta, bad_row].map(|id| waiting(conn, id)), [1, 1]);
    let text = admin.get("/metrics").expect(200).text;
    assert!(
        text.contains("logbook_job_failures_total{job=\"build_index\"} 0"),
        "it is the other job's: {text}"
    );
    let leases = job_leases::table.filter(job_leases::workspace_id.eq(good)).order(job_leases::job);
    let leases: Vec<String> = leases.select(job_leases::job).load(conn).expect("leases");
    assert_eq!(leases, ["build_index", "compact_counts"]);

    let repaired = process::run(&server.data, &["repair", "counts", "--discard-evidence"]);
    let said = String::from_utf8_lossy(&repaired.stdout).into_owned();
    assert_eq!(repaired.status.code(), Some(0), "{said}");
    assert!(said.contains("good: the counts match the events."), "{said}");
    assert!(said.contains("bad-row: 1 parts of the counts differed and were rebuilt."), "{said}");
    server.sql(&format!("UPDATE count_deltas SET received_at = {long_ago}"));
    wait_until("all are compacted", || ids.iter().all(|id| waiting(conn, *id) == 0));
    for (slug, total) in [("bad-delta", 2), ("bad-row", 4), ("good", 2)] {
        let metrics = admin.get(&format!("/workspaces/{slug}/logs/access/metrics")).expect(200);
        assert_eq!(metrics.json["total"], total, "{slug}");
    }
});
