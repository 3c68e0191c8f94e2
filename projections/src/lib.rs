//! Read models of the log, and the runner that keeps them up to date.
