//! The one filter of rows that follows from what a caller is limited to.

use daybook_domain::folded;
use daybook_domain::rights::Limits;
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

/// Lets versions of appointments through that lie within the limits, as [`Limits::admit`] says of one. They are rows of
/// [`crate::appointments`], called `of`: nothing, or a name with a point.
pub(crate) fn push_limits(limits: &Limits, of: &str, sql: &mut QueryBuilder<'_, Postgres>) {
    let Limits { locations, resource_ids, categories, client_id, appointment_id } = limits;
    if let Some(few) = locations {
        let names: Vec<String> = few.iter().map(ToString::to_string).collect();
        // Some have none: whether it matches is asked for as well.
        sql.push(format!(" AND ({of}location = ANY(")).push_bind(names).push(")) IS TRUE");
    }
    if let Some(few) = resource_ids {
        let ids: Vec<Uuid> = few.iter().map(|id| id.uuid()).collect();
        sql.push(format!(" AND {of}resource_ids && ")).push_bind(ids);
    }
    if let Some(few) = categories {
        let categories: Vec<String> = few.iter().map(|it| folded(it.as_str())).collect();
        sql.push(format!(" AND {of}folded_category = ANY(")).push_bind(categories).push(")");
    }
    if let Some(id) = client_id {
        sql.push(format!(" AND {of}client_id = ")).push_bind(id.uuid());
    }
    if let Some(id) = appointment_id {
        sql.push(format!(" AND {of}appointment_id = ")).push_bind(id.uuid());
    }
}
