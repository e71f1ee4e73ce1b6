//! The processes that count as correct are those that the fault model calls correct.

use ftsim_core::environment::liveness::LivenessMode;
use ftsim_core::model::system_model::FaultClass;
use ftsim_core::outcome::trace::Entry;

use super::known::Known;
use super::{Check, Report, Rule};

pub(super) struct Correct;

impl<'a> Check<'a> for Correct {
    fn see(&mut self, _: &'a Entry, _: &Known<'a>, _: &mut Report) {}

    fn end(&mut self, known: &Known<'a>, report: &mut Report) {
        let recovers = known.subject.faults == FaultClass::CrashRecovery;
        // With a core, nothing is guaranteed to the other processes.
        let core = known.well.as_ref().filter(|(mode, _)| *mode == LivenessMode::Core);
        for p in known.processes() {
            let host = known.host(p);
            let inside = core.is_none_or(|(_, core)| core.contains(p));
            let fails = host.corrupt || (host.ever_faulty && !recovers);
            let correct = inside && host.up && !host.paused && !fails;
            let said = known.subject.correct.get(p.index()).copied().unwrap_or_default();
            if said != correct {
                let (said, correct) = (name(said), name(correct));
                let message =
                    format!("the run calls it {said}, but by the fault model it is {correct}");
                report.add_at(Rule::Correct, p, message);
            }
        }
    }
}

const fn name(correct: bool) -> &'static str {
    if correct { "correct" } else { "faulty" }
}
