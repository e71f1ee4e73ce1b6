//! Eager reliable broadcast: whoever delivers a message passes it on first.
//!
//! Source: Hadzilacos and Toueg (1994); Cachin, Guerraoui and Rodrigues (2011), algorithm 3.3. Spec:
//! [`Broadcast`] with agreement. Model: asynchronous, perfect links, any number of crashes, no detector.
//!
//! Steps: to broadcast, send to everybody, oneself included. The first time a message arrives, deliver it and, if
//! it is another's, send it to everybody else.
//!
//! Why it works: a correct process that delivers has sent to everybody, and its links lose nothing. The relay is
//! not uniform: a process can deliver and crash before its relay leaves.

use std::collections::BTreeSet;

use ftsim_core::{
    Cx, DetectorClass, FaultClass, Links, Model, Mutant, Never, Process, ProcessId, PropertyId,
    Protocol, Setting, Timing,
};
use serde::{Deserialize, Serialize};

use crate::NoParams;
use crate::spec::broadcast::{
    AGREEMENT, Broadcast, Indication, MessageNumber, NO_DUPLICATION, Request, UNIFORM_AGREEMENT,
};

/// One process of eager reliable broadcast.
#[derive(Clone, Debug, Hash)]
pub struct EagerRb {
    delivered: BTreeSet<(ProcessId, MessageNumber)>,
    /// Not in the mutant `no-delivered-set`.
    remembers: bool,
    /// Not in the mutant `deliver-without-relay`.
    relays: bool,
}

/// What processes send each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A message on its way, straight from its sender or relayed.
    Data {
        /// Who broadcast it.
        sender: ProcessId,
        /// Which of its messages.
        number: MessageNumber,
    },
}

impl Process for EagerRb {
    type Spec = Broadcast;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, Request::Broadcast(number): Request, cx: &mut Cx<Self>) {
        cx.broadcast(Msg::Data { sender: cx.me(), number });
    }

    fn on_message(&mut self, _: ProcessId, Msg::Data { sender, number }: Msg, cx: &mut Cx<Self>) {
        if self.delivered.contains(&(sender, number)) {
            return;
        }
        if self.remembers {
            self.delivered.insert((sender, number));
        }
        cx.indicate(Indication::Deliver { sender, number });
        if self.relays && sender != cx.me() {
            cx.send_to_others(Msg::Data { sender, number });
        }
    }
}

impl Protocol for EagerRb {
    const NAME: &'static str = "eager-rb";
    const SUMMARY: &'static str = "reliable broadcast: relay on first delivery";
    const MODEL: Model = Model {
        timing: Timing::Asynchronous,
        faults: FaultClass::CrashStop,
        bound: "f < n",
        links: Links::Reliable,
        detector: DetectorClass::None,
        literature: "Hadzilacos & Toueg 1994; Cachin, Guerraoui & Rodrigues 2011, algorithm 3.3",
    };
    const MUTANTS: &'static [Mutant] = &[
        Mutant::code(
            "no-delivered-set",
            "forgets what it has delivered, so that relays never end",
            NO_DUPLICATION,
        ),
        Mutant::code("deliver-without-relay", "delivers and does not pass on", AGREEMENT),
        Mutant::assumption(
            "as-urb",
            "is taken for a uniform reliable broadcast",
            UNIFORM_AGREEMENT,
            "check",
            None,
        ),
    ];

    type Params = NoParams;

    fn new(_: &NoParams, setting: &Setting, _: ProcessId) -> Self {
        Self {
            delivered: BTreeSet::new(),
            remembers: !setting.is_mutant("no-delivered-set"),
            relays: !setting.is_mutant("deliver-without-relay"),
        }
    }

    fn claims(_: &NoParams, _: &Setting) -> Vec<PropertyId> {
        vec![AGREEMENT]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    #[test]
    fn a_broadcast_costs_n_times_n_minus_1_messages() {
        for n in [2, 3, 5, 9] {
            let outcome =
                Bench::<EagerRb>::new(n).workload(r#"{"senders": ["p0"]}"#).lockstep().run(1);
            assert_eq!(outcome.statistics.sent(), u64::from(n * (n - 1)));
        }
    }

    #[test]
    fn without_failure_all_deliver_in_one_step() {
        let outcome = Bench::<EagerRb>::new(5).workload(r#"{"senders": ["p0"]}"#).lockstep().run(1);
        assert_eq!(outcome.indication_steps(), [0, 1, 1, 1, 1]);
    }
}
