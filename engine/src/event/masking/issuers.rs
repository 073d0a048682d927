//! Keys that say by their first letters who issued them.

use Alphabet::{Alnum, Base64, Dotted, Hex, Upper, Url};

/// What an issuer's keys consist of, after the prefix.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Alphabet {
    Hex,
    /// Uppercase letters and digits.
    Upper,
    Alnum,
    /// Letters, digits, `_` and `-`.
    Url,
    /// Letters, digits, `+`, `/` and `=`.
    Base64,
    /// Letters, digits, `_`, `-`, `.` and `=`.
    Dotted,
}

impl Alphabet {
    pub(super) fn has(self, byte: u8) -> bool {
        match self {
            Hex => byte.is_ascii_hexdigit(),
            Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Alnum => byte.is_ascii_alphanumeric(),
            Url => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
            Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='),
            Dotted => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'='),
        }
    }
}

/// A prefix, and how many letters of which alphabet follow at least. A key may be longer than that, since issuers make
/// theirs longer, unless it is `exact`.
pub(super) struct Issuer {
    pub prefix: &'static str,
    pub alphabet: Alphabet,
    pub least: usize,
    /// Prefixes that occur in other words too: a key has as many letters, no more, or looks random.
    pub strict: bool,
}

const fn key(prefix: &'static str, alphabet: Alphabet, least: usize) -> Issuer {
    Issuer { prefix, alphabet, least, strict: false }
}

const fn strict(prefix: &'static str, alphabet: Alphabet, least: usize) -> Issuer {
    Issuer { prefix, alphabet, least, strict: true }
}

