//! Two versions of an OpenAPI document: what of the older one the newer one breaks, by the rules of docs/versions.md.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Who writes what a schema describes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Writer {
    /// The client: what was right must stay right.
    Client,
    /// The program: what was there must stay there.
    Program,
}

/// What the newer document breaks, each in a line; `today` as `YYYY-MM-DD`: what is past its `x-sunset` may be gone.
pub(super) fn breaks(old: &Value, new: &Value, today: &str) -> Vec<String> {
    let mut comparison =
        Comparison { old, new, today, found: Vec::new(), compared: BTreeSet::new() };
    comparison.operations();
    comparison.found
}

struct Comparison<'d> {
    old: &'d Value,
    new: &'d Value,
    today: &'d str,
    found: Vec<String>,
    /// Schemas by name that have been compared, or are being so.
    compared: BTreeSet<(String, String, Writer)>,
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn has(list: &Value, one: &Value) -> bool {
    items(list).any(|item| item == one)
}

/// What a reference leads to, and the name of that.
fn resolved<'d>(document: &'d Value, value: &'d Value) -> (&'d Value, String) {
    let Some(at) = value["$ref"].as_str() else { return (value, String::new()) };
    let target = document.pointer(at.trim_start_matches('#'));
    (target.unwrap_or(&Value::Null), at.to_owned())
}

/// The types that a value can be of; none: of any.
fn types(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    }
}

/// Whether all values of some types are of others.
fn are_among(some: &[&str], others: &[&str]) -> bool {
    let among =
        |one: &&str| others.contains(one) || *one == "integer" && others.contains(&"number");
    others.is_empty() || !some.is_empty() && some.iter().all(among)
}

/// Whether several values of a parameter are given by repeating it.
fn is_repeated(parameter: &Value) -> bool {
    types(&parameter["schema"]) == ["array"]
        && parameter["style"] == "form"
        && parameter["explode"] == true
}

impl<'d> Comparison<'d> {
    fn tell(&mut self, at: &str, what: &str) {
        self.found.push(format!("{at}: {what}"));
    }

    /// Whether this has said for how long it stays, and that is over.
    fn may_be_gone(&self, thing: &Value) -> bool {
        thing["x-sunset"].as_str().is_some_and(|sunset| sunset < self.today)
    }

    fn operations(&mut self) {
        let (before, now) = (self.old, self.new);
        for (path, methods) in members(&before["paths"]) {
            for (method, old) in members(methods) {
                let at = format!("{} {path}", method.to_uppercase());
                let new = &now["paths"][path][method];
                if new.is_object() {
                    self.operation(&at, old, new);
                } else if !self.may_be_gone(old) {
                    self.tell(&at, "is gone");
                }
            }
        }
    }

    fn operation(&mut self, at: &str, old: &'d Value, new: &'d Value) {
        const SETS: [&str; 4] = ["read", "book", "manage", "admin"];
        let rank = |operation: &Value| SETS.iter().position(|set| operation["x-scope"] == *set);
        if rank(new) > rank(old) {
            self.tell(at, "needs a larger scope");
        }
        if old["x-scopes"].is_array() {
            for scope in items(&new["x-scopes"]).filter(|scope| !has(&old["x-scopes"], scope)) {
                self.tell(at, &format!("needs {scope}, too"));
            }
        }
        if old["operationId"] != new["operationId"] {
            self.tell(
                at,
                &format!("was called {}, is called {}", old["operationId"], new["operationId"]),
            );
        }
        self.parameters(at, &old["parameters"], &new["parameters"]);
        self.body(at, &old["requestBody"], &new["requestBody"]);
        for (status, old) in
            members(&old["responses"]).filter(|(status, _)| status.starts_with('2'))
        {
            let at = format!("{at} {status}");
            let new = &new["responses"][status];
            if !new.is_object() {
                self.tell(&at, "is gone");
                continue;
            }
            self.headers(&at, &old["headers"], &new["headers"]);
            self.contents(&at, &old["content"], &new["content"], Writer::Program);
        }
    }

    fn parameters(&mut self, at: &str, old: &'d Value, new: &'d Value) {
        let is =
            |one: &Value, other: &Value| one["name"] == other["name"] && one["in"] == other["in"];
        for one in items(old) {
            let at = format!("{at} {}", one["name"].as_str().unwrap_or_default());
            let Some(other) = items(new).find(|other| is(one, other)) else {
                if !self.may_be_gone(one) {
                    self.tell(&at, "is gone");
                }
                continue;
            };
            if other["required"] == true && one["required"] != true {
                self.tell(&at, "must be given");
            }
            if !is_repeated(one) && is_repeated(other) {
                // Given once, it is what it was.
                self.schema(&at, &one["schema"], &other["schema"]["items"], Writer::Client);
                continue;
            }
            if (&one["style"], &one["explode"]) != (&other["style"], &other["explode"]) {
                self.tell(&at, "is written in another way");
            }
            self.schema(&at, &one["schema"], &other["schema"], Writer::Client);
        }
        let added = items(new).filter(|other| !items(old).any(|one| is(one, other)));
        for one in added.filter(|one| one["required"] == true) {
            self.tell(at, &format!("{} must be given", one["name"].as_str().unwrap_or_default()));
        }
    }

    fn body(&mut self, at: &str, old: &'d Value, new: &'d Value) {
        if new["required"] == true && old["required"] != true {
            self.tell(at, "a body must be given");
        }
        self.contents(&format!("{at} body"), &old["content"], &new["content"], Writer::Client);
    }

