//! A search takes no more than it may, and no processor from those who ask for little.

use std::sync::Arc;

use daybook_domain::TenantId;
use daybook_domain::availability::{Effort, Unfinished};

use crate::App;
use crate::http::Problem;

/// As many looks as are taken at once. A search that takes more is begun anew beside the runtime, when it is its
/// tenant's turn; so everyday ones should take less.
const LOOKS_AT_ONCE: u64 = 1_000_000;

/// Why a search has found nothing.
pub(super) enum NotFound {
    Unfinished(Unfinished),
    Refused(Problem),
}

impl From<Unfinished> for NotFound {
    fn from(unfinished: Unfinished) -> Self {
        Self::Unfinished(unfinished)
    }
}

impl From<Problem> for NotFound {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl From<NotFound> for Problem {
    fn from(not_found: NotFound) -> Self {
        match not_found {
            NotFound::Refused(problem) => problem,
            NotFound::Unfinished(Unfinished::TooBroad) => Self::too_broad(
                "the search takes more than one search may: ask for fewer days, a larger step, a lower limit or \
                 fewer resources",
            ),
            NotFound::Unfinished(Unfinished::Stopped) => Self::unavailable("it took too long"),
        }
    }
}

impl App {
    /// What a search comes to. It is begun anew if it turns out to be a large one.
    pub(super) async fn search_within_bounds<T: Send + 'static>(
        &self,
        tenant: &TenantId,
        search: impl Fn(&mut Effort<'_>) -> Result<T, NotFound> + Send + Sync + 'static,
    ) -> Result<T, Problem> {
        let search = Arc::new(search);
        match search(&mut Effort::new(LOOKS_AT_ONCE, &|| true)) {
            Err(NotFound::Unfinished(_)) => {}
            found => return found.map_err(Problem::from),
        }
        let large = move |is_wanted: &dyn Fn() -> bool| {
            search(&mut Effort::new(Effort::OF_A_SEARCH, is_wanted))
        };
        self.heavy.run(tenant, large).await?.map_err(Problem::from)
    }
}
