//! Masks what looks like a secret before it is stored, and records where.
//!
//! Two rules: the *name* of a field says that its value is a secret (`password`, `api_key`) or that it is one if it looks
//! random (`token`, `authorization`); and a text may have something in it with the *shape* of a secret (a password hash, a
//! JWT, a private key, an issuer's key, `password=…`, `user:password@host`). A secret inside a longer text is cut out; a
//! secret field's whole value is replaced. What replaces it says by a keyed hash which secrets of a workspace are equal. Names and values are also told apart in lists of pairs, in objects such as
//! `{"name": …, "value": …}` and in JSON inside texts.
//!
//! | file | what it has |
//! |---|---|
//! | `masker.rs` | what replaces a secret |
//! | `json.rs` | goes through names and values |
//! | `words.rs` | the words that names consist of |
//! | `fields.rs` | the names that a workspace lists itself |
//! | `names.rs` | what a name says about its value |
//! | `issuers.rs` | prefixes of issued keys |
//! | `shapes.rs` | other shapes |
//! | `pairs.rs` | names with values in texts |
//! | `sentences.rs` | names with values that only a blank or a verb is between |
//! | `random.rs` | what looks random |
//! | `scan.rs` | finds them all in one text, in linear time |

mod fields;
mod issuers;
mod json;
mod masker;
mod names;
mod pairs;
mod place;
mod random;
mod scan;
mod sentences;
mod shapes;
#[rustfmt::skip]
mod words;

use serde_json::{Map, Value};

use super::{Actor, Change, Common, NewEvent, SetChange, Target, ValueChange, limits::Text};
pub use fields::{FieldLists, MAX_FIELD_NAME, MAX_FIELDS};
use json::Walk;
pub use masker::{MASK, Masker};
use names::Verdict;
use place::Place;

/// Masks the event's secrets, without fingerprints.
pub fn mask(event: &mut NewEvent) -> Vec<String> {
    mask_with(&Masker::default(), event)
}

/// Masks the event's secrets. Returns the JSON pointers of what was masked, with the field names that all logs share.
pub fn mask_with(masker: &Masker, event: &mut NewEvent) -> Vec<String> {
    let NewEvent { occurred_at: _, dedupe_key: _, common, changes, metadata } = event;
    let Common {
        log: _,
        actor,
        on_behalf_of,
        role,
        action: _,
        outcome: _,
        outcome_reason,
        purpose,
        target: Target { kind: target_type, id: target_id, name: target_name },
        targets,
        ip_address: _,
        user_agent,
        session_id,
        correlation_id,
        epoch: _,
        sequence: _,
    } = common;
    let mut walk = Walk::new(masker);

    // The digest of a token is what the app compares with; that of a file is evidence.
    let of_token = target_type.as_deref().is_some_and(|kind| kind.to_ascii_lowercase().contains("token"));
    let all = Place::at("/changes");
    for (i, change) in changes.as_mut().iter_mut().enumerate() {
        let place = all.index(i);
        mask_change(change, of_token, &place, &mut walk);
    }
    walk.start_anew();
    walk.members(metadata.as_mut(), Verdict::Plain, &Place::at("/metadata"));

    for (place, actor) in [("/actor", actor), ("/on_behalf_of", on_behalf_of)] {
        if let Some(Actor { kind: _, id, name }) = actor {
            let place = Place::at(place);
            walk.text_at(id.as_mut().map(Text::as_mut), &place.pointer("/id"));
            walk.text_at(name.as_mut().map(Text::as_mut), &place.pointer("/name"));
        }
    }
    let all = Place::at("/targets");
    for (i, Target { kind: _, id, name }) in targets.as_mut().iter_mut().enumerate() {
        let place = all.index(i);
        walk.text_at(id.as_mut().map(Text::as_mut), &place.pointer("/id"));
        walk.text_at(name.as_mut().map(Text::as_mut), &place.pointer("/name"));
    }
    let texts = [
        ("/role", role.as_mut().map(Text::as_mut)),
        ("/target/id", target_id.as_mut().map(Text::as_mut)),
        ("/target/name", target_name.as_mut().map(Text::as_mut)),
        ("/outcome_reason", outcome_reason.as_mut().map(Text::as_mut)),
        ("/purpose", purpose.as_mut().map(Text::as_mut)),
        ("/user_agent", user_agent.as_mut().map(Text::as_mut)),
        // A session id that is the session's own bearer token would give the token to every reader.
        ("/session_id", session_id.as_mut().map(Text::as_mut)),
        ("/correlation_id", correlation_id.as_mut().map(Text::as_mut)),
    ];
    for (place, text) in texts {
        walk.text_at(text, &Place::at(place));
    }
    walk.masked
}

fn mask_change(change: &mut Change, of_token: bool, place: &Place<'_>, walk: &mut Walk<'_>) {
    let field = change.field();
    let mut verdict = walk.start(field);
    if verdict != Verdict::Kept && of_token && field == "digest" {
        verdict = verdict.max(Verdict::Secret);
    }
    if let Some(label) = &change.labels().label
        && walk.is_listed(label)
    {
        verdict = Verdict::Listed;
    }
    if verdict == Verdict::Kept {
        verdict = Verdict::Plain;
    }
    match change {
        Change::Value(ValueChange { field: _, old, new, labels: _ }) => {
            walk.value(old, verdict, &place.pointer("/old"));
            walk.value(new, verdict, &place.pointer("/new"));
        }
        Change::Set(SetChange { field: _, added, removed, labels: _ }) => {
            walk.items(added, verdict, &place.pointer("/added"));
            walk.items(removed, verdict, &place.pointer("/removed"));
        }
    }
    for (pointer, label) in change.labels_mut().texts_mut() {
        // The field's own label is a name; those of its values say what the values say.
        let verdict = if pointer == "/label" { Verdict::Plain } else { verdict };
        if let Some(label) = label
            && let Some(clean) = walk.masked_text(label, verdict)
        {
            *label = clean;
            walk.masked.push(place.pointer(pointer).to_string());
        }
    }
    if let Some(clean) = walk.masked_text(change.field(), Verdict::Plain) {
        walk.masked.push(place.pointer("/field").to_string());
        match change {
            Change::Value(change) => change.field = clean,
            Change::Set(change) => change.field = clean,
        }
    }
}

/// Masks the secrets of an object, without fingerprints. Returns the JSON pointers of what was masked, below `place`.
pub fn mask_object(object: &mut Map<String, Value>, place: &str) -> Vec<String> {
    mask_object_with(&Masker::default(), object, place)
}

/// As [`mask_object`], as the masker says.
pub fn mask_object_with(masker: &Masker, object: &mut Map<String, Value>, place: &str) -> Vec<String> {
    let mut walk = Walk::new(masker);
    walk.members(object, Verdict::Plain, &Place::at(place));
    walk.masked
}

#[cfg(test)]
mod tests;
