//! Signing in, staying signed in, signing out.
//!
//! The access token is kept in the page's memory and lives for a quarter of an hour. The refresh token is a cookie that
//! scripts cannot read. Browsers send it to `/api/v1/auth` only, and it changes at every use.

use std::sync::Arc;

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time::Duration},
};
use tokio::sync::Semaphore;

use crate::{
    accounts::{browsers::KNOWN_SECONDS, sessions::IDLE_SECONDS},
    http::error::{Code, Problem, Result},
    limits::passwords::PasswordLimits,
};

/// A cookie of sign-in. Where the public address is https, its name begins with `__Host-`: browsers then accept it only over
/// TLS, for this host alone, so that no neighbouring host can set it (RFC 6265bis, section 4.1.3.2). Such a cookie has no
/// path of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInCookie {
    /// The refresh token.
    Refresh,
    /// Names a browser in which somebody signed in before (`accounts/browsers.rs`).
    Browser,
    /// What a sign-in at the identity provider began with, until the person comes back.
    Provider,
}

impl SignInCookie {
    fn plain_name(self) -> &'static str {
        match self {
            Self::Refresh => "logbook_refresh",
            Self::Browser => "logbook_browser",
            Self::Provider => "logbook_sign_in",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Refresh | Self::Browser => "/api/v1/auth",
            Self::Provider => "/api/v1/auth/oidc",
        }
    }

    /// The person comes back from another site.
    fn same_site(self) -> SameSite {
        if self == Self::Provider { SameSite::Lax } else { SameSite::Strict }
    }
}

/// Settings of sign-in, and two limits: how many passwords are checked at once (each check takes 19 MiB), and how often
/// somebody may guess one.
pub struct Sessions {
    /// True where the application is served over TLS: browsers then never send the cookie without it.
    pub secure_cookie: bool,
    /// Where people find this server, without a slash at the end: sign-in links begin so.
    pub origin: String,
    hashing: Arc<Semaphore>,
    pub passwords: PasswordLimits,
}

impl Sessions {
    pub fn new(secure_cookie: bool, origin: String) -> Self {
        Self {
            secure_cookie,
            origin,
            hashing: Arc::new(Semaphore::new(2)),
            passwords: PasswordLimits::default(),
        }
    }

    /// The address of a one-time link. The token is in the fragment, which browsers send to no server, so no log has it.
    pub fn link(origin: &str, token: &str) -> String {
        format!("{origin}/sign-in#link={token}")
    }

    /// Waits for permission to check a password, for five seconds at most.
    ///
    /// # Errors
    /// `busy`
    pub async fn turn(&self) -> Result<tokio::sync::OwnedSemaphorePermit> {
        let busy = || Problem::new(Code::Busy, "too many people are signing in at this moment");
        let turn = self.hashing.clone().acquire_owned();
        tokio::time::timeout(std::time::Duration::from_secs(5), turn)
            .await
            .map_err(|_| busy())?
            .map_err(|_| busy())
    }

    /// The value of a cookie that the browser sent.
    pub fn value(&self, request: &HttpRequest, cookie: SignInCookie) -> Option<String> {
        request.cookie(&self.name(cookie)).map(|cookie| cookie.value().to_owned())
    }

    fn name(&self, cookie: SignInCookie) -> String {
        format!("{}{}", if self.secure_cookie { "__Host-" } else { "" }, cookie.plain_name())
    }

    /// The cookie that renews a session.
    pub fn refresh_cookie(&self, token: String) -> Cookie<'static> {
        self.cookie(SignInCookie::Refresh, token, IDLE_SECONDS)
    }

    /// The cookie of a known browser.
    pub fn browser_cookie(&self, token: String) -> Cookie<'static> {
        self.cookie(SignInCookie::Browser, token, KNOWN_SECONDS)
    }

    /// Removes a cookie.
    pub fn no_cookie(&self, cookie: SignInCookie) -> Cookie<'static> {
        self.cookie(cookie, String::new(), 0)
    }

    pub fn cookie(&self, cookie: SignInCookie, value: String, seconds: i64) -> Cookie<'static> {
        Cookie::build(self.name(cookie), value)
            .path(if self.secure_cookie { "/" } else { cookie.path() })
            .http_only(true)
            .same_site(cookie.same_site())
            .secure(self.secure_cookie)
            .max_age(Duration::seconds(seconds))
            .finish()
    }
}
