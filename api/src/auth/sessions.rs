//! Signing in, staying signed in, signing out.
//!
//! The access token is kept in the page's memory and lives for a quarter of an hour. The refresh token is a cookie that
//! scripts cannot read. Browsers send it to `/api/v1/auth` only, and it changes at every use.

use std::sync::Arc;

use actix_web::cookie::{Cookie, SameSite, time::Duration};
use tokio::sync::Semaphore;

use crate::{
    accounts::refresh_tokens::SESSION_SECONDS,
    http::error::{Code, Problem, Result},
    limits::passwords::PasswordLimits,
};

pub const COOKIE: &str = "logbook_refresh";
const COOKIE_PATH: &str = "/api/v1/auth";

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

    /// The cookie that renews a session.
    pub fn refresh_cookie(&self, token: String) -> Cookie<'static> {
        self.cookie(token, SESSION_SECONDS)
    }

    pub fn cookie(&self, token: String, seconds: i64) -> Cookie<'static> {
        Cookie::build(COOKIE, token)
            .path(COOKIE_PATH)
            .http_only(true)
            .same_site(SameSite::Strict)
            .secure(self.secure_cookie)
            .max_age(Duration::seconds(seconds))
            .finish()
    }
}
