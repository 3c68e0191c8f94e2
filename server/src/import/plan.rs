//! What is to be done about an entry: what its source says now, compared with what it said before and with
//! what is there.

use daybook_domain::appointment::Appointment;
use daybook_store::imports::ImportedEvent;
use uuid::Uuid;

use super::ids::SourceIds;
use super::importer::{Importer, Item};
use super::outcome::{Kept, Outcome};
use super::wanted::{Changes, standing};

/// It has changed in its calendar and was changed here: which of the two is right, a person has to say.
pub(super) const CHANGED_HERE: &str =
    "it has changed in its calendar, and was changed here since: it is left as it is";

/// An entry, and what is to be done about it.
pub(super) struct Planned {
    pub(super) item: Item,
    pub(super) step: Step,
}

/// What is to be done.
pub(super) enum Step {
    /// Nothing: this is what has become of it.
    Done(Outcome),
    Book {
        appointment: Uuid,
        content: Uuid,
    },
    Change {
        appointment: Uuid,
        version: u64,
        content: Uuid,
        changes: Changes,
    },
    Cancel {
        appointment: Uuid,
        version: u64,
    },
}

impl Importer {
    pub(super) async fn plan(
        &self,
        item: Item,
        source: &SourceIds,
        again: bool,
    ) -> anyhow::Result<Planned> {
        let step = if again {
            Step::Done(Outcome::AlreadyThere { kept: None })
        } else {
            self.step(&item, source).await?
        };
        Ok(Planned { item, step })
    }

    async fn step(&self, item: &Item, source: &SourceIds) -> anyhow::Result<Step> {
        let content = item.wish.as_ref().map(|wish| wish.content(source));
        let Some(known) = &item.known else {
            let appointment = source.appointment(&item.entry);
            return match content {
                Some(content) => Ok(Step::Book { appointment, content }),
                None => self.cancel_unknown(appointment).await,
            };
        };
        if is_older(item, known) {
            return Ok(Step::Done(Outcome::AlreadyThere { kept: None }));
        }
        if content == known.content {
            return Ok(Step::Done(Outcome::AlreadyThere { kept: still(item, known) }));
        }
        self.changed(item, known, content, source).await
    }

    /// What is cancelled and was never imported, unless an import was broken off after it was booked.
    async fn cancel_unknown(&self, appointment: Uuid) -> anyhow::Result<Step> {
        let there = self.there::<Appointment>(appointment).await?;
        Ok(match there {
            Some((there, version @ 1)) if standing(&there).is_some() => {
                Step::Cancel { appointment, version }
            }
            _ => Step::Done(Outcome::NotTakingPlace),
        })
    }

    async fn changed(
        &self,
        item: &Item,
        known: &ImportedEvent,
        content: Option<Uuid>,
        source: &SourceIds,
    ) -> anyhow::Result<Step> {
        let appointment = known.appointment_id;
        let there = self.there::<Appointment>(appointment).await?;
        let there = there.as_ref().map(|(there, version)| (standing(there), *version));
        let kept = |version| Some(Kept { appointment, version, content });
        Ok(match (there, item.wish.as_ref().zip(content)) {
            (Some((Some(details), version)), Some((wish, content))) => {
                let changes = wish.changes(details);
                if changes.commands.is_empty() {
                    Step::Done(Outcome::AlreadyThere { kept: kept(version) })
                } else if version == known.version {
                    Step::Change { appointment, version, content, changes }
                } else {
                    Step::Done(Outcome::Left(CHANGED_HERE))
                }
            }
            (Some((Some(_), version)), None) if version == known.version => {
                Step::Cancel { appointment, version }
            }
            // It was cancelled in its calendar, and takes place again: a cancelled appointment stays so.
            (Some((None, _)), Some((_, content))) if known.content.is_none() => {
                Step::Book { appointment: source.again(appointment), content }
            }
            (Some((Some(_), _)), None) | (Some((None, _)), Some(_)) => {
                Step::Done(Outcome::Left(CHANGED_HERE))
            }
            (Some((None, version)), None) => {
                Step::Done(Outcome::AlreadyThere { kept: kept(version) })
            }
            (None, Some((_, content))) => Step::Book { appointment, content },
            (None, None) => Step::Done(Outcome::NotTakingPlace),
        })
    }
}

/// SEQUENCE decides which of two versions is the older one, then DTSTAMP.
fn is_older(item: &Item, known: &ImportedEvent) -> bool {
    let version = item.entry.version;
    let stamped = version.stamp.zip(known.stamped_at);
    version.sequence < known.sequence
        || version.sequence == known.sequence
            && stamped.is_some_and(|(stamp, before)| stamp < before)
}

/// The same as before, in a later version.
fn still(item: &Item, known: &ImportedEvent) -> Option<Kept> {
    let version = item.entry.version;
    let is_later = (version.sequence, version.stamp) != (known.sequence, known.stamped_at);
    is_later.then_some(Kept {
        appointment: known.appointment_id,
        version: known.version,
        content: known.content,
    })
}
