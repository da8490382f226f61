//! stub
use crate::diagnosis::Check;
use std::io::Write;
pub fn explain(out: &mut dyn Write, check: &Check, _width: usize, _color: bool) -> std::io::Result<()> {
    writeln!(out, "{}\n{}", check.id, check.explanation)
}
pub fn explain_json(out: &mut dyn Write, check: &Check) -> std::io::Result<()> {
    writeln!(out, "{:?}", check.id)
}
pub fn checks(out: &mut dyn Write, all: &[&Check], _width: usize, _color: bool) -> std::io::Result<()> {
    for c in all {
        writeln!(out, "{} {}", c.id, c.summary)?;
    }
    Ok(())
}
pub fn checks_json(out: &mut dyn Write, all: &[&Check]) -> std::io::Result<()> {
    for c in all {
        writeln!(out, "{} {}", c.id, c.summary)?;
    }
    Ok(())
}
