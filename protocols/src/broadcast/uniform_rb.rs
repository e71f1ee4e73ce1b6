//! Uniform reliable broadcast: deliver a message once enough processes are known to have it.
//!
//! Source: Cachin, Guerraoui and Rodrigues (2011), algorithms 3.4 (all-ack) and 3.5 (majority-ack).
//! Spec: [`Broadcast`] with uniform agreement. Model: asynchronous, perfect links. The variant
//! `all-ack` tolerates any number of crashes and needs a perfect failure detector P; the variant
//! `majority` tolerates f < n/2 crashes and needs no detector.
//!
//! Steps: to broadcast, send the message to all, oneself included. When a message arrives for the
//! first time, send it to all: a copy from a process is also its acknowledgement. Deliver the
//! message when it is acknowledged by all processes that the detector does not suspect, or by more
//! than half of all processes.
//!
//! Why it works: when any process delivers a message, even one about to crash, a correct process
//! has acknowledged it. That process sends the message to all, so every correct process
//! acknowledges it to all. These acknowledgements are enough with P because a process that is never
//! suspected is correct, and without it because more than half of the processes are correct.
//!
//! Words: the book's `pending` are the keys of our `acked`.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::prelude::*;

use crate::spec::broadcast::{
    Broadcast, Indication, MessageNumber, Request, UNIFORM_AGREEMENT, VALIDITY,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A message, from its sender or relayed. Every process that sends it has it.
    Data { sender: ProcessId, number: MessageNumber },
}

/// A process of uniform reliable broadcast.
#[derive(Clone, Debug, Hash)]
pub struct UniformRb {
    /// The processes that have acknowledged each message seen so far.
    acked: BTreeMap<(ProcessId, MessageNumber), ProcessSet>,
    delivered: BTreeSet<(ProcessId, MessageNumber)>,
    enough: Enough,
}

/// The acknowledgements that are enough to deliver.
#[derive(Clone, Debug, Hash)]
enum Enough {
    /// Those of all these processes, which are not suspected.
    All(ProcessSet),
    /// Those of this many processes.
    Count(usize),
}

impl Process for UniformRb {
    type Spec = Broadcast;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, Request::Broadcast(number): Request, cx: &mut Cx<Self>) {
        self.acked.entry((cx.me(), number)).or_default();
        cx.broadcast(Msg::Data { sender: cx.me(), number });
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        let Msg::Data { sender, number } = msg;
        if !self.acked.contains_key(&(sender, number)) {
            if from != sender {
                cx.reach("relay came first");
            }
            cx.broadcast(msg);
        }
        self.acked.entry((sender, number)).or_default().insert(from);
        self.deliver_if_enough((sender, number), cx);
    }

    fn on_suspect(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        let Enough::All(unsuspected) = &mut self.enough else { return };
        unsuspected.remove(p);
        let seen: Vec<_> = self.acked.keys().copied().collect();
        for message in seen {
            if self.deliver_if_enough(message, cx) {
                cx.reach("released by suspicion");
            }
        }
    }
}

impl UniformRb {
    /// Delivers the message if it has enough acknowledgements and was not delivered before; returns
    /// whether it was delivered now.
    fn deliver_if_enough(
        &mut self,
        (sender, number): (ProcessId, MessageNumber),
        cx: &mut Cx<Self>,
    ) -> bool {
        let acked = self.acked.get(&(sender, number));
        let enough = acked.is_some_and(|acked| match &self.enough {
            Enough::All(unsuspected) => acked.is_superset(unsuspected),
            Enough::Count(count) => acked.len() >= *count,
        });
        let delivers = enough && self.delivered.insert((sender, number));
        if delivers {
            cx.indicate(Indication::Deliver { sender, number });
        }
        delivers
    }
}

/// `[params]` of uniform reliable broadcast.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct UniformRbParams {
    /// The acknowledgements that are enough to deliver.
    pub variant: Variant,
}

/// The acknowledgements that are enough to deliver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Variant {
    /// Those of all processes that are not suspected: f < n, with a perfect failure detector.
    #[default]
    AllAck,
    /// Those of more than half of all processes: f < n/2, without a failure detector.
    Majority,
}

const IMPERFECT_FD: Mutant = Mutant::assumption(
    "imperfect-fd",
    "has a detector that suspects a process that is up",
    UNIFORM_AGREEMENT,
    "detector.mistakes",
    None,
);
const INCOMPLETE_FD: Mutant = Mutant::assumption(
    "incomplete-fd",
    "has a detector that does not report a crash to some process",
    VALIDITY,
    "detector.blind",
    None,
);
const HALF: Mutant = Mutant::code(
    "half",
    "delivers with the acknowledgements of n/2 processes, rounded down: all may be faulty",
    UNIFORM_AGREEMENT,
);

