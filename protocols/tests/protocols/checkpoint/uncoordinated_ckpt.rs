use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::environment::message_rule::{Content, Fate, MessageRule};
use ftsim_core::fault::{InFlight, Trigger};
use ftsim_core::outcome::trace::TraceEvent;
use ftsim_core::rng::{Rng, Stream};
use ftsim_core::{EndCause, Instant};

use ftsim_core::bench::{Bench, Run};
use ftsim_core::prelude::*;
use ftsim_protocols::checkpoint::UncoordinatedCkpt;
use ftsim_spec::snapshot::{BOUNDED_ROLLBACK, CONSERVATION, CONSISTENT, REACHABLE};

use crate::recovery::{assert_good, crash_and_return, crash_at_random, exercised};

fn bench(n: u32) -> Bench {
    let mut bench = Bench::of::<UncoordinatedCkpt>(n).check(CONSERVATION).check(REACHABLE);
    bench.experiment.limits.horizon = Instant::ZERO + Duration::from_secs(5);
    bench
}

/// Up to six crashes, each after some effect or at some time; all processes recover.
fn with_random_crashes(n: u32, seed: u64) -> Bench {
    let mut rng = Rng::new(seed, Stream::Faults);
    let bench = bench(n).workload(r#"{"snapshots": 5, "transfers": 20}"#);
    crash_at_random(bench, n, &mut rng, &[InFlight::Keep])
}

#[test]
fn whoever_crashes_when_no_line_is_bad_and_no_money_is_lost() {
    let mut received = 0;
    for seed in 0..300 {
        let n = 2 + u32::try_from(seed % 4).unwrap();
        for params in [r#"{"take": "at-will"}"#, r#"{"take": "each-send"}"#] {
            let run = with_random_crashes(n, seed).params(params).run(seed);
            assert_good(&run);
            received += exercised(&run, CONSISTENT);
        }
    }
    assert!(received > 1000, "only {received} receipts in recovery lines");
}

#[test]
fn each_mutant_violates_what_it_says() {
    // It takes a late message to accept one that is undone: `uncoordinated-ckpt-accept-undone`.
    let drawn = UncoordinatedCkpt::MUTANTS.iter().filter(|mutant| mutant.name != "accept-undone");
    for mutant in drawn {
        let broken = (0..200).filter(|seed| {
            let bench = with_random_crashes(3, *seed).params(r#"{"take": "each-send"}"#);
            let at_will = with_random_crashes(3, *seed);
            let bench = if mutant.violates == BOUNDED_ROLLBACK { bench } else { at_will };
            let run = bench.mutant(mutant.name).run(*seed);
            run.violated().contains(&mutant.violates.0)
        });
        assert!(broken.count() > 0, "{}", mutant.name);
    }
}

/// The longer two processes repeat "receive, take a checkpoint, send", the more is lost (Randell):
/// p1 is back at its opening state, and p0 at the one with nothing received.
#[test]
fn the_domino_effect_loses_all_checkpoints_however_many() {
    for k in 2..12u64 {
        let pay = |i: u64| {
            let (from, to) = if i.is_multiple_of(2) { ("p0", "p1") } else { ("p1", "p0") };
            let at = 20 * i;
            format!(r#"{{"at": "{at}ms", "from": "{from}", "to": "{to}", "amount": 1}}"#)
        };
        let script: Vec<_> = (0..2 * k).map(pay).collect();
        let script = script.join(", ");
        let workload = format!(r#"{{"transfers": 0, "snapshots": 0, "scripted": [{script}]}}"#);
        let end = Trigger::At(Instant::ZERO + Duration::from_millis(40 * k + 20));
        let of = || {
            let bench = bench(2).workload(&workload).params(r#"{"take": "each-send"}"#);
            crash_and_return(bench, 1, end.clone(), Duration::from_millis(5), InFlight::Keep)
                .lockstep()
        };
        assert_good(&of().run(1));
        let run = of().mutant("domino").run(1);
        assert_eq!(run.violated(), [BOUNDED_ROLLBACK.0]);
        let judged = run.judged.iter().find(|judged| judged.id == BOUNDED_ROLLBACK).unwrap();
        let lost: Vec<u64> = (2..=k + 1).collect();
        let told = format!("{:?}", judged.verdict);
        let p0 = format!("p0 went back to checkpoint 1 and lost {lost:?}");
        assert!(told.contains(&p0), "{told}");
    }
}

/// A liar may say that the opening state depends on something: propagation cannot go further back.
#[test]
fn a_liar_cannot_keep_the_coordinator_busy_for_ever() {
    let told = r#"{"Stopped": {"recovery": 1, "checkpoints": {"0": {"p0": 7}}}}"#;
    let content = Content::Replaced(serde_json::from_str(told).unwrap());
    let (from, to, kind) = (ProcessId(1), ProcessId(0), Some("Stopped".to_owned()));
    let at = Trigger::At(Instant::ZERO + Duration::from_millis(40));
    let mut bench = crash_and_return(bench(2), 0, at, Duration::from_millis(5), InFlight::Keep);
    let rule = MessageRule { from, to, kind, nth: 1, fate: Fate::content(content) };
    bench.experiment.overrides.push(rule);
    assert_eq!(bench.run(1).cause, EndCause::Quiescent);
}

/// What a process has done, and how much of it each of its checkpoints includes.
#[derive(Clone, Default)]
struct Deeds {
    /// Transfers sent (`true`) and received.
    acts: Vec<(bool, String)>,
    checkpoints: BTreeMap<usize, usize>,
}

impl Deeds {
    fn new() -> Self {
        Self { acts: Vec::new(), checkpoints: BTreeMap::from([(0, 0)]) }
    }

    fn until(&self, checkpoint: usize, sent: bool) -> BTreeSet<&String> {
        let acts = self.acts.iter().take(self.checkpoints[&checkpoint]);
        acts.filter(|(is_sent, _)| *is_sent == sent).map(|(_, transfer)| transfer).collect()
    }

    fn return_to(&mut self, checkpoint: usize) {
        self.acts.truncate(self.checkpoints[&checkpoint]);
        self.checkpoints.retain(|later, _| *later <= checkpoint);
    }
}

/// The greatest set of checkpoints without an orphan, found by trying all.
fn greatest_line(deeds: &[Deeds]) -> Vec<usize> {
    let mut lines = vec![Vec::new()];
    for of in deeds {
        let longer = |line: &Vec<usize>| {
            let line = line.clone();
            of.checkpoints.keys().map(move |last| [line.clone(), vec![*last]].concat())
        };
        lines = lines.iter().flat_map(longer).collect();
    }
    let all = |line: &[usize], sent| -> BTreeSet<String> {
        let of = deeds.iter().zip(line).flat_map(|(of, last)| of.until(*last, sent));
        of.cloned().collect()
    };
    lines.retain(|line| all(line, false).is_subset(&all(line, true)));
    let place = |p: usize| lines.iter().map(|line| line[p]).max().unwrap();
    let greatest: Vec<usize> = (0..deeds.len()).map(place).collect();
    assert!(lines.contains(&greatest), "{greatest:?} has an orphan");
    greatest
}

/// The lines to which all returned in a run, and the greatest ones.
fn lines(run: &Run, n: usize) -> Vec<(Vec<usize>, Vec<usize>)> {
    let mut deeds = vec![Deeds::new(); n];
    let mut returned: BTreeMap<usize, BTreeMap<usize, (usize, Deeds)>> = BTreeMap::new();
    for entry in &run.trace.entries {
        let (Some(p), TraceEvent::Indicate { what, .. }) = (entry.process, &entry.what) else {
            continue;
        };
        let p = p.index();
        let number = |key: &str| -> usize {
            let (_, rest) = what.split_once(key).unwrap();
            rest.split([',', ' ']).next().unwrap().parse().unwrap()
        };
        if let Some(transfer) = what.strip_prefix("Sent(") {
            deeds[p].acts.push((true, transfer.to_owned()));
        } else if let Some(transfer) = what.strip_prefix("Received(") {
            deeds[p].acts.push((false, transfer.to_owned()));
        } else if what.starts_with("RecordedOwn") {
            let act_count = deeds[p].acts.len();
            deeds[p].checkpoints.insert(number("checkpoint: "), act_count);
        } else if what.starts_with("Returned") {
            let (recovery, checkpoint) = (number("recovery: "), number("checkpoint: "));
            let by = returned.entry(recovery).or_default();
            by.insert(p, (checkpoint, deeds[p].clone()));
            deeds[p].return_to(checkpoint);
        }
    }
    let whole = returned.values().filter(|by| by.len() == n);
    let of = |by: &BTreeMap<usize, (usize, Deeds)>| {
        let before: Vec<Deeds> = by.values().map(|(_, deeds)| deeds.clone()).collect();
        let line: Vec<usize> = by.values().map(|(line, _)| *line).collect();
        (line, greatest_line(&before))
    };
    whole.map(of).collect()
}

#[test]
fn every_recovery_line_is_the_greatest_consistent_set() {
    let (mut count, mut propagated) = (0, 0);
    for seed in 0..200 {
        let n = 2 + u32::try_from(seed % 2).unwrap();
        let mut rng = Rng::new(seed, Stream::Faults);
        let mut bench = bench(n).workload(r#"{"snapshots": 0, "transfers": 10}"#);
        for crash in 0..2 {
            let process = u32::try_from(rng.below(n.into())).unwrap();
            let at = 20 + 80 * crash + rng.below(20);
            let at = Trigger::At(Instant::ZERO + Duration::from_millis(at));
            bench = crash_and_return(
                bench,
                process,
                at,
                Duration::from_millis(rng.below(10)),
                InFlight::Keep,
            );
        }
        let run = bench.run(seed);
        for (line, greatest) in lines(&run, n as usize) {
            assert_eq!(line, greatest, "seed {seed}");
            count += 1;
        }
        propagated += u32::from(run.reached.contains(&"rolled back"));
    }
    assert!(count > 200 && propagated > 50, "{count} lines, {propagated} with a rollback");
}
