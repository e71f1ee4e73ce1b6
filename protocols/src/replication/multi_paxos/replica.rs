//! The learner: it executes what is chosen.

use ftsim_core::ProcessId;

use super::leader::Role;
use super::mutants::EARLY_EXECUTION;
use super::{Context, Entry, Msg, Place, Server};
use crate::spec::ballots::Ballot;
use crate::spec::service::Indication;

impl Server {
    /// The leader of this ballot is there, and all up to this place is chosen.
    pub(super) fn on_heartbeat(
        &mut self,
        from: ProcessId,
        ballot: Ballot,
        chosen: Place,
        cx: &mut Context,
    ) {
        if self.promised.is_some_and(|promised| promised > ballot) {
            return;
        }
        self.give_way(ballot, cx);
        if from == cx.me() || !matches!(self.role, Role::Follower) {
            return;
        }
        self.leader = Some(from);
        self.attempts = 0;
        self.await_leader(cx);
        let last = match cx.runs(&EARLY_EXECUTION) {
            true => self.accepted.last_key_value().map_or(0, |(place, _)| *place).max(chosen),
            false => chosen,
        };
        // What it accepted in this ballot is what the leader proposed, so that is what was chosen.
        while self.first_open() <= last
            && let Some(accepted) = self.accepted.get(&self.first_open())
            && accepted.ballot == ballot
        {
            self.execute(accepted.entry.clone(), cx);
        }
        if self.first_open() <= chosen {
            cx.send(from, Msg::Ask(self.first_open()));
        }
    }

    pub(super) fn on_ask(&self, from: ProcessId, place: Place, cx: &mut Context) {
        let start = usize::try_from(place.saturating_sub(1)).unwrap_or(usize::MAX);
        let rest = self.chosen.get(start..).unwrap_or_default();
        let entries: Vec<Entry> = rest.iter().take(self.params.batch as usize).cloned().collect();
        if !entries.is_empty() {
            cx.send(from, Msg::Chosen { from: place, entries });
        }
    }

    pub(super) fn on_chosen(&mut self, from: Place, entries: Vec<Entry>, cx: &mut Context) {
        cx.reach("a server caught up");
        for (place, entry) in (from..=Place::MAX).zip(entries) {
            if place == self.first_open() {
                self.execute(entry, cx);
            }
        }
    }

    /// Executes what is chosen in the first open place, unless it has been executed before; a
    /// leader answers the client.
    pub(super) fn execute(&mut self, entry: Entry, cx: &mut Context) {
        self.chosen.push(entry.clone());
        let Entry::Command(command, key, operation) = entry else { return };
        if self.machine.apply(command, key, &operation) {
            cx.indicate(Indication::Applied(command));
        }
        if let Role::Leader(_) = self.role
            && let Some(outcome) = self.machine.answer(command)
        {
            cx.send(command.client, Msg::Reply { number: command.number, outcome });
        }
    }
}
