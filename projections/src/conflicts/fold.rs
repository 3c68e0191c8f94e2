//! What the changes of a batch make of the appointments.

use std::collections::BTreeMap;

use daybook_domain::AppointmentId;
use daybook_domain::appointment::{Appointment, AppointmentEvent, Slot, Status};

use super::row::{Judged, Use, Uses};
use crate::change::{AppointmentChange, AppointmentChanges};

/// The appointments that a batch touches; `None`: it is neither held nor booked (any longer).
pub(super) type Touched = BTreeMap<AppointmentId, Option<Judged>>;

/// The appointments after the changes; `stored` are the uses of those that stood before.
pub(super) fn fold(
    mut stored: BTreeMap<AppointmentId, Uses>,
    changes: &AppointmentChanges<'_>,
) -> Touched {
    let touched = changes.streams().filter_map(|stream| {
        let last = stream.new.last()?;
        let before = stored.remove(&last.id).unwrap_or_default();
        let uses = stream.new.iter().fold(before, uses_after);
        Some((last.id, Judged::after(last, uses)))
    });
    touched.collect()
}

/// The slot of an appointment that stands: one that does not is in nobody's way, whatever becomes of it, and
/// neither is one that takes no time.
pub(super) fn standing_slot(appointment: &Appointment) -> Option<&Slot> {
    let stands = matches!(appointment.status(), Some(Status::Held | Status::Booked));
    appointment.slot().filter(|slot| stands && !slot.transparent)
}

/// All resources of an appointment that was moved are to be judged, by what they are like at that position;
/// else those that it did not use before.
fn uses_after(before: Uses, change: &AppointmentChange<'_>) -> Uses {
    let Some((slot, excused)) = standing_slot(&change.after).zip(change.after.excused()) else {
        return Uses::new();
    };
    let was_moved = matches!(change.event, AppointmentEvent::AppointmentRescheduled(_))
        || change.before.slot().is_none_or(|before| before.during != slot.during);
    let before = if was_moved { Uses::new() } else { before };
    let used = |resource_id| {
        let new = Use { conflict: None, since: Some(change.position) };
        let Use { conflict, since } = before.get(&resource_id).copied().unwrap_or(new);
        (resource_id, Use { conflict: excused.unexcused(resource_id, conflict), since })
    };
    slot.resource_ids.iter().map(used).collect()
}
