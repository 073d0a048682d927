//! Signing in, staying signed in, signing out.
//!
//! The access token goes to the page's memory and lives a quarter of an hour; the refresh token is a cookie that scripts
//! cannot read, goes to `/api/v1/auth` only, and changes at every use.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite, time::Duration},
    web,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use utoipa::ToSchema;
use validator::Validate;

use super::{
    SignedIn,
    tokens::{ACCESS_SECONDS, Tokens},
    users::{self, Renewed, SESSION_SECONDS, User},
};
use crate::{
    body::Body,
    brakes::guesses::{Ended, Guesses},
    db::{Conn, Db},
    error::{ChangeProblems, Code, Problem, ReadProblems, Result, SignInProblems},
    journal::Witness,
    logs::validate::no_nul,
    params::{NoParams, Params},
    workspaces::{self, WorkspaceView},
};

const COOKIE: &str = "logbook_refresh";
const COOKIE_PATH: &str = "/api/v1/auth";

/// Settings of signing in, a bound on how many passwords are checked at once (each takes 19 MiB), and on how often
/// somebody may guess one.
pub struct Sessions {
    /// True where the page is served by TLS: the cookie then never travels without it.
    pub secure_cookie: bool,
    /// Where people find this server, without a slash at the end: sign-in links begin so.
    pub origin: String,
    hashing: Arc<Semaphore>,
    guesses: Guesses,
}

impl Sessions {
    pub fn new(secure_cookie: bool, origin: String) -> Self {
        Self { secure_cookie, origin, hashing: Arc::new(Semaphore::new(2)), guesses: Guesses::default() }
    }

    /// The address of a one-time link. The token stands in the fragment, since browsers send that to no server and no
    /// log has it.
    pub fn link(origin: &str, token: &str) -> String {
        format!("{origin}/sign-in#link={token}")
    }

    /// Waits for a turn, but not for long.
    async fn turn(&self) -> Result<tokio::sync::OwnedSemaphorePermit> {
        let busy = || Problem::new(Code::Busy, "many people sign in at this moment");
        let turn = self.hashing.clone().acquire_owned();
        tokio::time::timeout(std::time::Duration::from_secs(5), turn)
            .await
            .map_err(|_| busy())?
            .map_err(|_| busy())
    }

    /// The session, and the cookie that renews it.
    fn answer(&self, (session, refresh): (Session, String)) -> HttpResponse {
        HttpResponse::Ok().cookie(self.refresh_cookie(refresh)).json(session)
    }

