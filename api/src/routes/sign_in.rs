//! Signing in with a password or a link, staying signed in, signing out.

use actix_web::{HttpRequest, HttpResponse, web};
use logbook_engine::db::{Conn, Db, timestamp::Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    accounts::{
        browsers,
        claims::ACCESS_SECONDS,
        invitations::{self, CameIn, MyInvitation},
        member::Member,
        passwords, permissions,
        sessions::{self, Beginning, Method, NewSession, Renewed},
        sign_in_links,
        users::{self, User},
        workspaces::{self, WorkspaceView},
    },
    audit::{AuditContext, Record, accounts},
    auth::{
        SignedIn,
        permissions::PermissionCache,
        sessions::{Sessions, SignInCookie},
        tokens::Tokens,
    },
    http::{
        body::Body,
        error::{ChangeProblems, Code, Problem, ReadProblems, Result, SignInProblems},
        params::{NoParams, Params},
        validation::no_nul,
    },
    limits::passwords::Ended,
};

/// Within this many seconds after signing in, somebody without a password may set one: an access token that was stolen later
/// must not become a way in of its own.
const JUST_NOW_SECONDS: i64 = 15 * 60;

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
    /// The part of the link after `#link=`.
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
    /// Required when the account has a password.
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
    /// Null for a script's token, and when the identity provider gives no verified address.
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

/// The caller and the workspaces that they may see.
#[derive(Serialize, ToSchema)]
pub struct Me {
    pub user: UserView,
    pub platform_admin: bool,
    pub workspaces: Vec<WorkspaceView>,
    /// Workspaces that the caller is invited to, by name.
    pub invitations: Vec<MyInvitation>,
}

/// Somebody who is signed in: the body of the response, and the token in its cookie.
struct SignedInNow {
    own: sessions::Session,
    session: Session,
    refresh_token: String,
}

impl SignedInNow {
    fn new(conn: &mut Conn, tokens: &Tokens, new: NewSession) -> Result<Self> {
        let NewSession { user, session: own, refresh_token } = new;
        let access_token = tokens.sign(&permissions::claims(conn, &user, &own)?)?;
        let expires_in = ACCESS_SECONDS;
        let session = Session { access_token, token_type: "Bearer", expires_in, user: (&user).into() };
        Ok(Self { own, session, refresh_token })
    }

    fn response(self, sessions: &Sessions) -> HttpResponse {
        HttpResponse::Ok().cookie(sessions.refresh_cookie(self.refresh_token)).json(self.session)
    }
}

