//! How much a caller may ask in a minute.
//!
//! Whoever is known is measured by who they are: the holder of a key or of a script's token, or a person. Whoever is not
//! (no token, or one that is refused) is measured by their address, as are the addresses of signing in. So neither a
//! stranger behind the same address nor one who knows a key's prefix takes anything away from those who are known.
//!
//! Measured by the generic cell rate algorithm (crate governor): the allowance of a minute may be used at once and comes
//! back evenly. The headers are those of draft-ietf-httpapi-ratelimit-headers-10.

use std::{
    num::NonZeroU32,
    sync::Mutex,
    time::{Duration, Instant as Clock},
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

use super::{too_many, whole_seconds};
use crate::{
    auth::tokens::Claims,
    error::{Problem, Result},
    visitor,
};

const SECONDS: u64 = 60;
/// From so many callers on those are forgotten, once a minute, whose whole allowance is back.
const MANY: usize = 10_000;
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Requests that are allowed in a minute; 0 is no limit.
#[derive(Clone, Copy, Debug)]
pub struct Allowed {
    /// For each API key, and each token that is not a person's.
    pub key: u32,
    /// For each person.
    pub user: u32,
    /// For each address, of requests without a valid token.
    pub address: u32,
}

pub struct Rates {
    key: Option<Limit>,
    user: Option<Limit>,
    address: Option<Limit>,
}

impl Rates {
    pub fn new(allowed: Allowed) -> Self {
        let Allowed { key, user, address } = allowed;
        Self {
            key: Limit::new("key", key),
            user: Limit::new("user", user),
            address: Limit::new("address", address),
        }
    }

    /// Counts a request of somebody who is known.
    ///
    /// # Errors
    /// `rate_limited`
    pub fn known(&self, request: &HttpRequest, caller: &Claims) -> Result<()> {
        let limit = if caller.user_id().is_some() { &self.user } else { &self.key };
        measure(limit.as_ref(), request, caller.sub.clone())
    }

    /// Counts a request of somebody who is not.
    ///
    /// # Errors
    /// `rate_limited`
    pub fn stranger(&self, request: &HttpRequest) -> Result<()> {
        let address = visitor::address(request).map(visitor::network);
        measure(self.address.as_ref(), request, address.unwrap_or_default())
    }
}

/// What the answer's headers say.
struct Measured {
    policy: String,
    left: String,
}

fn measure(limit: Option<&Limit>, request: &HttpRequest, who: String) -> Result<()> {
    let Some(limit) = limit else { return Ok(()) };
    let (measured, allowed) = limit.take(who);
    request.extensions_mut().insert(measured);
    allowed
}

/// Says in the answer's headers what the request was measured by, where it was.
pub fn tell(request: &HttpRequest, headers: &mut HeaderMap) {
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
    cleaned: Mutex<Clock>,
}

impl Limit {
    fn new(name: &'static str, per_minute: u32) -> Option<Self> {
        let quota = Quota::per_minute(NonZeroU32::new(per_minute)?);
        let callers = RateLimiter::keyed(quota).with_middleware::<StateInformationMiddleware>();
        Some(Self { name, per_minute, callers, cleaned: Mutex::new(Clock::now()) })
    }

    fn take(&self, who: String) -> (Measured, Result<(), Problem>) {
        self.clean();
        let (left, back, allowed) = match self.callers.check_key(&who) {
            Ok(state) => {
                let left = state.remaining_burst_capacity();
                let used = u64::from(self.per_minute.saturating_sub(left));
                let back = Duration::from_millis(used * SECONDS * 1000 / u64::from(self.per_minute));
                (left, back, Ok(()))
            }
            Err(refused) => {
                let wait = refused.wait_time_from(DefaultClock::default().now());
                (0, wait, Err(too_many("requests", wait)))
            }
        };
        let Self { name, per_minute, .. } = self;
        let measured = Measured {
            policy: format!("\"{name}\";q={per_minute};w={SECONDS}"),
            left: format!("\"{name}\";r={left};t={}", whole_seconds(back)),
        };
        (measured, allowed)
    }

    fn clean(&self) {
        if self.callers.len() < MANY {
            return;
        }
        // Whoever finds it locked leaves it to the one who cleans.
        if let Ok(mut cleaned) = self.cleaned.try_lock()
            && cleaned.elapsed().as_secs() >= SECONDS
        {
            *cleaned = Clock::now();
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
            let (measured, allowed) = limit.take("user:1".into());
            assert!(allowed.is_ok() && measured.left.starts_with(&format!("\"user\";r={left};t=")));
            assert_eq!(measured.policy, "\"user\";q=3;w=60");
        }
        let refused = limit.take("user:1".into()).1.expect_err("the fourth");
        assert!(refused.retry_after_seconds.is_some_and(|seconds| (19..=20).contains(&seconds)));
        assert!(limit.take("user:2".into()).1.is_ok());
        assert!(Limit::new("user", 0).is_none());
    }
}
