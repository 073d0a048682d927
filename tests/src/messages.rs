//! Server-Sent Events, as a client reads them.

use std::io::{self, BufRead as _, BufReader, Lines};

use serde_json::Value;

/// One message. A message without data only says how far the stream is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    pub id: Option<String>,
    pub data: Option<Value>,
}

/// The messages of a stream. Dropping it closes the connection.
pub struct Messages(Lines<BufReader<ureq::BodyReader<'static>>>);

impl Messages {
    pub fn new(body: ureq::Body) -> Self {
        Self(BufReader::new(body.into_reader()).lines())
    }

    /// The next event, and the id of the last message.
    ///
    /// # Panics
    /// When the stream ends before it.
    #[track_caller]
    pub fn next_event(&mut self) -> Value {
        let data = self.by_ref().find_map(|message| message.expect("the stream goes on").data);
        data.expect("another event")
    }
}

impl Iterator for Messages {
    type Item = io::Result<Message>;

    /// None where the stream ends as a whole; an error where the connection breaks.
    fn next(&mut self) -> Option<io::Result<Message>> {
        let mut message = Message::default();
        loop {
            let line = match self.0.next()? {
                Ok(line) => line,
                Err(error) => return Some(Err(error)),
            };
            match line.split_once(": ") {
                Some(("id", id)) => message.id = Some(id.to_owned()),
                Some(("data", data)) => {
                    message.data = Some(serde_json::from_str(data).expect("an event is JSON"));
                }
                _ if line.is_empty() => return Some(Ok(message)),
                _ => {}
            }
        }
    }
}
