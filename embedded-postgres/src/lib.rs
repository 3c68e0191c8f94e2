//! A real PostgreSQL as a child process, for the default set-up and for tests.
