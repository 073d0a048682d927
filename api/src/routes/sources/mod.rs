//! The addresses of a workspace's sources: the registry, and how each is.

pub mod mapping;
pub mod rejected;
pub mod replay;
mod views;

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, web};
use logbook_engine::{
    db::{Conn, Db, ReaderId, roles, timestamp::Timestamp},
    event::limits::{Checks, Epoch, Sequence},
    sources::{health, sequences},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

pub use views::SourceView;
use views::{DAYS, EPOCHS, Health};

use crate::{
    accounts::{
        source_kind::Kind,
        sources::{self, NewSource, Source, SourceChanges},
    },
    audit::AuditContext,
    auth::{LogReader, Manager, api_keys::ApiKeyCache, sealing_key::SealingKey, senders::ByKey, signature},
    http::{
        body::{Body, BodyOrDefault},
        error::{Code, FieldError, ManageProblems, Problem, ReadProblems, Result, WriteProblems},
        params::{NoParams, Params},
        path::WorkspacePath,
    },
    routes::doors::named::{SourcePath, open, seal_owner},
    sources::registry::Registry,
};

#[derive(Serialize, ToSchema)]
pub struct SourceList {
    pub data: Vec<SourceView>,
}

/// A new source, with its key, which no other response contains.
#[derive(Serialize, ToSchema)]
pub struct CreatedSource {
    /// The source sends it as `Authorization: Bearer <key>`, or as its kind does. It is not shown again.
    #[schema(example = "lbk_k7w2m9x4c1qd_…")]
    pub key: String,
    #[serde(flatten)]
    pub source: SourceView,
}

/// Lists the sources of the workspace, by name, and how each is.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{workspace}/sources", operation_id = "listSources", tag = "Sources",
    params(WorkspacePath),
    responses((status = 200, description = "The sources, without days and epochs", body = SourceList), ReadProblems)
)]
pub async fn list(db: web::Data<Db>, reader: LogReader, _no: Params<(NoParams,)>) -> Result<HttpResponse> {
    let workspace_id = reader.workspace.id;
    let registered = db.run(move |conn| sources::list(conn, workspace_id)).await?;
    let id = ReaderId { workspace_id, caller: reader.caller.sub };
    let now = Timestamp::now();
    let health = db.read(id, move |conn| {
        let states = health::states(conn, workspace_id)?;
        let days = health::days_since(conn, workspace_id, now)?;
        Ok::<_, logbook_engine::Error>((states, days, sequences::gaps(conn, workspace_id, None)?))
    });
    let (states, days, gaps) = health.await?;
    let mut by_name: BTreeMap<String, Health> =
        states.into_iter().map(|state| (state.source.clone(), Health::new(state))).collect();
    for day in days {
        by_name.entry(day.source.clone()).or_default().days.push(day);
    }
    for gap in gaps {
        by_name.entry(gap.source.clone()).or_default().gaps.push(gap);
    }
    let view = |source: Source| {
        let health = by_name.remove(&source.name).unwrap_or_default();
        SourceView::new(source, health, now)
    };
    Ok(HttpResponse::Ok().json(SourceList { data: registered.into_iter().map(view).collect() }))
}

/// Returns a source and how it is: what arrived by day, what is missing, and what is wrong with it.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{workspace}/sources/{source}", operation_id = "getSource", tag = "Sources",
    params(SourcePath),
    responses((status = 200, description = "The source", body = SourceView), ReadProblems)
)]
pub async fn get(
    db: web::Data<Db>,
    reader: LogReader,
    path: web::Path<SourcePath>,
    _no: Params<(NoParams,)>,
) -> Result<HttpResponse> {
    let (workspace_id, caller) = (reader.workspace.id, reader.caller.sub);
    let name = path.into_inner().source;
    let source = db.run(move |conn| sources::find(conn, workspace_id, &name)).await?;
    Ok(HttpResponse::Ok().json(view(&db, source, caller).await?))
}

