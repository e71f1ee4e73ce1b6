//! How Byzantine processes lie.

use ftsim_core::adversary::Behaviour;
use ftsim_core::fault::{Action, Plan};
use ftsim_core::{Duration, ProcessId};

use super::context::Context;
use super::problems::Problems;
use crate::scenario::file::BehaviourFile;

/// How a process lies, as the key at `path` says. What is said of several who collude includes
/// `liars`.
pub fn behaviour(
    problems: &mut Problems<'_>,
    around: &Context<'_>,
    path: &str,
    file: Option<&BehaviourFile>,
    liars: &[ProcessId],
) -> Option<Behaviour> {
    Some(match file.unwrap_or(&BehaviourFile::Random) {
        BehaviourFile::Silent => Behaviour::Silent,
        BehaviourFile::Withhold(from) => {
            let from = around.names.many(problems, &format!("{path}.withhold"), from)?;
            Behaviour::Withhold(from.into_iter().collect())
        }
        BehaviourFile::Delay(longest) => {
            if *longest == Duration::ZERO {
                problems.value(&format!("{path}.delay"), "a delay of 0ms does nothing");
            }
            Behaviour::Delay(*longest)
        }
        BehaviourFile::Equivocate => Behaviour::Equivocate,
        BehaviourFile::Mutate => Behaviour::Mutate,
        BehaviourFile::Replay => Behaviour::Replay,
        BehaviourFile::Collude(circle) => {
            let path = format!("{path}.collude.with");
            let with = around.names.many(problems, &path, &circle.with)?;
            Behaviour::Collude(with.into_iter().chain(liars.iter().copied()).collect())
        }
        BehaviourFile::Twins => {
            if around.has_transport {
                problems.value(path, "twins on links with a transport").help(
                    "a transport numbers what one process sends: write links = \"raw\" for twins",
                );
            }
            Behaviour::Twins
        }
        BehaviourFile::Custom(name) => {
            let known: Vec<&str> = around.adversaries.iter().map(|a| a.name).collect();
            if !known.contains(&name.as_str()) {
                let path = format!("{path}.custom");
                problems.unknown(&path, "adversary of this protocol", name, &known);
                return None;
            }
            Behaviour::Custom(name.clone())
        }
        BehaviourFile::Random => Behaviour::Random,
    })
}

/// Refuses processes that collude with one who does not collude with them.
pub(super) fn refuse_one_sided_collusion(
    problems: &mut Problems<'_>,
    plan: &Plan,
    origins: &[usize],
) {
    let faults = &plan.faults;
    let colludes = |p, behaviour: &Behaviour| {
        faults.iter().any(|f| f.action == Action::Corrupt(p, behaviour.clone()))
    };
    let mut refused = None;
    for (fault, origin) in faults.iter().zip(origins) {
        let Action::Corrupt(process, behaviour @ Behaviour::Collude(circle)) = &fault.action else {
            continue;
        };
        let stranger = circle.iter().find(|other| !colludes(*other, behaviour));
        if let Some(stranger) = stranger.filter(|_| refused != Some(*origin)) {
            refused = Some(*origin);
            let message = format!("{stranger} does not collude with {process}");
            problems
                .value(&format!("fault[{origin}].behaviour.collude.with"), message)
                .label(format!("expected each of {circle} to collude with all the others"))
                .help("name them all in one `byzantine`, or write a fault for each");
        }
    }
}
