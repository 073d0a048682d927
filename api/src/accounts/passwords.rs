//! Which passwords are refused: common ones, and one's own address.
//!
//! The library knows the usual lists of leaked passwords, names and words, how they are varied, and patterns of the keyboard
//! (Wheeler, zxcvbn: Low-Budget Password Strength Estimation, USENIX Security 2016). It is part of the binary, so nothing is
//! asked over the network.

use super::users::User;
use crate::http::error::{Code, FieldError, Problem, Result};

/// A password is refused if it would be found in fewer guesses, as a power of ten. Guessing over the network is slowed down
/// to far fewer (`limits/passwords.rs`).
const LEAST_GUESSES: f64 = 8.0;

/// Letters that have to be left of a password without the words that belong to the person.
const LEAST_OWN_LETTERS: usize = 6;

/// A password without these words, however they are written.
fn without(password: &str, words: &[&str]) -> String {
    let mut left = password.to_lowercase();
    // Shorter ones stand in other words too.
    for word in words.iter().filter(|word| word.chars().count() >= 3) {
        left = left.replace(&word.to_lowercase(), "");
    }
    left
}

/// # Errors
/// `validation_failed` for a password that is easy to guess for somebody who knows the person's name and address.
pub fn check_strength(password: &str, user: &User) -> Result<()> {
    let User { email, name, .. } = user;
    let mut known: Vec<&str> = vec![email, name, "logbook"];
    known.extend(email.split(['@', '.', '+', '-', '_']));
    known.extend(name.split_whitespace());
    // Its time grows with the square of the length.
    let start: String = password.chars().take(100).collect();
    let guesses = zxcvbn::zxcvbn(&start, &known).guesses_log10();
    let has_own_letters = without(password, &known).chars().count() >= LEAST_OWN_LETTERS;
    if guesses >= LEAST_GUESSES && has_own_letters && !password.to_lowercase().contains(email.as_str()) {
        return Ok(());
    }
    let detail = "is easy to guess: use several unrelated words";
    let errors = vec![FieldError::at("/password", "too_easy", detail)];
    Err(Problem { errors, ..Problem::new(Code::ValidationFailed, "the password is easy to guess") })
}

#[cfg(test)]
mod tests {
    use logbook_engine::db::timestamp::Timestamp;

    use super::*;

    fn user() -> User {
        User {
            id: 1,
            email: "asha.rao@clinic.test".into(),
            name: "Asha Rao".into(),
            password_hash: None,
            platform_admin: false,
            created_at: Timestamp(0),
            last_sign_in_at: None,
            disabled_at: None,
        }
    }

    #[test]
    fn common_passwords_and_ones_own_address_are_refused() {
        for easy in [
            "password1234",
            "passwordpassword",
            "Password123!!",
            "qwertyuiop[]",
            "qwerty123456",
            "123456789012",
            "aaaaaaaaaaaaaaaa",
            "iloveyou1234",
            "asha.rao@clinic.test",
            "ASHA.RAO@clinic.test",
            "my asha.rao@clinic.test password",
            "asharaoclinic",
            "asharao12345",
            "logbooklogbook",
        ] {
            let problem = check_strength(easy, &user()).expect_err(easy);
            assert_eq!(problem.code, Code::ValidationFailed);
        }
    }

    #[test]
    fn what_cannot_be_guessed_is_accepted() {
        for good in [
            "correct horse battery staple",
            "another long password",
            "9f8h2k3l4j5x",
            "Wolken über dem Deich",
            "李雷和韩梅梅在一起学习中文",
        ] {
            check_strength(good, &user()).expect(good);
        }
    }
}
