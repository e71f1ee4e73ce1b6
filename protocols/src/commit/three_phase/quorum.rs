//! Termination when the network fails, too: each decision needs a quorum.
//!
//! Source: Skeen (1982); Bernstein, Hadzilacos and Goodman (1987), section 7.5.
//!
//! Each site has one vote. To commit takes V_C sites that have pre-committed, to abort V_A that
//! have pre-aborted, where V_C + V_A > V, and neither of the two becomes the other. A site that has
//! waited for long takes over, with no regard to what others do, and asks all for their phase:
//!
//! 1. if some have pre-committed and, with those that wait, make a quorum to commit, it sends
//!    PRE-COMMIT to the latter;
//! 2. otherwise, if those that wait or have pre-aborted make a quorum to abort, it sends PRE-ABORT;
//! 3. otherwise it is blocked, and tries again later.
//!
//! Without a quorum only two aborts are possible: that of a participant that has not voted Yes, and
//! that of the coordinator before it has sent PRE-COMMIT. In both cases no site ever pre-commits.
//!
//! Why it works: two quorums have a site in common, and it is in one phase only, also after a
//! crash. When all sites are connected, one of the two rules applies, since V_C + V_A = V + 1.

use std::collections::BTreeMap;

use ftsim_core::{Cx, ProcessId, ProcessSet};

use super::mutants::QUORUMS_APART;
use super::{Phase, Site, State, Task, ThreePhaseCommit};
use crate::spec::atomic_commit::{Decision, Transaction};

type Context<'a> = Cx<'a, ThreePhaseCommit>;

impl ThreePhaseCommit {
    pub(super) fn quorum(&self, decision: Decision, cx: &Context) -> usize {
        let quorum = self.params.quorum(decision, cx.n());
        let apart = decision == Decision::Abort && cx.runs(&QUORUMS_APART);
        if apart { quorum.saturating_sub(1) } else { quorum }
    }

    /// Nothing has happened for long.
    pub(super) fn move_on(&mut self, transaction: Transaction, cx: &mut Context) {
        let Some(site) = self.sites.get(&transaction) else { return };
        match (&site.state, &site.task) {
            (State::Decided(_), _) => {}
            (State::Working { .. }, _) => {
                cx.reach("aborted alone");
                self.abort_alone(transaction, cx);
            }
            (_, Task::Votes(_)) => {
                cx.reach("votes late");
                self.decide(transaction, Decision::Abort, cx);
            }
            (_, Task::States(phases)) => self.seek_quorum(transaction, &phases.clone(), cx),
            (_, Task::None | Task::Acks { .. }) => {
                cx.reach("took over");
                self.collect_states(transaction, cx);
            }
        }
    }

    /// The rules above, once all have answered or long enough has passed.
    pub(super) fn seek_quorum(
        &mut self,
        transaction: Transaction,
        phases: &BTreeMap<ProcessId, Phase>,
        cx: &mut Context,
    ) {
        let Some(mine) = self.phase(transaction) else { return };
        let mut phases = phases.clone();
        phases.insert(cx.me(), mine);
        let among = |wanted: Phase| -> ProcessSet {
            phases.iter().filter(|(_, phase)| **phase == wanted).map(|(p, _)| *p).collect()
        };
        let waiting = among(Phase::Waiting);
        let [for_commit, for_abort] = [among(Phase::PreCommitted), among(Phase::PreAborted)];
        let reaches =
            |ready: &ProcessSet, decision| ready.len() + waiting.len() >= self.quorum(decision, cx);
        let (decision, ready) = if !for_commit.is_empty() && reaches(&for_commit, Decision::Commit)
        {
            (Decision::Commit, for_commit)
        } else if reaches(&for_abort, Decision::Abort) {
            (Decision::Abort, for_abort)
        } else {
            cx.reach("blocked");
            return self.collect_states(transaction, cx);
        };
        if !ready.contains(cx.me()) && mine != Phase::Waiting {
            return self.lead_from_the_other_side(transaction, decision, ready, &waiting, cx);
        }
        self.prepare(transaction, decision, ready, &waiting, cx);
    }

    /// Asks the others to make a quorum that this site may not join.
    fn lead_from_the_other_side(
        &mut self,
        transaction: Transaction,
        decision: Decision,
        acked: ProcessSet,
        waiting: &ProcessSet,
        cx: &mut Context,
    ) {
        cx.reach("leads the other side");
        if let Some(Site { task, .. }) = self.operational(transaction) {
            *task = Task::Acks { decision, acked };
        }
        cx.send_to(waiting.iter(), super::Msg::before(transaction, decision));
        self.wait(transaction, cx);
        self.check_acks(transaction, cx);
    }
}
