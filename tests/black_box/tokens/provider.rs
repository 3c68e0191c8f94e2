//! Tokens of a provider that anybody could run: npm's `oidc-provider`, which is certified for OpenID Connect. It gives them
//! to a program that has a secret (the grant `client_credentials`), for a resource that it names (RFC 8707).

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{add, an_issuer, audience, holder, server};
use crate::clients::workshop;
use crate::harness::{Practice, child, id_of, monday};

/// Longer than any answer of a provider on this machine takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A provider that runs; killed when dropped.
struct Provider {
    issuer: String,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    _workshop: TempDir,
}

impl Provider {
    fn start() -> Self {
        let workshop = workshop(&["provider.mjs"]);
        let mut node = Command::new("node");
        node.arg(workshop.path().join("provider.mjs"));
        // What it says of its versions is nobody's business here.
        node.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = child::spawn(node).unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (issuer, output) = (String::new(), BufReader::new(output));
        let mut provider = Self { issuer, child, input, output, _workshop: workshop };
        provider.says()["issuer"].as_str().unwrap().clone_into(&mut provider.issuer);
        provider
    }

    /// The next line that is for the test; what it says of itself is left out.
    fn says(&mut self) -> Value {
        loop {
            let mut line = String::new();
            assert!(self.output.read_line(&mut line).unwrap() > 0, "it has ended");
            if line.starts_with('{') {
                return serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?}"));
            }
        }
    }

    /// It signs with other keys from now on, and knows the old ones no more.
    fn rotate(&mut self) {
        writeln!(self.input, "rotate").unwrap();
        self.says();
    }

    /// A token for an audience, as whoever has the secret gets it.
    fn token(&self, audience: &str, scope: &str) -> String {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build().into();
        let form = [("grant_type", "client_credentials"), ("scope", scope), ("resource", audience)];
        let request = agent.post(format!("{}/token", self.issuer));
        // front-desk:known-to-the-front-desk
        let request = request
            .header("authorization", "Basic ZnJvbnQtZGVzazprbm93bi10by10aGUtZnJvbnQtZGVzaw==");
        let mut answer = request.send_form(form).unwrap();
        let answer: Value =
            serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_token_of_a_real_provider_does_what_its_claims_give() {
    let provider = Provider::start();
    let practice = Practice::on(server());
    for algorithm in ["RS256", "PS256", "ES256", "EdDSA"] {
        let audience = audience(&practice, algorithm);
        let mut issuer = an_issuer(&provider.issuer, &audience);
        issuer["algorithms"] = json!([algorithm]);
        let issuer = add(&practice.api, &issuer).is(201);
        let reads = holder(&practice, &provider.token(&audience, "daybook:read"));
        reads.get("/v1/appointments").send().is(200);
        let booking = practice.booking(monday(9, 0));
        let problem = booking.request_of(&reads).send().is_refused(403, "insufficient-scope");
        assert_eq!(problem["required_scope"], "book", "{algorithm}");
        let books = holder(&practice, &provider.token(&audience, "daybook:book"));
        books.get("/v1/appointments").send().is_refused(403, "insufficient-scope");
        let booked =
            practice.booking(monday(9, 0)).with("resource_ids", json!([practice.a_room()]));
        let booked = booked.request_of(&books).send().is(201);
        // The record says who it was, to whoever may know, and not what the provider calls them.
        let events = practice.api.get(&format!("/v1/appointments/{}/events", id_of(&booked)));
        let events = events.send();
        let actor = &events.is(200)["items"][0]["metadata"]["actor"];
        let actor = actor.as_str().unwrap_or_else(|| panic!("{events:#?}"));
        assert!(actor.starts_with(&format!("oidc:{}:", id_of(&issuer))), "{actor}");
        assert!(!events.text.contains("front-desk"), "{events:#?}");
    }
}

#[test]
fn a_token_is_of_the_tenant_whose_audience_it_has() {
    let provider = Provider::start();
    let (ours, theirs) = (Practice::on(server()), Practice::on(server()));
    let tokens = [&ours, &theirs].map(|practice| {
        let audience = audience(practice, "ES256");
        add(&practice.api, &an_issuer(&provider.issuer, &audience)).is(201);
        provider.token(&audience, "daybook:read daybook:book")
    });
    let booked = ours.booking(monday(9, 0)).request_of(&holder(&ours, &tokens[0])).send().is(201);
    let at = format!("/v1/appointments/{}", id_of(&booked));
    holder(&ours, &tokens[0]).get(&at).send().is(200);
    holder(&ours, &tokens[1]).get(&at).send().is_refused(404, "not-found");
}

/// The same person is the same actor, whatever token they have; at another tenant they are somebody else.
#[test]
fn one_person_is_one_actor_of_a_tenant() {
    let provider = Provider::start();
    let actors = [0, 1].map(|_| {
        let practice = Practice::on(server());
        let audience = audience(&practice, "EdDSA");
        add(&practice.api, &an_issuer(&provider.issuer, &audience)).is(201);
        [9, 10].map(|hour| {
            let holder = holder(&practice, &provider.token(&audience, "daybook:book"));
            let booked = practice.booking(monday(hour, 0)).request_of(&holder).send().is(201);
            let events = format!("/v1/appointments/{}/events", id_of(&booked));
            let events = practice.api.get(&events).send().is(200);
            let actor = events["items"][0]["metadata"]["actor"].as_str().unwrap().to_owned();
            actor.rsplit(':').next().unwrap().to_owned()
        })
    });
    let [ours, theirs] = actors;
    assert_eq!(ours[0], ours[1]);
    assert_eq!(theirs[0], theirs[1]);
    assert_ne!(ours[0], theirs[0]);
}

#[test]
fn a_provider_that_signs_with_new_keys_is_followed_and_one_that_is_away_is_gone_by() {
    let mut provider = Provider::start();
    let practice = Practice::on(server());
    let audience = audience(&practice, "RS256");
    add(&practice.api, &an_issuer(&provider.issuer, &audience)).is(201);
    let old = holder(&practice, &provider.token(&audience, "daybook:read"));
    old.get("/v1/appointments").send().is(200);
    provider.rotate();
    let new = holder(&practice, &provider.token(&audience, "daybook:read"));
    // It was asked a moment ago, and is not asked again by each token that has an unknown key.
    new.get("/v1/appointments").send().is_refused(401, "invalid-token");
    thread::sleep(Duration::from_secs(10));
    new.get("/v1/appointments").send().is(200);
    old.get("/v1/appointments").send().is_refused(401, "invalid-token");
    drop(provider);
    new.get("/v1/appointments").send().is(200);
}
