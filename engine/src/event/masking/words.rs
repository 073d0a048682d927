//! The words that names of secrets consist of. `names.rs` says how they are combined.

/// Words that name a secret.
pub(super) const STRONG: &[&str] = &[
    "password", "passwords", "passwd", "passwds", "pwd", "passphrase", "passphrases", "passcode", "passcodes", "pw",
    "secret", "secrets", "otp", "otps", "totp", "hotp", "pin", "pins", "cvv", "cvc", "csc", "mnemonic",
    // German, Dutch, Scandinavian
    "passwort", "passwörter", "kennwort", "geheimnis", "geheimzahl", "wachtwoord", "lösenord", "losenord",
    "adgangskode", "adgangskoden", "passord", "salasana",
    // Romance
    "contraseña", "contrasena", "contrasenya", "senha", "mdp", "motdepasse", "segredo", "secreto", "segreto",
    // Slavic, Baltic, Hungarian, Turkish, Romanian
    "hasło", "haslo", "heslo", "jelszó", "jelszo", "lozinka", "geslo", "parola", "şifre", "sifre", "parole",
    "slaptažodis", "parool", "пароль", "пароля", "парола", "лозинка", "пин", "пинкод", "секрет",
    // Indonesian, Vietnamese (without spaces)
    "sandi", "katasandi", "matkhau", "mậtkhẩu",
];

/// Words after which an unknown word changes nothing: `password_db`. After the others it does: `secret_santa`.
pub(super) const PASSWORDS: &[&str] =
    &[
    "password", "passwords", "passwd", "pwd", "passphrase", "passwort", "contraseña",
];

/// Names in scripts that have no spaces or whose words break at marks: found anywhere in a name without separators.
pub(super) const SCRIPTS: &[&str] = &[
    "密码", "密碼", "口令", "パスワード", "暗証番号", "暗証", "비밀번호", "암호", "패스워드", "पासवर्ड", "कूटशब्द", "पिन", "পাসওয়ার্ড",
    "கடவுச்சொல்", "రహస్యపదం", "పాస్వర్డ్", "รหัสผ่าน", "كلمةالمرور", "كلمةالسر", "رمزعبور", "گذرواژه", "سیسما",
    "סיסמה", "סיסמא", "κωδικόςπρόσβασης", "κωδικοσπροσβασης", "секретныйключ", "验证码", "驗證碼", "密钥", "秘密鍵", "認証コード",
    "인증번호",
];

/// What may stand after one of `SCRIPTS` without changing what it is: hash, confirmation, again, text.
pub(super) const SCRIPT_REST: &[&str] = &[
    "哈希", "确认", "確認", "明文", "确", "재확인", "확인",
];

/// Words that end a secret's name when it is written without separators: `userpassword`, `APIKey`.
pub(super) const ENDINGS: &[&str] = &[
    "password", "passwd", "passphrase", "passwort", "kennwort", "apikey", "apikeys", "apisecret", "secretkey",
    "privatekey", "accesskey", "signingkey", "encryptionkey", "masterkey", "accesstoken", "authtoken", "refreshtoken",
    "sessiontoken", "apitoken", "bearertoken", "idtoken", "csrftoken", "xsrftoken", "resettoken", "clientsecret",
    "appsecret", "consumersecret", "sharedsecret", "otpcode", "smscode", "wachtwoord",
];

/// Pairs of words that name a secret.
pub(super) const PAIRS: &[(&str, &str)] = &[
    ("api", "key"), ("api", "keys"), ("api", "token"), ("api", "tokens"), ("private", "key"), ("private", "keys"),
    ("secret", "key"), ("access", "key"), ("account", "key"), ("storage", "key"), ("master", "key"), ("token", "key"),
    ("signing", "key"), ("encryption", "key"), ("session", "key"), ("shared", "key"), ("auth", "key"),
    ("recovery", "key"), ("access", "token"), ("access", "tokens"), ("refresh", "token"), ("refresh", "tokens"),
    ("auth", "token"), ("auth", "tokens"), ("authentication", "token"), ("bearer", "token"), ("session", "token"),
    ("id", "token"), ("csrf", "token"), ("xsrf", "token"), ("reset", "token"), ("invite", "token"),
    ("verification", "token"), ("deploy", "token"), ("bot", "token"), ("security", "token"), ("login", "token"),
    ("otp", "code"), ("otp", "codes"), ("backup", "code"), ("backup", "codes"), ("recovery", "code"),
    ("recovery", "codes"), ("recovery", "phrase"), ("seed", "phrase"), ("verification", "code"), ("security", "code"),
    ("sms", "code"), ("mfa", "code"), ("2fa", "code"), ("fa", "code"), ("totp", "code"), ("security", "answer"),
    ("secret", "answer"), ("password", "hash"), ("token", "hash"), ("pin", "hash"), ("totp", "seed"),
    ("mot", "passe"), ("palabra", "clave"), ("kata", "sandi"), ("mat", "khau"), ("mật", "khẩu"),
];

