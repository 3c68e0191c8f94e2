//! What a decision may look at besides its own aggregate.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::client::Client;
use crate::resource::Resource;
use crate::service::Service;
use crate::{ClientId, Refusal, ResourceId, ServiceId};

/// The aggregates that a decision looks at, by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// The service, where the decision depends on one.
    pub service: Option<ServiceId>,
    /// The resources, in the order of the command.
    pub resources: Vec<ResourceId>,
    /// The client, where the decision depends on one.
    pub client: Option<ClientId>,
}

/// The world as a decision sees it: the time, and what [`Needs`] asked for.
///
/// An aggregate that does not exist is there in its initial state; saying what that means is the
/// decision's part.
#[derive(Debug, Clone)]
pub struct Facts {
    /// When the command is decided.
    pub now: DateTime<Utc>,
    /// The service that was needed.
    pub service: Arc<Service>,
    /// The resources that were needed, in the order asked for.
    pub resources: Vec<(ResourceId, Arc<Resource>)>,
    /// The client that was needed.
    pub client: Arc<Client>,
}

impl Facts {
    /// A world in which nothing exists yet.
    #[must_use]
    pub fn at(now: DateTime<Utc>) -> Self {
        Self { now, service: Arc::default(), resources: Vec::new(), client: Arc::default() }
    }
}

/// An aggregate as the engine runs it.
pub trait Decide:
    cqrs_es::Aggregate<Services = Facts, Event: crate::claim::Claims, Error: Into<Refusal>>
{
    /// Which other aggregates the decision on `command` will look at.
    fn needs(&self, command: &Self::Command) -> Needs {
        let _ = command;
        Needs::default()
    }
}
