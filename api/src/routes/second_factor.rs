//! Turning one's second factor on and off.

use actix_web::{HttpResponse, web};
use diesel::Connection as _;
use logbook_engine::db::{Conn, Db};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::password::of_session;
use crate::{
    accounts::{second_factors, users},
    audit::{AuditContext, Record, accounts},
    auth::{
        SignedInPerson,
        permissions::PermissionCache,
        second_factor::{Given, NewSecondFactor, SecondFactors},
        sessions::Sessions,
    },
    http::{
        body::Body,
        client::ClientInfo,
        error::{ManageProblems, Problem, Result},
        params::{NoParams, Params},
    },
};

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecondFactorCode {
    /// What the authenticator app shows.
    #[validate(length(min = 1, max = 100))]
    #[schema(example = "492039", min_length = 1, max_length = 100)]
    pub code: String,
}

/// Codes for somebody who has lost their authenticator app. They are shown once; each signs in once.
#[derive(Serialize, ToSchema)]
pub struct RecoveryCodes {
    #[schema(example = json!(["QK3F7ZP-AXW2MLB-TE4RNCH-6JDVY"]))]
    pub recovery_codes: Vec<String>,
}

/// The event of a recovery code that was used.
pub(super) fn record_of_use(user_id: i32, given: Given, client_info: &ClientInfo) -> Option<Record> {
    match given {
        Given::RecoveryCode { left } => Some(accounts::recovery_code_used(user_id, left, client_info)),
        Given::Nothing | Given::Code => None,
    }
}

/// Makes a secret for the caller's authenticator app. Nothing asks for its codes until one confirms it, within a quarter of an
/// hour. The caller has a password, and signed in within the last quarter of an hour.
#[utoipa::path(
    post, path = "/api/v1/me/second_factor", operation_id = "setUpSecondFactor", tag = "Sign-in",
    responses((status = 201, description = "The secret, which is shown once", body = NewSecondFactor), ManageProblems)
)]
pub async fn set_up(
    db: web::Data<Db>,
    factors: web::Data<SecondFactors>,
    SignedInPerson { id, session, .. }: SignedInPerson,
    _no: Params<(NoParams,)>,
) -> Result<HttpResponse> {
    let set_up = move |conn: &mut Conn| {
        users::lock(conn, id)?;
        let (user, session) = of_session(conn, &session)?;
        factors.set_up(conn, &user, &session)
    };
    let made = db.run(move |conn| conn.transaction::<_, Problem, _>(set_up)).await?;
    Ok(HttpResponse::Created().json(made))
}

/// Turns the caller's second factor on, with a first code of the app, and ends their other sessions.
#[utoipa::path(
    put, path = "/api/v1/me/second_factor", operation_id = "confirmSecondFactor", tag = "Sign-in",
    request_body = SecondFactorCode,
    responses((status = 200, description = "It is on; the recovery codes are shown once", body = RecoveryCodes), ManageProblems)
)]
pub async fn confirm(
    db: web::Data<Db>,
    (sessions, factors): (web::Data<Sessions>, web::Data<SecondFactors>),
    permissions: web::Data<PermissionCache>,
    AuditContext { audit, client_info }: AuditContext,
    SignedInPerson { claims, id, session }: SignedInPerson,
    _no: Params<(NoParams,)>,
    Body(SecondFactorCode { code }): Body<SecondFactorCode>,
) -> Result<HttpResponse> {
    let confirm = move |conn: &mut Conn| {
        users::lock(conn, id)?;
        let (user, session) = of_session(conn, &session)?;
        let codes = factors.confirm(conn, &sessions.passwords, &user, (&session, &code))?;
        Ok((codes, vec![accounts::second_factor_set(&claims, &client_info)]))
    };
    let recovery_codes = audit.with_change(&db, confirm).await?;
    permissions.invalidate_all();
    Ok(HttpResponse::Ok().json(RecoveryCodes { recovery_codes }))
}

/// Turns the caller's second factor off. The caller signed in within the last quarter of an hour.
#[utoipa::path(
    delete, path = "/api/v1/me/second_factor", operation_id = "removeSecondFactor", tag = "Sign-in",
    responses((status = 204, description = "It is off, and its recovery codes are gone"), ManageProblems)
)]
pub async fn remove(
    db: web::Data<Db>,
    AuditContext { audit, client_info }: AuditContext,
    SignedInPerson { claims, id, session }: SignedInPerson,
    _no: Params<(NoParams,)>,
) -> Result<HttpResponse> {
    let remove = move |conn: &mut Conn| {
        users::lock(conn, id)?;
        let (_, session) = of_session(conn, &session)?;
        session.require_just_now("turn the second factor off")?;
        if !second_factors::remove(conn, id)? {
            return Err(Problem::not_found());
        }
        Ok(((), vec![accounts::second_factor_removed(&claims, &client_info)]))
    };
    audit.with_change(&db, remove).await?;
    Ok(HttpResponse::NoContent().finish())
}