    /// The cookie that renews a session.
    pub fn refresh_cookie(&self, token: String) -> Cookie<'static> {
        self.cookie(token, SESSION_SECONDS)
    }

    fn cookie(&self, token: String, seconds: i64) -> Cookie<'static> {
        Cookie::build(COOKIE, token)
            .path(COOKIE_PATH)
            .http_only(true)
            .same_site(SameSite::Strict)
            .secure(self.secure_cookie)
            .max_age(Duration::seconds(seconds))
            .finish()
    }
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    #[validate(length(min = 1, max = 320), custom(function = no_nul))]
    #[schema(example = "asha@clinic.test", min_length = 1, max_length = 320)]
    pub email: String,
    #[validate(length(min = 1, max = 200))]
    #[schema(format = Password, min_length = 1, max_length = 200)]
    pub password: String,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInLink {
    /// What stands behind `#link=` in the link.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    pub token: String,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    #[validate(length(min = 12, max = 200))]
    #[schema(format = Password, min_length = 12, max_length = 200)]
    pub password: String,
    /// Needed once there is a password.
    #[serde(default)]
    #[validate(length(max = 200))]
    #[schema(format = Password, max_length = 200)]
    pub current_password: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserView {
    #[schema(example = "1")]
    pub id: String,
    #[schema(example = "Asha Rao")]
    pub name: String,
    /// Null for a token that was made for a script, and where the identity provider gives no verified address.
    #[schema(required, example = "asha@clinic.test")]
    pub email: Option<String>,
    pub has_password: bool,
}

impl From<&User> for UserView {
    fn from(user: &User) -> Self {
        Self {
            id: user.id.to_string(),
            name: user.name.clone(),
            email: user.known_email().map(str::to_owned),
            has_password: user.password_hash.is_some(),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct Session {
    /// Send it as `Authorization: Bearer <access_token>`.
    pub access_token: String,
    #[schema(example = "Bearer")]
    pub token_type: &'static str,
    /// Seconds until it expires.
    #[schema(example = 900)]
    pub expires_in: i64,
    pub user: UserView,
}

/// Who the caller is and where they may go.
#[derive(Serialize, ToSchema)]
pub struct Me {
    pub user: UserView,
    pub platform_admin: bool,
    pub workspaces: Vec<WorkspaceView>,
}

fn session(conn: &mut Conn, tokens: &Tokens, user: &User) -> Result<Session> {
    let access_token = tokens.sign(&users::claims(conn, user)?)?;
    Ok(Session { access_token, token_type: "Bearer", expires_in: ACCESS_SECONDS, user: user.into() })
}

/// Signs in with e-mail address and password.
#[utoipa::path(
    post, path = "/api/v1/auth/login", operation_id = "signIn", tag = "Sign-in", security(()),
    request_body = Credentials,
    responses((status = 200, description = "Signed in; a refresh cookie is set", body = Session), SignInProblems)
)]
pub async fn login(
    db: web::Data<Db>,
    tokens: web::Data<Tokens>,
    sessions: web::Data<Sessions>,
    Witness { journal, visitor }: Witness,
    _no: Params<(NoParams,)>,
    Body(credentials): Body<Credentials>,
) -> Result<HttpResponse> {
    let _turn = sessions.turn().await?;
    let email = credentials.email.clone();
    let guess = sessions.guesses.begin(&email, visitor.network())?;
    let signed_in = db
        .run(move |conn| {
            let user = users::check_password(conn, &credentials.email, &credentials.password)?;
            let refresh = users::start_session(conn, user.id)?;
            Ok::<_, Problem>((user.id, (session(conn, &tokens, &user)?, refresh)))
        })
        .await;
    sessions.guesses.end(guess, ended(&signed_in, Code::InvalidCredentials));
    match signed_in {
        Ok((user_id, signed_in)) => {
            journal.signed_in(user_id, "password", &visitor);
            Ok(sessions.answer(signed_in))
        }
        Err(problem) => {
            if problem.code == Code::InvalidCredentials {
                journal.sign_in_failed(&email, problem.code.name(), &visitor);
            }
            Err(problem)
        }
    }
}

fn ended<T>(guessed: &Result<T>, wrong: Code) -> Ended {
    match guessed {
        Ok(_) => Ended::Right,
        Err(problem) if problem.code == wrong => Ended::Wrong,
        Err(_) => Ended::Unknown,
    }
}

/// Signs in with a one-time link.
#[utoipa::path(
    post, path = "/api/v1/auth/link", operation_id = "signInByLink", tag = "Sign-in", security(()),
    request_body = SignInLink,
    responses((status = 200, description = "Signed in; a refresh cookie is set", body = Session), SignInProblems)
)]
pub async fn link(
    db: web::Data<Db>,
    tokens: web::Data<Tokens>,
    sessions: web::Data<Sessions>,
    Witness { journal, visitor }: Witness,
    _no: Params<(NoParams,)>,
    Body(link): Body<SignInLink>,
) -> Result<HttpResponse> {
    let signed_in = db
        .run(move |conn| {
            let (user, refresh) = users::use_link(conn, &link.token)?;
            Ok::<_, Problem>((user.id, (session(conn, &tokens, &user)?, refresh)))
        })
        .await;
    match signed_in {
        Ok((user_id, signed_in)) => {
            journal.signed_in(user_id, "link", &visitor);
            Ok(sessions.answer(signed_in))
        }
        Err(problem) => {
            if problem.code == Code::LinkInvalid {
                journal.stranger_refused("link", problem.code.name(), &visitor);
            }
            Err(problem)
        }
    }
}

