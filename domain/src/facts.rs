//! What a decision may depend on besides its own aggregate.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::appointment::Appointment;
use crate::claim::{ClaimQuery, ClaimSnapshot};
use crate::client::Client;
use crate::notice::Notices;
use crate::resource::Resource;
use crate::rights::Placed;
use crate::service::Service;
use crate::session::Session;
use crate::{
    AppointmentId, ClientId, Directory, FreeTitle, LeastBookedDays, Refusal, ResourceId, ServiceId,
    SessionId, Titles,
};

/// The aggregates that a decision depends on, by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// The service, where the decision depends on one.
    pub service: Option<ServiceId>,
    /// The resources, in the order of the command.
    pub resources: Vec<ResourceId>,
    /// The client, where the decision depends on one.
    pub client: Option<ClientId>,
    /// The session, where the decision depends on one.
    pub session: Option<SessionId>,
    /// The appointment, where the decision is about another aggregate and depends on one.
    pub appointment: Option<AppointmentId>,
}

impl Needs {
    /// All their ids.
    pub fn ids(&self) -> impl Iterator<Item = Uuid> {
        let resources = self.resources.iter().map(|id| id.uuid());
        let service = self.service.map(ServiceId::uuid);
        let session = self.session.map(SessionId::uuid);
        let appointment = self.appointment.map(AppointmentId::uuid);
        let client = self.client.map(ClientId::uuid);
        resources.chain(service).chain(client).chain(session).chain(appointment)
    }
}

/// At which versions a decision sees what its events name a version of; 0: it does not exist, or was not asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SeenVersions {
    pub appointment: u64,
    pub client: u64,
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
    /// The session that was needed.
    pub session: Arc<Session>,
    /// The appointment that was needed.
    pub appointment: Arc<Appointment>,
    /// At which versions some of these are.
    pub versions: SeenVersions,
    /// The tenant's resources, where the decision chooses among them.
    pub directory: Arc<Directory>,
    /// Over how many days it is added up who is booked least, where the decision chooses by that.
    pub least_booked_days: LeastBookedDays,
    /// What a title is that the command gives, where it [gives one](Decide::gives_title).
    pub titles: Titles,
    /// Whether clients are told of what is made, where the decision [makes something](Decide::tells_client) that they are
    /// told of.
    pub notices: Notices,
    /// The claims that the decision asked for, without the appointment's own.
    pub claims: ClaimSnapshot,
    /// How many free choices to skip (beginning anew when all are). It is 0 but for one who has
    /// lost a race: if all losers chose the next, all but one would lose again.
    pub skip: usize,
}

impl Facts {
    /// A world in which nothing exists yet.
    #[must_use]
    pub fn at(now: DateTime<Utc>) -> Self {
        Self {
            now,
            service: Arc::default(),
            resources: Vec::new(),
            client: Arc::default(),
            session: Arc::default(),
            appointment: Arc::default(),
            versions: SeenVersions::default(),
            directory: Arc::default(),
            least_booked_days: LeastBookedDays::default(),
            titles: Titles::default(),
            notices: Notices::default(),
            claims: ClaimSnapshot::default(),
            skip: 0,
        }
    }

    /// What something is called: as was given, or else as what it is of.
    pub(crate) fn called(
        &self,
        given: Option<FreeTitle>,
        else_so: impl FnOnce() -> FreeTitle,
    ) -> FreeTitle {
        given.map_or_else(else_so, |title| title.given_where(self.titles))
    }
}

/// An aggregate as the engine runs it.
pub trait Decide:
    cqrs_es::Aggregate<Services = Facts, Event: crate::AggregateEvent, Error: Into<Refusal>>
    + crate::HasPersonal
{
    /// Decides a command: what happens because of it, or why nothing does. A pure function.
    ///
    /// # Errors
    /// The rule that refuses it.
    fn decide(&self, command: Self::Command, facts: &Facts) -> Result<Self::Event, Self::Error>;

    /// Whether a command only says how something is to be from now on: where it is so already, nothing happens.
    fn sets(command: &Self::Command) -> bool {
        let _ = command;
        false
    }

    /// Where it lies, for whoever is limited to some of a tenant; its id is `id`.
    fn placed(&self, id: Uuid) -> Placed<'_> {
        let _ = id;
        Placed::Whole
    }

    /// Whether what is personal has to be open for that: it is compared, or changed in part.
    fn opens(command: &Self::Command) -> bool {
        Self::sets(command)
    }

    /// Whether the command gives a title: then the decision depends on what titles are.
    fn gives_title(command: &Self::Command) -> bool {
        let _ = command;
        false
    }

    /// Whether the command makes something that clients may be told of: then the decision depends on whether they are.
    fn tells_client(command: &Self::Command) -> bool {
        let _ = command;
        false
    }

    /// Which other aggregates the decision on `command` depends on.
    fn needs(&self, command: &Self::Command) -> Needs {
        let _ = command;
        Needs::default()
    }

    /// Whether the decision chooses resources, and so needs the directory. Asked when the facts have
    /// what it [`needs`](Self::needs).
    fn chooses(&self, command: &Self::Command, facts: &Facts) -> bool {
        let _ = (command, facts);
        false
    }

    /// The claims that the decision has to see, because it has something to choose. Asked when the
    /// facts have all else. None: the claims that it makes alone decide.
    fn claim_queries(&self, command: &Self::Command, facts: &Facts) -> Vec<ClaimQuery> {
        let _ = (command, facts);
        Vec::new()
    }

    /// Whether a conflict of its claims refuses the command. If not, it is decided again.
    fn conflict_is_final(&self, command: &Self::Command, queries: &[ClaimQuery]) -> bool {
        let _ = command;
        queries.is_empty()
    }
}

/// What happens because of a command; `None`: nothing, for all is already as it [`sets`](Decide::sets) it.
pub(crate) fn outcome<A: Decide + Clone + PartialEq>(
    aggregate: &A,
    command: A::Command,
    facts: &Facts,
) -> Result<Option<A::Event>, A::Error> {
    let sets = A::sets(&command);
    let event = aggregate.decide(command, facts)?;
    let changes = !sets || {
        let mut after = aggregate.clone();
        after.apply(event.clone());
        after != *aggregate
    };
    Ok(changes.then_some(event))
}
