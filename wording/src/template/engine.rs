//! How a part of a template is written out.

use daybook_domain::sending::Kind;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, UndefinedBehavior, Value};

use super::fault::{Fault, Part, Place, Wrong};
use super::names;
use super::tags::{self, Named, Tags};
use crate::html::escaped;

/// What a part may cost: an instruction, or 64 bytes, for each. So no part takes more than 640 KiB while it is written.
const FUEL: u64 = 10_000;

/// Whether nothing is named that there is not, also where the examples do not come to it.
pub(super) fn names_what_there_is(part: Part, source: &str, kind: Kind) -> Result<(), Fault> {
    let Tags { named, given } = tags::look_through(part, source)?;
    let known = names(kind);
    let unknown = |at: Option<usize>, why: String| {
        let place = at.map(|at| Place::of(source, at));
        Err(Fault { part, wrong: Wrong::Unknown, place, why })
    };
    // What has another's name would hide it.
    let is_taken = |name: &str| known.iter().any(|known| is_within(known, name)) || name == "loop";
    if let Some(Named { at, name }) = given.iter().find(|given| is_taken(&given.name)) {
        return unknown(Some(*at), format!("{name} is there already: it cannot be set"));
    }
    let engine = engine(part);
    let template = engine.template_from_str(source).map_err(|error| fault(part, source, &error))?;
    let mut missing = template.undeclared_variables(true);
    missing.retain(|name| !known.contains(name));
    // The first of them is told, as one reads.
    let first = named.iter().find(|named| missing.contains(&named.name));
    let at = first.map(|named| named.at);
    match first.map(|named| &named.name).or_else(|| missing.iter().min()) {
        None => Ok(()),
        Some(name) => unknown(at, format!("there is no {name}; there is: {}", known.join(", "))),
    }
}

/// Whether a name is this one, or that of something of it.
fn is_within(name: &str, of: &str) -> bool {
    name.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// What a part says.
pub(super) fn write(part: Part, source: &str, context: &Value) -> Result<String, Fault> {
    tags::look_through(part, source)?;
    let engine = engine(part);
    let template = engine.template_from_str(source);
    let written = template.and_then(|template| template.render(context.clone()));
    written.map_err(|error| fault(part, source, &error))
}

fn engine<'a>(part: Part) -> Environment<'a> {
    let mut engine = Environment::empty();
    // So that a fault says where it is.
    engine.set_debug(true);
    engine.set_fuel(Some(FUEL));
    // What is written is what stands there, to the last line break.
    if let Ok(syntax) = SyntaxConfig::builder().keep_trailing_newline(true).build() {
        engine.set_syntax(syntax);
    }
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    match part {
        Part::Subject | Part::Text => engine.set_formatter(|out, _, value| shown(out, value)),
        Part::Html => {
            engine.set_auto_escape_callback(|_| AutoEscape::Html);
            // Also where the template turns that off: whatever is said is text, and only the template itself is markup.
            engine.set_formatter(|out, _, value| {
                if value.is_safe() { shown(out, value) } else { shown_in_html(out, value) }
            });
        }
    }
    engine
}

fn shown(out: &mut Output<'_>, value: &Value) -> Result<(), Error> {
    Ok(out.write_str(&text(value)?)?)
}

fn shown_in_html(out: &mut Output<'_>, value: &Value) -> Result<(), Error> {
    Ok(out.write_str(&escaped(&text(value)?))?)
}

/// What there is not is shown as nothing, and a list in no way.
fn text(value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => Ok(String::new()),
        ValueKind::String | ValueKind::Number | ValueKind::Bool => Ok(value.to_string()),
        _ => Err(Error::new(ErrorKind::InvalidOperation, "only texts and numbers are written")),
    }
}

fn fault(part: Part, source: &str, error: &Error) -> Fault {
    let wrong = match error.kind() {
        ErrorKind::SyntaxError | ErrorKind::BadEscape => Wrong::Syntax,
        ErrorKind::OutOfFuel => Wrong::TooMuch,
        ErrorKind::UnknownFilter
        | ErrorKind::UnknownTest
        | ErrorKind::UnknownFunction
        | ErrorKind::UnknownMethod
        | ErrorKind::UndefinedError => Wrong::Unknown,
        _ => Wrong::Impossible,
    };
    let place = match (error.range(), error.line()) {
        (Some(range), _) => Some(Place::of(source, range.start)),
        (None, Some(line)) => Some(Place { line, column: 1 }),
        (None, None) => None,
    };
    let kind = error.kind();
    let why = match (wrong, error.detail()) {
        (Wrong::TooMuch, _) => "it takes too long, or writes too much".to_owned(),
        (_, Some(detail)) => format!("{kind}: {detail}"),
        (_, None) => kind.to_string(),
    };
    Fault { part, wrong, place, why }
}
