//! What is done with aggregates by name, compiled with this crate.
//!
//! The body of an async function is compiled anew in each crate that awaits it, with all that it awaits itself. So what
//! other crates call here answers with a boxed future: it is compiled once, and costs them an allocation. With all of
//! the engine in it, the package of the routes took 145 s of a first build on two cores, and 86 s without.

use daybook_domain::{TenantId, aggregates};
use futures::future::BoxFuture;
use uuid::Uuid;

use super::{CommandContext, Engine, ExecuteError, Executed, Known, OfOne, Target};
use crate::log::{PersistedAggregate, Position, StreamId};

/// An aggregate that commands are executed for, by [`Engine::execute`]: each of the domain's [`aggregates`].
pub trait Executable: PersistedAggregate {
    #[doc(hidden)]
    fn execute<'a>(
        engine: &'a Engine,
        context: &'a CommandContext,
        target: Target,
        commands: Vec<Self::Command>,
    ) -> BoxFuture<'a, Result<Executed<Self>, ExecuteError>>;

    #[doc(hidden)]
    fn load<'a>(
        engine: &'a Engine,
        tenant: &'a TenantId,
        id: Uuid,
    ) -> BoxFuture<'a, Result<Option<(Self, u64)>, ExecuteError>>;

    #[doc(hidden)]
    fn known<'a>(
        engine: &'a Engine,
        tenant: &'a TenantId,
        id: Uuid,
        as_of: Option<Position>,
    ) -> BoxFuture<'a, Result<Option<Known<Self>>, ExecuteError>>;
}

macro_rules! executable {
    ($($name:ident: $aggregate:ty, $id:ty, $refusal:ty;)+) => {
        $(impl Executable for $aggregate {
            fn execute<'a>(
                engine: &'a Engine,
                context: &'a CommandContext,
                target: Target,
                commands: Vec<Self::Command>,
            ) -> BoxFuture<'a, Result<Executed<Self>, ExecuteError>> {
                Box::pin(async move {
                    let work = OfOne::<Self> { target, commands };
                    engine.execute_unit(context, target.id(), &work).await
                })
            }

            fn load<'a>(
                engine: &'a Engine,
                tenant: &'a TenantId,
                id: Uuid,
            ) -> BoxFuture<'a, Result<Option<(Self, u64)>, ExecuteError>> {
                Box::pin(async move {
                    let loaded = engine.repository.load(&StreamId::of::<Self>(tenant, id)).await?;
                    Ok((loaded.version > 0).then_some((loaded.state, loaded.version)))
                })
            }

            fn known<'a>(
                engine: &'a Engine,
                tenant: &'a TenantId,
                id: Uuid,
                as_of: Option<Position>,
            ) -> BoxFuture<'a, Result<Option<Known<Self>>, ExecuteError>> {
                Box::pin(engine.folded(tenant, id, as_of))
            }
        })+
    };
}
aggregates!(executable);
