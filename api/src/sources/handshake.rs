//! What vendors ask before they send.

use serde_json::{Value, json};

/// Longest text that is sent back.
const LONGEST: usize = 500;

/// The answer to Okta's one-time verification: what the header `X-Okta-Verification-Challenge` has is sent back (Okta, "Event
/// hooks", verification). None for what is no such text.
pub fn challenge_answer(asked: &str) -> Option<Value> {
    is_plain(asked).then(|| json!({ "verification": asked }))
}

/// The origin that may send, in answer to `WebHook-Request-Origin` (CloudEvents, HTTP 1.1 Web Hooks for Event Delivery, 4.2). The
/// origin that asks: who sends is told by its key.
pub fn allowed_origin(asked: &str) -> Option<String> {
    let origin = |byte: u8| byte.is_ascii_alphanumeric() || b".-:/_".contains(&byte);
    (is_plain(asked) && asked.bytes().all(origin)).then(|| asked.to_owned())
}

fn is_plain(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
