//! The addresses of the fields that a workspace masks or keeps.

use actix_web::{HttpResponse, web};
use logbook_engine::{
    db::{Conn, Db},
    event::masking::{Masker, mask_object_with},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    accounts::{
        masking::{self, Masking},
        workspaces::Workspaces,
    },
    audit::AuditContext,
    auth::{Manager, Member},
    http::{
        body::Body,
        error::{Code, ManageProblems, Problem, ReadProblems, Result},
        params::{NoParams, Params},
    },
};

/// Metadata to try lists on. Nothing of it is stored.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MaskingTrial {
    pub masking: Masking,
    /// Any JSON object, as an event's `metadata`.
    #[schema(value_type = Object, example = json!({"patient_id": "P-1204", "ward": "B2"}))]
    pub metadata: Map<String, Value>,
}

/// What an event would have.
#[derive(Serialize, ToSchema)]
pub struct MaskedTrial {
    /// With `[masked]` in place of each mask: only masks of stored events have a hash.
    #[schema(value_type = Object, example = json!({"patient_id": "[masked]", "ward": "B2"}))]
    pub metadata: Map<String, Value>,
    /// JSON pointers to what was masked.
    #[schema(example = json!(["/metadata/patient_id"]))]
    pub masked: Vec<String>,
}

/// Returns the fields that the workspace masks or keeps by their names.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{workspace}/masking", operation_id = "getMasking", tag = "Workspaces",
    params(crate::http::path::WorkspacePath),
    responses((status = 200, description = "The lists", body = Masking), ReadProblems)
)]
pub async fn get(db: web::Data<Db>, member: Member, _no: Params<(NoParams,)>) -> Result<HttpResponse> {
    let find = move |conn: &mut Conn| masking::find(conn, member.workspace.id).map_err(Problem::from);
    Ok(HttpResponse::Ok().json(Masking::new(&db.run(find).await?.lists)))
}

/// Replaces the lists of fields that the workspace masks or keeps. They apply to events that arrive from now on: here at
/// once, on other servers within 5 seconds. For admins.
#[utoipa::path(
    put, path = "/api/v1/workspaces/{workspace}/masking", operation_id = "changeMasking", tag = "Workspaces",
    params(crate::http::path::WorkspacePath),
    request_body = Masking,
    responses((status = 200, description = "The lists", body = Masking), ManageProblems)
)]
pub async fn change(
    db: web::Data<Db>,
    known: web::Data<Workspaces>,
    AuditContext { audit, client_info }: AuditContext,
    manager: Manager,
    _no: Params<(NoParams,)>,
    Body(wanted): Body<Masking>,
) -> Result<HttpResponse> {
    let lists = wanted.check("")?;
    let id = manager.workspace.id;
    let change = move |conn: &mut Conn| {
        let before = masking::replace(conn, id, &lists)?;
        let record = manager.by(&client_info).masking_changed(&before, &lists);
        Ok((Masking::new(&lists), record.into_iter().collect()))
    };
    let changed = audit.with_change(&db, change).await?;
    known.invalidate_masker(id);
    Ok(HttpResponse::Ok().json(changed))
}

/// Tries lists on some metadata, and stores nothing. For admins.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{workspace}/masking/preview", operation_id = "previewMasking",
    tag = "Workspaces",
    params(crate::http::path::WorkspacePath),
    request_body = MaskingTrial,
    responses((status = 200, description = "The metadata, masked", body = MaskedTrial), ManageProblems)
)]
pub async fn preview(
    _manager: Manager,
    _no: Params<(NoParams,)>,
    Body(MaskingTrial { masking, mut metadata }): Body<MaskingTrial>,
) -> Result<HttpResponse> {
    // Without the workspace's key, with which short secrets could be tried out.
    let masker = Masker::default().with_fields(&masking.check("/masking")?);
    // Not on the thread of other requests.
    let masked = web::block(move || {
        let masked = mask_object_with(&masker, &mut metadata, "/metadata");
        MaskedTrial { metadata, masked }
    });
    let masked = masked.await.map_err(|_| Problem::new(Code::Unavailable, "the server is stopping"))?;
    Ok(HttpResponse::Ok().json(masked))
}
