//! What the name of a field says about its value.

use std::{borrow::Cow, sync::LazyLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use unicode_normalization::UnicodeNormalization as _;

use super::words::{
    ABOUT, AUTHORIZATIONS, BEFORE, ENDINGS, HINTS, ITSELF, KEYS_OF_DATA, PAIRS, PASS_OF, PASSWORDS,
    SCRIPT_REST, SCRIPTS, STRONG, TOKENS_OF_DATA, WEAK,
};

/// Longest name that is looked at, in bytes: longer ones are texts.
const LONGEST: usize = 1024;

/// What is masked of a field's value; what counts more is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    /// As [`Verdict::Plain`], whatever the names above say: the workspace keeps the field.
    Kept,
    /// Only what has the shape of a secret.
    Plain,
    /// Besides, what looks random.
    Weak,
    /// As cookies: the values of those that look random or are secret by name.
    Cookies,
    /// A PIN, or a postal code of six digits as India has them, which stays.
    PinCode,
    /// All of it, except what stands where a secret would be.
    Secret,
    /// All of it, and all below: the workspace masks the field.
    Listed,
}

static LOOK: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(AhoCorasickKind::DFA))
        .build(HINTS)
        .expect("a constant list")
});

/// `password`, `userPassword`, `пароль` and `ｐａｓｓｗｏｒｄ` are secret; `token` and `stripe_key` weak; `password_date`,
/// `next_page_token` and `author` plain.
pub(super) fn verdict(name: &str) -> Verdict {
    // Most names have nothing of a secret's in any case, and are not split into words.
    if name.len() > LONGEST || (name.is_ascii() && !LOOK.is_match(name)) {
        return Verdict::Plain;
    }
    let name = fold(name);
    let joined = joined(&name);
    if joined.as_deref().is_some_and(|joined| STRONG.contains(&joined)) {
        return Verdict::Secret;
    }
    let script = joined.map_or(Verdict::Plain, |joined| verdict_of_script(&joined));
    script.max(verdict_of_words(&words(&name)))
}

/// Full-width letters as the usual ones, and without characters that nobody sees.
pub(super) fn fold(name: &str) -> Cow<'_, str> {
    if name.is_ascii() {
        return Cow::Borrowed(name);
    }
    Cow::Owned(name.chars().filter(|c| !is_invisible(*c)).nfkc().collect())
}

/// Zero-width spaces and joiners, marks of direction, the soft hyphen.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
    )
}

/// What stands between the words of a folded name: blanks, punctuation and dashes of all kinds.
pub(super) fn is_between(c: char) -> bool {
    c.is_whitespace()
        || c.is_ascii_punctuation()
        || matches!(
            c,
            '\u{58a}' | '\u{5be}' | '\u{1806}' | '\u{2010}'
                ..='\u{2015}' | '\u{2212}' | '\u{301c}' | '\u{30a0}'
        )
}

/// In lower case, without what stands between words. None for ASCII, whose words are told apart.
fn joined(name: &str) -> Option<String> {
    (!name.is_ascii())
        .then(|| name.chars().filter(|c| !is_between(*c)).flat_map(char::to_lowercase).collect())
}

fn verdict_of_script(joined: &str) -> Verdict {
    let verdict = |noun: &&str| {
        let at = joined.rfind(noun)?;
        let rest = &joined[at + noun.len()..];
        let rest = rest.trim_matches(|c: char| c.is_ascii_digit() || c == '（' || c == '）');
        Some(if rest.is_empty() || SCRIPT_REST.contains(&rest) { Verdict::Secret } else { Verdict::Plain })
    };
    SCRIPTS.iter().filter_map(verdict).max().unwrap_or(Verdict::Plain)
}

/// `name`, `created_at`, `type`: what a record of a secret says besides the secret.
pub(super) fn is_about(name: &str) -> bool {
    name.len() <= LONGEST && words(&fold(name)).last().is_some_and(|word| has(ABOUT, word))
}

fn verdict_of_words(words: &[String]) -> Verdict {
    let mut verdict = Verdict::Plain;
    for i in 0..words.len() {
        if let Some((base, length)) = noun(words, i) {
            verdict = verdict.max(with_rest(base, &words[..i], &words[i], &words[i + length..]));
        }
    }
    verdict
}

fn has(list: &[&str], word: &str) -> bool {
    list.contains(&word)
}

