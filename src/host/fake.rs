//! A made-up machine, for tests.
