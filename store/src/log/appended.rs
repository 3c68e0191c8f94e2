//! Which logs have grown: what a wake-up names, kept for one who follows many logs until it is taken.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use daybook_domain::TenantId;
use tokio::sync::Notify;

use super::Position;

/// So many tenants are named at most.
const MAX_NAMES: usize = 1_024;

/// Whose logs have grown since it was last asked. A hint: what it names is committed, but it may be lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppendedTo {
    /// Those of these tenants, at least up to there.
    Tenants(HashMap<TenantId, Position>),
    /// Anybody's: too many to name, or it is not known.
    Any,
}

impl Default for AppendedTo {
    fn default() -> Self {
        Self::Tenants(HashMap::new())
    }
}

impl AppendedTo {
    fn is_empty(&self) -> bool {
        matches!(self, Self::Tenants(tenants) if tenants.is_empty())
    }

    fn add(&mut self, tenant: &TenantId, position: Position) {
        let Self::Tenants(tenants) = self else { return };
        if let Some(known) = tenants.get_mut(tenant) {
            *known = position.max(*known);
        } else if tenants.len() < MAX_NAMES {
            tenants.insert(tenant.clone(), position);
        } else {
            *self = Self::Any;
        }
    }
}

/// What has grown since the last look, for one who looks.
#[derive(Debug, Default)]
struct Mailbox {
    grown: Mutex<AppendedTo>,
    arrived: Notify,
}

impl Mailbox {
    fn change(&self, change: impl FnOnce(&mut AppendedTo)) {
        change(&mut self.grown.lock().unwrap_or_else(PoisonError::into_inner));
        self.arrived.notify_one();
    }

    fn take(&self) -> AppendedTo {
        std::mem::take(&mut self.grown.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Hears which logs have grown.
#[derive(Debug)]
pub struct Appends(Arc<Mailbox>);

impl Appends {
    /// What has grown since the last call, as soon as something has. Nothing is lost when it is dropped
    /// before it is done.
    pub async fn next(&mut self) -> AppendedTo {
        loop {
            let grown = self.0.take();
            if !grown.is_empty() {
                return grown;
            }
            self.0.arrived.notified().await;
        }
    }
}

/// All who hear.
#[derive(Debug, Default)]
pub(super) struct Mailboxes(Mutex<Vec<Arc<Mailbox>>>);

impl Mailboxes {
    pub(super) fn subscribe(&self) -> Appends {
        let mailbox = Arc::new(Mailbox::default());
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody else has those whose reader is gone.
        all.retain(|mailbox| Arc::strong_count(mailbox) > 1);
        all.push(Arc::clone(&mailbox));
        Appends(mailbox)
    }

    pub(super) fn add(&self, tenant: &TenantId, position: Position) {
        self.each(|grown| grown.add(tenant, position));
    }

    pub(super) fn add_any(&self) {
        self.each(|grown| *grown = AppendedTo::Any);
    }

    fn each(&self, change: impl Fn(&mut AppendedTo)) {
        for mailbox in &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            mailbox.change(&change);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(count: usize) -> impl Iterator<Item = TenantId> {
        (0..count).map(|n| format!("tenant-{n}").parse().unwrap())
    }

    #[tokio::test]
    async fn what_is_named_is_told_once_to_each_and_with_its_last_position() {
        let all = Mailboxes::default();
        let (mut one, mut other) = (all.subscribe(), all.subscribe());
        let tenant: TenantId = "north".parse().unwrap();
        for position in [3, 9, 5] {
            all.add(&tenant, Position::from_i64(position));
        }
        let grown = AppendedTo::Tenants([(tenant, Position::from_i64(9))].into());
        assert_eq!(one.next().await, grown);
        assert_eq!(other.next().await, grown);
        let next = tokio::time::timeout(std::time::Duration::from_millis(20), one.next());
        assert!(next.await.is_err(), "it was told twice");
    }

    #[tokio::test]
    async fn too_many_names_are_anybody() {
        let all = Mailboxes::default();
        let mut one = all.subscribe();
        named(MAX_NAMES).for_each(|tenant| all.add(&tenant, Position::START));
        named(MAX_NAMES).for_each(|tenant| all.add(&tenant, Position::START));
        assert!(matches!(one.next().await, AppendedTo::Tenants(all) if all.len() == MAX_NAMES));
        named(MAX_NAMES + 1).for_each(|tenant| all.add(&tenant, Position::START));
        assert_eq!(one.next().await, AppendedTo::Any);
    }
}