async fn view(db: &Db, source: Source, caller: String) -> Result<SourceView> {
    let (workspace_id, name) = (source.workspace_id, source.name.clone());
    let health = db.read(ReaderId { workspace_id, caller }, move |conn| {
        Ok::<_, logbook_engine::Error>(Health {
            state: health::state(conn, workspace_id, &name)?.unwrap_or_default(),
            days: health::days(conn, workspace_id, &name, DAYS)?,
            gaps: sequences::gaps(conn, workspace_id, Some(&name))?,
            epochs: sequences::epochs(conn, workspace_id, &name, EPOCHS)?,
        })
    });
    Ok(SourceView::new(source, health.await?, Timestamp::now()))
}

/// Registers a source and makes its key. For admins.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{workspace}/sources", operation_id = "createSource", tag = "Sources",
    params(WorkspacePath),
    request_body = NewSource,
    responses((status = 201, description = "The source and its key, shown only once", body = CreatedSource), ManageProblems)
)]
pub async fn create(
    db: web::Data<Db>,
    sealing_key: web::Data<SealingKey>,
    AuditContext { audit, client_info }: AuditContext,
    manager: Manager,
    _no: Params<(NoParams,)>,
    Body(new): Body<NewSource>,
) -> Result<HttpResponse> {
    check_secret(new.kind, new.secret.as_deref())?;
    let owner = seal_owner(manager.workspace.id, &new.name);
    let sealed = new.secret.as_ref().map(|secret| sealing_key.seal(&owner, secret.as_bytes()));
    let create = move |conn: &mut Conn| {
        let by_whom = (manager.caller.name.as_str(), manager.caller.user_id());
        let (source, key) = sources::register(conn, manager.workspace.id, new, sealed, by_whom)?;
        let by = manager.by(&client_info);
        let records = vec![by.source_created(&source), by.key_created(&key.key)];
        Ok(((source, key.text), records))
    };
    let (created, key) = audit.with_change(&db, create).await?;
    let source = SourceView::new(created, Health::default(), Timestamp::now());
    Ok(HttpResponse::Created().json(CreatedSource { key, source }))
}

/// A key set without a key that can be used would refuse everything.
fn check_secret(kind: Kind, secret: Option<&str>) -> Result<()> {
    if secret.is_some_and(|secret| signature::is_useless(kind, secret)) {
        let detail = "this key set has no key for signatures: send {\"keys\": […]} as the realm publishes it";
        let wrong = FieldError::at("/secret", "invalid", detail);
        return Err(Problem::with_errors(Code::ValidationFailed, vec![wrong]));
    }
    Ok(())
}

/// Changes the settings of a source. For admins.
#[utoipa::path(
    patch, path = "/api/v1/workspaces/{workspace}/sources/{source}", operation_id = "changeSource", tag = "Sources",
    params(SourcePath),
    request_body = SourceChanges,
    responses((status = 200, description = "The source", body = SourceView), ManageProblems)
)]
#[expect(clippy::too_many_arguments, reason = "each is a service of its own")]
pub async fn change(
    db: web::Data<Db>,
    registry: web::Data<Registry>,
    sealing_key: web::Data<SealingKey>,
    AuditContext { audit, client_info }: AuditContext,
    manager: Manager,
    path: web::Path<SourcePath>,
    _no: Params<(NoParams,)>,
    Body(changes): Body<SourceChanges>,
) -> Result<HttpResponse> {
    let (workspace_id, name, caller) =
        (manager.workspace.id, path.into_inner().source, manager.caller.sub.clone());
    let owner = seal_owner(workspace_id, &name);
    let sealed = changes.secret.clone();
    let sealed = sealed.map(|secret| secret.map(|secret| sealing_key.seal(&owner, secret.as_bytes())));
    let wanted = name.clone();
    let change = move |conn: &mut Conn| {
        let (before, after) = sources::change(conn, (workspace_id, &wanted), &changes, sealed)?;
        // An error undoes the change.
        check_secret(after.kind(), changes.secret.as_ref().and_then(Option::as_deref))?;
        let record = manager.by(&client_info).source_changed(&before, &after);
        Ok((after, record.into_iter().collect()))
    };
    let changed = audit.with_change(&db, change).await?;
    registry.invalidate(workspace_id, &name);
    Ok(HttpResponse::Ok().json(view(&db, changed, caller).await?))
}

