//! What appointments and sessions are about, shown with them where that is asked for.

use std::collections::{BTreeMap, BTreeSet};

use daybook_domain::{ResourceId, ResourceIds};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{ClientView, Recorded, ResourceView, ServiceView};

/// What can be shown with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expansion {
    Client,
    Service,
    Resources,
}

/// Something that says what it is about by ids.
pub(crate) trait About {
    fn client_id(&self) -> Option<Uuid>;
    fn service_id(&self) -> Uuid;
    fn resource_ids(&self) -> &ResourceIds;
}

/// Says what an appointment is about, in whatever form it is shown.
macro_rules! about {
    ($($shown:ty),+) => {$(
        impl $crate::views::expanded::About for $shown {
            fn client_id(&self) -> Option<uuid::Uuid> {
                Some(self.client_id.uuid())
            }

            fn service_id(&self) -> uuid::Uuid {
                self.service_id.uuid()
            }

            fn resource_ids(&self) -> &daybook_domain::ResourceIds {
                &self.resource_ids
            }
        }
    )+};
}
pub(crate) use about;

impl<T: About> About for Recorded<T> {
    fn client_id(&self) -> Option<Uuid> {
        self.item().client_id()
    }

    fn service_id(&self) -> Uuid {
        self.item().service_id()
    }

    fn resource_ids(&self) -> &ResourceIds {
        self.item().resource_ids()
    }
}

/// Something with what it is about, as far as that was asked for.
#[derive(Serialize, ToSchema)]
pub(crate) struct Expanded<T> {
    #[serde(flatten)]
    item: T,
    /// With `expand=client`: the client, without notes.
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<ClientView>,
    /// With `expand=service`: the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<ServiceView>,
    /// With `expand=resources`: the resources, as lists show them, in the order of `resource_ids`.
    #[serde(skip_serializing_if = "Option::is_none")]
    resources: Option<Vec<ResourceView>>,
}

/// Which ones are wanted of some items.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) clients: BTreeSet<Uuid>,
    pub(crate) services: BTreeSet<Uuid>,
    pub(crate) resources: BTreeSet<Uuid>,
}

impl Wanted {
    pub(crate) fn of<T: About>(items: &[T], expand: &[Expansion]) -> Self {
        let mut wanted = Self::default();
        for item in items {
            for expansion in expand {
                match expansion {
                    Expansion::Client => wanted.clients.extend(item.client_id()),
                    Expansion::Service => wanted.services.extend([item.service_id()]),
                    Expansion::Resources => {
                        wanted.resources.extend(item.resource_ids().iter().map(ResourceId::uuid));
                    }
                }
            }
        }
        wanted
    }
}

/// What some items are about.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) clients: BTreeMap<Uuid, ClientView>,
    pub(crate) services: BTreeMap<Uuid, ServiceView>,
    pub(crate) resources: BTreeMap<Uuid, ResourceView>,
}

/// What a calendar's items are about, each once.
#[derive(Serialize, ToSchema)]
pub(crate) struct Included {
    /// With `expand=client`: the clients, without notes.
    clients: Vec<ClientView>,
    /// With `expand=service`: the services.
    services: Vec<ServiceView>,
    /// With `expand=resources`: the resources, as lists show them.
    resources: Vec<ResourceView>,
}

impl Found {
    pub(crate) fn included(self) -> Included {
        Included {
            clients: self.clients.into_values().collect(),
            services: self.services.into_values().collect(),
            resources: self.resources.into_values().collect(),
        }
    }

    pub(crate) fn expand<T: About>(&self, item: T, expand: &[Expansion]) -> Expanded<T> {
        let client = item.client_id().and_then(|id| self.clients.get(&id)).cloned();
        let service = self.services.get(&item.service_id()).cloned();
        let resources = expand.contains(&Expansion::Resources).then(|| {
            let each = item.resource_ids().iter();
            each.filter_map(|id| self.resources.get(&id.uuid()).cloned()).collect()
        });
        Expanded { item, client, service, resources }
    }
}
