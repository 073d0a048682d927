//! Walks through JSON, with what the names above say about a value.

use std::{collections::HashMap, ops::Range};

use memchr::memmem;
use serde_json::{Map, Value};

use super::{
    fields::{Names, Position},
    masker::{MASK, MOST_FINGERPRINTS, Masker},
    names::{self, Verdict},
    pairs,
    place::Place,
    scan,
    words::{MESSAGES, NAME_MEMBERS, VALUE_MEMBERS},
};

/// How often a text may have JSON in it that has a text with JSON in it. What is deeper is masked as text.
const MOST_NESTED: usize = 4;
/// Values below the name of a secret that are masked one by one. More become one mask: that of a digit, with its pointer, is
/// forty times as long as the digit.
const MOST_LEAVES: usize = 64;
/// Places that an event notes. What is masked in further ones has no fingerprint: both are longer than what they stand for.
const MOST_NOTED: usize = 1000;

pub(super) struct Walk<'m> {
    masker: &'m Masker,
    names: Names<'m>,
    /// Where the paths of the workspace's lists lead.
    at: Position,
    /// The JSON pointers of what was masked.
    pub masked: Vec<String>,
    /// In how many texts with JSON.
    nested: usize,
    /// Below names such as `errors`.
    in_messages: bool,
}

impl<'m> Walk<'m> {
    pub(super) fn new(masker: &'m Masker) -> Self {
        let names = masker.names();
        Self { masker, names, at: Position::TOP, masked: Vec::new(), nested: 0, in_messages: false }
    }

    /// What a name at the top says. What follows is below it.
    pub(super) fn start(&mut self, name: &str) -> Verdict {
        self.at = Position::TOP;
        self.names.step(name, &mut self.at)
    }

    /// Whether the workspace masks what a label names.
    pub(super) fn is_listed(&self, label: &str) -> bool {
        self.names.has_masks() && self.names.verdict(label) == Verdict::Listed
    }

    /// What follows is at the top.
    pub(super) fn start_anew(&mut self) {
        self.at = Position::TOP;
    }

    pub(super) fn members(&mut self, object: &mut Map<String, Value>, above: Verdict, place: &Place<'_>) {
        self.keys(object, place);
        let named = named_value(object, self.names);
        let top = self.at;
        for (key, value) in object.iter_mut() {
            self.at = top;
            let mut verdict = below(above, key, self.names.step(key, &mut self.at));
            if let Some(named) = named
                && VALUE_MEMBERS.contains(&key.as_str())
            {
                verdict = match named {
                    Verdict::Kept if verdict != Verdict::Listed => Verdict::Plain,
                    named => verdict.max(named),
                };
            }
            let was = self.in_messages;
            self.in_messages |= MESSAGES.iter().any(|word| key.eq_ignore_ascii_case(word));
            self.value(value, verdict, &place.key(key));
            self.in_messages = was;
        }
        self.at = top;
    }

    /// Masks secrets that are keys themselves, as of a cache of sessions.
    fn keys(&mut self, object: &mut Map<String, Value>, place: &Place<'_>) {
        let secret = |key: &String| Some((key.clone(), self.cut_out(key, false)?));
        let renamed: Vec<_> = object.keys().filter_map(secret).collect();
        // The next number of each, so that a thousand alike are not tried out a thousand times.
        let mut numbers: HashMap<String, usize> = HashMap::new();
        for (key, clean) in renamed {
            let Some(value) = object.remove(&key) else { continue };
            let mut unique = clean.clone();
            let n = numbers.entry(clean.clone()).or_insert(2);
            while object.contains_key(&unique) {
                unique = format!("{clean} {n}");
                *n += 1;
            }
            self.note(&place.key(&unique));
            object.insert(unique, value);
        }
    }