impl Protocol for UniformRb {
    const NAME: &'static str = "uniform-rb";
    const SUMMARY: &'static str = "uniform reliable broadcast: deliver once enough others have it";
    const SOURCE: &'static str = "Cachin, Guerraoui & Rodrigues 2011, algorithms 3.4 and 3.5";
    const MUTANTS: &'static [Mutant] = &[IMPERFECT_FD, INCOMPLETE_FD, HALF];

    type Params = UniformRbParams;

    fn validate(params: &UniformRbParams, setting: &Setting) -> Result<(), Invalid> {
        if !setting.runs(&HALF) {
            return Ok(());
        }
        if params.variant != Variant::Majority {
            return Err(Invalid::new("variant", "the mutant `half` needs the variant `majority`"));
        }
        if setting.n.is_multiple_of(2) {
            // Fewer than half are faulty, so half of an even number includes a correct one.
            return Err(Invalid::new("mutant", "`half` is correct where n is even, as here"));
        }
        Ok(())
    }

    fn model(params: &UniformRbParams, _: &Setting) -> Model {
        match params.variant {
            Variant::AllAck => {
                Model::ASYNCHRONOUS.crash_stop(Bound::ALL_BUT_ONE).with(DetectorClass::Perfect)
            }
            Variant::Majority => Model::ASYNCHRONOUS.crash_stop(Bound::MINORITY),
        }
    }

    fn new(params: &UniformRbParams, setting: &Setting, _: ProcessId) -> Self {
        let n = setting.n as usize;
        let enough = match params.variant {
            Variant::AllAck => Enough::All(setting.processes().collect()),
            Variant::Majority if setting.runs(&HALF) => Enough::Count(n / 2),
            Variant::Majority => Enough::Count(n / 2 + 1),
        };
        Self { acked: BTreeMap::new(), delivered: BTreeSet::new(), enough }
    }

