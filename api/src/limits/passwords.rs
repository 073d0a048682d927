//! Limits wrong passwords, and wrong codes of a second factor: the wait doubles with each of them.
//!
//! They are counted by account and by network address. The wait of an account stays short, since anybody can cause it and
//! its owner waits too, except in a browser that is known: it has a count of its own. The wait of an address grows long.
//! E-mail addresses that no account has are counted as others are, so that the wait does not reveal whether an account exists.
//!
//! A wrong code counts as a wrong password does, and once more by itself, wherever it comes from. Only somebody who knows the
//! password gets as far as that, so nobody else can make the owner wait, and this wait grows long: about a hundred codes a
//! day, of which three in a million are right.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use quick_cache::unsync::Cache;

use super::too_many;
use crate::http::error::{Code, Result};

/// Accounts and addresses that are remembered. Beyond that the least used ones are forgotten.
const MOST: usize = 100_000;
/// After this long without a wrong password the count starts anew.
const FORGOTTEN: Duration = Duration::from_secs(3600);

/// How many wrong passwords cause no wait, and the longest wait. In between each one doubles it, beginning with a second.
#[derive(Debug)]
struct Patience {
    free: u32,
    longest: Duration,
}

static ACCOUNT: Patience = Patience { free: 5, longest: Duration::from_secs(60) };
static ADDRESS: Patience = Patience { free: 20, longest: Duration::from_secs(15 * 60) };
static CODE: Patience = Patience { free: 5, longest: Duration::from_secs(15 * 60) };

#[derive(Clone, Copy, Debug)]
struct Wrong {
    count: u32,
    last: Instant,
}

impl Patience {
    /// How long it takes from `now` until another password is checked.
    fn wait(&self, wrong: Wrong, now: Instant) -> Duration {
        let Some(beyond) = wrong.count.checked_sub(self.free) else { return Duration::ZERO };
        let wait = Duration::from_secs(1 << beyond.min(20)).min(self.longest);
        wait.saturating_sub(now.saturating_duration_since(wrong.last))
    }
}

/// How a guess ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Right,
    Wrong,
    /// Neither: the database did not respond, or something else is missing.
    Unknown,
}

impl Ended {
    /// How a guess ended for which these are the codes of a wrong one.
    pub fn of<T>(guessed: &Result<T>, wrong: &[Code]) -> Self {
        match guessed {
            Ok(_) => Self::Right,
            Err(problem) if wrong.contains(&problem.code) => Self::Wrong,
            Err(_) => Self::Unknown,
        }
    }
}

/// A guess whose password is being checked. It counts as wrong until it ends otherwise, so that many at once gain nothing,
/// and one whose client disconnects counts.
#[derive(Debug)]
#[must_use]
pub struct Guess {
    /// What it counts for: the account, and the address unless the browser is known.
    counts: Vec<(String, &'static Patience)>,
}

pub struct PasswordLimits(Mutex<Cache<String, Wrong>>);

impl Default for PasswordLimits {
    fn default() -> Self {
        Self(Mutex::new(Cache::new(MOST)))
    }
}

impl PasswordLimits {
    /// Begins a guess at an account's password. `account` is the e-mail address as it was typed, or a user's subject. `browser`
    /// names a browser that is known for the account: guesses from elsewhere do not make it wait.
    ///
    /// # Errors
    /// `rate_limited` when there were too many wrong ones before.
    pub fn begin(&self, account: &str, address: Option<String>, browser: Option<&str>) -> Result<Guess> {
        self.begin_at(account, address, browser, Instant::now())
    }

    fn begin_at(
        &self,
        account: &str,
        address: Option<String>,
        browser: Option<&str>,
        now: Instant,
    ) -> Result<Guess> {
        let account = account.trim().to_ascii_lowercase();
        let counts = match browser {
            Some(browser) => vec![(format!("browser {browser} {account}"), &ACCOUNT)],
            None => vec![
                (format!("account {account}"), &ACCOUNT),
                (format!("address {}", address.unwrap_or_default()), &ADDRESS),
            ],
        };
        self.begin_counting(counts, "wrong passwords", now)
    }

    /// Begins a guess at a code of somebody's second factor. It counts for the account, or for a browser that is known for it.
    ///
    /// # Errors
    /// As [`PasswordLimits::begin`].
    pub fn begin_code(&self, account: &str, browser: Option<&str>) -> Result<Guess> {
        self.begin_code_at(account, browser, Instant::now())
    }

    fn begin_code_at(&self, account: &str, browser: Option<&str>, now: Instant) -> Result<Guess> {
        let key = match browser {
            Some(browser) => format!("code browser {browser} {account}"),
            None => format!("code {account}"),
        };
        self.begin_counting(vec![(key, &CODE)], "wrong codes", now)
    }

    fn begin_counting(
        &self,
        counts: Vec<(String, &'static Patience)>,
        of: &str,
        now: Instant,
    ) -> Result<Guess> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before: Vec<Wrong> = counts
            .iter()
            .map(|(key, _)| match known.get(key) {
                Some(wrong) if now.saturating_duration_since(wrong.last) < FORGOTTEN => *wrong,
                _ => Wrong { count: 0, last: now },
            })
            .collect();
        let waits = counts.iter().zip(&before).map(|((_, patience), wrong)| patience.wait(*wrong, now));
        let wait = waits.max().unwrap_or_default();
        if !wait.is_zero() {
            return Err(too_many(of, wait));
        }
        for ((key, _), Wrong { count, last: _ }) in counts.iter().zip(before) {
            known.insert(key.clone(), Wrong { count: count.saturating_add(1), last: now });
        }
        Ok(Guess { counts })
    }

