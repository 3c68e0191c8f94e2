//! Someone who talks to a server.

use std::io::{self, Read, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;
use ureq::http;

use super::Answer;

/// Longer than any request takes, and shorter than anyone waits for a test.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Someone who talks to a server, with or without a key.
#[derive(Clone)]
pub(crate) struct Api {
    agent: ureq::Agent,
    pub(crate) url: String,
    key: Option<String>,
    cookie: Option<String>,
}

/// A request that is not sent yet.
pub(crate) struct Request {
    agent: ureq::Agent,
    method: String,
    uri: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Api {
    pub(crate) fn new(url: String, key: Option<String>) -> Self {
        // A server may close a connection at any time, and most of these requests may not be
        // repeated by a client that then does not know whether they arrived.
        Self { agent: agent(0), url, key, cookie: None }
    }

    /// The same, over a connection of its own that is kept: for one whose requests may be repeated.
    pub(crate) fn kept_alive(&self) -> Self {
        Self { agent: agent(1), ..self.clone() }
    }

    pub(crate) fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The same, with another key or none.
    pub(crate) fn with_key(&self, key: Option<&str>) -> Self {
        Self { key: key.map(str::to_owned), ..self.clone() }
    }

    /// The same, as a browser that has this cookie.
    pub(crate) fn with_cookie(&self, cookie: &str) -> Self {
        Self { cookie: Some(cookie.to_owned()), ..self.clone() }
    }

    /// The same, at another server.
    pub(crate) fn at(&self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self.clone() }
    }

    pub(crate) fn get(&self, path: &str) -> Request {
        self.request("GET", path)
    }

    /// A POST of this body.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Request {
        self.request("POST", path).json(body)
    }

    /// A PATCH by this JSON merge patch.
    pub(crate) fn patch(&self, path: &str, members: &Value) -> Request {
        self.request("PATCH", path).body("application/merge-patch+json", members.to_string())
    }

    /// All appointments that a query finds, through all pages, in the order of the answer.
    #[track_caller]
    pub(crate) fn found(&self, query: &str) -> Vec<Value> {
        let mut found = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(&format!("/v1/appointments?{query}{cursor}")).send().is(200);
            found.extend(page["items"].as_array().expect("items").iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return found,
            }
            assert!(found.len() < 10_000, "pages without end");
        }
    }

    /// Begins a POST by hand: the body, of this many bytes, is still to be sent. The connection is
    /// closed after the answer.
    pub(crate) fn begin_post(&self, path: &str, bytes: usize) -> io::Result<TcpStream> {
        let address = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address)?;
        let key = self.key.as_deref().unwrap_or_default();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
             authorization: Bearer {key}\r\ncontent-type: application/json\r\n\
             content-length: {bytes}\r\n\r\n"
        );
        stream.write_all(head.as_bytes())?;
        Ok(stream)
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        let key = self.key.iter().map(|key| ("authorization".to_owned(), format!("Bearer {key}")));
        let cookie = self.cookie.iter().map(|cookie| ("cookie".to_owned(), cookie.clone()));
        // A path as the server gives it in `Link` or `Location` may be a whole URL.
        let uri =
            if path.starts_with("http") { path.into() } else { format!("{}{path}", self.url) };
        Request {
            agent: self.agent.clone(),
            method: method.to_owned(),
            uri,
            headers: key.chain(cookie).collect(),
            body: None,
        }
    }
}

fn agent(idle_connections: usize) -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(TIMEOUT))
        .allow_non_standard_methods(true)
        .max_redirects(0)
        .max_idle_connections(idle_connections)
        .build()
        .new_agent()
}

impl Request {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub(crate) fn body(self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.header("content-type", content_type).raw_body(body)
    }

    /// A body of which no header says what it is, unless another has been added.
    pub(crate) fn raw_body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: Some(body.into()), ..self }
    }

    /// Its answer, whatever the status.
    pub(crate) fn send(self) -> Answer {
        let asked = format!("{} {}", self.method, self.uri);
        self.try_send().unwrap_or_else(|error| panic!("{asked}: {error}"))
    }

    /// The body of its answer as it comes, which must be of this type; or else the answer.
    pub(crate) fn open(self, content_type: &str) -> Result<Box<dyn Read + Send>, Box<Answer>> {
        let (asked, response) = self.run().unwrap();
        let is = response.headers().get("content-type").is_some_and(|is| is == content_type);
        if response.status() == 200 && is {
            return Ok(Box::new(response.into_body().into_reader()));
        }
        Err(Box::new(Answer::read(asked, response).unwrap()))
    }

    /// The body of its answer as it is, which must be all of it.
    pub(crate) fn download(self) -> Vec<u8> {
        let (asked, mut response) = self.run().unwrap();
        assert_eq!(response.status(), 200, "{asked}");
        response.body_mut().read_to_vec().unwrap()
    }

    /// Its answer; an error where there is none, because the server is gone.
    pub(crate) fn try_send(self) -> Result<Answer, ureq::Error> {
        let (asked, response) = self.run()?;
        Answer::read(asked, response)
    }

    fn run(self) -> Result<(String, http::Response<ureq::Body>), ureq::Error> {
        let sent = self.body.as_deref().map(String::from_utf8_lossy);
        let asked = format!("{} {} {}", self.method, self.uri, sent.unwrap_or_default());
        let mut request = http::Request::builder().method(&*self.method).uri(&self.uri);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let response = match self.body {
            Some(body) => self.agent.run(request.body(body)?)?,
            None => self.agent.run(request.body(())?)?,
        };
        Ok((asked, response))
    }
}
