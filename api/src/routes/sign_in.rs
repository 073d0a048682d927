//! Signing in with a password or a link, staying signed in, signing out.

use actix_web::{HttpRequest, HttpResponse, web};
use logbook_engine::db::{Conn, Db};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::second_factor;
use crate::{
    accounts::{
        browsers,
        claims::ACCESS_SECONDS,
        invitations::{self, CameIn, MyInvitation},
        member::Member,
        permissions, second_factors,
        sessions::{self, Beginning, Method, NewSession, Renewed},
        sign_in_links,
        users::{self, User},
        workspaces::{self, WorkspaceView},
    },
    audit::{AuditContext, AuditLog, accounts},
    auth::{
        SignedIn,
        permissions::PermissionCache,
        second_factor::SecondFactors,
        sessions::{Sessions, SignInCookie},
        tokens::Tokens,
    },
    http::{
        body::Body,
        client::ClientInfo,
        error::{Code, Problem, ReadProblems, Result, SignInProblems},
        params::{NoParams, Params},
        validation::no_nul,
    },
    limits::passwords::Ended,
};

/// What makes a guess a wrong one.
const WRONG: [Code; 2] = [Code::InvalidCredentials, Code::SecondFactorWrong];

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    #[validate(length(min = 1, max = 320), custom(function = no_nul))]
    #[schema(example = "asha@clinic.test", min_length = 1, max_length = 320)]
    pub email: String,
    #[validate(length(min = 1, max = 200))]
    #[schema(format = Password, min_length = 1, max_length = 200)]
    pub password: String,
    /// The code of the second factor, where the account has one: six digits of the authenticator app, or a recovery code.
    #[serde(default)]
    #[validate(length(min = 1, max = 100))]
    #[schema(example = "492039", min_length = 1, max_length = 100)]
    pub code: Option<String>,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInLink {
    /// The part of the link after `#link=`.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    pub token: String,
    /// The code of the second factor, where the account has one: six digits of the authenticator app, or a recovery code.
    #[serde(default)]
    #[validate(length(min = 1, max = 100))]
    #[schema(example = "492039", min_length = 1, max_length = 100)]
    pub code: Option<String>,
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
    /// Whether signing in with the password or a link also takes a code.
    pub second_factor: bool,
    /// Recovery codes of the second factor that were not used yet.
    #[schema(example = 10)]
    pub recovery_codes_left: u32,
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

/// Signs in with an e-mail address and a password, and the code of the second factor where the account has one.
#[utoipa::path(
    post, path = "/api/v1/auth/login", operation_id = "signIn", tag = "Sign-in", security(()),
    request_body = Credentials,
    responses((status = 200, description = "Signed in; the response sets a refresh cookie", body = Session), SignInProblems)
)]
pub async fn login(
    request: HttpRequest,
    db: web::Data<Db>,
    tokens: web::Data<Tokens>,
    (sessions, factors, permissions): (
        web::Data<Sessions>,
        web::Data<SecondFactors>,
        web::Data<PermissionCache>,
    ),
    AuditContext { audit, client_info }: AuditContext,
    _no: Params<(NoParams,)>,
    Body(Credentials { email, password, code }): Body<Credentials>,
) -> Result<HttpResponse> {
    let _turn = sessions.turn().await?;
    let mut browser = sessions.value(&request, SignInCookie::Browser);
    if let Some(token) = browser.clone() {
        let email = email.clone();
        browser = db
            .run(move |conn| Ok::<_, Problem>(browsers::is_known(conn, &token, &email)?.then_some(token)))
            .await?;
    }
    let guess = sessions.passwords.begin(&email, client_info.network(), browser.as_deref());
    let guess = guess.inspect_err(|problem| audit.address_limited("passwords", problem, &client_info))?;
    let claimed = email.clone();
    let checked = db.run(move |conn| users::check_password(conn, &claimed, &password)).await;
    let signed_in = match checked {
        Ok(user) => {
            let (sessions, from) = (sessions.clone(), client_info.clone());
            let sign_in = move |conn: &mut Conn| {
                let user = users::lock_unchanged(conn, &user)?;
                let user_id = user.id;
                let shown = (code.as_deref(), browser.as_deref());
                let given = factors.check(conn, &sessions.passwords, &user, shown)?;
                let new = sessions::start(conn, user, Beginning::new(Method::Password, &from))?;
                let browser = match browser {
                    Some(token) => {
                        browsers::touch(conn, &token)?;
                        token
                    }
                    None => browsers::add(conn, user_id)?,
                };
                let records = second_factor::record_of_use(user_id, given, &from);
                Ok(((SignedInNow::new(conn, &tokens, new)?, browser), records.into_iter().collect()))
            };
            audit.with_change(&db, sign_in).await
        }
        Err(problem) => Err(problem),
    };
    sessions.passwords.end(guess, Ended::of(&signed_in, &WRONG));
    match signed_in {
        Ok((signed_in, browser)) => {
            end_session(&request, &db, (&sessions, &permissions), (&audit, &client_info)).await?;
            audit.signed_in(&signed_in.own, &client_info);
            let mut response = signed_in.response(&sessions);
            response.add_cookie(&sessions.browser_cookie(browser)).map_err(|error| {
                tracing::error!(%error, "a cookie could not be set");
                Problem::new(Code::Internal, "a cookie could not be set")
            })?;
            Ok(response)
        }
        Err(problem) => {
            if WRONG.contains(&problem.code) {
                audit.sign_in_failed(&email, problem.code.name(), &client_info);
            }
            Err(problem)
        }
    }
}

