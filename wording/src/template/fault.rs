//! What can be wrong with a template.

use std::fmt;

/// A part of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Subject,
    Text,
    Html,
}

impl Part {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Text => "text",
            Self::Html => "html",
        }
    }
}

/// What is wrong, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// The template is too large, or something in it lies too deep.
    TooLarge,
    /// It cannot be read.
    Syntax,
    /// It names something that there is not.
    Unknown,
    /// What it does with what it names cannot be done.
    Impossible,
    /// It writes too much, or takes too long.
    TooMuch,
    /// It writes nothing.
    Empty,
    /// It has characters that cannot be read as they are written, or its subject is more than a line.
    Characters,
}

impl Wrong {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "too-large",
            Self::Syntax => "syntax",
            Self::Unknown => "unknown",
            Self::Impossible => "impossible",
            Self::TooMuch => "too-much",
            Self::Empty => "empty",
            Self::Characters => "characters",
        }
    }
}

/// Where something is: both from 1, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

impl Place {
    /// That of a byte.
    pub(super) fn of(source: &str, offset: usize) -> Self {
        let before = source.get(..offset).unwrap_or(source);
        let (lines, last) = match before.rsplit_once('\n') {
            Some((lines, last)) => (lines.matches('\n').count() + 1, last),
            None => (0, before),
        };
        Self { line: lines + 1, column: last.chars().count() + 1 }
    }
}

/// Something is wrong with a template. In words it can quote what was to be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub part: Part,
    pub wrong: Wrong,
    /// Where, if it is somewhere.
    pub place: Option<Place>,
    /// In words.
    pub why: String,
}

impl Fault {
    pub(super) fn of(part: Part, wrong: Wrong, why: &str) -> Self {
        Self { part, wrong, place: None, why: why.to_owned() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.part.as_str())?;
        if let Some(Place { line, column }) = self.place {
            write!(f, ", line {line}, column {column}")?;
        }
        write!(f, ": {}", self.why)
    }
}

impl std::error::Error for Fault {}
