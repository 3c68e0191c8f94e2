//! Answers have the headers that the document says of them, and no other of those.

use std::collections::BTreeSet;

use serde_json::Value;

use super::house::House;
use super::{Operation, operations, request};
use crate::harness::{Answer, Server};

/// The headers of a response, each with whether it must be there.
fn said<'d>(document: &'d Value, response: &'d Value) -> Vec<(String, bool)> {
    let headers = response["headers"].as_object().into_iter().flatten();
    let headers = headers.map(|(name, header)| {
        let at = header["$ref"].as_str().map(|at| at.trim_start_matches('#'));
        let header = at.map_or(header, |at| document.pointer(at).unwrap());
        (name.to_lowercase(), header["required"] == true)
    });
    headers.collect()
}

/// The document, and the names of all headers in it.
struct Headers {
    document: Value,
    all: BTreeSet<String>,
}

impl Headers {
    fn new() -> Self {
        let document = Server::shared().api(None).get("/openapi.json").send().is(200);
        let paths = document["paths"].as_object().unwrap().values();
        let operations = paths.flat_map(|path| path.as_object().unwrap().values());
        let responses =
            operations.flat_map(|operation| operation["responses"].as_object().unwrap().values());
        let all = responses.flat_map(|response| said(&document, response));
        let all = all.map(|(name, _)| name).collect();
        Self { document, all }
    }

    #[track_caller]
    fn are_those_of(&self, operation: &Operation, answer: &Answer) {
        let method = operation.method.to_lowercase();
        let responses = &self.document["paths"][&operation.path][method]["responses"];
        let response = &responses[answer.status.to_string()];
        assert!(response.is_object(), "the document has no such status: {answer:#?}");
        let said = said(&self.document, response);
        for name in &self.all {
            let has = answer.header(name).is_some();
            match said.iter().find(|(said, _)| said == name) {
                Some((_, must)) => assert!(has || !must, "{name} is missing: {answer:#?}"),
                None => assert!(!has, "the document does not say {name} of {answer:#?}"),
            }
        }
    }
}

#[test]
fn every_answer_has_the_headers_that_the_document_says_and_no_others() {
    let (house, headers) = (House::new(), Headers::new());
    for name in ["daybook-position", "etag", "link", "location", "retry-after"] {
        assert!(headers.all.contains(name), "{name}");
    }
    let mut operations = operations();
    // What is read is there before commands change it.
    operations.sort_by_key(|operation| !operation.is_get());
    for operation in &operations {
        headers.are_those_of(operation, &request(&house, operation, "colour=red").send());
        if operation.has("dry_run") {
            headers.are_those_of(operation, &request(&house, operation, "dry_run=true").send());
        }
    }
    for operation in &operations {
        headers.are_those_of(operation, &request(&house, operation, "").send());
    }
    let stranger = Server::shared().api(Some("no-key".to_owned()));
    for operation in operations.iter().filter(|operation| operation.path.starts_with("/v1/")) {
        let path = operation.path.replace(['{', '}'], "");
        headers.are_those_of(operation, &stranger.request(&operation.method, &path).send());
    }
}