    /// Ends a guess. A right one resets the count of the account, but not that of the address: otherwise whoever has an
    /// account could guess the passwords of others between their own sign-ins.
    pub fn end(&self, guess: Guess, ended: Ended) {
        self.end_at(guess, ended, Instant::now());
    }

    fn end_at(&self, guess: Guess, ended: Ended, now: Instant) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The first one is the account's.
        for (place, (key, _)) in guess.counts.iter().enumerate() {
            if ended == Ended::Right && place == 0 {
                known.remove(key);
            } else if let Some(mut wrong) = known.get_mut(key) {
                if ended == Ended::Wrong {
                    // The wait begins with the response.
                    wrong.last = now;
                } else {
                    wrong.count = wrong.count.saturating_sub(1);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "198.51.100.4";

    fn wait(guesses: &PasswordLimits, account: &str, address: &str, now: Instant) -> Option<u32> {
        match guesses.begin_at(account, Some(address.into()), None, now) {
            Ok(guess) => {
                guesses.end_at(guess, Ended::Unknown, now);
                None
            }
            Err(problem) => problem.retry_after_seconds,
        }
    }

    fn wrong(guesses: &PasswordLimits, account: &str, address: &str, now: Instant) {
        let guess = guesses.begin_at(account, Some(address.into()), None, now).expect("it is heard");
        guesses.end_at(guess, Ended::Wrong, now);
    }

    #[test]
    fn each_wrong_password_doubles_the_wait_of_an_account_up_to_a_minute() {
        let guesses = PasswordLimits::default();
        let mut now = Instant::now();
        for n in 0..5 {
            assert_eq!(wait(&guesses, "asha@clinic.test", &format!("10.0.0.{n}"), now), None);
            wrong(&guesses, "asha@clinic.test", &format!("10.0.0.{n}"), now);
        }
        for (n, seconds) in [1, 2, 4, 8, 16, 32, 60, 60].into_iter().enumerate() {
            assert_eq!(wait(&guesses, " Asha@Clinic.test", HERE, now), Some(seconds));
            now += Duration::from_secs(seconds.into());
            wrong(&guesses, "asha@clinic.test", &format!("10.0.1.{n}"), now);
        }
        // Another account is another matter, and an hour heals.
        assert_eq!(wait(&guesses, "jo@clinic.test", HERE, now), None);
        assert_eq!(wait(&guesses, "asha@clinic.test", HERE, now + FORGOTTEN), None);
    }

    #[test]
    fn an_address_that_tries_many_accounts_waits_long() {
        let guesses = PasswordLimits::default();
        let mut now = Instant::now();
        for n in 0..20 {
            wrong(&guesses, &format!("user-{n}@clinic.test"), HERE, now);
        }
        for n in 20..32 {
            let seconds = wait(&guesses, "asha@clinic.test", HERE, now).expect("a wait");
            assert_eq!(seconds, (1 << (n - 20)).min(900));
            assert_eq!(wait(&guesses, "asha@clinic.test", "203.0.113.9", now), None);
            now += Duration::from_secs(seconds.into());
            wrong(&guesses, &format!("user-{n}@clinic.test"), HERE, now);
        }
    }

    #[test]
    fn a_right_password_makes_good_what_the_account_had_and_not_what_the_address_had() {
        let guesses = PasswordLimits::default();
        let now = Instant::now();
        for round in 0..5 {
            for n in 0..4 {
                wrong(&guesses, &format!("user-{round}-{n}@clinic.test"), HERE, now);
            }
            if round < 4 {
                let own = guesses
                    .begin_at("mallory@clinic.test", Some(HERE.into()), None, now)
                    .expect("it is heard");
                guesses.end_at(own, Ended::Right, now);
            }
        }
        assert_eq!(wait(&guesses, "mallory@clinic.test", HERE, now), Some(1));
        for _ in 0..4 {
            wrong(&guesses, "asha@clinic.test", "203.0.113.9", now);
        }
        let own =
            guesses.begin_at("asha@clinic.test", Some("203.0.113.9".into()), None, now).expect("it is heard");
        guesses.end_at(own, Ended::Right, now);
        for _ in 0..5 {
            wrong(&guesses, "asha@clinic.test", "203.0.113.9", now);
        }
        assert_eq!(wait(&guesses, "asha@clinic.test", "203.0.113.9", now), Some(1));
    }

    #[test]
    fn codes_are_guessed_about_a_hundred_times_a_day() {
        let guesses = PasswordLimits::default();
        let begin = Instant::now();
        let day = Duration::from_secs(86_400);
        let (mut now, mut heard) = (begin, 0);
        while now < begin + day {
            match guesses.begin_code_at("user:1", None, now) {
                Ok(guess) => {
                    heard += 1;
                    guesses.end_at(guess, Ended::Wrong, now);
                }
                Err(problem) => {
                    now += Duration::from_secs(problem.retry_after_seconds.expect("a wait").into());
                }
            }
        }
        assert!((96..=111).contains(&heard), "{heard}");
        // A browser that is known has a count of its own.
        let known = guesses.begin_code_at("user:1", Some("hers"), now - Duration::from_secs(1));
        guesses.end_at(known.expect("it is heard"), Ended::Right, now);
    }

    #[test]
    fn many_at_once_are_heard_no_more_often() {
        let guesses = PasswordLimits::default();
        let now = Instant::now();
        let heard: Vec<_> = (0..50)
            .filter_map(|_| guesses.begin_at("asha@clinic.test", Some(HERE.into()), None, now).ok())
            .collect();
        assert_eq!(heard.len(), 5);
    }
}
