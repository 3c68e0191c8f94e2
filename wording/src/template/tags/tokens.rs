//! What a tag is made of, as minijinja has it: where the two were of different minds, something could be hidden.

/// What a tag is for.
#[derive(Clone, Copy)]
pub(super) enum Tag {
    /// `{{ ... }}`
    Says,
    /// `{% ... %}`
    Does,
    /// `{# ... #}`
    Comment,
}

impl Tag {
    /// The next one, and where it begins.
    pub(super) fn next(source: &str, from: usize) -> Option<(usize, Self)> {
        let pairs = source.as_bytes().get(from..)?.windows(2);
        let mut tags = pairs.enumerate().filter_map(|(offset, pair)| {
            let tag = match pair {
                b"{{" => Self::Says,
                b"{%" => Self::Does,
                b"{#" => Self::Comment,
                _ => return None,
            };
            Some((from + offset, tag))
        });
        tags.next()
    }

    pub(super) fn end_of_comment(source: &str, start: usize) -> usize {
        let end = source.get(start + 2..).and_then(|rest| rest.find("#}"));
        end.map_or(source.len(), |end| start + 2 + end + 2)
    }

    const fn end(self) -> &'static str {
        match self {
            Self::Says => "}}",
            Self::Does => "%}",
            Self::Comment => "#}",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Word(&'a str),
    /// Within quotes of either kind.
    Text,
    Number,
    Sign(&'a str),
    /// That of the tag.
    End,
    /// What nothing begins with that is taken.
    Other(char),
}

/// Longer ones first.
const SIGNS: [&str; 18] =
    ["//", "==", "!=", ">=", "<=", "/", "=", ">", "<", "-", "%", ".", ",", "(", ")", "[", "]", "|"];

/// The tokens of a tag, up to its end. None are left where it has no end.
#[derive(Clone)]
pub(super) struct Tokens<'a> {
    source: &'a str,
    at: usize,
    tag: Tag,
}

impl<'a> Tokens<'a> {
    /// Those of a tag that begins there.
    pub(super) fn of(source: &'a str, start: usize, tag: Tag) -> Self {
        let mut tokens = Self { source, at: start + 2, tag };
        // It can say what becomes of the white space in front of it.
        if tokens.rest().starts_with(['-', '+']) {
            tokens.at += 1;
        }
        tokens
    }

    /// How far they are read.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or_default()
    }

    /// So many bytes of what is left.
    fn take(&mut self, bytes: usize) -> &'a str {
        let taken = self.rest().get(..bytes).unwrap_or_default();
        self.at += taken.len();
        taken
    }

    /// As many bytes as are such.
    fn take_while(&mut self, is_such: impl Fn(u8) -> bool) -> &'a str {
        let bytes = self.rest().bytes().take_while(|byte| is_such(*byte)).count();
        self.take(bytes)
    }

    fn take_end(&mut self) -> bool {
        let (rest, end) = (self.rest(), self.tag.end());
        // And of that behind it.
        let plain = rest.strip_prefix(['-', '+']).filter(|rest| rest.starts_with(end));
        let is_end = plain.is_some() || rest.starts_with(end);
        if is_end {
            self.at += end.len() + usize::from(plain.is_some());
        }
        is_end
    }

    /// `None`: it has no end.
    fn text(&mut self, quote: char) -> Option<Token<'a>> {
        let mut is_escaped = false;
        let end = self.rest().char_indices().skip(1).find(|(_, c)| {
            let is_end = *c == quote && !is_escaped;
            is_escaped = *c == '\\' && !is_escaped;
            is_end
        });
        let (end, _) = end?;
        self.take(end + 1);
        Some(Token::Text)
    }

    /// `1` or `1.5`, and no other form: some have words in them.
    fn number(&mut self) -> Token<'a> {
        self.take_while(|byte| byte.is_ascii_digit());
        if let [b'.', b'0'..=b'9', ..] = self.rest().as_bytes() {
            self.take(1);
            self.take_while(|byte| byte.is_ascii_digit());
        }
        let is_more = |c: &char| c.is_ascii_alphanumeric() || "_.".contains(*c);
        self.rest().chars().next().filter(is_more).map_or(Token::Number, Token::Other)
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = (usize, Token<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.take_while(|byte| byte.is_ascii_whitespace());
        let at = self.at;
        if self.take_end() {
            return Some((at, Token::End));
        }
        let first = self.rest().chars().next()?;
        let token = match first {
            '"' | '\'' => self.text(first)?,
            '0'..='9' => self.number(),
            'a'..='z' | 'A'..='Z' | '_' => {
                Token::Word(self.take_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
            }
            other => match SIGNS.into_iter().find(|sign| self.rest().starts_with(sign)) {
                Some(sign) => Token::Sign(self.take(sign.len())),
                None => Token::Other(other),
            },
        };
        Some((at, token))
    }
}
