//! How many requests are under way at once, and that no tenant has all the room.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use daybook_domain::TenantId;

use super::Problem;
use super::rate::Quota;

/// Requests under way at once. More are told to come back: a queue would only hide it.
pub(crate) const MAX_REQUESTS_IN_FLIGHT: usize = 512;

/// Of these, the requests of one tenant: whatever it sends, the others have as much room.
pub(crate) const MAX_IN_FLIGHT_OF_ONE_TENANT: usize = MAX_REQUESTS_IN_FLIGHT / 2;

/// The requests that are under way. Clones are one.
#[derive(Clone, Default)]
pub(crate) struct InFlight(Arc<Mutex<Counts>>);

#[derive(Default)]
struct Counts {
    all: usize,
    of: HashMap<TenantId, usize>,
}

/// Room for one request, until it is dropped.
pub(crate) struct Place {
    in_flight: InFlight,
    taken: Mutex<Taken>,
    /// What its key may still send, where that is bounded.
    quota: OnceLock<Quota>,
}

/// What a request takes of the room.
struct Taken {
    /// Whose request it is, once its key is known.
    tenant: Option<TenantId>,
    /// A large one takes the room of several.
    places: usize,
}

impl InFlight {
    /// Room for one more.
    pub(super) fn enter(&self) -> Result<Place, Problem> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.take(None, 1)?;
        let taken = Mutex::new(Taken { tenant: None, places: 1 });
        Ok(Place { in_flight: self.clone(), taken, quota: OnceLock::new() })
    }
}

impl Counts {
    /// Takes so many places more, of all and of a tenant.
    fn take(&mut self, tenant: Option<&TenantId>, places: usize) -> Result<(), Problem> {
        if self.all + places > MAX_REQUESTS_IN_FLIGHT {
            return Err(Problem::overloaded("too many requests at once"));
        }
        if let Some(tenant) = tenant {
            self.take_own(tenant, places)?;
        }
        self.all += places;
        Ok(())
    }

    fn take_own(&mut self, tenant: &TenantId, places: usize) -> Result<(), Problem> {
        let own = self.of.get(tenant).copied().unwrap_or(0) + places;
        if own > MAX_IN_FLIGHT_OF_ONE_TENANT {
            return Err(Problem::overloaded("too many requests of this tenant at once"));
        }
        self.of.insert(tenant.clone(), own);
        Ok(())
    }

    fn give_back(&mut self, Taken { tenant, places }: &Taken) {
        self.all -= places;
        let Some(tenant) = tenant else { return };
        if let Some(own) = self.of.get_mut(tenant) {
            *own -= places;
            if *own == 0 {
                self.of.remove(tenant);
            }
        }
    }
}

impl Place {
    /// Counts it as this tenant's.
    pub(super) fn belongs_to(&self, tenant: &TenantId) -> Result<(), Problem> {
        let mut counts = self.in_flight.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.tenant.is_none() {
            counts.take_own(tenant, taken.places)?;
            taken.tenant = Some(tenant.clone());
        }
        Ok(())
    }

    /// Its key has this left.
    pub(super) fn has_left(&self, quota: Quota) {
        // A request has one key.
        let _ = self.quota.set(quota);
    }

    /// What its key has left; `None`: as much as it likes, or there is no key.
    pub(super) fn quota(&self) -> Option<Quota> {
        self.quota.get().copied()
    }

    /// Counts it as so many more.
    pub(super) fn grow(&self, more: usize) -> Result<(), Problem> {
        let mut counts = self.in_flight.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        counts.take(taken.tenant.as_ref(), more)?;
        taken.places += more;
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.in_flight.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.give_back(self.taken.get_mut().unwrap_or_else(PoisonError::into_inner));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(in_flight: &InFlight, tenant: &str) -> Result<Place, String> {
        let place = in_flight.enter().map_err(|problem| problem.name().to_owned())?;
        let owned = place.belongs_to(&tenant.parse().unwrap());
        owned.map(|()| place).map_err(|problem| problem.name().to_owned())
    }

    #[test]
    fn one_tenant_takes_half_of_the_room_and_all_of_them_no_more_than_there_is() {
        let in_flight = InFlight::default();
        let mut one: Vec<_> =
            (0..MAX_IN_FLIGHT_OF_ONE_TENANT).map(|_| of(&in_flight, "one").unwrap()).collect();
        assert_eq!(of(&in_flight, "one").err().as_deref(), Some("overloaded"));
        let others: Vec<_> = (0..MAX_REQUESTS_IN_FLIGHT - MAX_IN_FLIGHT_OF_ONE_TENANT)
            .map(|n| of(&in_flight, &format!("other-{}", n % 3)).unwrap())
            .collect();
        assert_eq!(of(&in_flight, "late").err().as_deref(), Some("overloaded"));
        one.pop();
        drop(of(&in_flight, "one").unwrap());
        drop((one, others));
        let large = of(&in_flight, "one").unwrap();
        assert!(large.grow(MAX_IN_FLIGHT_OF_ONE_TENANT).is_err());
        assert!(large.grow(MAX_IN_FLIGHT_OF_ONE_TENANT - 1).is_ok());
        assert_eq!(of(&in_flight, "one").err().as_deref(), Some("overloaded"));
        drop(large);
        let counts = in_flight.0.lock().unwrap();
        assert_eq!((counts.all, counts.of.len()), (0, 0));
    }
}
