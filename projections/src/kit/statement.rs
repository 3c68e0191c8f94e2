//! Statements that are known before they are run.

use std::ops::Deref;
use std::sync::LazyLock;

use crate::{ProjectionId, Schema};

/// A statement about `{schema}`; made by [`statement!`].
#[derive(Debug)]
pub(crate) struct Statement {
    projection: ProjectionId,
    text: LazyLock<String>,
}

impl Statement {
    pub(crate) const fn new(projection: ProjectionId, text: fn() -> String) -> Self {
        Self { projection, text: LazyLock::new(text) }
    }

    /// About the tables that are read.
    pub(crate) fn live(&self) -> String {
        Schema::of(self.projection).sql(&self.text)
    }
}

impl Deref for Statement {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

/// Declares a statement of a projection, and a test that prepares it:
///
/// ```text
/// statement!(
///     /// Served by `visits_pkey`.
///     VISITS_OF: Visits = "SELECT start_at FROM {schema}.visits WHERE tenant_id = $1"
/// );
/// ```
macro_rules! statement {
    ($(#[$doc:meta])* $vis:vis $name:ident: $projection:ty = $text:expr) => {
        $(#[$doc])*
        $vis static $name: $crate::kit::Statement =
            $crate::kit::Statement::new(<$projection>::ID, || ::std::string::String::from($text));

        // A module and a static can have one name.
        #[cfg(test)]
        #[expect(non_snake_case, reason = "it is named as the statement")]
        mod $name {
            #[tokio::test]
            async fn is_prepared_by_a_real_database() {
                $crate::kit::statement::testing::prepare(&super::$name.live()).await;
            }
        }
    };
}

pub(crate) use statement;

#[cfg(test)]
pub(crate) mod testing {
    use sqlx::{Connection as _, Executor as _, PgConnection};
    use tokio::sync::OnceCell;

    use daybook_embedded_postgres::testing::{TestCluster, TestDatabase};

    use crate::tests::world::tables;

    /// Nothing is written to it, so all tests can have the same one.
    static DATABASE: OnceCell<TestDatabase> = OnceCell::const_new();

    pub(crate) async fn connect() -> PgConnection {
        let database = async || TestCluster::shared().database(tables).await;
        let database = DATABASE.get_or_init(database).await;
        PgConnection::connect(&database.url).await.unwrap()
    }

    pub(crate) async fn prepare(statement: &str) {
        connect().await.prepare(statement).await.unwrap();
    }
}
