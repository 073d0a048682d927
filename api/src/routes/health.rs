//! Health checks and metrics, for the machines that monitor this one.

use actix_web::{HttpResponse, web};
use logbook_engine as engine;
use logbook_engine::{
    append::queue::Appender,
    counts::delta,
    db::{Conn, Db, migrations, roles},
    jobs::{Jobs, index_lag},
    sources::health::{Totals, totals},
};
use prometheus_client::{
    encoding::prometheus_text,
    metrics::{
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::ConstGauge,
    },
    registry::Registry,
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

/// What the server counts of its own work. The metrics have the same counters: a clone counts with the original.
#[derive(Default)]
pub struct Counters {
    /// Requests answered.
    pub requests: Counter,
    /// Those among them that were answered with a 5xx status.
    pub failures: Counter,
}

/// Reports that the process is alive.
#[utoipa::path(
    get, path = "/healthz", operation_id = "getHealth", tag = "Health", security(()),
    responses((status = 200, description = "Alive", body = Health), (status = "4XX", description = "The request is not valid"))
)]
pub async fn healthz(_no: Params<(NoParams,)>) -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "ok" })
}

/// Reports that the database is reachable and all migrations are applied.
#[utoipa::path(
    get, path = "/readyz", operation_id = "getReadiness", tag = "Health", security(()),
    responses((status = 200, description = "Ready", body = Health), ReadProblems)
)]
pub async fn readyz(db: web::Data<Db>, _no: Params<(NoParams,)>) -> Result<HttpResponse> {
    ready(&db).await?;
    Ok(HttpResponse::Ok().json(Health { status: "ok" }))
}

/// Whether the database can be used.
///
/// # Errors
/// `unavailable` while there are migrations to apply; the database's.
pub async fn ready(db: &Db) -> Result<()> {
    if db.run(migrations::pending).await.map_err(Problem::from)? {
        return Err(Problem::new(Code::Unavailable, "there are migrations to apply: logbook migrate"));
    }
    Ok(())
}

/// Returns metrics for Prometheus. For platform admins.
#[utoipa::path(
    get, path = "/metrics", operation_id = "getServerMetrics", tag = "Health",
    responses((status = 200, description = "Metrics in the text format of Prometheus", body = String, content_type = "text/plain"), ReadProblems)
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
    let lags = db.run(|conn| roles::as_appender_throughout(conn, Lags::read)).await;
    let lags = lags.map_err(|error: engine::Error| Problem::from(error))?;
    let registry = registry(&counters, &appender, &audit, jobs.as_ref().as_ref(), &lags);
    let mut text = String::new();
    prometheus_text::encode(&mut text, &registry).map_err(|error| {
        tracing::error!(%error, "the metrics could not be written");
        Problem::new(Code::Internal, "the metrics could not be written")
    })?;
    Ok(HttpResponse::Ok().content_type(prometheus_text::CONTENT_TYPE).body(text))
}

/// How many events the background jobs have yet to process, and what is wrong with sources, in all workspaces.
struct Lags {
    index: i64,
    counts: i64,
    sources: Totals,
}

impl Lags {
    fn read(conn: &mut Conn) -> engine::Result<Self> {
        Ok(Self { index: index_lag(conn)?, counts: delta::lag(conn)?, sources: totals(conn)? })
    }
}

type Labels = Vec<(&'static str, &'static str)>;

/// The metrics as they are now, built for each request, since most of them are read from the parts that own them. The
/// encoder appends `_total` to the names of counters and a full stop to the help.
fn registry(
    counters: &Counters,
    appender: &Appender,
    audit: &AuditLog,
    jobs: Option<&Jobs>,
    lags: &Lags,
) -> Registry {
    let mut registry = Registry::with_prefix("logbook");
    registry.register("requests", "Requests answered", counters.requests.clone());
    registry.register("failures", "Requests answered with a 5xx status", counters.failures.clone());
    let waiting = ConstGauge::new(i64::try_from(appender.waiting()).unwrap_or(i64::MAX));
    registry.register("appender_events_waiting", "Events that wait to be stored", waiting);
    let waiting = ConstGauge::new(i64::try_from(audit.waiting()).unwrap_or(i64::MAX));
    registry.register(
        "audit_events_waiting",
        "Audit events of Logbook itself that wait to be stored",
        waiting,
    );
    registry.register(
        "audit_events_lost",
        "Audit events of Logbook itself that could not be stored",
        ConstCounter::new(audit.lost()),
    );
    registry.register("index_lag_events", "Events that are not indexed yet", ConstGauge::new(lags.index));
    registry.register(
        "counts_lag_events",
        "Events whose counts are not compacted yet",
        ConstGauge::new(lags.counts),
    );
    let Totals { silent, skewed, gaps, rejected } = lags.sources;
    for (name, help, value) in [
        ("sources_silent", "Sources that are silent for longer than normally", silent),
        ("sources_skewed", "Sources whose clock differs", skewed),
        ("source_gaps", "Ranges of the counts of sources that have not come", gaps),
        ("source_rejected_records", "Records of sources in quarantine", rejected),
    ] {
        registry.register(name, help, ConstGauge::new(value));
    }
    let job_failures = Family::<Labels, Counter>::default();
    for (labels, count) in failures_by_job(jobs) {
        job_failures.get_or_create(&labels).inc_by(count);
    }
    registry.register("job_failures", "Failures of background jobs", job_failures);
    registry
}

fn failures_by_job(jobs: Option<&Jobs>) -> Vec<(Labels, u64)> {
    let failures = jobs.map(Jobs::failures).unwrap_or_default();
    failures.into_iter().map(|(job, count)| (vec![("job", job)], count)).collect()
}
