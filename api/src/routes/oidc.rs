//! Sign-in with an identity provider. Browsers open these addresses, so every failure redirects to the sign-in page, which
//! says what happened.

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use logbook_engine::db::Db;
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::{
    accounts::identities::{self, SignedIn},
    audit::{AuditContext, events::ProviderName},
    auth::{
        oidc::{Client, Provider, sign_in::Started},
        permissions::PermissionCache,
        sessions::{Sessions, SignInCookie},
        tokens::Tokens,
    },
    http::{
        error::{Code, Problem, ReadProblems, Result},
        params::{NoParams, Params},
    },
};

/// The path to which the identity provider redirects.
pub const OIDC_CALLBACK: &str = "/api/v1/auth/oidc/callback";

/// How long a sign-in at the provider may take, in seconds.
const SECONDS: i64 = 10 * 60;
/// The audience of the sealed cookie.
const SEALED_FOR: &str = "logbook-sign-in";

#[derive(Serialize, ToSchema)]
pub struct SignInMethods {
    /// Always true: the first administrator has no other way to sign in.
    pub password: bool,
    /// The identity provider; null if none is configured.
    #[schema(required)]
    pub provider: Option<SignInProvider>,
}

#[derive(Serialize, ToSchema)]
pub struct SignInProvider {
    /// For the button: "Sign in with …".
    #[schema(example = "Clinic ID")]
    pub name: String,
    /// The address that starts the sign-in; it takes the page to open afterwards as `next`.
    #[schema(example = "/api/v1/auth/oidc/start")]
    pub start: &'static str,
}

#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// The page to open after signing in: a path of this server. Default: the home page.
    #[validate(length(max = 2000))]
    #[param(example = "/w/clinic/access", max_length = 2000)]
    next: Option<String>,
}

/// The parameters of the provider's redirect (RFC 6749, section 4.1.2; RFC 9207).
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CameBack {
    code: Option<String>,
    state: Option<String>,
    /// The error, instead of a code.
    error: Option<String>,
    /// The issuer of the response.
    iss: Option<String>,
}

/// Why a sign-in failed, as the sign-in page reads it.
#[derive(Clone, Copy)]
enum Failed {
    NotSetUp,
    /// The cookie is missing, too old or of another attempt.
    Expired,
    /// The provider refused, or the person cancelled.
    Refused,
    /// The provider's response is not valid.
    Invalid,
    EmailTaken,
    /// The account is disabled.
    Disabled,
    Unavailable,
}

impl Failed {
    fn name(self) -> &'static str {
        match self {
            Self::NotSetUp => "not_set_up",
            Self::Expired => "expired",
            Self::Refused => "refused",
            Self::Invalid => "invalid",
            Self::EmailTaken => "email_taken",
            Self::Disabled => "disabled",
            Self::Unavailable => "unavailable",
        }
    }
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        match problem.code {
            Code::Conflict => Self::EmailTaken,
            Code::Forbidden => Self::Disabled,
            Code::Unauthenticated | Code::TokenExpired => Self::Invalid,
            _ => Self::Unavailable,
        }
    }
}

/// Returns the ways to sign in.
#[utoipa::path(
    get, path = "/api/v1/auth/methods", operation_id = "getSignInMethods", tag = "Sign-in", security(()),
    responses((status = 200, description = "The ways to sign in", body = SignInMethods), ReadProblems)
)]
pub async fn methods(provider: Option<web::Data<Provider>>, _no: Params<(NoParams,)>) -> HttpResponse {
    let client = provider.as_ref().and_then(|provider| provider.settings.client.as_ref());
    let provider =
        client.map(|client| SignInProvider { name: client.name.clone(), start: "/api/v1/auth/oidc/start" });
    HttpResponse::Ok().json(SignInMethods { password: true, provider })
}

/// Redirects the browser to the identity provider.
#[utoipa::path(
    get, path = "/api/v1/auth/oidc/start", operation_id = "startProviderSignIn", tag = "Sign-in", security(()),
    params(Wanted),
    responses((status = 303, description = "Redirects to the identity provider, or back to the sign-in page with the reason in `failed`"), ReadProblems)
)]
pub async fn start(
    provider: Option<web::Data<Provider>>,
    tokens: web::Data<Tokens>,
    sessions: web::Data<Sessions>,
    Params((wanted,)): Params<(Wanted,)>,
) -> Result<HttpResponse> {
    let next = local_path(wanted.next.as_deref().unwrap_or("/")).unwrap_or_else(|| "/".into());
    let Some((provider, client)) = set_up(provider.as_ref()) else {
        return Ok(back(Failed::NotSetUp, &next));
    };
    let (url, started) = match provider.start(client, next.clone()).await {
        Ok(started) => started,
        Err(problem) => return Ok(back(problem.into(), &next)),
    };
    let sealed = tokens.seal(SEALED_FOR, SECONDS, &started)?;
    Ok(see_other(url.as_str()).cookie(sessions.cookie(SignInCookie::Provider, sealed, SECONDS)).finish())
}

