//! The second factor at sign-in: codes of an authenticator app (TOTP, RFC 6238), and recovery codes.
//!
//! A code is worth something only after the password, or the link, was right: whether an account has a second factor is
//! told to nobody else, and nobody else can use up its guesses.

use std::path::Path;

use logbook_engine::db::{Conn, timestamp::Timestamp};
use serde::Serialize;
use totp_rs::{Builder, Secret, Totp};
use utoipa::ToSchema;

use super::sealing_key::SealingKey;
use crate::{
    accounts::{
        second_factors::{self, SecondFactor},
        secret::random_bytes,
        sessions::Session,
        users::{self, User},
    },
    http::error::{Code, Problem, Result},
    limits::passwords::{Ended, PasswordLimits},
};

/// The name under which apps list the account.
const ISSUER: &str = "Logbook";

/// A secret that waits to be confirmed. It is shown once.
#[derive(Serialize, ToSchema)]
pub struct NewSecondFactor {
    /// For authenticator apps that take it by hand: 160 bits in base32.
    #[schema(example = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")]
    pub secret: String,
    /// For authenticator apps, as a QR code: SHA-1, six digits, 30 seconds.
    #[schema(
        example = "otpauth://totp/Logbook:asha%40clinic.test?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Logbook"
    )]
    pub uri: String,
}

/// What was given as second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// Nothing: the account has none.
    Nothing,
    Code,
    /// One recovery code less; so many are left.
    RecoveryCode {
        left: u32,
    },
}

/// Makes and checks second factors.
pub struct SecondFactors {
    key: SealingKey,
}

impl SecondFactors {
    /// Reads the key in `<data dir>/second-factor.key`, which is created when it is missing.
    ///
    /// # Errors
    /// The file's.
    pub fn from_data_dir(data_dir: &Path) -> std::io::Result<Self> {
        Ok(Self { key: SealingKey::open(data_dir)? })
    }

    /// Makes a secret for an authenticator app. It is asked for only after [`SecondFactors::confirm`].
    ///
    /// # Errors
    /// `sign_in_again` when the session did not begin just now; `conflict` when there is a second factor already, or no
    /// password.
    pub fn set_up(&self, conn: &mut Conn, user: &User, session: &Session) -> Result<NewSecondFactor> {
        session.require_just_now("set up a second factor")?;
        if user.password_hash.is_none() {
            let detail = "set a password first: the second factor is asked for after it";
            return Err(Problem::new(Code::Conflict, detail));
        }
        let secret = random_bytes::<20>();
        let totp = totp(&secret, Some(user))?;
        second_factors::begin(conn, user.id, self.key.seal(&users::subject(user.id), &secret))?;
        let uri = totp.to_url().map_err(|error| broken(&error))?;
        Ok(NewSecondFactor { secret: totp.secret().to_base32(), uri })
    }

    /// Turns on what was set up, when the app shows the right code. Returns the recovery codes.
    ///
    /// # Errors
    /// `conflict` when nothing waits to be confirmed; `second_factor_wrong`; `rate_limited`.
    pub fn confirm(
        &self,
        conn: &mut Conn,
        limits: &PasswordLimits,
        user: &User,
        (session, code): (&Session, &str),
    ) -> Result<Vec<String>> {
        let nothing = || Problem::new(Code::Conflict, "nothing waits to be confirmed; set it up again");
        let pending = second_factors::find_pending(conn, user.id)?.ok_or_else(nothing)?;
        let step = guess(limits, user, None, || self.step_of(&pending, code))?;
        second_factors::turn_on(conn, user.id, step, &session.id)
    }

    /// Checks the second factor of somebody whose password or link was right. `browser` names a browser that is known for the
    /// account. For a transaction, which undoes the use of the code if anything after it fails.
    ///
    /// # Errors
    /// `second_factor_required` when there is one and no code; `second_factor_wrong`; `rate_limited`.
    pub fn check(
        &self,
        conn: &mut Conn,
        limits: &PasswordLimits,
        user: &User,
        (code, browser): (Option<&str>, Option<&str>),
    ) -> Result<Given> {
        let Some(factor) = second_factors::find_on(conn, user.id)? else { return Ok(Given::Nothing) };
        let required = || {
            let detail = "send the code of the authenticator app, or a recovery code, too";
            Problem::new(Code::SecondFactorRequired, detail)
        };
        let code = second_factors::normalized(code.ok_or_else(required)?);
        guess(limits, user, browser, || {
            if code.len() == 6 {
                let step = self.step_of(&factor, &code)?;
                let fresh = second_factors::use_step(conn, user.id, step)?;
                return fresh.then_some(Given::Code).ok_or_else(wrong);
            }
            if second_factors::use_recovery_code(conn, user.id, &code)? {
                let left = second_factors::recovery_codes_left(conn, user.id)?;
                return Ok(Given::RecoveryCode { left });
            }
            Err(wrong())
        })
    }

    /// The step whose code this is: the present one, the one before or the one after it.
    fn step_of(&self, factor: &SecondFactor, code: &str) -> Result<i64> {
        let secret = self.key.open_sealed(&users::subject(factor.user_id), &factor.sealed_secret);
        let secret = secret.ok_or_else(|| {
            tracing::error!(factor.user_id, "second-factor.key does not open a second factor");
            let detail = "the second factor cannot be read; use a recovery code, or ask for a reset";
            Problem::new(Code::Internal, detail)
        })?;
        let now = u64::try_from(Timestamp::now().micros() / 1_000_000).unwrap_or_default();
        let step = totp(&secret, None)?.check(&second_factors::normalized(code), now);
        step.and_then(|step| i64::try_from(step).ok()).ok_or_else(wrong)
    }
}

/// Guesses at a code: as many as the limits allow.
fn guess<T>(
    limits: &PasswordLimits,
    user: &User,
    browser: Option<&str>,
    check: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let guess = limits.begin_code(&users::subject(user.id), browser)?;
    let checked = check();
    limits.end(guess, Ended::of(&checked, &[Code::SecondFactorWrong]));
    checked
}

fn wrong() -> Problem {
    Problem::new(Code::SecondFactorWrong, "the code is wrong, too old, or was used before")
}

/// SHA-1, six digits, 30 seconds, one step to each side: the defaults of the library, and what every app knows.
fn totp(secret: &[u8], user: Option<&User>) -> Result<Totp> {
    let builder = Builder::new().with_secret(Secret::from(secret.to_vec())).with_issuer(Some(ISSUER));
    // A colon separates it from the issuer.
    let name = user.map(|user| user.known_email().unwrap_or(&user.name).replace(':', " "));
    let builder = match name {
        Some(name) => builder.with_account_name(name),
        None => builder,
    };
    builder.build().map_err(|error| broken(&error))
}

fn broken(error: &totp_rs::TotpError) -> Problem {
    tracing::error!(%error, "a second factor could not be made");
    Problem::new(Code::Internal, "the second factor could not be made")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, whose codes have eight digits: the last six of them.
    #[test]
    fn codes_are_those_of_the_standard() {
        let totp = totp(b"12345678901234567890", None).expect("a second factor");
        for (seconds, code) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            let code = &code[2..];
            assert_eq!(totp.generate(seconds).to_string(), code);
            // It is that of its step, also half a minute early and late.
            for now in [seconds - 30, seconds, seconds + 30] {
                assert_eq!(totp.check(code, now), Some(seconds / 30));
            }
            for now in [seconds.checked_sub(61), Some(seconds + 61)].into_iter().flatten() {
                assert_eq!(totp.check(code, now), None);
            }
        }
    }
}
