//! What became of an entry.

use daybook_domain::Refusal;
use daybook_domain::appointment::AppointmentRefusal;
use daybook_domain::time::Interval;
use daybook_store::imports::ImportedEvent;
use uuid::Uuid;

use super::importer::Item;
use super::wanted::Wish;

/// What became of an entry, and of which appointment in which version.
#[derive(Debug)]
pub(super) enum Outcome {
    Booked {
        appointment: Uuid,
        version: u64,
        content: Uuid,
    },
    Moved {
        appointment: Uuid,
        version: u64,
        content: Uuid,
    },
    Changed {
        appointment: Uuid,
        version: u64,
        content: Uuid,
    },
    Cancelled {
        appointment: Uuid,
        version: u64,
    },
    /// As it is to be; what is kept of it may be newer all the same.
    AlreadyThere {
        kept: Option<Kept>,
    },
    /// It is cancelled, and never was here.
    NotTakingPlace,
    /// It was changed here, and in its calendar too.
    Left(&'static str),
    Refused(String),
}

/// What an appointment was found to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept {
    pub(super) appointment: Uuid,
    pub(super) version: u64,
    /// `None`: cancelled.
    pub(super) content: Option<Uuid>,
}

impl Outcome {
    /// What is known of the event from now on; `None`: what was known before.
    pub(super) fn keeps(&self, item: &Item) -> Option<ImportedEvent> {
        let kept = match *self {
            Self::Booked { appointment, version, content }
            | Self::Moved { appointment, version, content }
            | Self::Changed { appointment, version, content } => {
                Kept { appointment, version, content: Some(content) }
            }
            Self::Cancelled { appointment, version } => {
                Kept { appointment, version, content: None }
            }
            Self::AlreadyThere { kept } => kept?,
            Self::NotTakingPlace | Self::Left(_) | Self::Refused(_) => return None,
        };
        let version = item.entry.version;
        let occurs_at = item.known.as_ref().map(|known| known.occurs_at);
        Some(ImportedEvent {
            entry: item.id,
            series: item.series,
            occurs_at: occurs_at.unwrap_or_else(|| item.entry.occurs_at()),
            appointment_id: kept.appointment,
            sequence: version.sequence,
            stamped_at: version.stamp,
            content: kept.content,
            version: kept.version,
        })
    }

    /// What there is to say of it.
    pub(super) fn text(&self, item: &Item) -> String {
        match self {
            Self::Refused(why) => why.clone(),
            Self::Left(why) => (*why).to_owned(),
            Self::Cancelled { .. } => "it does not take place any longer".to_owned(),
            _ => item.wish.as_ref().map_or_else(String::new, |wish| {
                let during = when(&wish.to_book.copied.during, wish);
                format!("{}, {during}", wish.place)
            }),
        }
    }
}

/// Why a command was refused, for whoever knows the places by their names.
pub(super) fn why(refusal: &Refusal, wish: &Wish) -> String {
    let place = &wish.place;
    match refusal {
        Refusal::Appointment(AppointmentRefusal::SlotTaken { during, .. }) => {
            format!("{place} is taken {}", when(during, wish))
        }
        Refusal::Appointment(AppointmentRefusal::RetiredResource { .. }) => {
            format!("{place} has been retired")
        }
        Refusal::Appointment(AppointmentRefusal::UnknownResource { .. }) => {
            format!("{place} is not there")
        }
        Refusal::Appointment(
            AppointmentRefusal::RetiredService { .. } | AppointmentRefusal::UnknownService { .. },
        ) => format!("the service {} cannot be booked", wish.category),
        other => other.to_string(),
    }
}

/// From when to when, as clocks show it at the event.
pub(super) fn when(during: &Interval, wish: &Wish) -> String {
    let zone = wish.to_book.time_zone;
    let local = |at: chrono::DateTime<chrono::Utc>| {
        at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string()
    };
    format!("from {} to {} ({})", local(during.start()), local(during.end()), zone.name())
}

/// Whether another time would do.
pub(super) fn is_taken(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Appointment(AppointmentRefusal::SlotTaken { .. }))
}