    fn contents(&mut self, at: &str, old: &'d Value, new: &'d Value, writer: Writer) {
        for (media_type, old) in members(old) {
            let at = format!("{at} {media_type}");
            match new.get(media_type) {
                Some(new) => self.schema(&at, &old["schema"], &new["schema"], writer),
                None => self.tell(&at, "is gone"),
            }
        }
    }

    fn headers(&mut self, at: &str, old: &'d Value, new: &'d Value) {
        for (name, one) in members(old) {
            let at = format!("{at} {name}");
            let Some(other) = new.get(name) else {
                self.tell(&at, "is gone");
                continue;
            };
            let ((one, _), (other, _)) = (resolved(self.old, one), resolved(self.new, other));
            if one["required"] == true && other["required"] != true {
                self.tell(&at, "is no longer always there");
            }
            self.schema(&at, &one["schema"], &other["schema"], Writer::Program);
        }
    }

    fn schema(&mut self, at: &str, old: &'d Value, new: &'d Value, writer: Writer) {
        let ((old, old_name), (new, new_name)) = (resolved(self.old, old), resolved(self.new, new));
        let is_named = !old_name.is_empty() || !new_name.is_empty();
        if is_named && !self.compared.insert((old_name, new_name, writer)) {
            return;
        }
        if !old["oneOf"].is_null() || !new["oneOf"].is_null() {
            self.alternatives(at, old, new, writer);
            return;
        }
        let (before, now) = (types(old), types(new));
        let stays = match writer {
            Writer::Client => are_among(&before, &now),
            Writer::Program => are_among(&now, &before),
        };
        if !stays {
            self.tell(at, &format!("was of type {before:?}, is of type {now:?}"));
            return;
        }
        self.words(at, old, new, writer);
        self.bounds(at, old, new, writer);
        self.properties(at, old, new, writer);
        if old["items"].is_object() {
            self.schema(&format!("{at}[]"), &old["items"], &new["items"], writer);
        }
        if old["additionalProperties"].is_object() {
            let at = format!("{at}.*");
            self.schema(&at, &old["additionalProperties"], &new["additionalProperties"], writer);
        }
    }

    /// A client may still write any alternative; the program writes none that was not there.
    fn alternatives(&mut self, at: &str, old: &'d Value, new: &'d Value, writer: Writer) {
        fn all(schema: &Value) -> Vec<&Value> {
            schema["oneOf"].as_array().map_or_else(|| vec![schema], |all| all.iter().collect())
        }
        let (before, now) = (all(old), all(new));
        let mut fits = |one: &'d Value, other: &'d Value| {
            let (found, compared) = (self.found.len(), self.compared.clone());
            self.schema(at, one, other, writer);
            let fits = self.found.len() == found;
            self.found.truncate(found);
            self.compared = compared;
            fits
        };
        let lost = match writer {
            Writer::Client => {
                before.iter().filter(|one| !now.iter().any(|other| fits(one, other))).count()
            }
            Writer::Program => {
                now.iter().filter(|other| !before.iter().any(|one| fits(one, other))).count()
            }
        };
        if lost > 0 {
            self.tell(at, &format!("{lost} of its alternatives are other ones"));
        }
    }

    /// The program may say new words: whoever reads them is told to expect that.
    fn words(&mut self, at: &str, old: &Value, new: &Value, writer: Writer) {
        let gone: Vec<&Value> = match (writer, &old["enum"], &new["enum"]) {
            (_, Value::Null, Value::Null) | (Writer::Program, Value::Null, _) => return,
            (Writer::Client, Value::Null, now) => items(now).take(1).collect(),
            (Writer::Client, _, Value::Null) => return,
            (_, before, now) => items(before).filter(|word| !has(now, word)).collect(),
        };
        for word in gone {
            match (&old["enum"], &new["enum"]) {
                (Value::Null, _) => self.tell(at, "takes only some words"),
                _ => self.tell(at, &format!("has no {word}")),
            }
        }
    }

    fn bounds(&mut self, at: &str, old: &Value, new: &Value, writer: Writer) {
        if writer == Writer::Client {
            for name in ["minimum", "minLength", "minItems", "maximum", "maxLength", "maxItems"] {
                let (before, now) = (old[name].as_f64(), new[name].as_f64());
                let narrower = match (before, now) {
                    (_, None) => false,
                    (None, Some(now)) => !name.starts_with("min") || now > 0.0,
                    (Some(before), Some(now)) if name.starts_with("min") => now > before,
                    (Some(before), Some(now)) => now < before,
                };
                if narrower {
                    self.tell(at, &format!("{name} is narrower"));
                }
            }
        }
        for name in ["format", "pattern", "const"] {
            let (before, now) = (&old[name], &new[name]);
            let free = match writer {
                Writer::Client => now.is_null(),
                Writer::Program => before.is_null(),
            };
            if !free && before != now {
                self.tell(at, &format!("{name} was {before}, is {now}"));
            }
        }
    }

    fn properties(&mut self, at: &str, old: &'d Value, new: &'d Value, writer: Writer) {
        for (name, one) in members(&old["properties"]) {
            let at = format!("{at}.{name}");
            match new["properties"].get(name) {
                Some(other) => self.schema(&at, one, other, writer),
                None if self.may_be_gone(one) => {}
                None => self.tell(&at, "is gone"),
            }
        }
        let (before, now) = (&old["required"], &new["required"]);
        match writer {
            Writer::Client => {
                for name in items(now).filter(|name| !has(before, name)) {
                    self.tell(at, &format!("{name} must be given"));
                }
            }
            Writer::Program => {
                for name in items(before).filter(|name| !has(now, name)) {
                    self.tell(at, &format!("{name} is no longer always there"));
                }
            }
        }
    }
}
