//! Runs of drawn worlds are what they were: a table of digests and of counts, a line for each group
//! of worlds.
//!
//! The table says what the engine does, not what it should do: that is what all other tests are
//! for. A line that changes shows which part of the engine now makes other runs. The change of a
//! line without that of a digest of runs shows that only what is told about them has changed.
//!
//! `UPDATE_EXPECT=1 cargo test -p ftsim-core worlds` writes it anew.

pub mod chatter;
pub mod draw;
pub mod groups;
pub mod topics;

use std::fmt::Write as _;
use std::hash::Hasher as _;

use expect_test::expect_file;
use ftsim_core::digest::Digest;
use ftsim_core::outcome::tape::TapeReader;
use ftsim_core::{Outcome, RunRequest, Runner, Trace, Verdict};

use draw::World;
use groups::{Change, GROUPS};

/// The number of worlds of each group.
const WORLD_COUNT: u64 = 40;

/// What the runs of a group come to.
#[derive(Default)]
struct Tally {
    /// Of the digests of runs, and of all that is told about them.
    runs: Digest,
    told: Digest,
    events: u64,
    sent: u64,
    delivered: u64,
    dropped: [u64; 8],
    /// Duplicated, garbled, replayed.
    changed: [u64; 3],
    /// Packets, those sent again, those lost.
    packets: [u64; 3],
    syncs: u64,
    /// Crashes, recoveries.
    lives: [u64; 2],
    /// Held, held vacuously, violated, undecided.
    verdicts: [u64; 4],
    /// Of all processes: failures, repairs, milliseconds down.
    outages: [u64; 3],
    /// Operations asked for, and answered.
    operations: [u64; 2],
}

impl Tally {
    fn count(&mut self, outcome: &Outcome) {
        let statistics = &outcome.statistics;
        self.runs.mix(outcome.digest.value());
        self.tell(&about(outcome));
        self.events += statistics.events;
        self.sent += statistics.sent();
        self.delivered += statistics.delivered;
        let packets = statistics.packets;
        let unit = outcome.dependability.process();
        let down_ms = u64::try_from(unit.down_ns / 1_000_000).expect("a short run");
        let operations = outcome.dependability.operations;
        add(&mut self.dropped, statistics.dropped);
        add(&mut self.changed, [statistics.duplicated, statistics.garbled, statistics.replayed]);
        add(&mut self.packets, [packets.sent, packets.sent_again, packets.lost]);
        add(&mut self.lives, [statistics.crashes, statistics.recoveries]);
        add(&mut self.outages, [unit.failures, unit.repairs, down_ms]);
        add(&mut self.operations, [operations.asked, operations.answered]);
        self.syncs += statistics.syncs;
        for judged in &outcome.judged {
            let place = match judged.verdict {
                Verdict::Held => 0,
                Verdict::HeldVacuously => 1,
                Verdict::Violated(_) => 2,
                Verdict::Undecided(_) => 3,
            };
            self.verdicts[place] += 1;
        }
    }

    fn tell(&mut self, text: &str) {
        self.told.write(text.as_bytes());
    }

    fn tell_all(&mut self, trace: &Trace) {
        for entry in &trace.entries {
            self.tell(&format!("{entry:?}"));
        }
    }
}

fn add<const N: usize>(sums: &mut [u64; N], counts: [u64; N]) {
    for (sum, count) in sums.iter_mut().zip(counts) {
        *sum += count;
    }
}

/// All that an outcome says except the digest.
fn about(outcome: &Outcome) -> String {
    assert_eq!(outcome.panicked, None);
    let Outcome { cause, at, correct, judged, reached, plan, unfired, .. } = outcome;
    let Outcome { unused, unused_requests, unused_masks, statistics, .. } = outcome;
    let unused = (unused, unused_requests, unused_masks);
    let faults: Vec<String> = plan.faults.iter().map(ToString::to_string).collect();
    let (dependability, latencies) = (&outcome.dependability, &outcome.latencies);
    format!(
        "{cause} {at} {correct:?} {judged:?} {reached:?} {faults:?} {unfired:?} {unused:?} \
         {statistics:?} {dependability:?} {latencies:?}"
    )
}