/// What the word at `i` names, alone or with the next one, and how many words that are.
fn noun(words: &[String], i: usize) -> Option<(Verdict, usize)> {
    let (before, word) = (&words[..i], words[i].as_str());
    let before_has = |list: &[&str]| before.iter().any(|word| has(list, word));
    if let Some(next) = words.get(i + 1) {
        if word == "pin" && matches!(next.as_str(), "code" | "codes") {
            return Some((Verdict::PinCode, 2));
        }
        // "mot de passe"
        if word == "mot" && next == "de" && words.get(i + 2).is_some_and(|word| word == "passe") {
            return Some((Verdict::Secret, 3));
        }
        if PAIRS.contains(&(word, next)) && !before_has(&["public"]) {
            return Some((Verdict::Secret, 2));
        }
    }
    match word {
        "pincode" | "pincodes" => return Some((Verdict::PinCode, 1)),
        "pass" if before_has(PASS_OF) => return Some((Verdict::Secret, 1)),
        "pass" if !before.is_empty() => return None,
        "key" | "keys" => {
            return (!before.is_empty() && !before_has(KEYS_OF_DATA)).then_some((Verdict::Weak, 1));
        }
        "cookie" | "cookies" => return Some((Verdict::Cookies, 1)),
        _ => {}
    }
    if has(STRONG, word) || ENDINGS.iter().any(|ending| word.ends_with(ending)) {
        return Some((Verdict::Secret, 1));
    }
    let token = word.strip_suffix('s').unwrap_or(word);
    if token.ends_with("token") {
        return (!before_has(TOKENS_OF_DATA)).then_some((Verdict::Weak, 1));
    }
    if matches!(word, "authorization" | "authentication") && before_has(AUTHORIZATIONS) {
        return None;
    }
    has(WEAK, word).then_some((Verdict::Weak, 1))
}

fn with_rest(base: Verdict, before: &[String], noun: &str, rest: &[String]) -> Verdict {
    if rest.iter().any(|word| has(ABOUT, word)) {
        return Verdict::Plain;
    }
    let is_itself = rest.iter().all(|word| has(ITSELF, word) || word.chars().all(|c| c.is_ascii_digit()));
    let says_whether = before.iter().any(|word| has(BEFORE, word));
    if says_whether || (!is_itself && !has(PASSWORDS, noun)) {
        return base.min(Verdict::Weak);
    }
    base
}

/// `userPassword`, `user-password` and `USER_PASSWORD` all give `user password`. Numbers at the end of a word are cut
/// off, since forms number their fields: `password1`, `otp_2`, `api_secret_v2`.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut fresh = true;
    let mut after_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() {
            fresh = true;
            continue;
        }
        if fresh || (c.is_uppercase() && after_lower) {
            words.push(String::new());
        }
        fresh = false;
        after_lower = c.is_lowercase() || c.is_numeric();
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
    }
    for word in &mut words {
        word.truncate(word.trim_end_matches(|c: char| c.is_ascii_digit()).len());
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for name in [
            "password",
            "userPassword",
            "NEW-PASSWORD",
            "client_secret",
            "otp",
            "otp_codes",
            "apiKey",
            "password2",
            "password_confirmation",
            "new_password_confirm",
            "passwords",
            "access_token_value",
            "PIN",
            "api_secret_v2",
            "otp_1",
            "APIKey",
            "userpassword",
            "db_pass",
            "mot de passe",
            "пароль",
            "Новый пароль",
            "确认密码",
            "ｐａｓｓｗｏｒｄ",
            "pass\u{200b}word",
            "X-Api-Key",
            "password_db",
        ] {
            assert_eq!(verdict(name), Verdict::Secret, "{name}");
        }
        for name in ["token", "authorization", "stripe_key", "secret_santa", "credentials", "has_password"] {
            assert_eq!(verdict(name), Verdict::Weak, "{name}");
        }
        assert_eq!(verdict("pin_code"), Verdict::PinCode);
        for name in [
            "password_date",
            "token_count",
            "author",
            "pinned",
            "keyboard",
            "secretary",
            "description",
            "total_tokens",
            "next_page_token",
            "nextPageToken",
            "private_key_path",
            "prior_authorization",
            "primary_key",
            "public_key",
            "密码策略",
            "boarding_pass",
            "compass",
            "access_key_id",
            "key",
            "password_hint",
            "digest",
        ] {
            assert_eq!(verdict(name), Verdict::Plain, "{name}");
        }
    }

    #[test]
    fn every_secret_name_has_a_hint() {
        let pairs = PAIRS.iter().map(|(one, other)| format!("{one}_{other}"));
        let words = STRONG.iter().chain(ENDINGS).map(|word| (*word).to_owned());
        for name in pairs.chain(words).filter(|name| name.is_ascii()) {
            assert!(LOOK.is_match(&name), "{name}");
            assert!(verdict(&name.to_uppercase()) >= Verdict::Weak, "{name}");
        }
    }
}
