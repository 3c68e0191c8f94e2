//! What is to be booked of an entry, in daybook's own terms, and how that differs from what is there.

use daybook_domain::appointment::{
    Appointment, AppointmentCommand, AppointmentState, Booking, Copied, Description, Details,
    Takes, When,
};
use daybook_domain::{
    Category, ClientId, FreeTitle, Name, Note, Personal, Reason, ResourceId, ResourceIds, Title,
};
use daybook_integrations::calendar::{Place, ToBook};
use uuid::Uuid;

use super::ids::SourceIds;

/// The category of events that name none.
pub(super) const NO_CATEGORY: &str = "Uncategorised";

/// Why an imported event is where its place is closed.
const SO_IT_IS: &str = "so it is in the imported calendar";

/// What is to be booked, and where.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    pub(super) to_book: ToBook,
    pub(super) category: Category,
    pub(super) service: Uuid,
    pub(super) client: Uuid,
    pub(super) resource: Uuid,
    /// What its place is called.
    pub(super) place: Name,
}

/// How an appointment differs from what it is to be.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) commands: Vec<AppointmentCommand>,
    pub(super) moves: bool,
}

impl Wish {
    pub(super) fn title(&self) -> Title {
        let named = self.to_book.title.clone();
        let like_its_kind =
            || Name::new(self.category.as_str()).ok().map(|name| Title::from(&name));
        named.or_else(like_its_kind).unwrap_or_else(|| Title::from(&self.place))
    }

    /// Whether one that lies over another is refused.
    pub(super) fn is_exclusive(&self) -> bool {
        self.to_book.copied.takes == Takes::Place
    }

    /// Whether it may be in the way of one that is: then it matters which of them comes first.
    pub(super) fn is_in_the_way(&self) -> bool {
        let ToBook { place, copied, .. } = &self.to_book;
        match copied.takes {
            Takes::Place => true,
            Takes::PlaceOrMore => matches!(place, Place::Named(_)),
            Takes::Nothing => false,
        }
    }

    fn resources(&self) -> Option<ResourceIds> {
        vec![ResourceId::from(self.resource)].try_into().ok()
    }

    pub(super) fn booking(&self, overriding: Option<Personal<Reason>>) -> AppointmentCommand {
        let client = ClientId::from(self.client);
        AppointmentCommand::BookAppointment(Booking {
            resource_ids: self.resources(),
            title: Some(self.title().into()),
            category: Some(self.category.clone()),
            tags: Some(self.to_book.tags.clone()),
            note: self.to_book.note.clone(),
            private: self.to_book.private,
            overriding,
            ..Booking::new(self.service.into(), client, When::Imported(self.to_book.copied))
        })
    }

    pub(super) fn following(&self, overriding: Option<Personal<Reason>>) -> AppointmentCommand {
        AppointmentCommand::FollowCalendar {
            copied: self.to_book.copied,
            resource_ids: self.resources(),
            overriding,
        }
    }

    /// All that the source says of it, as a number.
    pub(super) fn content(&self, ids: &SourceIds) -> Uuid {
        let ToBook { tags, note, private, copied, .. } = &self.to_book;
        let Copied { during, takes } = copied;
        let tags: Vec<&str> = tags.iter().map(daybook_domain::Tag::as_str).collect();
        let note = note.as_ref().and_then(Personal::reveal).map_or("", Note::as_str);
        let parts = [
            self.title().to_string(),
            self.category.to_string(),
            tags.join("\u{1}"),
            note.to_owned(),
            private.to_string(),
            self.resource.to_string(),
            format!("{} {} {takes:?}", during.start(), during.end()),
        ];
        ids.content(&parts.join("\u{2}"))
    }

    /// What has to be done to an appointment that is there.
    pub(super) fn changes(&self, details: &Details) -> Changes {
        let ToBook { tags, note, private, copied, .. } = &self.to_book;
        let mut changes = Changes::default();
        let slot = &details.slot;
        let there: Vec<Uuid> = slot.resource_ids.iter().map(ResourceId::uuid).collect();
        let transparent = copied.takes == Takes::Nothing;
        changes.moves = slot.during != copied.during
            || there != [self.resource]
            || slot.transparent != transparent;
        if changes.moves {
            changes.commands.push(self.following(None));
        }
        let title = self.title();
        let there = (details.title.reveal(), &details.note, details.private);
        if there != (Some(&title), note, *private) {
            changes.commands.push(AppointmentCommand::DescribeAppointment(Description {
                title: FreeTitle::from(title).into(),
                note: note.clone().into(),
                private: (*private).into(),
                ..Description::default()
            }));
        }
        if (&details.category, &details.tags) != (&self.category, tags) {
            let (category, tags) = (Some(self.category.clone()), Some(tags.clone()));
            changes.commands.push(AppointmentCommand::TagAppointment { category, tags });
        }
        changes
    }
}

/// Why it may be where it is although its place is closed then.
pub(super) fn because_it_is_so() -> Option<Personal<Reason>> {
    Reason::new(SO_IT_IS).ok().map(Personal::new)
}

/// The details of an appointment that is to take place.
pub(super) fn standing(appointment: &Appointment) -> Option<&Details> {
    match appointment.state() {
        Some(AppointmentState::Booked) => appointment.details(),
        _ => None,
    }
}