/// Runs a world in each of the ways to run it, which must agree, and tells what they tell.
fn run(world: &World, seed: u64, tally: &mut Tally) {
    let mut runner = world.runner();
    let outcome = runner.run(seed);
    tally.count(&outcome);
    let (recorded, trace) = runner.record(seed);
    assert_eq!(recorded.digest, outcome.digest, "a record changes nothing");
    assert_eq!(about(&recorded), about(&outcome));
    tally.tell_all(&trace);
    match seed % 5 {
        0 => tally.told.write(&written(&mut runner, seed, &trace)),
        1 => {
            let (taken, schedule) = runner.schedule(seed);
            assert_eq!(taken.digest, outcome.digest, "to take the schedule down changes nothing");
            tally.tell(&format!("{:?} {:?}", schedule.messages, schedule.notices));
            tally.tell(&format!("{:?} {}", schedule.requests, schedule.has_drawn_requests));
        }
        2 => {
            let (_, operations) = runner.operations(seed);
            tally.tell(&format!("{operations:?}"));
        }
        3 => {
            runner.watch(seed, &mut |step, p, state| tally.tell(&format!("{step} {p} {state}")));
            let states = runner.states(seed, outcome.statistics.events / 2);
            tally.tell(&states.join("\n"));
            tally.tell(&format!("{:?}", runner.profile(seed)));
        }
        _ => by_steps(&mut runner, seed, &outcome, tally),
    }
}

/// A record that is written while the run goes on is that which is kept.
fn written(runner: &mut Runner, seed: u64, trace: &Trace) -> Vec<u8> {
    let mut bytes = Vec::new();
    runner.record_to(seed, &mut bytes).expect("memory");
    let mut reader = TapeReader::new(bytes.as_slice());
    for expected in &trace.entries {
        assert_eq!(reader.next_entry().expect("a whole tape").as_ref(), Some(expected));
    }
    assert!(reader.next_entry().expect("a whole tape").is_none());
    bytes
}

/// Driven step by step the run is the same, and a clone of it, begun halfway, is too.
fn by_steps(runner: &mut Runner, seed: u64, whole: &Outcome, tally: &mut Tally) {
    let mut fork: Option<Runner> = None;
    runner.begin(RunRequest::under(seed, whole.plan.clone()));
    let mut steps = 0;
    while runner.step() {
        steps += 1;
        if steps % 16 == 0 {
            tally.told.mix(runner.fingerprint().value());
            tally.told.mix(runner.pending().len() as u64);
            let places: Vec<_> = runner.pending().iter().map(|e| runner.process_of(e)).collect();
            tally.tell(&format!("{places:?}"));
        }
        if steps == 50 {
            fork = Some(runner.clone());
        }
    }
    assert_eq!(runner.finish().digest, whole.digest);
    if let Some(mut fork) = fork {
        while fork.step() {}
        assert_eq!(fork.finish().digest, whole.digest);
    }
}

fn line(number: u64, name: &str, change: Change) -> String {
    let mut tally = Tally::default();
    for index in 0..WORLD_COUNT {
        let mut world = World::calm(number * 1_000 + index);
        change(&mut world);
        run(&world, index, &mut tally);
    }
    let Tally { runs, told, events, sent, delivered, syncs, .. } = tally;
    let Tally { dropped, changed, packets, lives, verdicts, outages, operations, .. } = tally;
    let numbers =
        |numbers: &[u64]| numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let mut line = format!("{name}\n    runs {runs}, told {told}\n    ");
    let (dropped, changed) = (numbers(&dropped), numbers(&changed));
    write!(line, "{events} events, {sent} sent, {delivered} delivered, dropped {dropped}, ")
        .expect("memory");
    writeln!(line, "changed {changed}").expect("memory");
    let (packets, lives) = (numbers(&packets), numbers(&lives));
    writeln!(line, "    packets {packets}, syncs {syncs}, lives {lives}").expect("memory");
    let (verdicts, outages) = (numbers(&verdicts), numbers(&outages));
    let operations = numbers(&operations);
    writeln!(line, "    verdicts {verdicts}, outages {outages}, operations {operations}")
        .expect("memory");
    line
}

#[test]
fn runs_of_drawn_worlds_are_what_they_were() {
    let lines = (0u64..).zip(GROUPS).map(|(number, (name, change))| line(number, name, change));
    let table: String = lines.collect();
    expect_file!["table.txt"].assert_eq(&table);
}
