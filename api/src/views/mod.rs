//! How things are shown: what answers are made of, whichever route gives them.

pub(crate) mod appointment;
pub(crate) mod audit;
pub(crate) mod build;
pub(crate) mod change;
pub(crate) mod client;
pub(crate) mod conflict;
pub(crate) mod event;
pub(crate) mod expanded;
pub(crate) mod keeping;
pub(crate) mod recorded;
pub(crate) mod reminder;
pub(crate) mod resource;
pub(crate) mod series;
pub(crate) mod service;
pub(crate) mod session;
pub(crate) mod times;
pub(crate) mod title;
pub(crate) mod waiting;

use daybook_store::Executable;
use uuid::Uuid;

pub(crate) use appointment::AppointmentView;
pub(crate) use audit::AuditView;
pub(crate) use build::BuildView;
pub(crate) use client::ClientView;
pub(crate) use conflict::ConflictSummary;
pub(crate) use event::EventView;
pub(crate) use keeping::ClientPrivacyView;
pub(crate) use recorded::Recorded;
pub(crate) use reminder::ReminderView;
pub(crate) use resource::{ExceptionView, ResourceView};
pub(crate) use series::SeriesView;
pub(crate) use service::ServiceView;
pub(crate) use session::SessionView;
pub(crate) use times::{Timed, Times};
pub(crate) use title::Titled;
pub(crate) use waiting::WaitingView;

/// An aggregate that is shown.
pub(crate) trait Viewed: Executable {
    /// What is shown.
    type View;

    /// Where its kind of thing is: the path before its id.
    const PATH: &'static str;

    /// Shows it; `None`: it does not exist.
    fn view(self, id: Uuid, version: u64) -> Option<Self::View>;

    /// The same without what is personal, for whoever is not told that.
    fn withheld(view: Self::View) -> Self::View {
        view
    }

    /// The same without what is of elsewhere, for whoever is limited and sees the thing itself.
    fn within_limits(view: Self::View) -> Self::View {
        view
    }
}
