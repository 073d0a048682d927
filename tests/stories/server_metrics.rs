//! The metrics for Prometheus.

use logbook_tests::on_both;

on_both!(the_metrics_are_what_prometheus_reads, |server| {
    let admin = server.admin();
    admin.get("/workspaces").expect(200);
    let answer = admin.get("/metrics").expect(200);
    assert_eq!(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let types: Vec<_> = answer.text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    let expected = [
        "logbook_requests_total counter",
        "logbook_failures_total counter",
        "logbook_appender_events_waiting gauge",
        "logbook_audit_events_waiting gauge",
        "logbook_audit_events_lost_total counter",
        "logbook_index_lag_events gauge",
        "logbook_counts_lag_events gauge",
        "logbook_sources_silent gauge",
        "logbook_sources_skewed gauge",
        "logbook_source_gaps gauge",
        "logbook_source_rejected_records gauge",
        "logbook_job_failures_total counter",
    ];
    assert_eq!(types, expected);
    for named in expected {
        let name = named.split(' ').next().expect("a name");
        assert!(answer.text.contains(&format!("# HELP {name} ")), "{name} has a help in {}", answer.text);
        let sample = answer
            .text
            .lines()
            .find(|line| line.starts_with(&format!("{name} ")) || line.starts_with(&format!("{name}{{")));
        let value = sample.and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
        assert!(value.is_some(), "{name} has a value in {}", answer.text);
        assert!(name != "logbook_requests_total" || value >= Some(1));
    }
    assert!(answer.text.ends_with('\n'));
});
