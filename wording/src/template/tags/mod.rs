//! What stands within the tags of a template, looked through before anybody reads it.
//!
//! What is taken is a list, and short. Fuel counts what is made of texts, but not what is made of lists: they are repeated and put together for
//! nothing, and what has lists in lists takes for ever to be compared. So a list has texts and numbers, as they are
//! written down, and nothing makes more of it. Nor does fuel count what lies in itself: whoever reads a template and whoever forgets
//! it goes as deep as it does, and a stack that overflows ends the program. So that has bounds, too.
//!
//! * `tokens`: what a tag is made of.

mod tokens;

use super::fault::{Fault, Part, Place, Wrong};
use tokens::{Tag, Token, Tokens};

/// How deep blocks may lie in each other, where each `elif` is one more.
const MAX_DEPTH: usize = 32;

/// How many operators, dots and brackets a tag may have: what it says lies no deeper in itself.
const MAX_OPERATORS: usize = 64;

/// Words that join what is beside them. What follows one is no more of the same.
const JOINING: [&str; 6] = ["and", "or", "not", "in", "if", "else"];

/// A name, with all that follows it behind dots.
pub(super) struct Named {
    pub(super) at: usize,
    pub(super) name: String,
}

/// What the tags of a template are about.
#[derive(Default)]
pub(super) struct Tags {
    /// What they name, as one reads.
    pub(super) named: Vec<Named>,
    /// What the template gives a name of its own.
    pub(super) given: Vec<Named>,
}

/// Looks through all tags of a part.
///
/// # Errors
/// When there is something in one that is not taken.
pub(super) fn look_through(part: Part, source: &str) -> Result<Tags, Fault> {
    let mut look = Look { part, source, tags: Tags::default(), depth: 0, blocks: Vec::new() };
    let mut at = 0;
    while let Some((start, tag)) = Tag::next(source, at) {
        at = match tag {
            Tag::Comment => Tag::end_of_comment(source, start),
            Tag::Says => look.tag(Tokens::of(source, start, tag))?,
            Tag::Does => look.block(Tokens::of(source, start, tag))?,
        };
    }
    Ok(look.tags)
}

/// A bracket that is open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    /// `(1)`
    Group,
    /// `[1, 2]`
    List,
    /// Of a list: `months[1]`
    Item,
}

struct Look<'a> {
    part: Part,
    source: &'a str,
    tags: Tags,
    depth: usize,
    /// How deep it was in front of each block that is open.
    blocks: Vec<usize>,
}

impl<'a> Look<'a> {
    /// One that does something. Where it ends.
    fn block(&mut self, mut tokens: Tokens<'a>) -> Result<usize, Fault> {
        let (at, word) = match tokens.next() {
            Some((at, Token::Word(word))) => (at, word),
            Some((at, _)) => return Err(self.no(at, "a word is missing, as `if` or `set`")),
            None => return Err(self.no(tokens.at(), "it has no end")),
        };
        match word {
            "if" | "for" => self.begin(),
            "elif" => self.depth += 1,
            "set" | "else" => {}
            "endif" | "endfor" | "endset" => self.depth = self.blocks.pop().unwrap_or_default(),
            word => return Err(self.no(at, &format!("there is no `{word}`"))),
        }
        if matches!(word, "for" | "set") {
            let mut ahead = tokens.clone();
            match ahead.next() {
                Some((at, Token::Word(name))) => {
                    self.tags.given.push(Named { at, name: name.to_owned() });
                }
                _ => return Err(self.no(tokens.at(), "a name is missing")),
            }
            if word == "set" {
                match ahead.next() {
                    Some((_, Token::Sign("="))) => {}
                    // What is written up to its end.
                    Some((_, Token::End)) => self.begin(),
                    _ => return Err(self.no(ahead.at(), "a `=` is missing")),
                }
            }
        }
        if self.depth > MAX_DEPTH {
            let why = format!("blocks lie in each other {MAX_DEPTH} deep at most");
            return Err(self.fault(at, Wrong::TooLarge, &why));
        }
        self.tag(tokens)
    }

    fn begin(&mut self) {
        self.blocks.push(self.depth);
        self.depth += 1;
    }

    /// What a tag says, or does it with. Where it ends.
    fn tag(&mut self, mut tokens: Tokens<'a>) -> Result<usize, Fault> {
        // Whether what comes is behind a dot, which is behind a name; and whether it is the first of something.
        let (mut is_member, mut is_of_name, mut is_first) = (false, false, true);
        let mut operators = 0;
        let mut open: Vec<Open> = Vec::new();
        while let Some((at, token)) = tokens.next() {
            let is_in_list = open.last() == Some(&Open::List);
            match token {
                Token::End if open.is_empty() => return Ok(tokens.at()),
                Token::End => return Err(self.no(at, "a bracket is not closed")),
                Token::Other(other) => return Err(self.no(at, &format!("there is no `{other}`"))),
                Token::Text | Token::Number => {}
                Token::Sign("]") if matches!(open.last(), Some(Open::List | Open::Item)) => {
                    open.pop();
                }
                Token::Sign("," | "-" | ".") if is_in_list => {}
                _ if is_in_list => {
                    return Err(self.no(at, "a list has texts and numbers, as they are"));
                }
                Token::Word(name) if is_member => {
                    if let Some(named) = self.tags.named.last_mut().filter(|_| is_of_name) {
                        named.name.push('.');
                        named.name.push_str(name);
                    }
                }
                Token::Word("is") => return Err(self.unknown(at, "there are no tests: no `is`")),
                Token::Word(word) if JOINING.contains(&word) => operators += 1,
                Token::Word(name) => self.tags.named.push(Named { at, name: name.to_owned() }),
                Token::Sign("|") => return Err(self.unknown(at, "there are no filters: no `|`")),
                Token::Sign("(") if !is_first => {
                    return Err(self.unknown(at, "there are no functions"));
                }
                Token::Sign("(") => open.push(Open::Group),
                Token::Sign("[") => open.push(if is_first { Open::List } else { Open::Item }),
                Token::Sign(")") if open.last() == Some(&Open::Group) => {
                    open.pop();
                }
                Token::Sign(sign @ ("," | ")" | "]")) => {
                    return Err(self.no(at, &format!("`{sign}` has no place there")));
                }
                Token::Sign(_) => {}
            }
            operators += usize::from(matches!(token, Token::Sign(sign) if sign != ","));
            if operators > MAX_OPERATORS {
                let why = format!("a tag has {MAX_OPERATORS} operators, dots and brackets at most");
                return Err(self.fault(at, Wrong::TooLarge, &why));
            }
            is_first = match token {
                Token::Sign(sign) => !matches!(sign, ")" | "]" | "."),
                Token::Word(word) => !is_member && JOINING.contains(&word),
                _ => false,
            };
            is_of_name = match token {
                Token::Word(word) if !is_member => !JOINING.contains(&word),
                Token::Word(_) | Token::Sign(".") => is_of_name,
                _ => false,
            };
            is_member = token == Token::Sign(".");
        }
        Err(self.no(tokens.at(), "it has no end"))
    }

    fn no(&self, at: usize, why: &str) -> Fault {
        self.fault(at, Wrong::Syntax, why)
    }

    fn unknown(&self, at: usize, why: &str) -> Fault {
        self.fault(at, Wrong::Unknown, why)
    }

    fn fault(&self, at: usize, wrong: Wrong, why: &str) -> Fault {
        let place = Some(Place::of(self.source, at));
        Fault { part: self.part, wrong, place, why: why.to_owned() }
    }
}
