//! `daybook` as it is started first: with a demo, and a line to copy.

use serde_json::{Value, json};

use crate::harness::{Database, Server};

/// The words of a shell's command line; as much of it as a line to copy should need.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '\'' => {
                let quoted: String = characters.by_ref().take_while(|c| *c != '\'').collect();
                word.get_or_insert_default().push_str(&quoted);
            }
            '"' | '\\' | '$' | '`' => panic!("a line to copy is simpler than that: {line}"),
            c if c.is_whitespace() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// What curl would send: the headers, the body, the URL.
struct Curl {
    headers: Vec<(String, String)>,
    body: Option<String>,
    url: String,
}

impl Curl {
    /// The command lines for curl in a text, each as long as its lines end in a backslash.
    fn all(text: &str) -> Vec<Self> {
        let joined = text.replace("\\\n", " ");
        joined.lines().filter_map(|line| line.trim().strip_prefix("curl ")).map(Self::new).collect()
    }

    fn new(arguments: &str) -> Self {
        let mut curl = Self { headers: Vec::new(), body: None, url: String::new() };
        let mut words = words(arguments).into_iter();
        while let Some(word) = words.next() {
            match &*word {
                "-H" => {
                    let header = words.next().unwrap();
                    let (name, value) = header.split_once(": ").unwrap();
                    curl.headers.push((name.to_owned(), value.to_owned()));
                }
                "-d" => curl.body = words.next(),
                option if option.starts_with('-') => panic!("curl {option}"),
                _ => curl.url = word,
            }
        }
        curl
    }

    fn send(&self, server: &Server) -> crate::harness::Answer {
        let method = if self.body.is_some() { "POST" } else { "GET" };
        let request = server.api(None).request(method, &self.url);
        let headers = self.headers.iter();
        let request = headers.fold(request, |request, (name, value)| request.header(name, value));
        match &self.body {
            Some(body) => request.raw_body(body.as_bytes()).send(),
            None => request.send(),
        }
    }
}

#[test]
fn the_line_that_it_prints_books_and_the_next_one_finds_it() {
    let database = Database::embedded();
    let server = Server::start_with(&database, &["--demo"]);
    let said = server.said();
    let [book, find] = &Curl::all(&said)[..] else { panic!("two lines to copy: {said}") };
    let booked = book.send(&server);
    let appointment = booked.is(201);
    // As anyone does who copies a line twice.
    book.send(&server).is_refused(409, "slot-taken");
    let found = crate::harness::eventually("it is found", || {
        let page = find.send(&server).is(200);
        page["items"].as_array().unwrap().first().cloned()
    });
    assert_eq!(found["id"], appointment["id"]);
    assert!(said.contains(&format!("{}/docs", server.url)), "{said}");

    server.interrupt();
    assert_eq!(server.wait().code(), Some(0), "{}", server.log());
    drop(server);
    let server = Server::start_with(&database, &["--demo"]);
    let again = server.said();
    let authorization = |said: &str| Curl::all(said)[0].headers.clone();
    assert_eq!(authorization(&again), authorization(&said), "its key is kept");
    let [_, find] = &Curl::all(&again)[..] else { panic!("two lines to copy: {again}") };
    let items = find.send(&server).is(200)["items"].clone();
    assert_eq!(items, json!([found]), "the practice is furnished once");
}

#[test]
fn a_line_is_read_as_a_shell_reads_it() {
    let [curl] =
        &Curl::all("  Book:\n\n    curl -H 'A: b c' \\\n  -d '{\"x\":\"y z\"}' \\\n http://h/p\n")
            [..]
    else {
        panic!("one line")
    };
    assert_eq!(curl.headers, [("A".to_owned(), "b c".to_owned())]);
    let body: Value = serde_json::from_str(curl.body.as_ref().unwrap()).unwrap();
    assert_eq!(body, json!({"x": "y z"}));
    assert_eq!(curl.url, "http://h/p");
}
