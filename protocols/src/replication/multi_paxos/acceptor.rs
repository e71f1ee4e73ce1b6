//! The acceptor: what it has promised and accepted is on stable storage before it answers.

use std::collections::BTreeMap;

use ftsim_core::ProcessId;

use super::mutants::VOLATILE_PROMISE;
use super::{Accepted, Context, Msg, Place, Record, Server};
use crate::spec::ballots::Ballot;

impl Server {
    /// Phase 1 (b).
    pub(super) fn on_prepare(
        &mut self,
        from: ProcessId,
        ballot: Ballot,
        place: Place,
        cx: &mut Context,
    ) {
        if let Some(higher) = self.promised.filter(|promised| *promised > ballot) {
            return cx.send(from, Msg::Nack(higher));
        }
        self.give_way(ballot, cx);
        self.await_leader(cx);
        cx.send(from, Msg::Promise { ballot, accepted: self.accepted_from(place) });
    }

    /// Phase 2 (b).
    pub(super) fn on_accept(
        &mut self,
        from: ProcessId,
        place: Place,
        proposal: Accepted,
        chosen: Place,
        cx: &mut Context,
    ) {
        let ballot = proposal.ballot;
        if let Some(higher) = self.promised.filter(|promised| *promised > ballot) {
            return cx.send(from, Msg::Nack(higher));
        }
        self.accept(place, proposal, cx);
        cx.send(from, Msg::Accepted { ballot, place });
        self.on_heartbeat(from, ballot, chosen, cx);
    }

    /// Remembers that it will accept no lower ballot.
    pub(super) fn promise(&mut self, ballot: Ballot, cx: &mut Context) {
        self.promised = Some(ballot);
        if !cx.runs(&VOLATILE_PROMISE) {
            cx.append(Record::Promised(ballot));
            cx.sync();
        }
    }

    pub(super) fn accept(&mut self, place: Place, proposal: Accepted, cx: &mut Context) {
        self.promised = self.promised.max(Some(proposal.ballot));
        if self.accepted.get(&place) != Some(&proposal) {
            self.accepted.insert(place, proposal.clone());
            cx.append(Record::Accepted(place, proposal));
            cx.sync();
        }
    }

    /// What it has accepted from this place on.
    pub(super) fn accepted_from(&self, place: Place) -> BTreeMap<Place, Accepted> {
        self.accepted.range(place..).map(|(place, accepted)| (*place, accepted.clone())).collect()
    }

    /// A crash may lose some of the records that are not synced, and keep later ones.
    pub(super) fn restore<'a>(&mut self, records: impl Iterator<Item = &'a Record>) {
        for record in records {
            match record {
                Record::Promised(ballot) => self.promised = self.promised.max(Some(*ballot)),
                Record::Accepted(place, accepted) => {
                    self.promised = self.promised.max(Some(accepted.ballot));
                    self.accepted.insert(*place, accepted.clone());
                }
            }
        }
    }
}
