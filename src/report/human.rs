//! stub
use super::Dialect;
use crate::diagnosis::Diagnosis;
use crate::facts::Facts;
use std::io::Write;
use std::time::Duration;
pub struct HumanOptions {
    pub width: usize,
    pub color: bool,
    pub verbose: u8,
    pub quiet: bool,
    pub unicode: bool,
}
pub struct Timing {
    pub gathered: Duration,
    pub examined: Duration,
}
pub fn write(
    out: &mut dyn Write,
    _facts: &Facts,
    diagnosis: &Diagnosis,
    dialect: &Dialect,
    _o: &HumanOptions,
    _t: &Timing,
) -> std::io::Result<()> {
    for f in &diagnosis.findings {
        writeln!(out, "{} {}: {}", f.severity.label(), f.check, f.message)?;
        for e in &f.evidence {
            writeln!(out, "   {}: {}", e.label, e.value)?;
        }
        for r in &f.remedies {
            writeln!(out, " -> {}", r.summary)?;
            for c in dialect.commands(r) {
                writeln!(out, "      {c}")?;
            }
        }
        for s in &f.symptoms {
            writeln!(out, "   ~ {} {}", s.check, s.message)?;
        }
    }
    Ok(())
}