/// Removes a source and revokes its keys. Its events stay. For admins.
///
/// Refused while it has records in quarantine: replay or discard them first.
#[utoipa::path(
    delete, path = "/api/v1/workspaces/{workspace}/sources/{source}", operation_id = "removeSource", tag = "Sources",
    params(SourcePath),
    responses((status = 204, description = "The source is gone"), ManageProblems)
)]
pub async fn remove(
    db: web::Data<Db>,
    registry: web::Data<Registry>,
    keys: web::Data<ApiKeyCache>,
    AuditContext { audit, client_info }: AuditContext,
    manager: Manager,
    path: web::Path<SourcePath>,
    _no: Params<(NoParams,)>,
) -> Result<HttpResponse> {
    let (workspace_id, name) = (manager.workspace.id, path.into_inner().source);
    let wanted = name.clone();
    let remove = move |conn: &mut Conn| {
        let (source, prefixes) = sources::remove(conn, workspace_id, &wanted)?;
        roles::as_appender(conn, |conn| {
            let state = health::state(conn, workspace_id, &wanted)?;
            if state.is_some_and(|state| state.rejected > 0) {
                let detail = "the source has records in quarantine; replay or discard them first";
                return Err(Problem::new(Code::Conflict, detail));
            }
            Ok(health::forget(conn, workspace_id, &wanted)?)
        })?;
        let record = manager.by(&client_info).source_removed(&source, prefixes.len());
        Ok((prefixes, vec![record]))
    };
    let prefixes = audit.with_change(&db, remove).await?;
    prefixes.iter().for_each(|prefix| keys.invalidate(prefix));
    registry.invalidate(workspace_id, &name);
    Ok(HttpResponse::NoContent().finish())
}

/// That a source is alive, and how far it has counted.
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// The run in which it counts.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 64, example = "2026-11-27T06:00")]
    pub epoch: Option<String>,
    /// The last count that it gave an event, whether the event was sent or not. What has not come up to here is a gap.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 9_007_199_254_740_992_i64, example = 41)]
    pub sequence: Option<i64>,
}

/// Says that a source is alive though it has nothing to send. With the source's key.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{workspace}/sources/{source}/heartbeat", operation_id = "sendHeartbeat", tag = "Sources",
    params(SourcePath),
    request_body = Heartbeat,
    responses((status = 204, description = "It is on record"), WriteProblems)
)]
pub async fn heartbeat(
    request: HttpRequest,
    db: web::Data<Db>,
    ByKey(sender): ByKey,
    path: web::Path<SourcePath>,
    _no: Params<(NoParams,)>,
    BodyOrDefault(Heartbeat { epoch, sequence }): BodyOrDefault<Heartbeat>,
) -> Result<HttpResponse> {
    let open = open(&request, &path, sender).await?;
    let mut checks = Checks::default();
    let epoch = checks.optional::<Epoch, _>("/epoch", epoch);
    let sequence = checks.optional::<Sequence, _>("/sequence", sequence);
    checks
        .finish()
        .map_err(|invalid| Problem::with_errors(Code::ValidationFailed, FieldError::all(invalid)))?;
    let (workspace_id, name) = (open.source.workspace_id, open.source.name.clone());
    db.run(move |conn| {
        roles::as_appender(conn, |conn| {
            logbook_engine::db::dialect::lock_for_writing(conn)?;
            let now = Timestamp::now();
            health::heartbeat(conn, workspace_id, &name, now)?;
            if let Some(sequence) = sequence {
                let epoch = epoch.as_ref().map(|epoch| epoch.as_str()).unwrap_or_default();
                sequences::reached(conn, workspace_id, &name, epoch, sequence.number(), now)?;
            }
            Ok::<_, logbook_engine::Error>(())
        })
        .map_err(Problem::from)
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}