/// Signs in with an e-mail address and a password.
#[utoipa::path(
    post, path = "/api/v1/auth/login", operation_id = "signIn", tag = "Sign-in", security(()),
    request_body = Credentials,
    responses((status = 200, description = "Signed in; the response sets a refresh cookie", body = Session), SignInProblems)
)]
pub async fn login(
    request: HttpRequest,
    db: web::Data<Db>,
    tokens: web::Data<Tokens>,
    sessions: web::Data<Sessions>,
    AuditContext { audit, client_info }: AuditContext,
    _no: Params<(NoParams,)>,
    Body(credentials): Body<Credentials>,
) -> Result<HttpResponse> {
    let _turn = sessions.turn().await?;
    let email = credentials.email.clone();
    let mut browser = sessions.value(&request, SignInCookie::Browser);
    if let Some(token) = browser.clone() {
        let email = email.clone();
        browser = db
            .run(move |conn| Ok::<_, Problem>(browsers::is_known(conn, &token, &email)?.then_some(token)))
            .await?;
    }
    let guess = sessions.passwords.begin(&email, client_info.network(), browser.as_deref());
    let guess = guess.inspect_err(|problem| audit.address_limited("passwords", problem, &client_info))?;
    let from = client_info.clone();
    let signed_in = db
        .run(move |conn| {
            let user = users::check_password(conn, &credentials.email, &credentials.password)?;
            let user_id = user.id;
            let new = sessions::start(conn, user, Beginning::new(Method::Password, &from))?;
            let browser = match browser {
                Some(token) => {
                    browsers::touch(conn, &token)?;
                    token
                }
                None => browsers::add(conn, user_id)?,
            };
            Ok((SignedInNow::new(conn, &tokens, new)?, browser))
        })
        .await;
    sessions.passwords.end(guess, ended(&signed_in, Code::InvalidCredentials));
    match signed_in {
        Ok((signed_in, browser)) => {
            audit.signed_in(&signed_in.own, &client_info);
            let mut response = signed_in.response(&sessions);
            response.add_cookie(&sessions.browser_cookie(browser)).map_err(|error| {
                tracing::error!(%error, "a cookie could not be set");
                Problem::new(Code::Internal, "a cookie could not be set")
            })?;
            Ok(response)
        }
        Err(problem) => {
            if problem.code == Code::InvalidCredentials {
                audit.sign_in_failed(&email, problem.code.name(), &client_info);
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

/// Signs in with a one-time link. The link of an invitation creates the account and accepts.
#[utoipa::path(
    post, path = "/api/v1/auth/link", operation_id = "signInByLink", tag = "Sign-in", security(()),
    request_body = SignInLink,
    responses((status = 200, description = "Signed in; the response sets a refresh cookie", body = Session), SignInProblems)
)]
pub async fn link(
    db: web::Data<Db>,
    tokens: web::Data<Tokens>,
    sessions: web::Data<Sessions>,
    AuditContext { audit, client_info }: AuditContext,
    _no: Params<(NoParams,)>,
    Body(link): Body<SignInLink>,
) -> Result<HttpResponse> {
    let from = client_info.clone();
    let signed_in = db
        .run(move |conn| {
            let beginning = Beginning::new(Method::Link, &from);
            let (new, accepted) = match sign_in_links::redeem(conn, &link.token, beginning) {
                Err(problem) if problem.code == Code::LinkInvalid => {
                    let CameIn { new, workspace_id, role } =
                        invitations::redeem(conn, &link.token, beginning)?;
                    let member = Member::new(new.user.clone(), role);
                    (new, Some((workspace_id, member)))
                }
                redeemed => (redeemed?, None),
            };
            let claims = permissions::claims(conn, &new.user, &new.session)?;
            let signed_in = SignedInNow::new(conn, &tokens, new)?;
            Ok::<_, Problem>((
                signed_in,
                accepted.map(|(workspace_id, member)| (workspace_id, member, claims)),
            ))
        })
        .await;
    match signed_in {
        Ok((signed_in, accepted)) => {
            audit.signed_in(&signed_in.own, &client_info);
            if let Some((workspace_id, member, claims)) = accepted {
                let Record { destination, event } =
                    accounts::invitation_accepted(workspace_id, &claims, &member, &client_info);
                audit.record(destination, event);
            }
            Ok(signed_in.response(&sessions))
        }
        Err(problem) => {
            if problem.code == Code::LinkInvalid {
                audit.sign_in_refused("link", problem.code.name(), &client_info);
            }
            Err(problem)
        }
    }
}

/// Exchanges the refresh cookie for a new access token and a new cookie.
#[utoipa::path(
    post, path = "/api/v1/auth/refresh", operation_id = "refreshSession", tag = "Sign-in", security(("refresh_cookie" = [])),
    responses((status = 200, description = "Still signed in; the response replaces the refresh cookie", body = Session), SignInProblems)
)]
pub async fn refresh(
    request: HttpRequest,
    db: web::Data<Db>,
    tokens: web::Data<Tokens>,
    sessions: web::Data<Sessions>,
    permissions: web::Data<PermissionCache>,
    AuditContext { audit, client_info }: AuditContext,
    _no: Params<(NoParams,)>,
) -> Result<HttpResponse> {
    let nobody = || Problem::new(Code::NotSignedIn, "sign in");
    let cookie = sessions.value(&request, SignInCookie::Refresh).ok_or_else(nobody)?;
    let renewed = db.run(move |conn| match sessions::renew(conn, &cookie)? {
        Renewed::Session(new) => Ok(Ok(SignedInNow::new(conn, &tokens, *new)?)),
        Renewed::Reused(session) => Ok::<_, Problem>(Err(session)),
    });
    match renewed.await? {
        Ok(signed_in) => Ok(signed_in.response(&sessions)),
        Err(session) => {
            permissions.invalidate(&session.id);
            audit.refresh_token_reused(&session, &client_info);
            Err(nobody())
        }
    }
}

