//! Signing in, staying signed in, signing out.
//!
//! The access token goes to the page's memory and lives a quarter of an hour; the refresh token is a cookie that scripts
//! cannot read, goes to `/api/v1/auth` only, and changes at every use.

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

/// Settings of signing in, a bound on how many passwords are checked at once (each takes 19 MiB), and on how often
/// somebody may guess one.
pub struct Sessions {
    /// True where the page is served by TLS: the cookie then never travels without it.
    pub secure_cookie: bool,
    /// Where people find this server, without a slash at the end: sign-in links begin so.
    pub origin: String,
    hashing: Arc<Semaphore>,
    pub guesses: PasswordLimits,
}

impl Sessions {
    pub fn new(secure_cookie: bool, origin: String) -> Self {
        Self {
            secure_cookie,
            origin,
            hashing: Arc::new(Semaphore::new(2)),
            guesses: PasswordLimits::default(),
        }
    }

    /// The address of a one-time link. The token stands in the fragment, since browsers send that to no server and no
    /// log has it.
    pub fn link(origin: &str, token: &str) -> String {
        format!("{origin}/sign-in#link={token}")
    }

    /// Waits for a turn, but not for long.
    pub async fn turn(&self) -> Result<tokio::sync::OwnedSemaphorePermit> {
        let busy = || Problem::new(Code::Busy, "many people sign in at this moment");
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
