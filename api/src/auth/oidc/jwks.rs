//! The identity provider's public keys: one from a file, or the key set (JWKS, RFC 7517) that it publishes.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use jsonwebtoken::Algorithm;
use tokio::sync::Mutex;

use super::http::HttpError;
use crate::{
    auth::{
        jwt,
        public_keys::{PublicKey, pick},
    },
    http::error::{Code, Problem, Result},
};

/// A set is read again after this long, so that withdrawn keys disappear.
const MAX_AGE: Duration = Duration::from_secs(15 * 60);
/// Tokens that name unknown keys cause the set to be read at most this often.
const PAUSE: Duration = Duration::from_secs(60);
/// While no key is known nobody can sign in, so a provider that was down is asked again soon.
const PAUSE_WITHOUT_KEYS: Duration = Duration::from_secs(5);

/// Where keys come from.
pub(super) enum Jwks {
    /// From a file. It has no name, so a token may name any.
    Fixed(PublicKey),
    Published(Arc<Published>),
}

impl Jwks {
    /// The key that a token has to be signed with. `fetch` blocks.
    ///
    /// # Errors
    /// `unauthenticated` when there is no such key; `provider_unavailable` when that cannot be known.
    pub(super) async fn find(
        &self,
        kid: Option<&str>,
        alg: Algorithm,
        fetch: impl FnOnce() -> Result<Vec<PublicKey>, HttpError> + Send + 'static,
    ) -> Result<PublicKey> {
        match self {
            Self::Fixed(key) if key.algorithms.contains(&alg) => Ok(key.clone()),
            Self::Fixed(_) => Err(jwt::refused()),
            Self::Published(published) => published.find(kid, alg, fetch).await,
        }
    }
}

/// The set as it was read last.
struct Known {
    keys: Vec<PublicKey>,
    read: Instant,
}

/// How the last attempt to read the set went, the very first left out when it went well.
#[derive(Default)]
struct Attempt {
    at: Option<Instant>,
    failed: bool,
}

/// A published set, remembered.
#[derive(Default)]
pub(super) struct Published {
    known: RwLock<Option<Known>>,
    /// Held by the request that reads the set, so that no other does.
    attempt: Mutex<Attempt>,
}

impl Published {
    async fn find(
        self: &Arc<Self>,
        kid: Option<&str>,
        alg: Algorithm,
        fetch: impl FnOnce() -> Result<Vec<PublicKey>, HttpError> + Send + 'static,
    ) -> Result<PublicKey> {
        let (found, fresh) = self.look(kid, alg);
        match found {
            Some(key) if fresh => return Ok(key),
            // Old keys are better than none: only one request reads newer ones, and no request fails meanwhile.
            Some(key) => {
                let Ok(mut attempt) = self.attempt.try_lock() else { return Ok(key) };
                if !self.may_ask(&attempt) {
                    return Ok(key);
                }
                self.ask(&mut attempt, fetch).await;
            }
            None => {
                let mut attempt = self.attempt.lock().await;
                // Whoever held the lock before may have found it.
                if let (Some(key), _) = self.look(kid, alg) {
                    return Ok(key);
                }
                if self.may_ask(&attempt) {
                    self.ask(&mut attempt, fetch).await;
                }
                if attempt.failed && self.look(kid, alg).0.is_none() {
                    let detail = "the keys of the identity provider cannot be read now";
                    return Err(Problem::new(Code::ProviderUnavailable, detail));
                }
            }
        }
        self.look(kid, alg).0.ok_or_else(jwt::refused)
    }

    /// The key, and whether the set was read lately.
    fn look(&self, kid: Option<&str>, alg: Algorithm) -> (Option<PublicKey>, bool) {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let found = known.as_ref().and_then(|known| pick(&known.keys, kid, alg));
        (found, known.as_ref().is_some_and(|known| known.read.elapsed() < MAX_AGE))
    }

    fn may_ask(&self, attempt: &Attempt) -> bool {
        let any = self.known.read().unwrap_or_else(PoisonError::into_inner).is_some();
        may_ask(any, attempt.at.map(|at| at.elapsed()))
    }

    async fn ask(
        self: &Arc<Self>,
        attempt: &mut Attempt,
        fetch: impl FnOnce() -> Result<Vec<PublicKey>, HttpError> + Send + 'static,
    ) {
        let first = self.known.read().unwrap_or_else(PoisonError::into_inner).is_none();
        attempt.at = Some(Instant::now());
        attempt.failed = true;
        let published = self.clone();
        // Stored on the other thread, so that the keys are kept even when the request that asked for them is cancelled.
        let asked = actix_web::web::block(move || {
            let keys = fetch()?;
            let known = Known { keys, read: Instant::now() };
            *published.known.write().unwrap_or_else(PoisonError::into_inner) = Some(known);
            Ok::<_, HttpError>(())
        });
        match asked.await.unwrap_or(Err(HttpError::Stopping)) {
            // The first read does not count as a retry for an unknown key: one may follow at once.
            Ok(()) => *attempt = Attempt { at: attempt.at.filter(|_| !first), failed: false },
            Err(error) => tracing::warn!(%error, "the identity provider's keys cannot be read"),
        }
    }
}

/// Whether the set may be asked for, with keys known or not, that long after the last attempt.
fn may_ask(any_known: bool, since: Option<Duration>) -> bool {
    let pause = if any_known { PAUSE } else { PAUSE_WITHOUT_KEYS };
    since.is_none_or(|since| since >= pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_asked_for_once_a_minute_and_sooner_when_nothing_is_known() {
        let seconds = |n| Some(Duration::from_secs(n));
        assert!(may_ask(true, None) && may_ask(false, None));
        assert!(!may_ask(true, seconds(59)) && may_ask(true, seconds(60)));
        assert!(!may_ask(false, seconds(4)) && may_ask(false, seconds(5)));
    }
}
