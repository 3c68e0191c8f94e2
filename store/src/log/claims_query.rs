//! How claims that overlap a time are found, as a part of statements.

/// The claims of the tenant `$1` on a resource (or on one seat of it) that overlap a time, as a subquery with the
/// columns of `claims`. The arguments are SQL.
///
/// Served by `no_double_booking`, whose index is ordered by area: an area says where to look, the other
/// conditions what is meant. `OFFSET 0` keeps the planner from joining, so that each resource is looked up by
/// itself. The collation keeps `claims_pkey` away: for a tenant that is newer than the statistics, the planner
/// expects one row there, and would read all of the tenant's.
macro_rules! overlapping_claims {
    (resource: $resource:literal, during: $during:literal) => {
        $crate::log::overlapping_claims!(
            @ $resource, $during, ["resource_area(", $resource, ", ", $during, ")"]
        )
    };
    (resource: $resource:literal, seat: $seat:literal, during: $during:literal) => {
        $crate::log::overlapping_claims!(
            @ $resource, $during,
            ["claim_area(", $resource, ", ", $seat, ", ", $seat, ", ", $during, ") AND seat = ", $seat]
        )
    };
    (@ $resource:literal, $during:literal, [$($area:tt)*]) => {
        concat!(
            "(SELECT * FROM claims
               WHERE tenant_id = $1 COLLATE \"C\" AND resource_id = ", $resource, "
                 AND during && ", $during, " AND area && ", $($area)*, "
              OFFSET 0)"
        )
    };
}

pub(crate) use overlapping_claims;
