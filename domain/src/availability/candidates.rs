//! Which resources would do.

use std::collections::{HashMap, HashSet};

use crate::appointment::AppointmentRefusal;
use crate::service::Roles;
use crate::{Directory, ResourceId};

/// The resources whose free time is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidates {
    /// Each once.
    pub resources: Vec<ResourceId>,
    /// For each role, the numbers of the resources that would do. None at all: any of them will.
    pub roles: Vec<Vec<usize>>,
}

impl Candidates {
    /// The resources that were named, or those that can fill the roles that are needed: where any of
    /// the named ones can fill a role, only they.
    ///
    /// # Errors
    /// When a resource that was named is not there, or fills no role.
    pub fn new(
        needs: &Roles,
        named: &[ResourceId],
        directory: &Directory,
    ) -> Result<Self, AppointmentRefusal> {
        if let Some(unknown) = named.iter().find(|id| directory.get(**id).is_none()) {
            return Err(AppointmentRefusal::UnknownResource { resource_id: *unknown });
        }
        if needs.is_empty() {
            return Ok(Self { resources: named.to_vec(), roles: Vec::new() });
        }
        let are_named: HashSet<ResourceId> = named.iter().copied().collect();
        let mut candidates = Self { resources: Vec::new(), roles: Vec::new() };
        let mut numbers = HashMap::new();
        for role in needs.places() {
            let fitting = directory.iter().filter(|(id, profile)| role.fits(*id, profile));
            let (of_named, others): (Vec<_>, Vec<_>) =
                fitting.map(|(id, _)| id).partition(|id| are_named.contains(id));
            let would_do = if of_named.is_empty() { others } else { of_named };
            let number = |id| *numbers.entry(id).or_insert_with(|| candidates.added(id));
            let of_role = would_do.into_iter().map(number).collect();
            candidates.roles.push(of_role);
        }
        match named.iter().find(|id| !numbers.contains_key(*id)) {
            None => Ok(candidates),
            Some(unfit) => {
                let roles = needs.places().map(|role| role.name.clone()).collect();
                Err(AppointmentRefusal::UnfitResource { resource_id: *unfit, roles })
            }
        }
    }

    /// The place of a resource at the end of the list, to which it is added.
    fn added(&mut self, id: ResourceId) -> usize {
        self.resources.push(id);
        self.resources.len() - 1
    }
}
