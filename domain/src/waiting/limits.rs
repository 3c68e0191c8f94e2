//! How many entries of a waiting list can be open.

use chrono::{DateTime, Utc};

use super::{WaitingRefusal, Wishes};
use crate::claim::ClaimSnapshot;
use crate::quota::{QuotaSlots, named};
use crate::service::{ClientEntryLimit, EntryLimit};
use crate::time::Interval;
use crate::{ClientId, QuotaRule, QuotaSlot};

/// A long list is counted in parts of so many entries: whoever joins has to see what is taken of one part only.
const PART: u16 = 1_000;

/// How many entries can be open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EntryLimits {
    pub per_client: ClientEntryLimit,
    /// Of all clients.
    pub in_all: EntryLimit,
}

impl EntryLimits {
    /// How many parts the list has, of which each has room of its own.
    #[must_use]
    pub const fn parts(self) -> u16 {
        self.in_all.get().div_ceil(PART)
    }

    /// The quotas of an entry that is open from now until its wishes have passed: the client's, and that of a part of
    /// the list. `None`: they have passed.
    pub(super) fn quotas(
        self,
        (client_id, wishes): (ClientId, &Wishes),
        part: u16,
        now: DateTime<Utc>,
    ) -> Option<[QuotaSlots; 2]> {
        let during = Interval::new(now, wishes.days.bounds()?.end()).ok()?;
        let in_part = self.in_all.get().saturating_sub(part.saturating_mul(PART)).min(PART);
        Some([
            QuotaSlots {
                rule: QuotaRule::ClientEntries,
                of: named(&format!("client-entries\n{client_id}")),
                at_most: self.per_client.get(),
                during,
            },
            QuotaSlots {
                rule: QuotaRule::WaitingEntries,
                of: named(&format!("waiting-list\n{part}")),
                at_most: in_part,
                during,
            },
        ])
    }

    /// Takes a slot of each.
    pub(super) fn take(
        self,
        client_id: ClientId,
        [of_client, of_list]: [QuotaSlots; 2],
        (claims, skip): (&ClaimSnapshot, usize),
    ) -> Result<Vec<QuotaSlot>, WaitingRefusal> {
        let Self { per_client, in_all } = self;
        let of_client = of_client.take(claims, skip).ok_or_else(|| {
            let (required, found) = (per_client, per_client.get().into());
            WaitingRefusal::ClientEntryLimit { client_id, required, found }
        })?;
        let of_list = of_list.take(claims, skip).ok_or_else(|| {
            let (required, found) = (in_all, in_all.get().into());
            WaitingRefusal::WaitingListFull { required, found }
        })?;
        Ok(vec![of_client, of_list])
    }
}
