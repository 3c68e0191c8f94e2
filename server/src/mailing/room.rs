//! How many are sent at once and how fast, of each tenant: none takes the relay from the others.

use std::collections::HashMap;
use std::time::Duration;

use daybook_domain::TenantId;
use tokio::time::Instant;

/// How many are under way at once.
pub(super) const AT_ONCE: usize = 16;

/// After so many have ended, it is looked again who is next.
pub(super) const SHARED_LOOK: usize = AT_ONCE / 2;

/// How many of a tenant.
const OF_TENANT: u32 = 8;

/// How many a second of a tenant; as many may come at once.
const A_SECOND: u32 = 50;

/// What a tenant has.
#[derive(Debug)]
struct Share {
    running: u32,
    left: u32,
    since: Instant,
}

#[derive(Debug, Default)]
pub(super) struct Room(HashMap<TenantId, Share>);

impl Room {
    /// Whether there is room for one more of this tenant; then it has it.
    pub(super) fn take(&mut self, tenant: &TenantId) -> bool {
        let now = Instant::now();
        let share = self.0.entry(tenant.clone());
        let share = share.or_insert(Share { running: 0, left: A_SECOND, since: now });
        if now.duration_since(share.since) >= Duration::from_secs(1) {
            (share.left, share.since) = (A_SECOND, now);
        }
        let has_room = share.running < OF_TENANT && share.left > 0;
        if has_room {
            share.running += 1;
            share.left -= 1;
        }
        has_room
    }

    /// One has ended. Who has none under way and was quiet for a while is forgotten.
    pub(super) fn give_back(&mut self, tenant: &TenantId) {
        if let Some(share) = self.0.get_mut(tenant) {
            share.running = share.running.saturating_sub(1);
        }
        let now = Instant::now();
        let quiet = |share: &Share| now.duration_since(share.since) >= Duration::from_secs(1);
        self.0.retain(|_, share| share.running > 0 || !quiet(share));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_tenant_has_so_many_at_once_and_a_second_and_others_have_theirs() {
        let (mut room, many, few) =
            (Room::default(), "many".parse().unwrap(), "few".parse().unwrap());
        for _ in 0..OF_TENANT {
            assert!(room.take(&many));
        }
        assert!(!room.take(&many) && room.take(&few));
        let mut taken = OF_TENANT;
        loop {
            room.give_back(&many);
            if !room.take(&many) {
                break;
            }
            taken += 1;
        }
        assert_eq!(taken, A_SECOND);
        assert!(room.take(&few));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(room.take(&many));
        for tenant in [&many, &few] {
            for _ in 0..=OF_TENANT {
                room.give_back(tenant);
            }
        }
        tokio::time::advance(Duration::from_secs(1)).await;
        room.give_back(&few);
        assert!(room.0.is_empty());
    }
}
