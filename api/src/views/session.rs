//! How a session is shown.

use chrono_tz::Tz;
use daybook_domain::service::SessionPlaces;
use daybook_domain::session::{Session, SessionStatus};
use daybook_domain::{Category, Personal, Reason, ResourceIds, ServiceId, Tags, Title};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::appointment::OverriddenView;
use super::client::none_is_known;
use super::expanded::About;
use super::times::timed;
use super::{Times, Viewed};

/// A session.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionView {
    id: Uuid,
    status: SessionStatus,
    /// Its version: how many events it has had. The `ETag` says the same.
    version: u64,
    service_id: ServiceId,
    resource_ids: ResourceIds,
    #[serde(flatten)]
    times: Times,
    /// The IANA zone of its first resource, whose days count.
    time_zone: Tz,
    /// `withheld` for whoever has no key with the scope `personal`, where it is personal.
    title: Title,
    #[serde(skip)]
    has_personal_title: bool,
    category: Category,
    tags: Tags,
    /// How many clients have room.
    places: SessionPlaces,
    /// How many of the places nobody has at this moment; left out in the answer to a command, and
    /// where it was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    free: Option<u16>,
    /// Why it was cancelled, where it was and that was said. Only a key with the scope `personal` is told.
    #[serde(skip_serializing_if = "none_is_known")]
    reason: Option<Personal<Reason>>,
    /// Why it has its time although its resources are closed, where that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    overridden: Option<OverriddenView>,
}

timed!(SessionView);

impl SessionView {
    /// With so many places taken.
    pub(crate) fn with_taken(self, taken: usize) -> Self {
        let taken = u16::try_from(taken).unwrap_or(u16::MAX);
        let stands = self.status == SessionStatus::Scheduled;
        let free = stands.then(|| self.places.get().saturating_sub(taken));
        Self { free, ..self }
    }
}

impl About for SessionView {
    fn client_id(&self) -> Option<Uuid> {
        None
    }

    fn service_id(&self) -> Uuid {
        self.service_id.uuid()
    }

    fn resource_ids(&self) -> &ResourceIds {
        &self.resource_ids
    }
}

/// As a command left it.
impl Viewed for Session {
    type View = SessionView;

    const PATH: &'static str = "/v1/sessions";

    fn view(self, id: Uuid, version: u64) -> Option<SessionView> {
        let Self::Made { plan, status, reason } = self else { return None };
        Some(SessionView {
            id,
            status,
            version,
            service_id: plan.service_id,
            resource_ids: plan.slot.resource_ids,
            times: Times::of(&plan.slot.during),
            time_zone: plan.time_zone,
            title: plan.title.told(),
            has_personal_title: plan.title.is_personal(),
            category: plan.category,
            tags: plan.tags,
            places: plan.places,
            free: None,
            reason,
            overridden: plan.overridden.map(Into::into),
        })
    }

    fn withheld(view: SessionView) -> SessionView {
        let overridden = view.overridden.map(OverriddenView::withheld);
        let title = if view.has_personal_title { Title::withheld() } else { view.title };
        SessionView { title, reason: None, overridden, ..view }
    }
}