/// Words that name a secret only when its value looks random.
pub(super) const WEAK: &[&str] = &[
    "token", "tokens", "jwt", "credential", "credentials", "authorization", "authentication", "auth", "cookie",
    "cookies", "csrf", "xsrf", "csrftoken", "salt", "seed", "nonce", "bearer", "saml", "assertion", "passkey",
    "clave", "chiave", "schlüssel", "schluessel", "ключ", "токен", "令牌", "トークン", "토큰", "sid", "pass",
];

/// Before `pass`: `db_pass`, and not `boarding_pass`.
pub(super) const PASS_OF: &[&str] = &[
    "db", "database", "mysql", "pg", "postgres", "redis", "smtp", "mail", "email", "ftp", "sftp", "ssh", "user",
    "admin", "root", "login", "wifi", "sudo", "proxy", "ldap", "account", "my", "new", "old", "keystore", "http",
    "basic", "auth",
];

/// Before `key`: keys of tables, caches and lists, which are no secrets though some look random.
pub(super) const KEYS_OF_DATA: &[&str] = &[
    "primary", "foreign", "sort", "partition", "routing", "row", "natural", "composite", "unique", "index", "cache",
    "dedupe", "dedup", "deduplication", "idempotency", "object", "s", "s3", "storage", "file", "issue", "project",
    "jira", "message", "map", "config", "translation", "i18n", "hot", "shift", "arrow", "public", "registry", "group",
    "lookup", "hash", "range", "shard", "aggregate", "correlation", "parent", "child", "external", "business",
    "patient", "case", "queue", "lock", "metric", "feature", "setting", "host", "ssh", "gpg", "pgp", "verify",
    "verification",
];

/// Before `token`: positions in a list, and counts of a language model's tokens.
pub(super) const TOKENS_OF_DATA: &[&str] = &[
    "next", "page", "prev", "previous", "continuation", "continue", "cursor", "sync", "resume", "pagination",
    "scroll", "cancellation", "cancel", "total", "max", "min", "prompt", "completion", "input", "output", "cached",
    "cache", "reasoning", "num", "n", "count", "usage", "used", "remaining", "design", "start", "change", "delta",
    "watch", "consistency", "fencing", "concurrency", "nft", "erc20", "first", "last", "stop", "eos", "bos", "pad",
];

/// Before `authorization`: permission to do something.
pub(super) const AUTHORIZATIONS: &[&str] = &[
    "prior", "pre", "work", "treatment", "travel", "payment", "insurance", "purchase", "marketing", "medical",
];

/// Before a secret's name: whether there is one, or what is done with it.
pub(super) const BEFORE: &[&str] = &[
    "has", "is", "are", "have", "had", "forgot", "forgotten", "requires", "require", "required", "needs", "use",
    "uses", "using", "allow", "allows", "enable", "enabled", "disable", "disabled", "show", "hide", "missing", "no",
    "without", "invalid", "wrong", "incorrect", "bad", "failed", "expired", "lost", "remember", "max", "min",
    "number", "num",
];

