"""Masks secrets before an event is in the outbox, where they would be readable until it is sent.

It goes by the names of fields, as Logbook does, and masks a part of what Logbook masks (`engine/src/event/masking` in its repository): what
takes more words to know is left to Logbook. So the event has the same values in the end, but for the fingerprint in a mask, which only
Logbook can make.
"""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache
from typing import Any

MASK = "[masked]"


class Verdict(IntEnum):
    """What is masked of a field's value."""

    NOTHING = 0
    # What looks random.
    WEAK = 1
    # All but what stands where a secret would be.
    SECRET = 2
    # All: the project says so.
    HIDDEN = 3


# Names of secrets: words, pairs of words, and ends of words.
STRONG = {
    "password", "passwords", "passwd", "passwds", "pwd", "passphrase", "passphrases", "passcode", "passcodes", "pw", "secret", "secrets",
    "otp", "otps", "totp", "hotp", "pin", "pins", "cvv", "cvc", "csc", "mnemonic",
}  # fmt: skip
PAIRS = {
    "key": {
        "api", "private", "secret", "access", "account", "storage", "master", "token", "signing", "encryption", "session", "shared", "auth",
        "recovery",
    },
    "keys": {"api", "private"},
    "token": {
        "api", "access", "refresh", "auth", "authentication", "bearer", "session", "id", "csrf", "xsrf", "reset", "invite", "verification",
        "deploy", "bot", "security", "login",
    },
    "tokens": {"api", "access", "refresh", "auth"},
    "code": {"otp", "backup", "recovery", "verification", "security", "sms", "mfa", "totp"},
    "codes": {"otp", "backup", "recovery"},
}  # fmt: skip
ENDINGS = (
    "password", "passwd", "passphrase", "apikey", "apisecret", "secretkey", "privatekey", "accesskey", "signingkey", "encryptionkey",
    "masterkey", "accesstoken", "authtoken", "refreshtoken", "sessiontoken", "apitoken", "bearertoken", "csrftoken", "resettoken",
    "clientsecret", "appsecret", "sharedsecret", "otpcode",
)  # fmt: skip
# Secrets when their values look random.
WEAK = {"jwt", "credential", "credentials", "csrf", "xsrf", "salt", "nonce", "bearer", "passkey"}
# Before "token": positions in a list, and counts of a language model's tokens.
TOKENS_OF_DATA = {
    "next", "page", "prev", "previous", "continuation", "continue", "cursor", "sync", "resume", "pagination", "scroll", "cancellation",
    "cancel", "total", "max", "min", "prompt", "completion", "input", "output", "cached", "cache", "reasoning", "num", "n", "count",
    "usage", "used", "remaining", "design", "start", "change", "delta", "watch", "consistency", "fencing", "concurrency", "nft",
    "erc20", "erc", "first", "last", "stop", "eos", "bos", "pad",
}  # fmt: skip
# Before a secret's name: whether there is one, or what is done with it.
BEFORE = {
    "has", "is", "are", "have", "had", "forgot", "forgotten", "requires", "require", "required", "needs", "use", "uses", "using", "allow",
    "allows", "enable", "enabled", "disable", "disabled", "show", "hide", "missing", "no", "without", "invalid", "wrong", "incorrect",
    "bad", "failed", "expired", "lost", "remember", "max", "min", "number", "num",
}  # fmt: skip
# After a secret's name: still the secret itself.
ITSELF = {
    "again", "base64", "b64", "cipher", "clear", "code", "codes", "confirm", "confirmation", "confirmed", "current", "digest", "encoded",
    "encrypted", "hash", "hashed", "hex", "new", "number", "old", "plain", "plaintext", "raw", "repeat", "string", "text", "v", "value",
    "values",
}  # fmt: skip
# What is said instead of a secret.
PLACEHOLDERS = {
    "changed", "disabled", "enabled", "expired", "failed", "false", "filtered", "hidden", "incorrect", "invalid", "masked", "missing",
    "n/a", "no", "none", "null", "ok", "omitted", "optional", "redacted", "removed", "required", "reset", "sent", "set", "true",
    "undefined", "unset", "updated", "wrong", "yes",
}  # fmt: skip
# Where sentences are said about fields.
MESSAGES = {
    "error", "errors", "validation", "violations", "translations", "labels", "schema", "help", "hints", "placeholders", "descriptions",
}  # fmt: skip

