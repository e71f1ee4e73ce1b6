//! Scenarios that show each "no" of the table.

use std::io::Write;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use ftsim_core::Duration;

use crate::classify::{Job, Row};
use crate::cli::screen::Form;
use crate::cli::{Exit, Failure, Out, say};
use crate::files::write_whole;
use crate::run::run;
use crate::shrink::{self, Target};

/// Prints this world of each row.
pub fn show(jobs: &[Job<'_>], world: u64, out: &mut Out) -> Result<Exit, Failure> {
    out.begin(Form::Data)?;
    for job in jobs {
        let text = job.scenario(world).map(|scenario| scenario.text);
        let text = text.unwrap_or_else(|| "# every drawn scenario was refused\n".into());
        write!(out, "# {}, world {world}\n{text}", job.name())?;
    }
    Ok(Exit::Good)
}

/// Writes a scenario for each "no" of each row, shrunk as far as time allows.
pub fn write(
    rows: &[Row],
    jobs: &[Job<'_>],
    (folder, budget): (&Path, Duration),
    halt: &AtomicBool,
) -> Result<(), Failure> {
    let budget = std::time::Duration::from_nanos(budget.as_nanos());
    for row in rows {
        let Some(job) = jobs.iter().find(|job| job.index == row.index) else { continue };
        for violated in row.witnesses() {
            let Some(scenario) = job.scenario(violated.world) else { continue };
            let outcome = run(&scenario, scenario.seeds.start)?;
            let known = scenario.checked.iter().map(|known| known.id);
            let wanted = known.filter(|id| id.0 == violated.property).collect::<Vec<_>>();
            let Some(target) = Target::of(&outcome, &wanted) else { continue };
            let effort = shrink::Effort { budget, halt, progress: &|_, _| {} };
            let text = shrink::shrink(&scenario, &outcome, &target, &effort)?.text;
            let path = folder.join(format!("{}-{}.toml", job.name(), violated.property));
            write_whole(&path, text.as_bytes())?;
            say(&format!("{}\n", path.display()));
        }
        for found in row.explored.iter().flat_map(|explored| &explored.violated) {
            let Some(text) = &found.scenario else { continue };
            let path = folder.join(format!("{}-{}-explored.toml", job.name(), found.property));
            write_whole(&path, text.as_bytes())?;
            say(&format!("{}\n", path.display()));
        }
    }
    Ok(())
}
