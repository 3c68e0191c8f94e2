//! Thin HTTP over the engine: it submits commands and reads projections.
