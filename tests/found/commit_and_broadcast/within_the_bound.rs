//! The mutant `half` of `uniform-rb` was shown with as many faulty processes as the correct
//! protocol does not bear either, and was correct within the bound. A mutant of the code is shown
//! with no more faulty processes than the protocol bears; a scenario beyond says so in its summary.

use std::collections::BTreeSet;

use ftsim::Catalogue;
use ftsim::scenario::Scenario;
use ftsim_core::fault::Action;
use ftsim_core::fault::condition::Condition;
use ftsim_core::{FaultClass, Model, MutantKind, Outcome, ProcessId, Timing, Verdict};

use crate::shipped;

/// Seeds of a scenario that are looked at.
const SEED_COUNT_MAX: u64 = 40;

/// How many processes may be faulty, of all or of those with a role.
struct Bound {
    faulty_count_max: u32,
    role: &'static str,
}

fn to_u32(count: impl TryInto<u32>) -> u32 {
    count.try_into().ok().expect("a few")
}

/// What the protocol of a scenario bears with its parameters. Each line repeats the bound that the
/// catalogue writes, so that neither changes without the other.
fn bound(scenario: &Scenario) -> Bound {
    let setting = &scenario.experiment.setting;
    let param = |key: &str| scenario.settled.params[key].as_str().unwrap_or_default().to_owned();
    let number = |key: &str| scenario.settled.params[key].as_u64().map(to_u32).expect("a number");
    let (all, fraction) = ("process", |n: u32, part: u32| n.div_ceil(part) - 1);
    let n = setting.n;
    let (role, faulty_count_max) = match (scenario.entry.name, scenario.entry.model.bound) {
        ("floodset", "f < n") => (all, number("f")),
        (_, "f < n") => (all, n - 1),
        (_, "f = 0") => (all, 0),
        ("reliable-link" | "fifo-link", "any number") => (all, n),
        ("uniform-rb", "f < n (all-ack), f < n/2 (majority)") => match param("variant").as_str() {
            "majority" => (all, fraction(n, 2)),
            _ => (all, n - 1),
        },
        ("phase-king", "f < n/3; two-round f < n/4") => match param("variant").as_str() {
            "two-round" => (all, fraction(n, 4).min(number("f"))),
            _ => (all, fraction(n, 3).min(number("f"))),
        },
        ("oral-messages", "m < n/3") => (all, fraction(n, 3)),
        // Only those that stay down count: a faulty process is one that does.
        ("two-phase-commit", "any number, if they recover") => (all, 0),
        ("ckpt-blocking", "f <= n, if the coordinator comes back") => (all, n),
        ("primary-backup", "f < n servers; with takeover = \"quorum\": asynchronous, f < n/2") => {
            let servers = to_u32(setting.role("server").len());
            match param("takeover").as_str() {
                "quorum" => ("server", fraction(servers, 2)),
                _ => ("server", servers - 1),
            }
        }
        (name, bound) => panic!("say here what {name} bears: {bound}"),
    };
    Bound { faulty_count_max, role }
}

/// Who was faulty in a run, as the class of faults defines it.
fn faulty(scenario: &Scenario, outcome: &Outcome) -> BTreeSet<ProcessId> {
    fn struck(action: &Action, model: &Model) -> Option<ProcessId> {
        let is_slow_or_late = match action {
            Action::Pause { resume_after: Some(_), .. } => true,
            Action::Start(_) | Action::Resume { .. } | Action::Jump(..) => true,
            Action::Begin(condition, _) => {
                condition.clock().is_some()
                    || matches!(condition, Condition::Slow(..) | Condition::SlowSync(..))
            }
            _ => false,
        };
        match action {
            Action::Crash(_, crash) if model.faults == FaultClass::CrashRecovery => {
                action.process().filter(|_| crash.recover_after.is_none())
            }
            Action::IfLeads(_, action) => struck(action, model),
            // Without a bound on time nobody can be late.
            _ if is_slow_or_late && model.timing == Timing::Asynchronous => None,
            _ => action.process(),
        }
    }
    let fired =
        outcome.plan.faults.iter().enumerate().filter(|(i, _)| !outcome.unfired.contains(i));
    fired.filter_map(|(_, f)| struck(&f.action, &scenario.entry.model)).collect()
}

/// The most faulty processes of a run in which a scenario shows its mutant.
fn faulty_count_max(scenario: &Scenario, role: &str) -> Option<u32> {
    let name = scenario.experiment.setting.mutant.as_deref()?;
    let mutant = scenario.entry.mutants.iter().find(|mutant| mutant.name == name)?;
    if mutant.kind != MutantKind::Code {
        return None;
    }
    let mut runner = scenario.prepare().expect("a scenario that was accepted");
    let shows = |outcome: &Outcome| {
        let of_mutant = outcome.judged.iter().find(|judged| judged.id == mutant.violates);
        of_mutant.is_some_and(|judged| matches!(judged.verdict, Verdict::Violated(_)))
    };
    let setting = &scenario.experiment.setting;
    let counted =
        |p: &ProcessId| !setting.roles.iter().any(|(r, _)| r == role) || setting.has_role(*p, role);
    let seeds = scenario.first_seed..scenario.first_seed + scenario.seed_count.min(SEED_COUNT_MAX);
    let outcomes = seeds.map(|seed| runner.run(seed)).filter(shows);
    outcomes.map(|o| to_u32(faulty(scenario, &o).iter().filter(|p| counted(p)).count())).max()
}

#[test]
fn every_mutant_of_the_code_is_shown_within_the_bound() {
    let mut wrong = Vec::new();
    let mut shown = BTreeSet::new();
    for (name, scenario) in shipped::scenarios() {
        let Some(mutant) = scenario.experiment.setting.mutant.clone() else { continue };
        let bound = bound(&scenario);
        let Some(faulty_count) = faulty_count_max(&scenario, bound.role) else { continue };
        let is_within = faulty_count <= bound.faulty_count_max;
        let summary = scenario.summary.clone().unwrap_or_default();
        let says_so = summary.contains("beyond");
        if is_within {
            shown.insert((scenario.entry.name, mutant));
        }
        if is_within == says_so {
            let most = bound.faulty_count_max;
            let faulty = format!("{faulty_count} are faulty, {most} may be");
            wrong.push(format!("{name}: {faulty}: {summary}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for entry in Catalogue::builtin().entries() {
        for mutant in entry.mutants.iter().filter(|mutant| mutant.kind == MutantKind::Code) {
            let is_shown = shown.contains(&(entry.name, mutant.name.to_owned()));
            assert!(is_shown, "no scenario shows {}/{} within the bound", entry.name, mutant.name);
        }
    }
}
