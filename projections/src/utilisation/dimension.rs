//! By what figures are grouped.

use std::str::FromStr;

/// By what figures are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// Each local day of the resource.
    Day,
    /// Each resource.
    Resource,
    /// Each service.
    Service,
    /// Each category.
    Category,
}

impl Dimension {
    /// In the order in which groups are sorted.
    const ALL: [Self; 4] = [Self::Day, Self::Resource, Self::Service, Self::Category];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Resource => "resource",
            Self::Service => "service",
            Self::Category => "category",
        }
    }

    const fn column(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Resource => "resource_id",
            Self::Service => "service_id",
            Self::Category => "category",
        }
    }

    const fn column_type(self) -> &'static str {
        match self {
            Self::Day => "date",
            Self::Resource | Self::Service => "uuid",
            Self::Category => "text",
        }
    }

    /// Time is offered on days and by resources; for which service, nobody has said yet.
    const fn is_of_offered(self) -> bool {
        matches!(self, Self::Day | Self::Resource)
    }
}

/// Several of them, each once; none: all figures are one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dimensions([bool; 4]);

/// A text that is no list of dimensions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no {0:?} to group by: one or more of day, resource, service and category, with commas")]
pub struct DimensionsError(String);

impl FromStr for Dimensions {
    type Err = DimensionsError;

    fn from_str(text: &str) -> Result<Self, DimensionsError> {
        let mut found = Self::default();
        for name in text.split(',') {
            let at = Dimension::ALL.iter().position(|known| known.as_str() == name.trim());
            let at = at.ok_or_else(|| DimensionsError(name.chars().take(40).collect()))?;
            found.0[at] = true;
        }
        Ok(found)
    }
}

impl Dimensions {
    /// Each resource by itself.
    #[must_use]
    pub const fn resource() -> Self {
        Self([false, true, false, false])
    }

    /// Those that are there, of all in their order.
    pub(super) const fn from_each(has: [bool; 4]) -> Self {
        Self(has)
    }

    /// The columns of those that there are.
    pub(super) fn names(self) -> String {
        let there = Dimension::ALL.iter().zip(self.0).filter(|(_, has)| *has);
        there.map(|(dimension, _)| dimension.column()).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn has(self, dimension: Dimension) -> bool {
        Dimension::ALL.iter().zip(self.0).any(|(known, has)| has && *known == dimension)
    }

    /// Whether what is offered can be told group by group.
    #[must_use]
    pub fn are_of_offered(self) -> bool {
        Dimension::ALL.iter().all(|known| known.is_of_offered() || !self.has(*known))
    }

    /// A column for each dimension: where it is not one of these, nothing.
    pub(super) fn columns(self, of_offered: bool) -> String {
        let columns = Dimension::ALL.map(|dimension| {
            let (name, kind) = (dimension.column(), dimension.column_type());
            if self.has(dimension) && (dimension.is_of_offered() || !of_offered) {
                name.to_owned()
            } else {
                format!("NULL::{kind} AS {name}")
            }
        });
        columns.join(", ")
    }
}