/// Prefixes, alphabets and lengths are those of gitleaks' rules (<https://github.com/gitleaks/gitleaks>, config/gitleaks.toml
/// at b58d3f1), as far as they need no word beside them; the last ones are Logbook's own.
pub(super) const ISSUERS: &[Issuer] = &[
    key("A3-", Url, 38),
    key("ops_eyJ", Base64, 60),
    key("p8e-", Alnum, 32),
    key("AGE-SECRET-KEY-1", Upper, 50),
    key("LTAI", Alnum, 20),
    key("sk-ant-", Url, 40),
    key("AKCp", Alnum, 69),
    key("cmVmd", Alnum, 59),
    strict("AKIA", Upper, 16),
    strict("ASIA", Upper, 16),
    strict("ABIA", Upper, 16),
    strict("ACCA", Upper, 16),
    key("ABSK", Base64, 109),
    key("bedrock-api-key-", Base64, 28),
    strict("4b1d", Alnum, 38),
    key("CLOJARS_", Alnum, 60),
    key("v1.0-", Url, 170),
    key("dapi", Hex, 32),
    key("doo_v1_", Hex, 64),
    key("dop_v1_", Hex, 64),
    key("dor_v1_", Hex, 64),
    key("dp.pt.", Alnum, 40),
    key("dp.st.", Dotted, 40),
    key("duffel_test_", Url, 40),
    key("duffel_live_", Url, 40),
    key("dt0c01.", Dotted, 80),
    key("EZAK", Alnum, 54),
    key("EZTK", Alnum, 54),
    key("EAAM", Alnum, 100),
    key("EAAC", Alnum, 100),
    key("FLWSECK_TEST-", Url, 12),
    key("FLWSECK-", Url, 12),
    key("fo1_", Url, 43),
    key("fm1a_", Base64, 100),
    key("fm1r_", Base64, 100),
    key("fm2_", Base64, 100),
    key("fio-u-", Url, 60),
    key("AIza", Url, 35),
    key("GOCSPX-", Url, 24),
    key("ya29.", Url, 20),
    key("1//0", Url, 30),
    key("ghp_", Alnum, 36),
    key("gho_", Alnum, 36),
    key("ghu_", Alnum, 36),
    key("ghs_", Alnum, 36),
    key("ghr_", Alnum, 36),
    key("github_pat_", Url, 50),
    key("glcbt-", Url, 20),
    key("gldt-", Url, 20),
    key("glffct-", Url, 20),
    key("glft-", Url, 20),
    key("glimt-", Url, 25),
    key("glagent-", Url, 50),
    key("gloas-", Url, 60),
    key("glpat-", Dotted, 20),
    key("glptt-", Hex, 40),
    key("GR1348941", Url, 20),
    key("glrt-", Dotted, 20),
    key("glsoat-", Url, 20),
    key("glc_", Base64, 32),
    key("glsa_", Url, 40),
    key("HRKU-", Url, 36),
    key("hf_", Alnum, 34),
    key("api_org_", Alnum, 34),
    key("ico-", Alnum, 32),
    key("hvs.", Url, 24),
    key("hvb.", Url, 100),
    key("s-s4t2ud-", Hex, 64),
    key("s-s4t2af-", Hex, 64),
    key("lin_api_", Alnum, 40),
    key("ntn_", Alnum, 40),
    key("secret_", Alnum, 43),
    key("npm_", Alnum, 36),
    strict("API-", Upper, 26),
    key("sk-proj-", Url, 40),
    key("sk-svcacct-", Url, 40),
    key("sk-admin-", Url, 40),
    key("sk-or-v1-", Hex, 64),
    strict("sk-", Alnum, 48),
    key("gsk_", Alnum, 52),
    key("r8_", Alnum, 37),
    key("sha256~", Url, 43),
    key("pplx-", Alnum, 48),
    key("pscale_tkn_", Dotted, 32),
    key("pscale_oauth_", Dotted, 32),
    key("pscale_pw_", Dotted, 32),
    key("PMAK-", Url, 59),
    key("pnu_", Alnum, 36),
    key("pul-", Hex, 40),
    key("pypi-AgEIcHlwaS5vcmc", Url, 50),
    key("pypi-AgENdGVzdC5weXBpLm9yZw", Url, 50),
    key("rdme_", Alnum, 70),
    key("rubygems_", Hex, 48),
    key("tk-us-", Url, 48),
    key("SG.", Dotted, 60),
    key("xkeysib-", Url, 70),
    key("sntrys_eyJ", Dotted, 40),
    key("sntryu_", Hex, 64),
    key("sm_aat_", Alnum, 16),
    key("sm_pat_", Alnum, 16),
    key("sm_sat_", Alnum, 16),
    key("shippo_live_", Hex, 40),
    key("shippo_test_", Hex, 40),
    key("shpat_", Hex, 32),
    key("shpca_", Hex, 32),
    key("shppa_", Hex, 32),
    key("shpss_", Hex, 32),
    key("xapp-", Url, 30),
    key("xoxa-", Url, 16),
    key("xoxb-", Url, 16),
    key("xoxe-", Url, 16),
    key("xoxe.xox", Url, 40),
    key("xoxo-", Url, 16),
    key("xoxp-", Url, 16),
    key("xoxr-", Url, 16),
    key("xoxs-", Url, 16),
    key("xoxc-", Url, 16),
    key("xoxd-", Url, 16),
    key("hooks.slack.com/services/", Base64, 30),
    key("hooks.slack.com/workflows/", Base64, 30),
    key("hooks.slack.com/triggers/", Base64, 30),
    key("discord.com/api/webhooks/", Base64, 18),
    key("sgp_", Url, 40),
    key("sq0atp-", Url, 22),
    key("sq0csp-", Url, 40),
    strict("EAAA", Url, 60),
    key("sk_live_", Alnum, 10),
    key("sk_test_", Alnum, 10),
    key("sk_prod_", Alnum, 10),
    key("rk_live_", Alnum, 10),
    key("rk_test_", Alnum, 10),
    key("rk_prod_", Alnum, 10),
    key("whsec_", Base64, 24),
    strict("SK", Hex, 32),
    strict("key-", Hex, 32),
    key("dckr_pat_", Url, 20),
    key("dckr_oat_", Url, 20),
    key("ATATT3", Dotted, 40),
    key("ATCTT3", Dotted, 40),
    key("ATBB", Alnum, 28),
    key("figd_", Url, 40),
    key("tskey-", Url, 20),
    key("sbp_", Hex, 40),
    key("sb_secret_", Url, 20),
    key("vercel_blob_rw_", Url, 20),
    key("phx_", Alnum, 40),
    key("NRAK-", Upper, 27),
    key("NRII-", Url, 32),
    key("CCIPAT_", Url, 40),
    key("bkua_", Alnum, 40),
    key("rpa_", Alnum, 40),
    key("patA", Dotted, 70),
    // Private keys without their first line: PKCS #8 and PKCS #1 in base64.
    key("MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", Base64, 32),
    key("MIIEvgIBADANBgkqhkiG9w0BAQEFAASC", Base64, 32),
    key("MIIEpAIBAAKCAQEA", Base64, 32),
    key("MIIEowIBAAKCAQEA", Base64, 32),
    key("MIIEogIBAAKCAQEA", Base64, 32),
    key("MC4CAQAwBQYDK2VwBCIEI", Base64, 32),
    key("MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg", Base64, 32),
    key("b3BlbnNzaC1rZXktdjEA", Base64, 32),
    // Logbook's own API keys.
    key("lbk_", Url, 50),
];

/// Longest part of a key that must be there: a failed attempt reads no more.
#[cfg(test)]
pub(super) const LONGEST_LEAST: usize = 170;

impl Issuer {
    /// The end of the key that begins at `start`, where the prefix is.
    pub(super) fn end(&self, text: &[u8], start: usize) -> Option<usize> {
        if start > 0 && text[start - 1].is_ascii_alphanumeric() {
            return None;
        }
        let key = start + self.prefix.len();
        let rest = &text[key..];
        if rest.len() < self.least || !rest[..self.least].iter().all(|byte| self.alphabet.has(*byte)) {
            return None;
        }
        let mut end = self.least;
        if self.strict {
            let more = rest.get(end).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
            return (!more).then_some(key + end);
        }
        while rest.get(end).is_some_and(|byte| self.alphabet.has(*byte)) {
            end += 1;
        }
        // A full stop ends a sentence.
        while end > self.least && rest[end - 1] == b'.' {
            end -= 1;
        }
        Some(key + end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_attempt_is_short() {
        assert!(ISSUERS.iter().all(|issuer| issuer.least <= LONGEST_LEAST));
    }

    #[test]
    fn every_prefix_is_there_once() {
        let mut prefixes: Vec<&str> = ISSUERS.iter().map(|issuer| issuer.prefix).collect();
        prefixes.sort_unstable();
        assert!(prefixes.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
