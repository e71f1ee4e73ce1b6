//! The cooperative termination protocol: uncertain processes ask each other for the decision.
//!
//! Source: Bernstein, Hadzilacos and Goodman (1987), section 7.4; their DECISION-REQ is our
//! INQUIRY.
//!
//! Steps:
//!
//! 1. a process that has voted Yes and does not know the decision when its timeout expires, or when
//!    it recovers, sends INQUIRY to its peers, and again after each further timeout;
//! 2. a process that knows the decision answers with it. One that has not voted aborts, and answers
//!    ABORT: without its vote no process can commit. An uncertain process cannot help;
//! 3. a process that receives the decision carries it out as if it came from the coordinator.
//!
//! Why it works: every answer is a decision, or makes one that no other can contradict. A process
//! stays blocked only while each of its peers is uncertain or down.
//!
//! In the linear and decentralised topologies a process asks all others. In the central topology it
//! asks the coordinator, and the other participants only if `termination = "cooperative"`.

use ftsim_core::ProcessId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::voter::{State, Voter};
use super::{Context, Msg, Timer};
use crate::spec::atomic_commit::{Decision, PARTICIPANT, Transaction};

/// Which processes an uncertain participant asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Termination {
    /// Only the coordinator.
    #[default]
    Wait,
    /// The other participants too: one may know the decision, or not have voted, and then it never
    /// will.
    Cooperative,
}

impl Termination {
    /// The participants that an uncertain one asks besides the coordinator.
    pub(super) fn peers(self, cx: &Context) -> impl Iterator<Item = ProcessId> + use<> {
        let me = cx.me();
        cx.role(PARTICIPANT).filter(move |p| self == Self::Cooperative && *p != me)
    }
}

impl Voter {
    /// Asks `peers` for the decision on a prepared transaction, and sets the timer for asking
    /// again.
    pub fn ask(
        &mut self,
        transaction: Transaction,
        peers: impl IntoIterator<Item = ProcessId>,
        cx: &mut Context,
    ) {
        if let Some(State::Prepared { asked, .. }) = self.states.get_mut(&transaction) {
            cx.reach(if *asked { "blocked" } else { "uncertain" });
            *asked = true;
            cx.send_to(peers, Msg::Inquiry(transaction));
            cx.set_timer(self.decision_timeout, Timer::Decision(transaction));
        }
    }

    /// The answer to an inquiry; `None` if this process is uncertain too, or may have left the
    /// transaction after reading.
    pub fn answer(&mut self, transaction: Transaction, cx: &mut Context) -> Option<Decision> {
        match self.state(transaction) {
            Some(State::Decided(decision)) => Some(decision),
            Some(State::Prepared { .. } | State::Left) => None,
            None if self.may_have_left() => None,
            Some(State::Working { .. }) | None => {
                self.abort_alone(transaction, cx);
                Some(Decision::Abort)
            }
        }
    }
}
