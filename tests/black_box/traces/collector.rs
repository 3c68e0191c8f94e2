//! A collector of spans: it takes what is posted to it, and keeps it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

/// It runs as long as the tests do.
pub(super) struct Collector {
    pub(super) url: String,
    spans: Arc<Mutex<Vec<Value>>>,
}

impl Collector {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let spans = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&spans);
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let kept = Arc::clone(&kept);
                thread::spawn(move || while take_one(&connection, &kept).is_some() {});
            }
        });
        Self { url, spans }
    }

    /// All spans that have arrived.
    pub(super) fn spans(&self) -> Vec<Value> {
        self.spans.lock().unwrap().clone()
    }
}

/// Takes a request and answers it; `None`: there is no other.
fn take_one(mut connection: &TcpStream, spans: &Mutex<Vec<Value>>) -> Option<()> {
    let mut reader = BufReader::new(connection);
    let mut length = 0;
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|read| *read > 0)?;
    assert_eq!(first.trim_end(), "POST /v1/traces HTTP/1.1");
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "content-type" => assert_eq!(value, "application/json"),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body: Value = serde_json::from_slice(&body).unwrap();
    for resource in body["resourceSpans"].as_array().unwrap() {
        let resource_attributes = resource["resource"].to_string();
        assert!(resource_attributes.contains(r#""daybook""#), "{resource_attributes}");
        for scope in resource["scopeSpans"].as_array().unwrap() {
            spans.lock().unwrap().extend(scope["spans"].as_array().unwrap().iter().cloned());
        }
    }
    let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
    connection.write_all(answer.as_bytes()).ok()
}
