//! What replicas sign, and when it counts.
//!
//! The signed parts have different field names, so that none can be taken for another.

use ftsim_core::prelude::*;

use super::{Context, Pbft, Replica};
use crate::parts::machine::Machine;
use crate::spec::byzantine::{Call, Place, View};

/// A signed value whose signature was genuine.
#[derive(Clone, Debug, Hash)]
pub(super) struct Verified<T> {
    pub value: T,
    pub signed: Signed<T>,
}

impl<T: Clone + Serialize> Verified<T> {
    /// The value, if `signer` signed it.
    pub fn by(signer: ProcessId, signed: Signed<T>, cx: &Context) -> Option<Self> {
        let value = signed.verify(cx).filter(|_| signed.signer() == signer)?.clone();
        Some(Self { value, signed })
    }

    /// The value with this process's own signature.
    pub fn own(value: T, cx: &Context) -> Self {
        Self { value: value.clone(), signed: Cx::<Pbft>::sign(cx, value) }
    }
}

/// What has a place in the order: a request, or nothing (the paper's *null request*). The paper's
/// messages carry a digest of the request; ours carry the request.
pub type Proposal = Option<Signed<Call>>;

/// The primary of this view proposes this.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PrePrepare {
    pub(super) view: View,
    pub(super) place: Place,
    pub(super) proposed: Proposal,
}

/// A backup accepts what the primary of this view proposes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Prepare {
    pub(super) view: View,
    pub(super) place: Place,
    pub(super) accepted: Proposal,
}

/// A proposal that no other one of its view can rival: a quorum stands by it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Certificate {
    pub(super) pre_prepare: Signed<PrePrepare>,
    pub(super) prepares: Vec<Signed<Prepare>>,
}

/// A replica has executed all up to here, and is in this state. The paper's message carries a
/// digest of the state, which a replica that lags must fetch; ours carries the state.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Checkpoint {
    pub(super) executed: Place,
    pub(super) state: Machine,
}

/// A replica has left all views before this one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ViewChange {
    pub(super) next: View,
    /// The proof of its stable checkpoint; empty before the first.
    pub(super) stable: Vec<Signed<Checkpoint>>,
    /// What has prepared at it since, one certificate for each place.
    pub(super) prepared: Vec<Certificate>,
}

impl Replica {
    /// A request that its client has signed.
    pub(super) fn request(&self, request: &Signed<Call>, cx: &Context) -> Option<Verified<Call>> {
        let client = request.verify(cx)?.command.client;
        let is_client = !self.servers.contains(&client);
        Verified::by(client, request.clone(), cx).filter(|_| is_client)
    }

    pub(super) fn is_authentic(&self, proposal: &Proposal, cx: &Context) -> bool {
        proposal.as_ref().is_none_or(|request| self.request(request, cx).is_some())
    }

    /// How many servers sign these, if each signs one, and no one else does.
    fn signers<T>(&self, signed: &[Signed<T>]) -> Option<usize> {
        let signers: ProcessSet = signed.iter().map(Signed::signer).collect();
        let are_servers = signers.iter().all(|p| self.servers.contains(&p));
        (are_servers && signers.len() == signed.len()).then_some(signers.len())
    }

    /// The proposal of a certificate, if it is one.
    pub(super) fn certified<'a>(
        &self,
        certificate: &'a Certificate,
        cx: &Context,
    ) -> Option<&'a PrePrepare> {
        let Certificate { pre_prepare: signed, prepares } = certificate;
        let pre_prepare = signed.verify(cx)?;
        let primary = self.primary(pre_prepare.view)?;
        let stands_by = |signed: &Signed<Prepare>| {
            signed.signer() != primary
                && signed.verify(cx).is_some_and(|prepare| prepare.accepts(pre_prepare))
        };
        let is_quorum = self.signers(prepares)? + 1 >= self.quorum(cx);
        let is_certified = signed.signer() == primary
            && is_quorum
            && prepares.iter().all(stands_by)
            && self.is_authentic(&pre_prepare.proposed, cx);
        is_certified.then_some(pre_prepare)
    }

    /// The checkpoint that a quorum attests: the beginning, if it is nobody.
    pub(super) fn attested(
        &self,
        proof: &[Signed<Checkpoint>],
        cx: &Context,
    ) -> Option<Checkpoint> {
        let Some(first) = proof.first() else {
            return Some(Checkpoint { executed: 0, state: Machine::default() });
        };
        let checkpoint = first.verify(cx)?;
        let is_quorum = self.signers(proof)? >= self.quorum(cx);
        let agrees = |signed: &Signed<Checkpoint>| signed.verify(cx) == Some(checkpoint);
        (is_quorum && proof.iter().all(agrees)).then(|| checkpoint.clone())
    }

    /// Whether a view change proves all that it says.
    pub(super) fn is_proved(&self, change: &ViewChange, cx: &Context) -> bool {
        let Some(stable) = self.attested(&change.stable, cx) else { return false };
        change.prepared.iter().all(|certificate| {
            self.certified(certificate, cx).is_some_and(|PrePrepare { view, place, .. }| {
                *view < change.next && self.is_in_window(*place, stable.executed)
            })
        })
    }
}

impl Prepare {
    /// Whether it stands by this.
    pub(super) fn accepts(&self, pre_prepare: &PrePrepare) -> bool {
        let PrePrepare { view, place, proposed } = pre_prepare;
        (self.view, self.place, &self.accepted) == (*view, *place, proposed)
    }
}
