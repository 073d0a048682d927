//! An HTTP client for the stories, and the answers it gets.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use serde_json::Value;

use crate::{messages::Messages, wait::wait_until};

/// Sends requests to a server, with the token of one caller.
#[derive(Clone)]
pub struct Client {
    address: SocketAddr,
    agent: ureq::Agent,
    pub headers: BTreeMap<String, String>,
}

/// What the server answered.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    /// Null when the body is not JSON.
    pub json: Value,
    pub text: String,
}

impl Answer {
    /// Checks the status and returns the answer.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// Where the errors are: JSON pointers, or names of parameters.
    pub fn places(&self) -> Vec<&str> {
        let errors = self.json["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().filter_map(|e| e["pointer"].as_str().or(e["parameter"].as_str())).collect()
    }

    /// The error's code.
    pub fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }

    /// The events of a page.
    #[track_caller]
    pub fn data(&self) -> &Vec<Value> {
        self.json["data"].as_array().unwrap_or_else(|| panic!("no data in {}", self.text))
    }
}

impl Client {
    pub fn new(address: SocketAddr, token: Option<String>) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            // The server closes a connection that is idle for 5 s. One that is about to be closed must not be used again,
            // however long it takes until the request is on its way.
            .max_idle_age(Duration::from_millis(500))
            .build();
        let headers = token.map(|token| ("authorization".to_owned(), format!("Bearer {token}")));
        Self { address, agent: config.into(), headers: headers.into_iter().collect() }
    }

    /// The same client with one more header.
    pub fn with_header(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.insert(name.to_owned(), value.to_owned());
        client
    }

    pub fn get(&self, path: &str) -> Answer {
        self.query(path, &[])
    }

    /// `get` with query parameters, escaped.
    pub fn query(&self, path: &str, parameters: &[(&str, &str)]) -> Answer {
        let mut request = self.agent.get(self.url(path));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        answer(request.query_pairs(parameters.iter().copied()).call().expect("the server answers"))
    }

    /// The body of an answer that is no text.
    ///
    /// # Panics
    /// When the answer has another status than 200, or is not whole.
    #[track_caller]
    pub fn bytes(&self, path: &str, parameters: &[(&str, &str)]) -> Vec<u8> {
        let mut request = self.agent.get(self.url(path));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let mut response =
            request.query_pairs(parameters.iter().copied()).call().expect("the server answers");
        assert_eq!(response.status(), 200, "{path}");
        response.body_mut().with_config().limit(64 << 20).read_to_vec().expect("a whole body")
    }

    /// The messages of a stream of events, behind the last one that the client has; or the answer that is none.
    ///
    /// # Errors
    /// The answer is no stream.
    pub fn follow(
        &self,
        path: &str,
        parameters: &[(&str, &str)],
        last_event_id: Option<&str>,
    ) -> Result<Messages, Box<Answer>> {
        let mut request = self.agent.get(self.url(path));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let response = request.query_pairs(parameters.iter().copied()).call().expect("the server answers");
        if response.status() == 200 {
            Ok(Messages::new(response.into_body()))
        } else {
            Err(answer(response).into())
        }
    }

    /// The value of a metric in `/metrics`. Only a platform admin sees it.
    #[track_caller]
    pub fn metric(&self, name: &str) -> u64 {
        let text = self.get("/metrics").expect(200).text;
        let value = |line: &str| {
            let labels_and_value = line.strip_prefix(name)?;
            labels_and_value.trim_start_matches(|c| c != ' ').trim().parse::<u64>().ok()
        };
        let values: Vec<u64> = text.lines().filter_map(value).collect();
        assert!(!values.is_empty(), "no metric {name} in {text}");
        values.iter().sum()
    }

    /// Events that the search index does not have yet.
    #[track_caller]
    pub fn index_lag(&self) -> u64 {
        self.metric("logbook_index_lag_events")
    }

    /// Waits until the background jobs have indexed every event.
    #[track_caller]
    pub fn wait_for_index(&self) {
        wait_until("the index has all events", || self.index_lag() == 0);
    }

    /// `get` of an address outside `/api/v1`, without a token.
    pub fn absolute(&self, url: &str) -> Answer {
        answer(self.agent.get(url).call().expect("the server answers"))
    }

    pub fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, "application/json", body.to_string().as_bytes())
    }

    pub fn put(&self, path: &str, body: Value) -> Answer {
        self.send("PUT", path, "application/json", body.to_string().as_bytes())
    }

    pub fn patch(&self, path: &str, body: Value) -> Answer {
        self.send("PATCH", path, "application/json", body.to_string().as_bytes())
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, "application/json", b"")
    }

    pub fn send(&self, method: &str, path: &str, content_type: &str, body: &[u8]) -> Answer {
        self.try_send(method, path, content_type, body).expect("the server answers")
    }

    /// As `send`, to a server that may be killed at any moment.
    ///
    /// # Errors
    /// When there is no answer. A status without the whole body is an answer.
    pub fn try_send(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: &[u8],
    ) -> Result<Answer, ureq::Error> {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(self.url(path))
            .header("content-type", content_type);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(body).expect("a request");
        let agent = self.agent.configure_request(request).allow_non_standard_methods(true).build();
        self.agent.run(agent).map(answer)
    }

    fn url(&self, path: &str) -> String {
        let outside =
            ["/healthz", "/readyz", "/metrics", "/services/", "/v1/", "/publisher/", "/audit_logs/"];
        let prefix = if outside.iter().any(|start| path.starts_with(start)) { "" } else { "/api/v1" };
        format!("http://{}{prefix}{path}", self.address)
    }
}

fn answer(mut response: ureq::http::Response<ureq::Body>) -> Answer {
    let mut headers = BTreeMap::<String, String>::new();
    for (name, value) in response.headers() {
        let value = value.to_str().unwrap_or_default();
        // The values of a repeated header, such as Set-Cookie, are one on each line.
        headers
            .entry(name.to_string())
            .and_modify(|all| *all = format!("{all}\n{value}"))
            .or_insert(value.into());
    }
    // A stream of events does not end.
    let is_endless = headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
    if is_endless {
        return Answer {
            status: response.status().as_u16(),
            headers,
            json: Value::Null,
            text: String::new(),
        };
    }
    let text = response.body_mut().with_config().limit(64 << 20).read_to_string().unwrap_or_default();
    let json = serde_json::from_str(&text).unwrap_or(Value::Null);
    Answer { status: response.status().as_u16(), headers, json, text }
}
