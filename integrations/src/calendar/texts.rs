//! Texts as daybook keeps them: whole, or refused by the name of their property.

use std::collections::BTreeSet;

use daybook_domain::{Category, Note, Personal, Tag, Tags, TextError, Title};

use super::error::RefusalReason;

/// The label of what may yet not take place (STATUS:TENTATIVE).
const TENTATIVE: &str = "tentative";

pub(super) fn refused(property: &'static str) -> impl Fn(TextError) -> RefusalReason {
    move |error| match error {
        TextError::TooLong { max_chars, chars, .. } => {
            RefusalReason::TooLong { property, chars, max_chars }
        }
        TextError::Illegible { why, .. } => RefusalReason::Illegible { property, why },
        // What else could be wrong was mended when it was read.
        _ => RefusalReason::TooLong { property, chars: 0, max_chars: 0 },
    }
}

pub(crate) fn title(text: &str) -> Result<Title, RefusalReason> {
    Title::new(text).map_err(refused("SUMMARY"))
}

/// A title; and the whole text, where it is longer than a title can be: then that ends with `…`.
pub(crate) fn title_of(text: &str) -> Result<(Title, Option<&str>), RefusalReason> {
    if text.chars().count() <= Title::MAX_CHARS {
        return Ok((title(text)?, None));
    }
    let start: String = text.chars().take(Title::MAX_CHARS - 1).collect();
    Ok((title(&format!("{}…", start.trim_end()))?, Some(text)))
}

pub(crate) fn category(text: &str) -> Result<Category, RefusalReason> {
    Category::new(text).map_err(refused("CATEGORIES"))
}

/// The texts that are about people, one below the other.
pub(crate) fn note<'t>(
    texts: impl IntoIterator<Item = &'t str>,
) -> Result<Option<Personal<Note>>, RefusalReason> {
    let texts: Vec<&str> =
        texts.into_iter().map(str::trim).filter(|text| !text.is_empty()).collect();
    if texts.is_empty() {
        return Ok(None);
    }
    let note = Note::new(&texts.join("\n\n")).map_err(refused("DESCRIPTION"))?;
    Ok(Some(Personal::new(note)))
}

pub(crate) fn tags<'t>(
    names: impl IntoIterator<Item = &'t str>,
    tentative: bool,
) -> Result<Tags, RefusalReason> {
    let tags = names.into_iter().map(|name| Tag::new(name).map_err(refused("CATEGORIES")));
    let mut tags: BTreeSet<Tag> = tags.collect::<Result<_, _>>()?;
    if tentative {
        tags.extend(Tag::new(TENTATIVE));
    }
    Tags::try_from(tags).map_err(|_| RefusalReason::TooManyCategories { max: Tags::MAX })
}
