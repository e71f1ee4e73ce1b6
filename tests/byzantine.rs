//! Nobody trusts content: correct processes and checkers survive whatever an adversary makes of the
//! messages of their own protocol.

mod shipped;

use ftsim_core::adversary::Behaviour;
use ftsim_core::fault::{Action, Fault, Trigger};
use ftsim_core::{Instant, Judged, Limits, ProcessId, Verdict};

/// Every scenario without a mutant, with one of its processes Byzantine from the start: the
/// properties may fall, but nothing panics.
#[test]
fn no_mutated_message_makes_a_protocol_or_a_checker_panic() {
    let (mut attacked, mut felled) = (0, 0);
    for (name, mut scenario) in shipped::scenarios() {
        if scenario.experiment.setting.mutant.is_some() {
            continue;
        }
        let n = scenario.experiment.setting.n;
        // Lies may well send a protocol round in circles; that is not what is looked for here.
        let event_count_max = 5_000;
        scenario.experiment.limits = Limits { event_count_max, ..scenario.experiment.limits };
        for liar in 0..n.min(4) {
            for behaviour in [Behaviour::Random, Behaviour::Equivocate, Behaviour::Replay] {
                let action = Action::Corrupt(ProcessId(liar), behaviour);
                let trigger = Trigger::At(Instant::ZERO);
                let mut attack = scenario.experiment.clone();
                attack.plan.faults.push(Fault { trigger, action });
                let entry = &scenario.entry;
                let runner = entry.prepare(attack, &scenario.params, &scenario.workload);
                let Ok(mut runner) = runner else { panic!("{name} is refused") };
                for seed in 1..=5 {
                    let outcome = runner.run(seed);
                    let context = format!("{name}, p{liar} lies, seed {seed}");
                    assert_eq!(outcome.panicked, None, "{context}");
                    let is_violated = |j: &Judged| matches!(j.verdict, Verdict::Violated(_));
                    felled += u32::from(outcome.judged.iter().any(is_violated));
                    for judged in outcome.judged {
                        if let Verdict::Violated(violation) = judged.verdict {
                            let checker = violation.message.contains("its checker panicked");
                            assert!(!checker, "{context}: {}", violation.message);
                        }
                    }
                    attacked += 1;
                }
            }
        }
    }
    // The adversary has teeth: these protocols tolerate crashes, not lies.
    assert!(attacked > 1_000 && felled > attacked / 4, "{felled} of {attacked} runs fell");
}
