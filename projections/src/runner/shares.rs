//! Which tenants are this program's to project: several programs share them out by rendezvous hashing, so that
//! they do not race for each lease, and that only its share moves when one comes or goes.
//!
//! It is no more than that. A lease decides who leads, and what its owner leaves is taken by another.

use daybook_domain::TenantId;
use daybook_store::Role;
use tokio::sync::watch;
use uuid::Uuid;

use crate::Heard;

/// Who projects at present, as far as it has been heard.
#[derive(Debug)]
pub(super) struct Shares {
    me: Uuid,
    heard: Option<watch::Receiver<Heard>>,
}

impl Shares {
    /// Without having heard of anybody, all tenants are this program's.
    pub(super) const fn new(me: Uuid, heard: Option<watch::Receiver<Heard>>) -> Self {
        Self { me, heard }
    }

    /// Whether a tenant is this program's.
    pub(super) fn is_mine(&self, tenant: &TenantId) -> bool {
        let Some(heard) = &self.heard else { return true };
        let heard = heard.borrow();
        let others = heard.programs.iter().filter(|it| it.id != self.me && it.has(Role::Projector));
        owns(tenant, self.me, others.map(|it| it.id))
    }
}

fn owns(tenant: &TenantId, me: Uuid, mut others: impl Iterator<Item = Uuid>) -> bool {
    let mine = weight(tenant, me);
    others.all(|other| weight(tenant, other) < mine)
}

/// The highest one has the tenant: all programs must agree on it. FNV-1a, mixed as splitmix64 does.
fn weight(tenant: &TenantId, program: Uuid) -> (u64, Uuid) {
    let bytes = tenant.as_str().bytes().chain(program.into_bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mixed = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31), program)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn programs(count: usize) -> Vec<Uuid> {
        (0..count).map(|_| Uuid::now_v7()).collect()
    }

    /// Which of the programs has each of many tenants.
    fn owners(programs: &[Uuid]) -> Vec<Uuid> {
        let tenants = (0..3_000).map(|n| format!("tenant-{n}").parse().unwrap());
        tenants
            .map(|tenant| {
                let others = |me: Uuid| programs.iter().copied().filter(move |it| *it != me);
                let mut owners = programs.iter().filter(|it| owns(&tenant, **it, others(**it)));
                let owner = *owners.next().unwrap();
                assert_eq!(owners.next(), None, "a tenant has two owners");
                owner
            })
            .collect()
    }

    #[test]
    fn each_tenant_has_one_owner_and_each_program_its_share() {
        let programs = programs(3);
        let owners = owners(&programs);
        for program in programs {
            let share = owners.iter().filter(|owner| **owner == program).count();
            assert!((800..=1_200).contains(&share), "{share} of 3,000");
        }
    }

    #[test]
    fn only_the_share_of_one_that_goes_moves() {
        let mut programs = programs(3);
        let before = owners(&programs);
        let gone = programs.pop().unwrap();
        for (before, after) in before.into_iter().zip(owners(&programs)) {
            assert!(before == after || before == gone);
        }
    }
}
