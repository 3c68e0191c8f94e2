//! Whether a client is reminded.

use serde::{Deserialize, Serialize};

/// A client's own choice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Reminding {
    /// As the services say whose appointments they have.
    #[default]
    ByRule,
    /// Never.
    None,
}

impl Reminding {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(super) const fn is_by_rule(&self) -> bool {
        matches!(self, Self::ByRule)
    }
}