    pub(super) fn items(&mut self, items: &mut [Value], above: Verdict, place: &Place<'_>) {
        let size = items.len();
        // `["--password", "hunter2"]`, `["Host", "a.test", "Cookie", "…"]`
        let mut before = None;
        for (i, item) in items.iter_mut().enumerate() {
            let verdict = before.map_or(above, |verdict| above.max(verdict));
            before = item.as_str().and_then(|name| {
                let is_flag = name.starts_with('-') && !name.contains(['=', ' ']);
                let is_header = i % 2 == 0
                    && size.is_multiple_of(2)
                    && (size >= 4 || above == Verdict::Plain)
                    && is_header(name);
                (is_flag || is_header).then(|| self.names.verdict(name.trim_start_matches('-')))
            });
            let place = place.index(i);
            match item {
                // A pair in a list of pairs.
                Value::Array(pair) if pair.len() == 2 => self.pair(pair, verdict, &place),
                item => self.value(item, verdict, &place),
            }
        }
    }

    fn pair(&mut self, pair: &mut [Value], above: Verdict, place: &Place<'_>) {
        let verdict = pair[0].as_str().map_or(above, |name| above.max(self.names.verdict(name)));
        // Two names are a list of names.
        let is_name = verdict != Verdict::Listed
            && pair[1]
                .as_str()
                .is_some_and(|value| verdict >= Verdict::Weak && names::verdict(value) >= Verdict::Weak);
        self.value(&mut pair[0], above, &place.index(0));
        self.value(&mut pair[1], if is_name { above } else { verdict }, &place.index(1));
    }

    pub(super) fn value(&mut self, value: &mut Value, verdict: Verdict, place: &Place<'_>) {
        if verdict >= Verdict::Secret && is_large(value) {
            *value = self.replacement(&value.to_string()).into();
            self.note(place);
            return;
        }
        match value {
            Value::Bool(says) if verdict == Verdict::Listed => {
                *value = self.replacement(&says.to_string()).into();
                self.note(place);
            }
            // No secrets. Worth keeping, since they show that one was set or removed.
            Value::Null | Value::Bool(_) => {}
            Value::String(text) => {
                if let Some(clean) = self.masked_text(text, verdict) {
                    *text = clean;
                    self.note(place);
                }
            }
            Value::Number(number) => {
                if verdict >= Verdict::Secret
                    || verdict == Verdict::PinCode && pairs::is_secret_value(&number.to_string(), verdict)
                {
                    *value = self.replacement(&number.to_string()).into();
                    self.note(place);
                }
            }
            Value::Array(items) => self.items(items, verdict, place),
            Value::Object(map) => self.members(map, verdict, place),
        }
    }

    pub(super) fn text_at(&mut self, text: Option<&mut String>, place: &Place<'_>) {
        if let Some(text) = text
            && let Some(clean) = self.masked_text(text, Verdict::Plain)
        {
            *text = clean;
            self.note(place);
        }
    }

    /// The mask of a secret.
    fn replacement(&self, secret: &str) -> String {
        match self.masked.len() < MOST_NOTED {
            true => self.masker.replacement(secret),
            false => MASK.into(),
        }
    }

    /// Notes where something was masked.
    fn note(&mut self, place: &Place<'_>) {
        if self.masked.len() < MOST_NOTED {
            self.masked.push(place.to_string());
        }
    }

    /// The text without its secrets; None when it has none.
    pub(super) fn masked_text(&mut self, text: &str, verdict: Verdict) -> Option<String> {
        if verdict == Verdict::Listed {
            return (!text.is_empty()).then(|| self.replacement(text));
        }
        if verdict != Verdict::Plain && verdict != Verdict::Cookies {
            let is_message = self.in_messages && text.contains(' ');
            if !is_message && pairs::is_secret_value(text, verdict) {
                return Some(self.replacement(text));
            }
            if let Some(credentials) = pairs::credentials(text, 0) {
                return Some(self.replaced(text, &[credentials]));
            }
        }
        self.masked_json(text).or_else(|| self.cut_out(text, verdict == Verdict::Cookies))
    }