PARTS = ("old", "new", "added", "removed")
NESTED = (dict, list)
LONGEST_NAME = 1024
# Values below a secret's name that are masked one by one. More become one mask.
MOST_LEAVES = 64
_BETWEEN_WORDS = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def mask(event: dict, hidden: frozenset[str]) -> dict:
    """The event, which is JSON, with its secrets masked in changes and metadata. Of fields in `hidden` every value is masked."""
    changes, metadata = event.get("changes"), event.get("metadata")
    if isinstance(changes, list):
        kind = event.get("model") or (event.get("component") or {}).get("type")
        of_token = "token" in str(kind).lower()
        event["changes"] = [_change(change, of_token, hidden) for change in changes]
    if isinstance(metadata, dict):
        event["metadata"] = _members(metadata, Verdict.NOTHING, hidden)
    return event


def verdict(name: str, hidden: frozenset[str] = frozenset()) -> Verdict:
    """What a field's name says about its value: `password`, `apiKey` and `otp_2` are secret, `token` weak, `password_date` nothing."""
    return Verdict.HIDDEN if name in hidden else _verdict(name)


def _change(change: Any, of_token: bool, hidden: frozenset[str]) -> Any:
    if not isinstance(change, dict):
        return change
    field = str(change.get("field"))
    says = verdict(field, hidden)
    if of_token and field == "digest":
        # With which the app compares a token.
        says = max(says, Verdict.SECRET)
    if says is Verdict.NOTHING:
        # As most are: only what is below other names may be a secret.
        nested = {key: change[key] for key in PARTS if isinstance(change.get(key), NESTED)}
        return {**change, **{key: _value(value, says, hidden) for key, value in nested.items()}} if nested else change
    return {key: value if key in ("field", "label") else _value(value, says, hidden) for key, value in change.items()}


def _value(value: Any, says: Verdict, hidden: frozenset[str]) -> Any:
    if isinstance(value, NESTED) and says >= Verdict.SECRET and _leaves(value) > MOST_LEAVES:
        return MASK
    if isinstance(value, str):
        return MASK if _is_secret(value, says) else value
    if value is None:
        return None
    if isinstance(value, bool):
        # Worth keeping: it shows whether there is one.
        return MASK if says is Verdict.HIDDEN else value
    if isinstance(value, int | float):
        return MASK if says >= Verdict.SECRET else value
    if isinstance(value, list):
        # A pair in a list may be a name and its value, which Logbook looks at.
        is_left = says is not Verdict.HIDDEN
        return [item if is_left and isinstance(item, list) and len(item) == 2 else _value(item, says, hidden) for item in value]
    return _members(value, says, hidden)


def _members(members: dict, above: Verdict, hidden: frozenset[str]) -> dict:
    return {key: value if key.lower() in MESSAGES else _value(value, _below(above, key, hidden), hidden) for key, value in members.items()}


def _below(above: Verdict, key: str, hidden: frozenset[str]) -> Verdict:
    """What a key says below another. Some keys tell about a secret: `{"secret": {"name": "db", "value": …}}`."""
    own = verdict(key, hidden)
    if above is Verdict.NOTHING:
        return own
    if above is Verdict.HIDDEN or set(_words(key)) <= ITSELF:
        return max(above, own)
    return own


def _leaves(value: Any) -> int:
    if isinstance(value, dict):
        return sum(map(_leaves, value.values()))
    return sum(map(_leaves, value)) if isinstance(value, list) else 1