/// After a secret's name: about a secret, not one itself.
pub(super) const ABOUT: &[&str] = &[
    "action", "age", "alg", "algorithm", "allowed", "arn", "at", "attempt", "attempts", "audience", "available", "by",
    "change", "changed", "changes", "class", "clicked", "complexity", "consent", "count", "created", "creation",
    "date", "datetime", "days", "description", "dir", "directory", "domain", "enabled", "error", "errors", "event",
    "exists", "expiration", "expire", "expired", "expires", "expiry", "failed", "failures", "field", "fields", "file",
    "filename", "fingerprint", "folder", "form", "format", "hint", "history", "holder", "id", "identifier", "ids",
    "issued", "issuer", "kind", "label", "last4", "length", "level", "lifetime", "limit", "limits", "link",
    "location", "manager", "max", "message", "method", "min", "minutes", "mode", "name", "names", "namespace",
    "notice", "on", "owner", "page", "path", "paths", "permissions", "policy", "prefix", "protected", "protection",
    "provider", "quality", "question", "reason", "ref", "reference", "refreshed", "required", "requirement",
    "requirements", "reset", "resets", "review", "revoked", "rotated", "rotation", "rule", "rules", "scope", "scopes",
    "score", "screen", "seconds", "sent", "set", "settings", "since", "size", "source", "state", "status", "store",
    "strength", "suffix", "template", "time", "timeout", "timestamp", "title", "ttl", "type", "types", "until",
    "updated", "uri", "url", "usage", "used", "valid", "validation", "validators", "validity", "verified", "version",
    "versions", "visible", "warning",
    // The same in other languages.
    "richtlinie", "ablauf", "geändert", "политика",
];

/// After a secret's name: still the secret itself.
pub(super) const ITSELF: &[&str] = &[
    "again", "base64", "b64", "cipher", "clear", "code", "codes", "confirm", "confirmation", "confirmed", "current",
    "digest", "encoded", "encrypted", "hash", "hashed", "hex", "new", "number", "old", "plain", "plaintext", "raw",
    "repeat", "string", "text", "v", "value", "values",
];

/// What is said instead of a secret.
pub(super) const PLACEHOLDERS: &[&str] = &[
    "changed", "disabled", "enabled", "expired", "failed", "false", "filtered", "hidden", "incorrect", "invalid",
    "masked", "missing", "n/a", "no", "none", "null", "ok", "omitted", "optional", "redacted", "removed", "required",
    "reset", "sent", "set", "true", "undefined", "unset", "updated", "wrong", "yes",
];

/// Names of cookies and URL parameters that hold a session.
pub(super) const SESSIONS: &[&str] =
    &[
    "sessionid", "session", "sess", "phpsessid", "jsessionid", "aspsessionid", "sid", "sig", "signature",
];

/// Where sentences are said about fields: the value beside a field's name may be one.
pub(super) const MESSAGES: &[&str] = &[
    "error", "errors", "validation", "violations", "translations", "labels", "schema", "help", "hints",
    "placeholders", "descriptions",
];

/// Members of an object that name a field, and those that have its value.
pub(super) const NAME_MEMBERS: &[&str] =
    &[
    "name", "key", "header", "field", "param", "parameter", "k", "n", "attribute", "property", "variable",
];
pub(super) const VALUE_MEMBERS: &[&str] = &[
    "value", "val", "v", "content", "data", "values", "old", "new", "old_value", "new_value", "before", "after",
    "from", "to",
];

/// Parts of which every secret's name in Latin letters has one; a test holds it.
pub(super) const HINTS: &[&str] = &[
    "pass", "pwd", "pw", "secret", "token", "otp", "pin", "cvv", "cvc", "csc", "credential", "auth", "cookie", "jwt",
    "key", "code", "seed", "salt", "nonce", "mnemonic", "csrf", "xsrf", "phrase", "answer", "bearer", "saml",
    "assertion", "kennwort", "geheim", "wachtwoord", "losenord", "adgangskode", "salasana", "contrasen", "senha",
    "clave", "chiave", "mdp", "motde", "segre", "haslo", "heslo", "jelszo", "lozinka", "geslo", "parol", "sifre",
    "parool", "sandi", "khau", "schluessel", "session", "sess", "sid", "sig",
    // Its -u has a password.
    "curl",
];

/// Parts of secrets' names that are not ASCII, for texts: small, capital and with a capital first letter.
pub(super) const WIDE_HINTS: &[&str] = &[
    "пароль", "пароля", "парол", "пин", "лозинка", "секрет", "ключ", "токен", "contraseñ", "hasło", "jelszó", "şifre",
    "lösenord", "passwör", "schlüssel", "slaptaž", "khẩu", "κωδικ",
];