/// Signs in with a one-time link, and the code of the second factor where the account has one. The link of an invitation
/// creates the account and accepts.
#[utoipa::path(
    post, path = "/api/v1/auth/link", operation_id = "signInByLink", tag = "Sign-in", security(()),
    request_body = SignInLink,
    responses((status = 200, description = "Signed in; the response sets a refresh cookie", body = Session), SignInProblems)
)]
pub async fn link(
    request: HttpRequest,
    db: web::Data<Db>,
    tokens: web::Data<Tokens>,
    (sessions, factors, permissions): (
        web::Data<Sessions>,
        web::Data<SecondFactors>,
        web::Data<PermissionCache>,
    ),
    AuditContext { audit, client_info }: AuditContext,
    _no: Params<(NoParams,)>,
    Body(SignInLink { token, code }): Body<SignInLink>,
) -> Result<HttpResponse> {
    let (from, limits) = (client_info.clone(), sessions.clone());
    let sign_in = move |conn: &mut Conn| {
        let beginning = Beginning::new(Method::Link, &from);
        let check = |conn: &mut Conn, user: &User| {
            factors.check(conn, &limits.passwords, user, (code.as_deref(), None))
        };
        let (new, record) = match sign_in_links::redeem(conn, &token, beginning, check) {
            Err(problem) if problem.code == Code::LinkInvalid => {
                let CameIn { new, workspace_id, role } = invitations::redeem(conn, &token, beginning)?;
                let member = Member::new(new.user.clone(), role);
                let claims = permissions::claims(conn, &new.user, &new.session)?;
                let accepted = accounts::invitation_accepted(workspace_id, &claims, &member, &from);
                (new, Some(accepted))
            }
            redeemed => {
                let (new, given) = redeemed?;
                let used = second_factor::record_of_use(new.user.id, given, &from);
                (new, used)
            }
        };
        Ok((SignedInNow::new(conn, &tokens, new)?, record.into_iter().collect()))
    };
    match audit.with_change(&db, sign_in).await {
        Ok(signed_in) => {
            end_session(&request, &db, (&sessions, &permissions), (&audit, &client_info)).await?;
            audit.signed_in(&signed_in.own, &client_info);
            Ok(signed_in.response(&sessions))
        }
        Err(problem) => {
            if [Code::LinkInvalid, Code::SecondFactorWrong].contains(&problem.code) {
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
    end_session(&request, &db, (&sessions, &permissions), (&audit, &client_info)).await?;
    Ok(HttpResponse::NoContent().cookie(sessions.no_cookie(SignInCookie::Refresh)).finish())
}

/// Ends the session that the browser has, if it has one: its access tokens too. Who signs in again does not leave it behind.
async fn end_session(
    request: &HttpRequest,
    db: &Db,
    (sessions, permissions): (&Sessions, &PermissionCache),
    (audit, client_info): (&AuditLog, &ClientInfo),
) -> Result<()> {
    if let Some(cookie) = sessions.value(request, SignInCookie::Refresh)
        && let Some(session) = db.run(move |conn| sessions::end_by_token(conn, &cookie)).await?
    {
        permissions.invalidate(&session.id);
        audit.signed_out(&session, client_info);
    }
    Ok(())
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
            let (mut invitations, mut second_factor, mut recovery_codes_left) = (Vec::new(), false, 0);
            let user = match claims.user_id() {
                Some(id) => {
                    let gone = || Problem::new(Code::Unauthenticated, "this user no longer exists");
                    let user = users::find(conn, id)?.ok_or_else(gone)?;
                    invitations = invitations::of_user(conn, &user)?;
                    second_factor = second_factors::find_on(conn, id)?.is_some();
                    recovery_codes_left = second_factors::recovery_codes_left(conn, id)?;
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
            Ok::<_, Problem>(Me {
                user,
                platform_admin: claims.platform_admin,
                second_factor,
                recovery_codes_left,
                workspaces,
                invitations,
            })
        })
        .await?;
    Ok(HttpResponse::Ok().json(me))
}
