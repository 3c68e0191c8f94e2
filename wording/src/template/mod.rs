//! A tenant's own words: a template in the language of Jinja, of which little is left here.
//!
//! There are conditions, loops over what the template itself lists, `set`, and operators, but none that makes much of little; no
//! filters, tests, functions, macros or includes. What can be named is a list ([`names`]), and whoever names something else is told so before anybody is written
//! to. It is bounded: in its size, its depth, its work and what it writes.
//!
//! * `context`: what can be named. `engine`: how a part of a template is written out.
//! * `tags`: what is taken in one. `fault`: what can be wrong with one.

mod context;
mod engine;
mod fault;
mod tags;
#[cfg(test)]
mod tests;

use daybook_domain::sending::Kind;
use daybook_domain::{Illegible, legible};

pub use context::names;
pub use fault::{Fault, Part, Place, Wrong};

use crate::{Said, Written, examples};

/// The most bytes of a template, all parts together.
pub const MAX_TEMPLATE_BYTES: usize = 16 * 1024;

/// The most bytes of what one writes, all parts together.
pub const MAX_OUTPUT_BYTES: usize = 64 * 1024;

/// The most characters of a subject; what is longer is cut off, for names of services can be long.
const MAX_SUBJECT_CHARS: usize = 300;

/// A template, as somebody has written it. Without HTML, the message is of text alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Template<'a> {
    pub subject: &'a str,
    pub text: &'a str,
    pub html: Option<&'a str>,
}

impl<'a> Template<'a> {
    /// Whether it can be used for messages of a kind: nothing is named that there is not, and the examples can be said.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn check(self, kind: Kind) -> Result<(), Fault> {
        self.is_small()?;
        for (part, source) in self.parts() {
            is_legible(part, source)?;
            engine::names_what_there_is(part, source, kind)?;
        }
        examples(kind).iter().try_for_each(|said| self.write(said).map(drop))
    }

    /// What it says of something.
    ///
    /// # Errors
    /// When it cannot: what it says then is of the client, so nobody but whoever may know that is told more of the fault than
    /// which [`Wrong`] it is.
    pub fn write(self, said: &Said<'_>) -> Result<Written, Fault> {
        self.is_small()?;
        let context = context::of(said);
        let mut left = MAX_OUTPUT_BYTES;
        let mut write = |part, source| {
            let written = engine::write(part, source, &context)?;
            match left.checked_sub(written.len()) {
                Some(rest) => left = rest,
                None => return Err(Fault::of(part, Wrong::TooMuch, TOO_MUCH)),
            }
            Ok(written)
        };
        let subject = one_line(&write(Part::Subject, self.subject)?)?;
        let text = write(Part::Text, self.text)?;
        let html = self.html.map(|html| write(Part::Html, html)).transpose()?;
        let parts = [(Part::Text, Some(&text)), (Part::Html, html.as_ref())];
        for (part, written) in parts.into_iter().filter_map(|(part, it)| Some((part, it?))) {
            is_legible(part, written)?;
            is_something(part, written)?;
        }
        Ok(Written { subject, text, html })
    }

    fn parts(self) -> impl Iterator<Item = (Part, &'a str)> {
        let html = self.html.map(|html| (Part::Html, html));
        [(Part::Subject, self.subject), (Part::Text, self.text)].into_iter().chain(html)
    }

    fn is_small(self) -> Result<(), Fault> {
        let mut left = MAX_TEMPLATE_BYTES;
        for (part, source) in self.parts() {
            left = left
                .checked_sub(source.len())
                .ok_or_else(|| Fault::of(part, Wrong::TooLarge, TOO_LARGE))?;
        }
        Ok(())
    }
}

const TOO_LARGE: &str = "a template has at most 16 KiB, all parts together";
const TOO_MUCH: &str = "a message has at most 64 KiB, all parts together";

/// There are line breaks and tabs, and no other control characters, nor any that turn the direction of writing.
fn is_legible(part: Part, text: &str) -> Result<(), Fault> {
    if text.chars().any(|c| c.is_control() && !"\n\r\t".contains(c)) {
        return Err(Fault::of(part, Wrong::Characters, "it has control characters"));
    }
    match legible(text) {
        Err(why @ Illegible::Turned) => Err(Fault::of(part, Wrong::Characters, &why.to_string())),
        Ok(()) | Err(Illegible::Invisible) => Ok(()),
    }
}

/// Something of it can be seen.
fn is_something(part: Part, written: &str) -> Result<(), Fault> {
    if written.trim().is_empty() || legible(written) == Err(Illegible::Invisible) {
        return Err(Fault::of(part, Wrong::Empty, "nothing is left of it"));
    }
    Ok(())
}

/// A subject is one line, so that it is one header.
fn one_line(subject: &str) -> Result<String, Fault> {
    let subject = subject.trim();
    is_something(Part::Subject, subject)?;
    is_legible(Part::Subject, subject)?;
    if subject.chars().any(char::is_control) {
        let why = "it is one line, without tabs";
        return Err(Fault::of(Part::Subject, Wrong::Characters, why));
    }
    if subject.chars().count() <= MAX_SUBJECT_CHARS {
        return Ok(subject.to_owned());
    }
    Ok(subject.chars().take(MAX_SUBJECT_CHARS - 1).chain(['…']).collect())
}
