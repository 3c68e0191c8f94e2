//! Every aggregate, in one list: what has to know all of them is made of it.

/// Gives a macro every aggregate as `Name: aggregate, id, refusal;`, in the order in which they are
/// listed for readers.
///
/// A new aggregate is registered here, and nowhere else: its refusals become a variant of
/// [`Refusal`](crate::Refusal), the names of its events are in [`EVENT_TYPES`](crate::EVENT_TYPES), and
/// the store reads, appends, verifies and replays its events.
#[macro_export]
macro_rules! aggregates {
    ($use_list:ident) => {
        $use_list! {
            Service: $crate::service::Service, $crate::ServiceId, $crate::service::ServiceRefusal;
            Resource: $crate::resource::Resource, $crate::ResourceId,
                $crate::resource::ResourceRefusal;
            Client: $crate::client::Client, $crate::ClientId, $crate::client::ClientRefusal;
            Appointment: $crate::appointment::Appointment, $crate::AppointmentId,
                $crate::appointment::AppointmentRefusal;
            Session: $crate::session::Session, $crate::SessionId, $crate::session::SessionRefusal;
            Series: $crate::series::Series, $crate::SeriesId, $crate::series::SeriesRefusal;
            Waiting: $crate::waiting::WaitingEntry, $crate::WaitingEntryId,
                $crate::waiting::WaitingRefusal;
            Reminder: $crate::reminder::Reminder, $crate::ReminderId,
                $crate::reminder::ReminderRefusal;
            Notice: $crate::notice::Notice, $crate::NoticeId, $crate::notice::NoticeRefusal;
        }
    };
}
