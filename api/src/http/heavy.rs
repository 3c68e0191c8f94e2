//! Work that keeps a processor busy for longer than a moment: beside the runtime, which goes on answering, a
//! little of it at a time, and each tenant in its turn.

use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::available_parallelism;

use daybook_domain::TenantId;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use super::Problem;

/// How many wait for their turn, of all tenants and of one. More are told to come back.
pub(crate) const MAX_WAITING: usize = 64;
pub(crate) const MAX_WAITING_OF_ONE_TENANT: usize = MAX_WAITING / 2;

/// Turns for heavy work. Clones are one.
#[derive(Clone)]
pub(crate) struct HeavyWork(Arc<Mutex<Turns>>);

struct Turns {
    /// How many more can be at work.
    free: usize,
    /// Who waits, the tenant whose turn is next at the front. None has an empty queue.
    waiting: VecDeque<(TenantId, VecDeque<oneshot::Sender<Turn>>)>,
}

/// The right to be at work, until it is dropped. `None`: it has been handed on.
struct Turn(Option<HeavyWork>);

impl HeavyWork {
    /// As many turns at once as leave a processor to the rest of the program, if there is more than one.
    pub(crate) fn new() -> Self {
        let processors = available_parallelism().map_or(1, usize::from);
        Self::with_turns(processors.saturating_sub(1).max(1))
    }

    fn with_turns(free: usize) -> Self {
        Self(Arc::new(Mutex::new(Turns { free, waiting: VecDeque::new() })))
    }

    /// What the work comes to. It is told whether it is still wanted, and stops when it is not: the client has
    /// hung up, or its time is over.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        tenant: &TenantId,
        work: impl FnOnce(&dyn Fn() -> bool) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = self.turn(tenant).await?;
        let wanted = Arc::new(AtomicBool::new(true));
        let _unwanted = Unwanted(Arc::clone(&wanted));
        let working = spawn_blocking(move || {
            let _turn = turn;
            work(&|| wanted.load(Ordering::Relaxed))
        });
        match working.await {
            Ok(done) => Ok(done),
            Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
            Err(_) => Err(Problem::unavailable("the program is stopping")),
        }
    }

    /// Waits for a turn.
    async fn turn(&self, tenant: &TenantId) -> Result<Turn, Problem> {
        let turn = {
            let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // Those who wait have been told when they were called, so there is a turn only if nobody waits.
            if turns.free > 0 {
                turns.free -= 1;
                return Ok(Turn(Some(self.clone())));
            }
            turns.wait(tenant)?
        };
        turn.await.map_err(|_| Problem::internal())
    }
}

impl Turns {
    fn wait(&mut self, tenant: &TenantId) -> Result<oneshot::Receiver<Turn>, Problem> {
        // Whoever has given up waiting takes no room.
        for (_, queue) in &mut self.waiting {
            queue.retain(|waiting| !waiting.is_closed());
        }
        self.waiting.retain(|(_, queue)| !queue.is_empty());
        let all: usize = self.waiting.iter().map(|(_, queue)| queue.len()).sum();
        let own = self.waiting.iter_mut().find(|(waiting, _)| waiting == tenant);
        let is_full = |own: usize| all >= MAX_WAITING || own >= MAX_WAITING_OF_ONE_TENANT;
        if is_full(own.as_ref().map_or(0, |(_, queue)| queue.len())) {
            return Err(Problem::overloaded(
                "too many large searches and templates to try at once",
            ));
        }
        let (called, turn) = oneshot::channel();
        match own {
            Some((_, queue)) => queue.push_back(called),
            None => self.waiting.push_back((tenant.clone(), VecDeque::from([called]))),
        }
        Ok(turn)
    }

    /// The next who waits: the tenants in turn.
    fn next(&mut self) -> Option<oneshot::Sender<Turn>> {
        let (tenant, mut queue) = self.waiting.pop_front()?;
        let next = queue.pop_front();
        if !queue.is_empty() {
            self.waiting.push_back((tenant, queue));
        }
        next
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(heavy) = self.0.take() else { return };
        loop {
            let mut turns = heavy.0.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(next) = turns.next() else {
                turns.free += 1;
                return;
            };
            drop(turns);
            match next.send(Self(Some(heavy.clone()))) {
                Ok(()) => return,
                // It has given up: this turn is for another.
                Err(mut refused) => refused.0 = None,
            }
        }
    }
}

/// Says, when it is dropped, that nobody waits for the work any more.
struct Unwanted(Arc<AtomicBool>);

impl Drop for Unwanted {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::FutureExt as _;
    use tokio::time::{sleep, timeout};

    use super::*;

    fn tenant(name: &str) -> TenantId {
        name.parse().unwrap()
    }

    #[tokio::test]
    async fn tenants_take_turns_however_many_one_of_them_asks_for() {
        let heavy = HeavyWork::with_turns(1);
        let order = Arc::new(Mutex::new(Vec::new()));
        let first = heavy.turn(&tenant("first")).await.ok().unwrap();
        let mut tasks = Vec::new();
        for name in ["loud", "loud", "loud", "quiet"] {
            let (heavy, order) = (heavy.clone(), Arc::clone(&order));
            tasks.push(tokio::spawn(async move {
                let told =
                    heavy.run(&tenant(name), move |_| order.lock().unwrap().push(name)).await;
                assert!(told.is_ok());
            }));
            // So that they wait in this order.
            sleep(Duration::from_millis(5)).await;
        }
        drop(first);
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), ["loud", "quiet", "loud", "loud"]);
        assert_eq!(heavy.0.lock().unwrap().free, 1);
    }

    #[tokio::test]
    async fn few_wait_and_who_gives_up_makes_room() {
        let heavy = HeavyWork::with_turns(1);
        let at_work = heavy.turn(&tenant("one")).await.ok().unwrap();
        let (one, two) = (tenant("one"), tenant("two"));
        let mut waiting = Vec::new();
        for _ in 0..MAX_WAITING_OF_ONE_TENANT {
            let mut turn = Box::pin(heavy.turn(&one));
            assert!((&mut turn).now_or_never().is_none());
            waiting.push(turn);
        }
        assert!(heavy.turn(&one).now_or_never().unwrap().is_err());
        let mut of_another = Box::pin(heavy.turn(&two));
        assert!((&mut of_another).now_or_never().is_none());
        waiting.pop();
        assert!(heavy.turn(&one).now_or_never().is_none());
        drop(waiting);
        drop(at_work);
        let turn = timeout(Duration::from_secs(5), of_another).await.unwrap().ok().unwrap();
        drop(turn);
        assert_eq!(heavy.0.lock().unwrap().free, 1);
    }

    #[tokio::test]
    async fn work_stops_when_nobody_waits_for_it() {
        let heavy = HeavyWork::with_turns(1);
        let one = tenant("one");
        let endless = heavy.run(&one, |is_wanted| while is_wanted() {});
        assert!(timeout(Duration::from_millis(20), endless).await.is_err());
        let next = heavy.run(&one, |_| 7);
        assert_eq!(timeout(Duration::from_secs(5), next).await.unwrap().ok(), Some(7));
    }
}
