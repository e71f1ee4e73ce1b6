//! Checkpoints: what a quorum has executed needs no log (section 4.3).

use ftsim_core::prelude::*;

use super::statement::{Checkpoint, Verified};
use super::{Context, Msg, Replica};

impl Replica {
    /// After every so many places it tells the others its state.
    pub(super) fn checkpoint_when_due(&mut self, cx: &mut Context) {
        if self.executed.is_multiple_of(self.params.checkpoint_every) {
            let (executed, state) = (self.executed, self.machine.clone());
            let checkpoint = Verified::own(Checkpoint { executed, state }, cx);
            cx.send_to(self.others(cx), Msg::Checkpoint(checkpoint.signed.clone()));
            self.count(cx.me(), checkpoint, cx);
        }
    }

    pub(super) fn on_checkpoint(
        &mut self,
        from: ProcessId,
        signed: Signed<Checkpoint>,
        cx: &mut Context,
    ) {
        if let Some(checkpoint) = Verified::by(from, signed, cx) {
            self.count(from, checkpoint, cx);
            self.execute(cx);
        }
    }

    /// A checkpoint that a quorum attests is stable.
    fn count(&mut self, from: ProcessId, checkpoint: Verified<Checkpoint>, cx: &mut Context) {
        let Verified { value, .. } = checkpoint.clone();
        if value.executed <= self.stable_place {
            return;
        }
        let attests = self.checkpoints.entry(value.executed).or_default();
        attests.entry(from).or_insert(checkpoint);
        let equal = attests.values().filter(|other| other.value == value);
        let proof: Vec<_> = equal.map(|other| other.signed.clone()).collect();
        if proof.len() >= self.quorum(cx) {
            self.stabilise(value, proof, cx);
        }
    }

    /// Takes a stable checkpoint: what lies before it is forgotten, and a replica that lags goes on
    /// from its state.
    pub(super) fn stabilise(
        &mut self,
        Checkpoint { executed: place, state }: Checkpoint,
        proof: Vec<Signed<Checkpoint>>,
        cx: &mut Context,
    ) {
        if place <= self.stable_place {
            return;
        }
        cx.reach("a checkpoint is stable");
        self.stable = proof;
        self.stable_place = place;
        self.assigned = self.assigned.max(place);
        self.log.retain(|(_, of), _| *of > place);
        self.prepared.retain(|of, _| *of > place);
        self.committed.retain(|of, _| *of > place);
        self.checkpoints.retain(|of, _| *of > place);
        if place > self.executed {
            cx.reach("a replica takes the state of others");
            self.executed = place;
            self.machine = state;
            self.forget_executed(cx);
        }
    }
}