@lru_cache(maxsize=4096)
def _verdict(name: str) -> Verdict:
    if len(name) > LONGEST_NAME or not name.isascii():
        return Verdict.NOTHING
    words = _words(name)
    return max((_of_noun(words, i) for i in range(len(words))), default=Verdict.NOTHING)


def _words(name: str) -> list[str]:
    """`userPassword`, `user-password` and `USER_PASSWORD1` all give `user`, `password`."""
    words = (part.lower().rstrip("0123456789") for part in _BETWEEN_WORDS.split(name))
    return [word for word in words if word]


def _of_noun(words: list[str], i: int) -> Verdict:
    word, following, before = words[i], words[i + 1 : i + 2], set(words[:i])
    base, length = Verdict.NOTHING, 1
    if word == "pin" and following in (["code"], ["codes"]):
        return base
    if following and word in PAIRS.get(following[0], ()) and "public" not in before:
        base, length = Verdict.SECRET, 2
    elif word in STRONG or word.endswith(ENDINGS):
        base = Verdict.SECRET
    elif word.removesuffix("s").endswith("token"):
        base = Verdict.NOTHING if before & TOKENS_OF_DATA else Verdict.WEAK
    elif word in WEAK:
        base = Verdict.WEAK
    if not set(words[i + length :]) <= ITSELF:
        return Verdict.NOTHING
    return min(base, Verdict.WEAK) if before & BEFORE else base


def _is_secret(text: str, says: Verdict) -> bool:
    if says is Verdict.HIDDEN:
        return bool(text)
    if says is Verdict.SECRET:
        return not _is_placeholder(text)
    return says is Verdict.WEAK and (_looks_random(text[:64]) or bool(_UUID.fullmatch(text)))


def _is_placeholder(text: str) -> bool:
    """What stands where a secret would be and is none: nothing, asterisks, `${PASSWORD}`, "changed"."""
    text = text.strip()
    inner = text.strip("[]<>(){}*•.-_")
    if not inner or (len(inner.encode()) >= 3 and not inner.strip("xX*•●")):
        return True
    if text.startswith(("${", "$(", "{{", "%(", "<%", "[masked")):
        return True
    inner = inner.strip()
    return len(inner) <= 10 and inner.lower() in PLACEHOLDERS


def _looks_random(text: str) -> bool:
    """Whether a machine made it: base64, hexadecimal, mixtures of letters and digits. Not a path, a date, a number, a UUID or words."""
    if len(text) < 8 or not re.fullmatch(r"[!-~]+", text) or _UUID.fullmatch(text):
        return False
    is_address = re.match(r"[/~]|\.{1,2}/", text) or re.match(r".{0,11}(://|:\\\\)", text) or re.match(r"[^@]+@.*\.", text)
    is_labelled = re.match(r"sha.{0,3}[:-]|md5:", text, re.IGNORECASE)
    if is_address or is_labelled or re.match(r"\d{4}-..-..", text):
        return False
    letters, digits = re.sub(r"[^A-Za-z]", "", text), re.sub(r"\D", "", text)
    if not letters:
        return False
    # Letters, digits and cases take turns more often than in names such as `PA-2024-00187` and `userName2`.
    changes = _turns(text)
    if changes >= 3 and changes * 6 >= len(letters) + len(digits):
        return True
    longest = max(map(len, re.split(r"[-_.:]", text)))
    return not digits and longest >= 20 and len(re.findall(r"[aeiouy]", letters, re.IGNORECASE)) * 6 < len(letters)


def _turns(text: str) -> int:
    """How often letters, digits and cases take turns. A word may begin with one capital letter."""
    changes = 0
    for i in range(1, len(text)):
        before, now = _class(text[i - 1]), _class(text[i])
        if (before, now) == ("upper", "lower") and (i < 2 or _class(text[i - 2]) != "upper"):
            continue
        changes += bool(before and now and before != now)
    return changes


def _class(character: str) -> str:
    if character.isdigit():
        return "digit"
    return ("upper" if character.isupper() else "lower") if character.isalpha() else ""