/// Finishes the sign-in when the browser comes back from the identity provider.
#[utoipa::path(
    get, path = "/api/v1/auth/oidc/callback", operation_id = "finishProviderSignIn", tag = "Sign-in", security(()),
    params(CameBack),
    responses(
        (status = 303, description = "Redirects to the requested page with a refresh cookie, or to the sign-in page with the reason in `failed`"),
        ReadProblems,
    )
)]
pub async fn callback(
    request: HttpRequest,
    provider: Option<web::Data<Provider>>,
    db: web::Data<Db>,
    tokens: web::Data<Tokens>,
    (sessions, permissions): (web::Data<Sessions>, web::Data<PermissionCache>),
    AuditContext { audit, client_info }: AuditContext,
    // Providers add parameters of their own: what is unknown is passed over.
    came_back: Result<web::Query<CameBack>, actix_web::Error>,
) -> HttpResponse {
    let mut next = "/".to_owned();
    let signed_in = async {
        let (provider, client) = set_up(provider.as_ref()).ok_or(Failed::NotSetUp)?;
        let sealed = sessions.value(&request, SignInCookie::Provider).ok_or(Failed::Expired)?;
        let started: Started = tokens.unseal(SEALED_FOR, &sealed).map_err(|_| Failed::Expired)?;
        next.clone_from(&started.next);
        let CameBack { code, state, error, iss } = came_back.map_err(|_| Failed::Invalid)?.into_inner();
        if state.as_deref() != Some(&started.state) {
            return Err(Failed::Expired);
        }
        // A response of another provider, passed off as this one's (RFC 9207).
        if iss.is_some_and(|iss| iss != provider.settings.issuer) {
            return Err(Failed::Invalid);
        }
        if let Some(error) = error {
            tracing::warn!(error = %error.escape_debug(), "the identity provider refused a sign-in");
            return Err(Failed::Refused);
        }
        let person = provider.finish(client, &started, code.ok_or(Failed::Invalid)?).await?;
        let seconds = client.session_seconds;
        let from = client_info.clone();
        let signed_in = db.run(move |conn| identities::sign_in(conn, &person, seconds, &from));
        let SignedIn { new, joined, changes } = signed_in.await?;
        // Sessions may have ended: those from before the identity joined, or from before a role changed.
        permissions.invalidate_all();
        let by = ProviderName { issuer: &provider.settings.issuer, name: &client.name };
        if joined {
            audit.identity_joined(by, &new.user, &client_info);
        }
        audit.signed_in(&new.session, &client_info);
        audit.provider_roles_changed(by, &new.user, &changes, &client_info);
        Ok(sessions.refresh_cookie(new.refresh_token))
    };
    let mut response = match signed_in.await {
        Ok(refresh) => see_other(&next).cookie(refresh).finish(),
        Err(failed) => {
            if matches!(failed, Failed::Refused | Failed::Invalid | Failed::EmailTaken | Failed::Disabled) {
                audit.sign_in_refused("provider", failed.name(), &client_info);
            }
            back(failed, &next)
        }
    };
    // The cookie is for one attempt only, whatever its outcome.
    if let Err(error) = response.add_cookie(&sessions.no_cookie(SignInCookie::Provider)) {
        tracing::error!(%error, "a cookie could not be removed");
    }
    response
}

fn set_up(provider: Option<&web::Data<Provider>>) -> Option<(&Provider, &Client)> {
    let provider = provider?.get_ref();
    Some((provider, provider.settings.client.as_ref()?))
}

fn see_other(place: &str) -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::SeeOther();
    response.insert_header((header::LOCATION, place)).insert_header((header::REFERRER_POLICY, "no-referrer"));
    response
}

fn back(failed: Failed, next: &str) -> HttpResponse {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("failed", failed.name());
    if next != "/" {
        query.append_pair("next", next);
    }
    see_other(&format!("/sign-in?{}", query.finish())).finish()
}

/// A path of this server as a browser resolves it; None for any other address, so that a link to Logbook leads nowhere else.
fn local_path(wanted: &str) -> Option<String> {
    let here = Url::parse("http://logbook.invalid").ok()?;
    let url = wanted.starts_with('/').then(|| here.join(wanted).ok())??;
    let local = url.origin() == here.origin() && url.username().is_empty() && !url.path().starts_with("//");
    // The API has no pages, and the sign-in page would redirect to itself.
    let page = !url.path().starts_with("/api/") && url.path() != "/sign-in";
    (local && page).then(|| url[url::Position::BeforePath..].to_owned())
}

#[cfg(test)]
mod tests {
    use super::local_path;

    #[test]
    fn only_a_page_of_this_server_is_led_to() {
        for (wanted, place) in [
            ("/", "/"),
            ("/w/clinic/access?q=a%20b&order=asc#x", "/w/clinic/access?q=a%20b&order=asc#x"),
            ("/w/clinic?q=李雷", "/w/clinic?q=%E6%9D%8E%E9%9B%B7"),
            ("/w/../x", "/x"),
        ] {
            assert_eq!(local_path(wanted).as_deref(), Some(place));
        }
        for wanted in [
            "",
            "w",
            "//attacker.test",
            "///attacker.test",
            "/\\attacker.test",
            "\\\\attacker.test",
            "/\t/attacker.test",
            "/\n/attacker.test",
            "https://attacker.test",
            "javascript:alert(1)",
            "/.//attacker.test",
            "/x/..//attacker.test",
            "/api/v1/auth/oidc/start",
            "/sign-in?failed=expired",
        ] {
            assert_eq!(local_path(wanted), None, "{wanted}");
        }
    }
}
