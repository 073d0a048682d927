//! Which tokens are still checked from an address that has used up its allowance.
//!
//! A token whose check costs something (a query, a signature by a public key) can be refused only after that was spent. So
//! from an address over its allowance such tokens are checked one at a time, as often as the allowance refills; others have
//! to wait. Tokens whose check is cheap, and tokens that were valid before, are not limited here: an unauthenticated client
//! does not delay authenticated callers at the same address.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use quick_cache::unsync::Cache;

/// Addresses that are remembered. Beyond that the least used ones are forgotten.
const MOST: usize = 100_000;
/// After this long without being over it, an address has its full allowance.
const FORGOTTEN: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug)]
struct Over {
    /// When the address was last refused.
    since: Instant,
    /// When its next token is checked.
    next: Instant,
}

pub struct UnverifiedLimits(Mutex<Cache<String, Over>>);

impl Default for UnverifiedLimits {
    fn default() -> Self {
        Self(Mutex::new(Cache::new(MOST)))
    }
}

impl UnverifiedLimits {
    /// Whether a token from this address may be checked now. If so, the next ones have to wait until `pause` is over or the
    /// address has some of its allowance again.
    ///
    /// # Errors
    /// How long to wait.
    pub fn begin(&self, address: &str, pause: Duration, now: Instant) -> Result<(), Duration> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(mut over) = known.get_mut(address) else { return Ok(()) };
        if now.saturating_duration_since(over.since) >= FORGOTTEN {
            return Ok(());
        }
        let wait = over.next.saturating_duration_since(now);
        if wait.is_zero() {
            over.next = now + pause;
            Ok(())
        } else {
            Err(wait)
        }
    }

    /// The address was refused, and has some of its allowance again after `wait`.
    pub fn refused(&self, address: &str, wait: Duration, now: Instant) {
        let over = Over { since: now, next: now + wait };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(address.to_owned(), over);
    }

    /// The address has more of its allowance than it uses.
    pub fn has_some(&self, address: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "198.51.100.4";
    const PAUSE: Duration = Duration::from_secs(2);

    #[test]
    fn an_address_over_its_allowance_has_one_token_checked_at_a_time() {
        let checks = UnverifiedLimits::default();
        let start = Instant::now();
        let checked = |after: f64| {
            let now = start + Duration::from_secs_f64(after);
            (0..1000).filter(|_| checks.begin(HERE, PAUSE, now).is_ok()).count()
        };
        assert_eq!(checked(0.0), 1000);
        checks.refused(HERE, Duration::from_secs(1), start);
        assert_eq!(checks.begin(HERE, PAUSE, start), Err(Duration::from_secs(1)));
        assert!(checks.begin("203.0.113.9", PAUSE, start).is_ok());
        assert_eq!((checked(0.9), checked(1.0), checked(2.9), checked(3.0), checked(4.9)), (0, 1, 0, 1, 0));
        // Refused again, it waits as long as it is told.
        checks.refused(HERE, Duration::from_secs(7), start + Duration::from_secs(5));
        assert_eq!((checked(11.9), checked(12.0)), (0, 1));
        // What comes back to it ends that, and so does a minute.
        checks.has_some(HERE);
        assert_eq!(checked(12.0), 1000);
        checks.refused(HERE, Duration::from_secs(1), start);
        assert_eq!(checked(60.0), 1000);
    }
}
