//! The rules of scheduling: aggregates, commands, events, decisions. Pure.