/// Ends the session, if there is one: its access tokens too.
#[utoipa::path(
    post, path = "/api/v1/auth/logout", operation_id = "signOut", tag = "Sign-in",
    security(("refresh_cookie" = []), ()),
    responses((status = 204, description = "Signed out; the response removes the refresh cookie"), SignInProblems)
)]
pub async fn logout(
    request: HttpRequest,
    db: web::Data<Db>,
    sessions: web::Data<Sessions>,
    permissions: web::Data<PermissionCache>,
    AuditContext { audit, client_info }: AuditContext,
    _no: Params<(NoParams,)>,
) -> Result<HttpResponse> {
    if let Some(cookie) = sessions.value(&request, SignInCookie::Refresh)
        && let Some(session) = db.run(move |conn| sessions::end_by_token(conn, &cookie)).await?
    {
        permissions.invalidate(&session.id);
        audit.signed_out(&session, &client_info);
    }
    Ok(HttpResponse::NoContent().cookie(sessions.no_cookie(SignInCookie::Refresh)).finish())
}

/// Sets the caller's password and ends their other sessions. Somebody without a password has to have signed in within the last
/// quarter of an hour.
#[utoipa::path(
    put, path = "/api/v1/auth/password", operation_id = "setPassword", tag = "Sign-in",
    request_body = NewPassword,
    responses((status = 204, description = "The password is set"), ChangeProblems)
)]
pub async fn set_password(
    db: web::Data<Db>,
    sessions: web::Data<Sessions>,
    permissions: web::Data<PermissionCache>,
    AuditContext { audit, client_info }: AuditContext,
    caller: SignedIn,
    _no: Params<(NoParams,)>,
    Body(new): Body<NewPassword>,
) -> Result<HttpResponse> {
    let session = caller.session()?.to_owned();
    let SignedIn(claims) = caller;
    let _turn = sessions.turn().await?;
    let guess = sessions.passwords.begin(&claims.sub, client_info.network(), None);
    let guess = guess.inspect_err(|problem| audit.caller_limited(&claims, problem, &client_info))?;
    let set = db.run(move |conn| {
        let ended = || Problem::new(Code::Unauthenticated, "the session has ended: sign in again");
        let (user, session) = sessions::find(conn, &session)?.ok_or_else(ended)?;
        passwords::check_strength(&new.password, &user)?;
        if user.password_hash.is_none()
            && session.created_at.plus_seconds(JUST_NOW_SECONDS) < Timestamp::now()
        {
            return Err(Problem::new(Code::SignInAgain, "sign in again, then set the password"));
        }
        users::set_password(conn, &user, new.current_password.as_deref(), &new.password, Some(&session.id))
    });
    let set = set.await;
    // Whichever sessions of this person are remembered: they ended.
    permissions.invalidate_all();
    sessions.passwords.end(guess, ended(&set, Code::WrongPassword));
    if let Err(problem) = set {
        if problem.code == Code::WrongPassword {
            audit.password_refused(&claims, problem.code.name(), &client_info);
        }
        return Err(problem);
    }
    audit.password_set(&claims, &client_info);
    Ok(HttpResponse::NoContent().finish())
}

/// Returns the caller and the workspaces that they may see.
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
            let mut invitations = Vec::new();
            let user = match claims.user_id() {
                Some(id) => {
                    let gone = || Problem::new(Code::Unauthenticated, "this user no longer exists");
                    let user = users::find(conn, id)?.ok_or_else(gone)?;
                    invitations = invitations::of_user(conn, &user)?;
                    UserView::from(&user)
                }
                None => UserView {
                    id: claims.sub.clone(),
                    name: claims.name.clone(),
                    email: None,
                    has_password: false,
                },
            };
            let workspaces = workspaces::visible(conn, |id| claims.role_in(id))?;
            Ok::<_, Problem>(Me { user, platform_admin: claims.platform_admin, workspaces, invitations })
        })
        .await?;
    Ok(HttpResponse::Ok().json(me))
}
