//! For machines that watch this one.

use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::{HttpResponse, web};
use logbook_engine as engine;
use logbook_engine::{
    append::queue::Appender,
    counts::delta,
    db::{Conn, Db, migrations, roles},
    jobs::{Jobs, index_lag},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    audit::AuditLog,
    auth::PlatformAdmin,
    http::{
        error::{Code, Problem, ReadProblems, Result},
        params::{NoParams, Params},
    },
};

#[derive(Serialize, ToSchema)]
pub struct Health {
    #[schema(example = "ok")]
    pub status: &'static str,
}

/// What the server counts of itself.
#[derive(Default)]
pub struct Counters {
    pub requests: AtomicU64,
    pub failures: AtomicU64,
}

/// Alive: the process answers.
#[utoipa::path(
    get, path = "/healthz", operation_id = "getHealth", tag = "Health", security(()),
    responses((status = 200, description = "Alive", body = Health), (status = "4XX", description = "Not the right request"))
)]
pub async fn healthz(_no: Params<(NoParams,)>) -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "ok" })
}

/// Ready: the database can be reached and its migrations are applied.
#[utoipa::path(
    get, path = "/readyz", operation_id = "getReadiness", tag = "Health", security(()),
    responses((status = 200, description = "Ready", body = Health), ReadProblems)
)]
pub async fn readyz(db: web::Data<Db>, _no: Params<(NoParams,)>) -> Result<HttpResponse> {
    if db.run(migrations::pending).await.map_err(Problem::from)? {
        return Err(Problem::new(Code::Unavailable, "there are migrations to apply: logbook migrate"));
    }
    Ok(HttpResponse::Ok().json(Health { status: "ok" }))
}

/// Figures for Prometheus. For platform admins.
#[utoipa::path(
    get, path = "/metrics", operation_id = "getServerMetrics", tag = "Health",
    responses((status = 200, description = "Figures in Prometheus's text format", body = String, content_type = "text/plain"), ReadProblems)
)]
pub async fn metrics(
    _admin: PlatformAdmin,
    _no: Params<(NoParams,)>,
    counters: web::Data<Counters>,
    appender: web::Data<Appender>,
    audit: web::Data<AuditLog>,
    jobs: web::Data<Option<Jobs>>,
    db: web::Data<Db>,
) -> Result<HttpResponse> {
    let lags = |conn: &mut Conn| Ok((index_lag(conn)?, delta::lag(conn)?));
    let lags = db.run(move |conn| roles::as_appender_throughout(conn, lags)).await;
    let (index_lag, counts_lag) = lags.map_err(|error: engine::Error| Problem::from(error))?;
    let figures = [
        ("logbook_requests_total", "counter", "Requests answered", counters.requests.load(Ordering::Relaxed)),
        (
            "logbook_failures_total",
            "counter",
            "Requests answered with a 5xx status",
            counters.failures.load(Ordering::Relaxed),
        ),
        (
            "logbook_appender_events_waiting",
            "gauge",
            "Events that wait to be stored",
            appender.waiting() as u64,
        ),
        (
            "logbook_audit_events_waiting",
            "gauge",
            "Events of Logbook itself that wait to be stored",
            audit.waiting(),
        ),
        (
            "logbook_audit_events_lost_total",
            "counter",
            "Events of Logbook itself that could not be stored",
            audit.lost(),
        ),
        ("logbook_index_lag_events", "gauge", "Events that the index does not have yet", index_lag as u64),
        (
            "logbook_counts_lag_events",
            "gauge",
            "Events that are counted but not folded yet",
            counts_lag as u64,
        ),
    ];
    let mut text: String = figures
        .iter()
        .map(|(name, kind, help, value)| {
            format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n")
        })
        .collect();
    let name = "logbook_job_failures_total";
    text.push_str(&format!("# HELP {name} Failures of background jobs\n# TYPE {name} counter\n"));
    for (job, failures) in jobs.as_ref().as_ref().map(Jobs::failures).unwrap_or_default() {
        text.push_str(&format!("{name}{{job=\"{job}\"}} {failures}\n"));
    }
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text))
}
