//! x
use crate::diagnosis::Check;
pub static ALL: &[&Check] = &[];
