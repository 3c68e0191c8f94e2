//! An endpoint: a server that takes note of what it is told, and answers as a test wants it to.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::within;

/// How it answers.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    Status(u16),
    /// Only after so long.
    Late(Duration, u16),
    /// Elsewhere.
    Moved(String),
    /// Not at all: the connection ends.
    HangUp,
}

/// What it was told.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) headers: HashMap<String, String>,
    pub(super) body: String,
    pub(super) at: Instant,
    /// Whether it was answered with a 2xx.
    pub(super) is_taken: bool,
}

impl Message {
    pub(super) fn event(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(super) fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    pub(super) fn position(&self) -> u64 {
        self.event()["id"].as_str().unwrap().parse().unwrap()
    }
}

type Behaviour = Box<dyn Fn(&Message) -> Reply + Send>;

#[derive(Clone)]
pub(super) struct Endpoint {
    pub(super) url: String,
    told: Arc<Mutex<Vec<Message>>>,
    behaviour: Arc<Mutex<Behaviour>>,
}

impl Endpoint {
    /// One that takes all.
    pub(super) fn new() -> Self {
        Self::which(|_| Reply::Status(204))
    }

    /// One that takes all, at this address.
    pub(super) fn at(address: &str) -> Self {
        Self::on(TcpListener::bind(address).unwrap(), |_| Reply::Status(204))
    }

    pub(super) fn which(behaves: impl Fn(&Message) -> Reply + Send + 'static) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), behaves)
    }

    fn on(listener: TcpListener, behaves: impl Fn(&Message) -> Reply + Send + 'static) -> Self {
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (told, behaviour): (_, Behaviour) = (Arc::default(), Box::new(behaves));
        let endpoint = Self { url, told, behaviour: Arc::new(Mutex::new(behaviour)) };
        let answers = endpoint.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let answers = answers.clone();
                thread::spawn(move || answers.answer(client));
            }
        });
        endpoint
    }

    /// From now on it behaves so.
    pub(super) fn behaves(&self, behaves: impl Fn(&Message) -> Reply + Send + 'static) {
        *self.behaviour.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(behaves);
    }

    fn answer(&self, client: TcpStream) -> Option<()> {
        let mut reader = BufReader::new(client.try_clone().ok()?);
        let mut headers = HashMap::new();
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        loop {
            line.clear();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.insert(name.to_lowercase(), value.to_owned());
        }
        let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
        reader.read_exact(&mut body).ok()?;
        let body = String::from_utf8(body).unwrap();
        let mut message = Message { headers, body, at: Instant::now(), is_taken: false };
        let reply = self.behaviour.lock().unwrap_or_else(PoisonError::into_inner)(&message);
        let taken = |status: u16| (200..300).contains(&status);
        message.is_taken = match reply {
            Reply::Status(status) | Reply::Late(_, status) => taken(status),
            Reply::Moved(_) | Reply::HangUp => false,
        };
        self.told.lock().unwrap_or_else(PoisonError::into_inner).push(message);
        let (status, more) = match reply {
            Reply::HangUp => return None,
            Reply::Status(status) => (status, String::new()),
            Reply::Late(pause, status) => {
                thread::sleep(pause);
                (status, String::new())
            }
            Reply::Moved(to) => (307, format!("location: {to}\r\n")),
        };
        let mut client = client;
        let head = format!(
            "HTTP/1.1 {status} Said\r\n{more}content-length: 0\r\nconnection: close\r\n\r\n"
        );
        client.write_all(head.as_bytes()).ok()
    }

    /// All that it was told so far.
    pub(super) fn told(&self) -> Vec<Message> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What it has taken so far.
    pub(super) fn taken(&self) -> Vec<Message> {
        self.told().into_iter().filter(|message| message.is_taken).collect()
    }

    /// What it has taken, once that are so many.
    #[track_caller]
    pub(super) fn has_taken(&self, count: usize) -> Vec<Message> {
        within(Duration::from_mins(1), &format!("{count} messages"), || {
            let taken = self.taken();
            (taken.len() >= count).then_some(taken)
        })
    }

    /// What it has been told, once that was so often.
    #[track_caller]
    pub(super) fn was_told(&self, count: usize) -> Vec<Message> {
        within(Duration::from_mins(1), &format!("{count} messages"), || {
            let told = self.told();
            (told.len() >= count).then_some(told)
        })
    }
}
