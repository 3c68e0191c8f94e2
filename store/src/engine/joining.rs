//! Joining the waiting list, which has room for so many.

use daybook_domain::waiting::{EntryLimits, WaitingCommand, WaitingEntry, WaitingRefusal, Wishes};
use daybook_domain::{ClientId, Refusal};
use futures::future::BoxFuture;

use super::{
    Abort, CommandContext, Engine, ExecuteError, Executed, Target, UnitContext, UnitOfWork,
};

impl Engine {
    /// Has a client wait from now on, if there is room.
    ///
    /// # Errors
    /// When it is refused, or nothing can be decided at present.
    #[must_use]
    pub fn join_waiting_list<'a>(
        &'a self,
        context: &'a CommandContext,
        client_id: ClientId,
        wishes: Wishes,
        limits: EntryLimits,
    ) -> BoxFuture<'a, Result<Executed<WaitingEntry>, ExecuteError>> {
        Box::pin(async move {
            // Any part of the list: most of the time each has room, until all are nearly full.
            let (target, first) = (Target::fresh(), rand::random_range(0..limits.parts()));
            let work = JoinWaitingList { target, client_id, wishes, limits, first };
            self.execute_unit(context, target.id(), &work).await
        })
    }
}

struct JoinWaitingList {
    target: Target,
    client_id: ClientId,
    wishes: Wishes,
    limits: EntryLimits,
    /// The part of the list that is tried first.
    first: u16,
}

impl UnitOfWork for JoinWaitingList {
    type Root = WaitingEntry;

    async fn decide(&self, unit: &mut UnitContext<'_>) -> Result<(), Abort> {
        let Self { target, client_id, wishes, limits, first } = self;
        let parts = limits.parts();
        let mut tried = 0;
        loop {
            let (client_id, wishes, limits) = (*client_id, wishes.clone(), *limits);
            let command =
                WaitingCommand::Join { client_id, wishes, limits, part: (first + tried) % parts };
            tried += 1;
            match unit.decide_only::<WaitingEntry>(*target, command).await {
                Err(Abort::Refused(Refusal::Waiting(WaitingRefusal::WaitingListFull {
                    ..
                }))) if tried < parts => {}
                decided => return decided,
            }
        }
    }
}