    /// As JSON, if it is JSON and has secrets.
    fn masked_json(&mut self, text: &str) -> Option<String> {
        if !text.trim_start().starts_with(['{', '[']) || self.nested >= MOST_NESTED {
            return None;
        }
        let may_have_secrets = self.names.has_masks() || scan::may_have_secrets(text);
        if !may_have_secrets && memmem::find(text.as_bytes(), b"\\u").is_none() {
            return None;
        }
        let mut value: Value = serde_json::from_str(text).ok()?;
        let mut inside = Self { masked: Vec::new(), nested: self.nested + 1, ..*self };
        inside.value(&mut value, Verdict::Plain, &Place::at(""));
        (!inside.masked.is_empty()).then(|| value.to_string())
    }

    /// Without the secrets that it has inside; None when it has none.
    fn cut_out(&self, text: &str, in_cookies: bool) -> Option<String> {
        let secrets = scan::secrets(text, in_cookies, self.names);
        (!secrets.is_empty()).then(|| self.replaced(text, &secrets))
    }

    fn replaced(&self, text: &str, secrets: &[Range<usize>]) -> String {
        let mut clean = String::with_capacity(text.len());
        let mut from = 0;
        for (n, secret) in secrets.iter().enumerate() {
            clean.push_str(&text[from..secret.start]);
            match n < MOST_FINGERPRINTS {
                true => clean.push_str(&self.masker.replacement(&text[secret.clone()])),
                false => clean.push_str(MASK),
            }
            from = secret.end;
        }
        clean.push_str(&text[from..]);
        clean
    }
}

/// Whether it has more than [`MOST_LEAVES`] values.
fn is_large(value: &Value) -> bool {
    fn count(value: &Value, left: &mut usize) {
        match value {
            _ if *left == 0 => {}
            Value::Array(items) => items.iter().for_each(|item| count(item, left)),
            Value::Object(map) => map.values().for_each(|item| count(item, left)),
            _ => *left -= 1,
        }
    }
    let mut left = MOST_LEAVES + 1;
    count(value, &mut left);
    left == 0
}

/// What a key that says `own` says below another one.
fn below(above: Verdict, key: &str, own: Verdict) -> Verdict {
    match above {
        Verdict::Listed => Verdict::Listed,
        _ if own == Verdict::Kept => Verdict::Plain,
        Verdict::Kept | Verdict::Plain | Verdict::PinCode => own,
        // `{"secret": {"name": "db", "value": "…"}}`
        Verdict::Secret if own == Verdict::Plain && names::is_about(key) => Verdict::Weak,
        Verdict::Weak if own == Verdict::Plain && names::is_about(key) => Verdict::Plain,
        Verdict::Cookies => own.max(Verdict::Weak),
        Verdict::Secret | Verdict::Weak => own.max(above),
    }
}

/// What the member that names a field says about the one that has its value.
fn named_value(object: &Map<String, Value>, names: Names<'_>) -> Option<Verdict> {
    if !(2..=8).contains(&object.len()) || !object.keys().any(|key| VALUE_MEMBERS.contains(&key.as_str())) {
        return None;
    }
    NAME_MEMBERS
        .iter()
        .filter_map(|member| object.get(*member)?.as_str())
        .map(|name| names.verdict(name))
        .max()
}

fn is_header(name: &str) -> bool {
    name.contains('-') && !name.starts_with('-') && !name.contains(' ')
        || ["authorization", "cookie"].iter().any(|header| name.eq_ignore_ascii_case(header))
}

/// Where a list or an object ends that begins the text; the end of the text when nothing closes it. Brackets in quotes do not
/// count.
pub(super) fn closing_bracket(rest: &[u8]) -> usize {
    let (mut depth, mut is_quoted) = (0_usize, false);
    let mut bytes = rest.iter().enumerate();
    while let Some((i, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'"' => is_quoted = !is_quoted,
            b'[' | b'{' | b'(' if !is_quoted => depth += 1,
            b']' | b'}' | b')' if !is_quoted => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return i + 1;
        }
    }
    rest.len()
}
