//! A small run of the benchmark, which shows that it still fits the API. It measures no times.

use std::time::Duration;

use indicatif::ProgressBar;
use logbook_tests::{on_both, postgres};
use serde_json::Value;

use crate::{
    cases::{self, Plan, Samples},
    copy,
    database::{Database, Kind},
    doors, export,
    http::Target,
    load, measure,
    neighbour::{self, Size},
    plot,
    processor::Stages,
    publish,
    report::{ExportFigures, HttpFigures, IngestFigures, Machine, MemoryFigures, Report, Run},
    run, server, storage,
};

const EVENTS: u64 = 2000;

on_both!(every_case_is_answered, |server| {
    let database = match server.data.database_url.strip_prefix("sqlite://") {
        Some(path) => Database::Sqlite(path.into()),
        None if server.is_citus() => Database::Citus(postgres::as_superuser(&server.data.database_url)),
        None => Database::Postgres(postgres::as_superuser(&server.data.database_url)),
    };
    let token = server.admin().headers["authorization"].trim_start_matches("Bearer ").to_owned();
    let target = Target { address: server.address, token, workspace: server::WORKSPACE };
    load::make_workspace(&target);
    let loaded = load::run(&target, EVENTS, &ProgressBar::hidden());
    assert_eq!((loaded.events, loaded.again), (EVENTS, 0));

    let mut direct = database.connect();
    assert!(direct.number("SELECT count(*) AS n FROM events") >= EVENTS as i64);
    let workspace_id = direct.workspace_id();
    let mut samples = Samples::draw(target.connect(), EVENTS as i64, 1);
    let cases = cases::all(&mut samples, &Plan { questions: 3, only: Vec::new() });
    assert!(cases.len() > 50 && cases.iter().all(|case| case.questions.len() == 3));
    let mut figures = run::ask(&cases, &mut samples, workspace_id, "smoke");
    for (case, figures) in cases.iter().zip(&mut figures) {
        assert_eq!(figures.wrong, None, "{}", case.name);
        assert!(figures.requests > 0 && figures.p95_ms >= figures.p50_ms, "{figures:?}");
        measure::usual(case, &mut direct, workspace_id, Duration::from_secs(20), figures);
        assert!(figures.usual_p50_ms.is_some(), "{}", case.name);
    }
    let before = Stages::of(std::process::id(), None);
    let size = Size { requests: 5, events: 50, warm_up: Duration::from_millis(10) };
    let neighbour = neighbour::run(&target, size);
    assert!(neighbour.ingest.list.ratio > 0.0 && neighbour.door.append.ratio > 0.0, "{neighbour:?}");
    let own = Target { workspace: "doors", ..target.clone() };
    load::make_workspace(&own);
    let doors = doors::run(&own, (std::process::id(), None), 300);
    assert!(doors.doors.iter().all(|door| door.ratio > 0.0), "{doors:?}");
    let stages = Stages::of(std::process::id(), None).since(before, size.events);
    let bytes = storage::bytes_per_event(&mut direct, database.kind(), EVENTS);
    assert!(bytes["total"] > bytes["events"] && bytes["events"] > 300.0, "{bytes:?}");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let copy_events_per_s = copy::run(&database, folder.path(), &ProgressBar::hidden());
    assert!(copy_events_per_s > 0.0);
    let no_copy = ExportFigures { events_per_s: 1.0, copy_events_per_s: 2.0, ratio: 0.5 };
    let exported = export::run(&target, &database, workspace_id).unwrap_or(no_copy);
    let events_per_s = loaded.events_per_s();
    let run = Run {
        database: database.kind().name().into(),
        version: direct.version(),
        settings: vec!["a=b".into()],
        measured_at: "2026-11-23T00:00:00.000000Z".into(),
        commit: "abc".into(),
        cases: figures,
        ingest: IngestFigures {
            events_per_s,
            durable_events_per_s: loaded.durable_events_per_s(),
            copy_events_per_s,
            ratio: events_per_s / copy_events_per_s,
            bytes_per_event: loaded.bytes as f64 / EVENTS as f64,
        },
        processor_us_per_event: Some(stages),
        neighbour: Some(neighbour),
        doors: Some(doors),
        http: Some(HttpFigures { list_per_s: 1.0, pgbench_per_s: 2.0, ratio: 0.5, statements: Vec::new() }),
        export: Some(exported),
        bytes_per_event: bytes,
        memory_mb: MemoryFigures { rest: 1.0, load: 2.0, load_anonymous: 1.5 },
    };
    is_reported(Report { events: EVENTS, generator: 1, machine: Machine::this(), runs: vec![run] });
});

/// Scripts rely on these names.
fn is_reported(report: Report) {
    let json = serde_json::to_value(&report).expect("JSON");
    let run = &json["runs"][0];
    for pointer in [
        "/cases/0/p50_ms",
        "/cases/0/p95_ms",
        "/cases/0/budget_p95_ms",
        "/cases/0/usual_p50_ms",
        "/ingest/events_per_s",
        "/ingest/copy_events_per_s",
        "/ingest/ratio",
        "/processor_us_per_event/total",
        "/processor_us_per_event/index",
        "/neighbour/ingest/list/ratio",
        "/neighbour/door/append/beside_p95_ms",
        "/doors/doors/2/ratio",
        "/doors/doors/2/processor_us_per_event/parse",
        "/http/list_per_s",
        "/http/pgbench_per_s",
        "/http/ratio",
        "/export/events_per_s",
        "/export/copy_events_per_s",
        "/export/ratio",
        "/bytes_per_event/total",
        "/bytes_per_event/events",
        "/memory_mb/rest",
        "/memory_mb/load",
    ] {
        assert!(run.pointer(pointer).is_some_and(Value::is_number), "{pointer} in {run}");
    }
    assert!(json["events"] == EVENTS && json["machine"].is_object() && run["database"].is_string());
    let table = report.runs[0].table();
    for case in &report.runs[0].cases {
        assert!(table.contains(&case.name), "{}", case.name);
    }
    // The page compares the two databases that need nothing else.
    if report.runs[0].database == Kind::Citus.name() {
        return;
    }
    let larger = Report { events: 10 * report.events, ..report.clone() };
    let (page, plot) = (publish::figures(&[report.clone(), larger.clone()]), plot::svg(&[report, larger]));
    assert!(
        page.contains("| 2 k events | 20 k events |")
            && page.contains("| history of a record |")
            && page.contains("| p95 over p95 | 20 k / 2 k |")
            && page.contains("| first page | 1.0 |"),
        "{page}"
    );
    assert_eq!(
        plot.matches("class=\"ours\"").count(),
        12,
        "a line for each group, a panel for each database"
    );
}
