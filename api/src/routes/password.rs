//! Setting one's password.

use actix_web::{HttpResponse, web};
use logbook_engine::db::{Conn, Db};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::second_factor;
use crate::{
    accounts::{
        passwords,
        sessions::{self, Session},
        users::{self, PasswordHashed, User},
    },
    audit::{AuditContext, accounts},
    auth::{SignedInPerson, permissions::PermissionCache, second_factor::SecondFactors, sessions::Sessions},
    http::{
        body::Body,
        error::{ChangeProblems, Code, Problem, Result},
        params::{NoParams, Params},
    },
    limits::passwords::Ended,
};

/// What makes a guess a wrong one.
const WRONG: [Code; 2] = [Code::WrongPassword, Code::SecondFactorWrong];

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    #[validate(length(min = 12, max = 200))]
    #[schema(format = Password, min_length = 12, max_length = 200)]
    pub password: String,
    /// Required when the account has a password.
    #[serde(default)]
    #[validate(length(max = 200))]
    #[schema(format = Password, max_length = 200)]
    pub current_password: Option<String>,
    /// The code of the second factor, required when the account has one.
    #[serde(default)]
    #[validate(length(min = 1, max = 100))]
    #[schema(example = "492039", min_length = 1, max_length = 100)]
    pub code: Option<String>,
}

/// The person of a session, and the session.
///
/// # Errors
/// `unauthenticated` when it has ended.
pub(super) fn of_session(conn: &mut Conn, session: &str) -> Result<(User, Session)> {
    let ended = || Problem::new(Code::Unauthenticated, "the session has ended: sign in again");
    sessions::find(conn, session)?.ok_or_else(ended)
}

/// Sets the caller's password and ends their other sessions. Somebody without a password has to have signed in within the last
/// quarter of an hour.
#[utoipa::path(
    put, path = "/api/v1/auth/password", operation_id = "setPassword", tag = "Sign-in",
    request_body = NewPassword,
    responses((status = 204, description = "The password is set"), ChangeProblems)
)]
pub async fn set(
    db: web::Data<Db>,
    (sessions, factors): (web::Data<Sessions>, web::Data<SecondFactors>),
    permissions: web::Data<PermissionCache>,
    AuditContext { audit, client_info }: AuditContext,
    SignedInPerson { claims, session, .. }: SignedInPerson,
    _no: Params<(NoParams,)>,
    Body(NewPassword { password, current_password, code }): Body<NewPassword>,
) -> Result<HttpResponse> {
    let _turn = sessions.turn().await?;
    let guess = sessions.passwords.begin(&claims.sub, client_info.network(), None);
    let guess = guess.inspect_err(|problem| audit.caller_limited(&claims, problem, &client_info))?;
    let own = session.clone();
    let checked = db.run(move |conn| {
        let (user, session) = of_session(conn, &own)?;
        passwords::check_strength(&password, &user)?;
        if user.password_hash.is_none() {
            session.require_just_now("set the password")?;
        }
        users::check_current_password(&user, current_password.as_deref())?;
        Ok::<_, Problem>((user, PasswordHashed::new(&password)?))
    });
    let set = match checked.await {
        Ok((user, hashed)) => {
            let (sessions, claims, from) = (sessions.clone(), claims.clone(), client_info.clone());
            let set = move |conn: &mut Conn| {
                let user = users::lock_unchanged(conn, &user)?;
                // Who knows the password alone has no session, and cannot use up the owner's guesses.
                let given =
                    factors.check(conn, &sessions.passwords, &user, (code.as_deref(), Some(&session)))?;
                hashed.store(conn, user.id, Some(&session))?;
                let used = second_factor::record_of_use(user.id, given, &from);
                Ok(((), used.into_iter().chain([accounts::password_set(&claims, &from)]).collect()))
            };
            audit.with_change(&db, set).await
        }
        Err(problem) => Err(problem),
    };
    // Whichever sessions of this person are remembered: they ended.
    permissions.invalidate_all();
    sessions.passwords.end(guess, Ended::of(&set, &WRONG));
    if let Err(problem) = set {
        if WRONG.contains(&problem.code) {
            audit.password_refused(&claims, problem.code.name(), &client_info);
        }
        return Err(problem);
    }
    Ok(HttpResponse::NoContent().finish())
}
