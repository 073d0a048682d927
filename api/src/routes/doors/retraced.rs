//! Retraced's publisher API: `POST /publisher/v1/project/{project}/event` and `…/event/bulk`, as its clients send them. Their
//! endpoint is Logbook's address, and their token a source's key; the project is Logbook's workspace and is not read.
//!
//! Each event is answered with an id and a hash, and the clients throw an error where the hash is not theirs.

use actix_web::{HttpRequest, HttpResponse, web};
use base16ct::lower::encode_string;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::{Received, read_with_key, split_as, store};
use crate::{
    accounts::source_kind::Kind, auth::senders::key_in_header, http::error::Result, sources::element::Element,
};

/// Takes one event.
pub async fn event(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse> {
    let said = receive(&request, payload).await?;
    Ok(HttpResponse::Created().json(said.into_iter().next().unwrap_or_default()))
}

/// Takes several events.
pub async fn bulk(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse> {
    Ok(HttpResponse::Created().json(receive(&request, payload).await?))
}

/// The id and the hash of each element.
async fn receive(request: &HttpRequest, payload: web::Payload) -> Result<Vec<Value>> {
    let (open, sent) = read_with_key(request, payload, key_in_header(request), &[Kind::Retraced]).await?;
    let split = split_as(Kind::Retraced, request);
    let (tell, told) = std::sync::mpsc::channel();
    let split = move |body: &web::Bytes| {
        let elements = split(body)?;
        // The receiver waits for the request to end.
        let _ = tell.send(elements.clone());
        Ok(elements)
    };
    let received = store(request, open, sent, Box::new(split)).await?;
    let elements = told.try_recv().unwrap_or_default();
    Ok(answers(&elements, &received))
}

fn answers(elements: &[Element], received: &Received) -> Vec<Value> {
    let results = &received.appended.results;
    let answer = |(place, element): (usize, &Element)| {
        // Those of the events, unless one is in quarantine and has none yet.
        let id = match results.get(place) {
            Some(result) if results.len() == elements.len() => result.id.to_string(),
            _ => hash(&element.raw),
        };
        let event = element.value().unwrap_or_default();
        json!({"id": id, "hash": hash(canonical(&event, &id).as_bytes())})
    };
    elements.iter().enumerate().map(answer).collect()
}

fn hash(bytes: &[u8]) -> String {
    encode_string(&Sha256::digest(bytes))
}

/// What the clients hash (`buildHashTarget` in retraced-js 0.7, `src/event.ts`).
fn canonical(event: &Value, id: &str) -> String {
    let id_of = |member: &str| match &event[member] {
        Value::Object(object) if !object.is_empty() => format!("{}:", first_pass(&object["id"])),
        _ => ":".to_owned(),
    };
    let mut text = format!("{}:{}:", first_pass(&id.into()), first_pass(&event["action"]));
    text += &id_of("target");
    text += &id_of("actor");
    text += &id_of("group");
    match event["source_ip"].as_str() {
        Some(ip) if !ip.is_empty() => text += &format!("{}:", first_pass(&ip.into())),
        _ => text.push(':'),
    }
    text += if is_true(&event["is_failure"]) { "1:" } else { "0:" };
    text += if is_true(&event["is_anonymous"]) { "1:" } else { "0:" };
    match &event["fields"] {
        Value::Object(fields) => text += &pairs(fields),
        _ => text.push(':'),
    }
    if is_true(&event["external_id"]) {
        text += &format!(":{}", first_pass(&event["external_id"]));
    }
    if let Value::Object(metadata) = &event["metadata"] {
        text.push(':');
        text += &pairs(metadata);
    }
    text
}

/// Pairs in the order in which JavaScript sorts their names: by UTF-16.
fn pairs(members: &Map<String, Value>) -> String {
    let mut names: Vec<&String> = members.keys().collect();
    names.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
    let second_pass = |text: String| text.replace('=', "%3D").replace(';', "%3B");
    let pair = |name: &String| {
        let value = second_pass(first_pass(&members[name.as_str()]));
        format!("{}={value};", second_pass(first_pass(&name.as_str().into())))
    };
    names.into_iter().map(pair).collect()
}

fn first_pass(value: &Value) -> String {
    match value {
        Value::String(text) => text.replace('%', "%25").replace(':', "%3A"),
        other => other.to_string(),
    }
}

/// Whether JavaScript takes a value for true.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(is) => *is,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hashed_is_what_the_clients_hash() {
        let event = json!({
            "action": "user:login%", "group": {"id": "g1"}, "actor": {"id": "a=1"}, "target": {},
            "source_ip": "192.0.2.1", "is_failure": true, "fields": {"b": "1;2", "a=": "x:y"}, "external_id": "e:1",
            "metadata": {"k": "v"},
        });
        assert_eq!(
            canonical(&event, "id1"),
            "id1:user%3Alogin%25::a=1:g1:192.0.2.1:1:0:a%3D=x%3Ay;b=1%3B2;:e%3A1:k=v;"
        );
        assert_eq!(canonical(&json!({"action": "a"}), "i"), "i:a:::::0:0::");
    }
}
