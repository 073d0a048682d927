//! How many requests a caller may send per minute.
//!
//! Authenticated requests are counted by caller: by API key, by a script's token, or by person. Unauthenticated requests (no
//! token, or one that is refused) and requests for sign-in are counted by network address. So an unauthenticated client
//! takes nothing from an authenticated caller, even from the same address or with the prefix of the caller's key. What
//! unauthenticated clients may cost before they are refused is limited in [`super::unverified`].
//!
//! The limits follow the generic cell rate algorithm (crate governor): the allowance of a minute may be used at once and
//! refills evenly. The headers are those of draft-ietf-httpapi-ratelimit-headers-10.

use std::{
    num::NonZeroU32,
    sync::Mutex,
    time::{Duration, Instant},
};

use actix_web::{
    HttpMessage as _, HttpRequest,
    http::header::{HeaderMap, HeaderName, HeaderValue},
};
use governor::{
    Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DashMapStateStore,
};

use super::{too_many, unverified::UnverifiedLimits, whole_seconds};
use crate::{
    accounts::claims::Claims,
    http::{
        client,
        error::{Problem, Result},
    },
};

const SECONDS: u64 = 60;
/// From this many callers on, those with their full allowance are forgotten once a minute.
const MANY: usize = 10_000;
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Requests that are allowed per minute; 0 is no limit.
#[derive(Clone, Copy, Debug)]
pub struct Allowed {
    /// For each API key, and each token that is not a person's.
    pub key: u32,
    /// For each person.
    pub user: u32,
    /// For each address, of requests without a valid token.
    pub address: u32,
}

pub struct RequestLimits {
    key: Option<Limit>,
    user: Option<Limit>,
    address: Option<Limit>,
    unverified: UnverifiedLimits,
}

impl RequestLimits {
    pub fn new(allowed: Allowed) -> Self {
        let Allowed { key, user, address } = allowed;
        Self {
            key: Limit::new("key", key),
            user: Limit::new("user", user),
            address: Limit::new("address", address),
            unverified: UnverifiedLimits::default(),
        }
    }

    /// Counts an authenticated request.
    ///
    /// # Errors
    /// `rate_limited`
    pub fn authenticated(&self, request: &HttpRequest, caller: &Claims) -> Result<()> {
        let limit = if caller.user_id().is_some() { &self.user } else { &self.key };
        let Some(limit) = limit else { return Ok(()) };
        let (measured, taken) = limit.take(&caller.sub);
        request.extensions_mut().insert(measured);
        taken.map(drop).map_err(refused)
    }

    /// Counts an unauthenticated request.
    ///
    /// # Errors
    /// `rate_limited`
    pub fn unauthenticated(&self, request: &HttpRequest) -> Result<()> {
        let Some(limit) = &self.address else { return Ok(()) };
        let address = client_network(request);
        let (measured, taken) = limit.take(&address);
        request.extensions_mut().insert(measured);
        match taken {
            Ok(0) => Ok(()),
            Ok(_) => {
                self.unverified.has_some(&address);
                Ok(())
            }
            Err(wait) => {
                self.unverified.refused(&address, wait, Instant::now());
                Err(refused(wait))
            }
        }
    }

    /// Asks whether a token may be checked whose check costs something. Counts nothing.
    ///
    /// # Errors
    /// `rate_limited`
    pub fn before_check(&self, request: &HttpRequest) -> Result<()> {
        let Some(limit) = &self.address else { return Ok(()) };
        self.unverified.begin(&client_network(request), limit.pause(), Instant::now()).map_err(|wait| {
            request.extensions_mut().insert(limit.measured(0, wait));
            refused(wait)
        })
    }
}

fn client_network(request: &HttpRequest) -> String {
    client::address(request).map(client::network).unwrap_or_default()
}

fn refused(wait: Duration) -> Problem {
    too_many("requests", wait)
}

/// The values of the response's headers.
struct Measured {
    policy: String,
    left: String,
}

/// Adds the headers of the limit that the request was counted by, where there was one.
pub fn set_headers(request: &HttpRequest, headers: &mut HeaderMap) {
    let extensions = request.extensions();
    let Some(Measured { policy, left }) = extensions.get::<Measured>() else { return };
    for (name, text) in [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, left)] {
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.insert(name, value);
        }
    }
}

struct Limit {
    name: &'static str,
    per_minute: u32,
    callers: RateLimiter<String, DashMapStateStore<String>, DefaultClock, StateInformationMiddleware>,
    cleaned: Mutex<Instant>,
}

impl Limit {
    fn new(name: &'static str, per_minute: u32) -> Option<Self> {
        let quota = Quota::per_minute(NonZeroU32::new(per_minute)?);
        let callers = RateLimiter::keyed(quota).with_middleware::<StateInformationMiddleware>();
        Some(Self { name, per_minute, callers, cleaned: Mutex::new(Instant::now()) })
    }

    /// How long it takes until one more request is allowed, when all are used up.
    fn pause(&self) -> Duration {
        Duration::from_secs(SECONDS) / self.per_minute
    }

    /// Counts a request. Returns how many are left, or how long to wait.
    fn take(&self, who: &String) -> (Measured, Result<u32, Duration>) {
        self.clean();
        match self.callers.check_key(who) {
            Ok(state) => {
                let left = state.remaining_burst_capacity();
                let used = self.per_minute.saturating_sub(left);
                (self.measured(left, self.pause() * used), Ok(left))
            }
            Err(refused) => {
                let wait = refused.wait_time_from(DefaultClock::default().now());
                (self.measured(0, wait), Err(wait))
            }
        }
    }

    fn measured(&self, left: u32, back: Duration) -> Measured {
        let Self { name, per_minute, .. } = self;
        Measured {
            policy: format!("\"{name}\";q={per_minute};w={SECONDS}"),
            left: format!("\"{name}\";r={left};t={}", whole_seconds(back)),
        }
    }

    fn clean(&self) {
        if self.callers.len() < MANY {
            return;
        }
        // If it is locked, another request is cleaning.
        if let Ok(mut cleaned) = self.cleaned.try_lock()
            && cleaned.elapsed().as_secs() >= SECONDS
        {
            *cleaned = Instant::now();
            self.callers.retain_recent();
            self.callers.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_caller_has_an_allowance_of_their_own() {
        let limit = Limit::new("user", 3).expect("a limit");
        for left in [2, 1, 0] {
            let (measured, allowed) = limit.take(&"user:1".into());
            assert!(allowed == Ok(left) && measured.left.starts_with(&format!("\"user\";r={left};t=")));
            assert_eq!(measured.policy, "\"user\";q=3;w=60");
        }
        let wait = limit.take(&"user:1".into()).1.expect_err("the fourth");
        assert!(refused(wait).retry_after_seconds.is_some_and(|seconds| (19..=20).contains(&seconds)));
        assert!(limit.take(&"user:2".into()).1.is_ok());
        assert!(Limit::new("user", 0).is_none());
    }
}
