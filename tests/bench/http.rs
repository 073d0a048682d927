//! A client that costs next to nothing, since it shares the processors with the server that it measures: one
//! connection, kept alive, and bodies that are not parsed.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use serde_json::Value;

/// A connection that was idle for longer is replaced: the server closes it after five seconds.
const IDLE: Duration = Duration::from_secs(2);

/// The end of an answer in chunks that is whole.
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// The server that is measured, and the user who asks it.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub address: SocketAddr,
    /// The token of a user who may do everything.
    pub token: String,
    pub workspace: &'static str,
}

impl Target {
    pub(crate) fn connect(&self) -> Connection {
        Connection { target: self.clone(), stream: self.open(), used_at: Instant::now(), buffer: Vec::new() }
    }

    fn open(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("the server takes connections");
        stream.set_nodelay(true).expect("a setting");
        stream.set_read_timeout(Some(Duration::from_secs(120))).expect("a setting");
        stream
    }

    /// How many lines an answer has that does not say how long it is.
    ///
    /// # Panics
    /// When it is not whole.
    pub(crate) fn lines(&self, path: &str) -> u64 {
        let Self { address, token, .. } = self;
        let mut stream = self.open();
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).expect("the server reads");
        let (mut lines, mut last, mut end) = (0, b'\r', Vec::new());
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let read = stream.read(&mut buffer).expect("the server answers");
            if read == 0 {
                break;
            }
            for byte in &buffer[..read] {
                // Lines of HTTP end with CR LF, those of the answer with LF alone.
                lines += u64::from(*byte == b'\n' && last != b'\r');
                last = *byte;
            }
            end.extend_from_slice(&buffer[..read]);
            end.drain(..end.len().saturating_sub(LAST_CHUNK.len()));
        }
        assert_eq!(end, LAST_CHUNK, "{path} is not whole");
        lines
    }

    /// The path of something in the workspace's logs: `access`, `feed?after=0`.
    pub(crate) fn logs(&self, path: &str) -> String {
        self.below(&format!("logs/{path}"))
    }

    /// The path of something else in the workspace: `timeline`.
    pub(crate) fn below(&self, path: &str) -> String {
        format!("/api/v1/workspaces/{}/{path}", self.workspace)
    }

    /// The path of something of a record, whose model and id need no encoding.
    pub(crate) fn record(&self, model: &str, id: &str, path: &str) -> String {
        format!("/api/v1/workspaces/{}/records/{model}/{id}/{path}", self.workspace)
    }
}

pub(crate) struct Connection {
    target: Target,
    stream: TcpStream,
    used_at: Instant,
    /// The last response.
    buffer: Vec<u8>,
}

/// A response, read to its end.
pub(crate) struct Answer<'a> {
    pub status: u16,
    pub body: &'a [u8],
}

impl Answer<'_> {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(self.body).unwrap_or_else(|error| panic!("no JSON: {error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(self.body).into_owned()
    }

    /// The response, which must have the expected status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }
}

impl Connection {
    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// Sends what follows with another token.
    pub(crate) fn authorize(&mut self, token: &str) {
        token.clone_into(&mut self.target.token);
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer<'_> {
        let head = self.head("GET", path);
        self.send(format!("{head}\r\n").as_bytes(), b"")
    }

    pub(crate) fn post(&mut self, path: &str, content_type: &str, body: &[u8]) -> Answer<'_> {
        let head = self.head("POST", path);
        let head = format!("{head}content-type: {content_type}\r\ncontent-length: {}\r\n\r\n", body.len());
        self.send(head.as_bytes(), body)
    }

    fn head(&self, method: &str, path: &str) -> String {
        let Target { address, token, .. } = &self.target;
        format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n")
    }

    fn send(&mut self, head: &[u8], body: &[u8]) -> Answer<'_> {
        if self.used_at.elapsed() > IDLE {
            self.stream = self.target.open();
        }
        self.stream.write_all(head).expect("the server reads");
        self.stream.write_all(body).expect("the server reads");
        self.buffer.clear();
        let (status, start, length, closes) = loop {
            self.read();
            if let Some(head) = parse_head(&self.buffer) {
                break head;
            }
        };
        while self.buffer.len() < start + length {
            self.read();
        }
        if closes {
            self.stream = self.target.open();
        }
        self.used_at = Instant::now();
        Answer { status, body: &self.buffer[start..start + length] }
    }

    fn read(&mut self) {
        let filled = self.buffer.len();
        self.buffer.resize(filled.max(32 * 1024) * 2, 0);
        let read = self.stream.read(&mut self.buffer[filled..]).expect("the server answers");
        assert!(read > 0, "the server closed the connection");
        self.buffer.truncate(filled + read);
    }
}

/// Status, start and length of the body, and whether the server closes the connection after it; None while the head is
/// incomplete.
fn parse_head(bytes: &[u8]) -> Option<(u16, usize, usize, bool)> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(start) = response.parse(bytes).expect("an HTTP answer") else {
        return None;
    };
    let header = |name: &str| {
        let found = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(found.value).ok()
    };
    let length = header("content-length").and_then(|length| length.parse().ok());
    let closes = header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    let length = length.expect("every answer that is measured says how long it is");
    Some((response.code.expect("a status"), start, length, closes))
}

/// A query string of these parameters.
pub(crate) fn query<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}