/// Gives a new access token for the refresh cookie, and a new cookie.
#[utoipa::path(
    post, path = "/api/v1/auth/refresh", operation_id = "refreshSession", tag = "Sign-in", security(("refresh_cookie" = [])),
    responses((status = 200, description = "Still signed in; the refresh cookie is changed", body = Session), SignInProblems)
)]
pub async fn refresh(
    request: HttpRequest,
    db: web::Data<Db>,
    tokens: web::Data<Tokens>,
    sessions: web::Data<Sessions>,
    Witness { journal, visitor }: Witness,
    _no: Params<(NoParams,)>,
) -> Result<HttpResponse> {
    let nobody = || Problem::new(Code::NotSignedIn, "sign in");
    let cookie = request.cookie(COOKIE).ok_or_else(nobody)?;
    let renewed = db.run(move |conn| match users::renew_session(conn, cookie.value())? {
        Renewed::Session(user, refresh) => Ok(Ok((session(conn, &tokens, &user)?, refresh))),
        Renewed::Reused(user_id) => Ok::<_, Problem>(Err(user_id)),
    });
    match renewed.await? {
        Ok(signed_in) => Ok(sessions.answer(signed_in)),
        Err(user_id) => {
            journal.refresh_token_reused(user_id, &visitor);
            Err(nobody())
        }
    }
}

/// Ends the session, where there is one.
#[utoipa::path(
    post, path = "/api/v1/auth/logout", operation_id = "signOut", tag = "Sign-in",
    security(("refresh_cookie" = []), ()),
    responses((status = 204, description = "Signed out; the refresh cookie is removed"), SignInProblems)
)]
pub async fn logout(
    request: HttpRequest,
    db: web::Data<Db>,
    sessions: web::Data<Sessions>,
    Witness { journal, visitor }: Witness,
    _no: Params<(NoParams,)>,
) -> Result<HttpResponse> {
    if let Some(cookie) = request.cookie(COOKIE)
        && let Some(user_id) = db.run(move |conn| users::end_session(conn, cookie.value())).await?
    {
        journal.signed_out(user_id, &visitor);
    }
    Ok(HttpResponse::NoContent().cookie(sessions.cookie(String::new(), 0)).finish())
}

/// Sets the caller's password and ends their other sessions.
#[utoipa::path(
    put, path = "/api/v1/auth/password", operation_id = "setPassword", tag = "Sign-in",
    request_body = NewPassword,
    responses((status = 204, description = "The password is set"), ChangeProblems)
)]
pub async fn set_password(
    request: HttpRequest,
    db: web::Data<Db>,
    sessions: web::Data<Sessions>,
    Witness { journal, visitor }: Witness,
    SignedIn(claims): SignedIn,
    _no: Params<(NoParams,)>,
    Body(new): Body<NewPassword>,
) -> Result<HttpResponse> {
    let nobody = || Problem::new(Code::Forbidden, "this token belongs to no person");
    let user_id = claims.user_id().ok_or_else(nobody)?;
    let cookie = request.cookie(COOKIE).map(|cookie| cookie.value().to_owned());
    let _turn = sessions.turn().await?;
    let guess = sessions.guesses.begin(&claims.sub, visitor.network())?;
    let set = db.run(move |conn| {
        let user = users::find(conn, user_id)?.ok_or_else(nobody)?;
        users::set_password(conn, &user, new.current_password.as_deref(), &new.password, cookie.as_deref())
    });
    let set = set.await;
    sessions.guesses.end(guess, ended(&set, Code::WrongPassword));
    if let Err(problem) = set {
        if problem.code == Code::WrongPassword {
            journal.password_refused(user_id, problem.code.name(), &visitor);
        }
        return Err(problem);
    }
    journal.password_set(user_id, &visitor);
    Ok(HttpResponse::NoContent().finish())
}

/// Who the caller is, and the workspaces they may see.
#[utoipa::path(
    get, path = "/api/v1/me", operation_id = "getMe", tag = "Sign-in",
    responses((status = 200, description = "The caller", body = Me), ReadProblems)
)]
pub async fn me(
    db: web::Data<Db>,
    SignedIn(claims): SignedIn,
    _no: Params<(NoParams,)>,
) -> Result<HttpResponse> {
    let me = db
        .run(move |conn| {
            let user = match claims.user_id() {
                Some(id) => {
                    let gone = || Problem::new(Code::Unauthenticated, "this user is no longer here");
                    UserView::from(&users::find(conn, id)?.ok_or_else(gone)?)
                }
                None => UserView {
                    id: claims.sub.clone(),
                    name: claims.name.clone(),
                    email: None,
                    has_password: false,
                },
            };
            let workspaces = workspaces::visible(conn, |id| claims.role_in(id))?;
            Ok::<_, Problem>(Me { user, platform_admin: claims.platform_admin, workspaces })
        })
        .await?;
    Ok(HttpResponse::Ok().json(me))
}