    fn claims(_: &UniformRbParams, _: &Setting) -> Vec<PropertyId> {
        vec![UNIFORM_AGREEMENT]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;
    use ftsim_core::environment::detector::Mistake;
    use ftsim_core::fault::{InFlight, Trigger};
    use ftsim_core::{Duration, Instant};

    const ALL_ACK: &str = r#"{"variant": "all-ack"}"#;
    const MAJORITY: &str = r#"{"variant": "majority"}"#;

    /// Only p0 broadcasts, once; a message takes 10 ms, and every crash is reported after 15.
    fn one_sender(n: u32, params: &str) -> Bench<UniformRb> {
        let bench = Bench::new(n).workload(r#"{"senders": ["p0"]}"#).params(params);
        bench.lockstep().perfect_detector("15ms")
    }

    const fn at(ms: u64) -> Instant {
        Instant::from_nanos(Duration::from_millis(ms).as_nanos())
    }

    #[test]
    fn a_broadcast_costs_n_times_n_minus_1_messages_and_two_steps() {
        for params in [ALL_ACK, MAJORITY] {
            for n in [2, 3, 4, 5, 9] {
                let run = one_sender(n, params).run(1);
                assert_eq!(run.statistics.sent(), u64::from(n * (n - 1)));
                assert_eq!(run.indication_steps().len(), n as usize);
                assert_eq!(run.indication_steps().last(), Some(&2));
                assert_eq!(run.steps(), 2);
            }
        }
    }

    #[test]
    fn where_the_first_copy_is_enough_the_others_deliver_a_step_early() {
        // The sender's acknowledgement and one's own: all of two, and more than half of three.
        assert_eq!(one_sender(2, ALL_ACK).run(1).indication_steps(), [1, 2]);
        assert_eq!(one_sender(3, ALL_ACK).run(1).indication_steps(), [2, 2, 2]);
        assert_eq!(one_sender(3, MAJORITY).run(1).indication_steps(), [1, 1, 2]);
        assert_eq!(one_sender(4, MAJORITY).run(1).indication_steps(), [2, 2, 2, 2]);
    }

    #[test]
    fn all_ack_waits_for_a_crashed_process_until_it_is_told() {
        let run = one_sender(3, ALL_ACK).crash(2, Trigger::At(at(5))).run(1);
        assert_eq!(run.reached, ["released by suspicion"]);
        assert_eq!(run.at, at(20));
        assert_eq!(run.violated(), [] as [&str; 0]);
    }

    #[test]
    fn all_ack_needs_an_accurate_detector() {
        let bench = one_sender(2, ALL_ACK);
        let mut bench = bench.crash_with(0, Trigger::At(at(2)), InFlight::Lose);
        assert_eq!(bench.run(1).violated(), [] as [&str; 0]);
        let (observer, suspects) = (ProcessId(0), ProcessId(1));
        let mistake = Mistake { observer, suspects, at: at(1), until: None };
        bench.experiment.detector.mistakes = vec![mistake];
        assert_eq!(bench.run(1).violated(), ["rb.uniform-agreement"]);
    }

    #[test]
    fn all_ack_needs_a_complete_detector() {
        let mut bench = one_sender(2, ALL_ACK).crash(1, Trigger::At(at(5)));
        assert_eq!(bench.run(1).violated(), [] as [&str; 0]);
        bench.experiment.detector.blind = vec![(ProcessId(0), ProcessId(1))];
        assert_eq!(bench.run(1).violated(), ["beb.validity", "rb.validity"]);
    }

    #[test]
    fn half_of_five_rounded_down_can_all_crash_within_the_bound() {
        // p0 and p1 have each other's acknowledgement at 10 and 20 ms. What they sent to the others
        // would arrive at 100 ms, and is lost with them.
        let bench = || {
            let mut bench = one_sender(5, MAJORITY);
            let mut slow = bench.experiment.network.default.clone();
            slow.delay = ftsim_core::environment::delay::Delay::Uniform(
                "100ms".parse().expect("a duration"),
            );
            for (p, q) in [(0, 2), (0, 3), (0, 4), (1, 2), (1, 3), (1, 4)] {
                let link = (ProcessId(p), ProcessId(q));
                bench.experiment.network.overrides.push((link, slow.clone()));
            }
            let crash =
                |bench: Bench<_>, p| bench.crash_with(p, Trigger::At(at(50)), InFlight::Lose);
            crash(crash(bench, 0), 1)
        };
        assert_eq!(bench().run(1).violated(), [] as [&str; 0]);
        assert_eq!(bench().mutant("half").run(1).violated(), ["rb.uniform-agreement"]);
    }

    #[test]
    fn without_a_majority_the_majority_variant_stalls_and_stays_safe() {
        for n in [2, 4, 6] {
            let bench = one_sender(n, MAJORITY);
            let half = n / 2..n;
            let bench = half.fold(bench, |bench, p| bench.crash(p, Trigger::At(at(5))));
            assert_eq!(bench.run(1).violated(), ["beb.validity", "rb.validity"]);
        }
    }

    #[test]
    fn the_mutant_half_is_one_of_the_majority_variant_and_of_odd_numbers_only() {
        let valid = |n, variant| {
            let setting = Setting { mutant: Some(&HALF), ..Setting::of(n) };
            UniformRb::validate(&UniformRbParams { variant }, &setting).is_ok()
        };
        assert!(valid(5, Variant::Majority));
        assert!(!valid(5, Variant::AllAck));
        assert!(!valid(4, Variant::Majority));
    }

    #[test]
    fn crashes_within_the_bound_are_survived() {
        for seed in 0..400 {
            for (params, crashes) in [(ALL_ACK, 4), (MAJORITY, 2)] {
                let bench = Bench::<UniformRb>::new(5).params(params);
                let bench = bench.workload(r#"{"broadcasts": 2, "every": "4ms"}"#);
                let bench =
                    bench.perfect_detector("1ms..20ms").random_crashes(crashes, "0ms..20ms");
                let run = bench.run(seed);
                assert_eq!(run.violated(), [] as [&str; 0], "seed {seed}, {params}");
            }
        }
    }

    #[test]
    fn beyond_its_bound_the_majority_variant_loses_liveness_alone() {
        // Uniform agreement is liveness: after a delivery, too few may be left to acknowledge to
        // the others.
        let mut stalls = 0;
        for seed in 0..400 {
            let bench = Bench::<UniformRb>::new(4).params(MAJORITY).random_crashes(3, "0ms..20ms");
            let violated = bench.run(seed).violated();
            let liveness =
                |id: &&str| ["beb.validity", "rb.validity", "rb.uniform-agreement"].contains(id);
            assert!(violated.iter().all(liveness), "seed {seed}: {violated:?}");
            stalls += violated.len();
        }
        assert!(stalls > 0);
    }
}
