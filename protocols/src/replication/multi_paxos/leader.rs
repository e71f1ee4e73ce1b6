//! The proposer: phase 1 for all places at once, then one proposal in each.

use std::collections::BTreeMap;

use ftsim_core::{Duration, ProcessId, ProcessSet};

use super::mutants::{OWN_COMMANDS, SKIP_GAP};
use super::{Accepted, Context, Entry, Msg, Place, Server, Timer, is_majority};
use crate::spec::ballots::Ballot;
use crate::spec::service::{Command, Key, Operation};

/// What a server does as a proposer.
#[derive(Clone, Debug, Hash)]
pub enum Role {
    /// It follows whoever leads.
    Follower,
    /// It waits for promises; with those that have come, and what they reported.
    Preparing { ballot: Ballot, promises: BTreeMap<ProcessId, BTreeMap<Place, Accepted>> },
    /// It leads.
    Leader(Leader),
}

/// What a leader knows.
#[derive(Clone, Debug, Hash)]
pub struct Leader {
    ballot: Ballot,
    /// The next free place.
    next: Place,
    /// For each place that is not chosen yet, who has accepted its proposal.
    acceptances: BTreeMap<Place, ProcessSet>,
}

/// Phase 1.
impl Server {
    /// Waits for a leader, before it tries to lead: the longer the more often it has tried.
    pub(super) fn await_leader(&self, cx: &mut Context) {
        let range = self.params.election_timeout;
        let timeout = cx.rng().between(range.min.as_nanos(), range.max.as_nanos());
        let times = self.attempts.saturating_add(1).min(1_000);
        cx.set_timer(Duration::from_nanos(timeout).times(times), Timer::Election);
    }

    /// Phase 1 (a): the ballot is higher than any of which it has heard.
    pub(super) fn prepare(&mut self, cx: &mut Context) {
        let round = self.promised.map_or(0, |ballot| ballot.round).saturating_add(1);
        let ballot = Ballot { round, proposer: cx.me() };
        self.attempts = self.attempts.saturating_add(1);
        self.leader = None;
        self.role = Role::Preparing { ballot, promises: BTreeMap::new() };
        self.promise(ballot, cx);
        let from = self.first_open();
        cx.send_to(self.others(cx).iter(), Msg::Prepare { ballot, from });
        self.await_leader(cx);
        let accepted = self.accepted_from(from);
        self.on_promise(cx.me(), ballot, accepted, cx);
    }

    pub(super) fn on_promise(
        &mut self,
        from: ProcessId,
        promised: Ballot,
        accepted: BTreeMap<Place, Accepted>,
        cx: &mut Context,
    ) {
        let Role::Preparing { ballot, promises } = &mut self.role else { return };
        if promised != *ballot || !self.servers.contains(from) {
            return;
        }
        promises.insert(from, accepted);
        if is_majority(promises.len(), &self.servers) {
            let (ballot, promises) = (*ballot, std::mem::take(promises));
            self.lead(ballot, promises.into_values(), cx);
        }
    }

    /// Proposes again what was reported, and fills the gaps.
    fn lead(
        &mut self,
        ballot: Ballot,
        promises: impl Iterator<Item = BTreeMap<Place, Accepted>>,
        cx: &mut Context,
    ) {
        let mut reported: BTreeMap<Place, Accepted> = BTreeMap::new();
        for (place, accepted) in promises.flatten() {
            let highest = reported.entry(place).or_insert_with(|| accepted.clone());
            if highest.ballot < accepted.ballot {
                *highest = accepted;
            }
        }
        if cx.runs(&OWN_COMMANDS) {
            reported.clear();
        }
        let first = self.first_open();
        let last = reported.last_key_value().map_or(0, |(place, _)| *place);
        // All places but those in a window are chosen, and so reported.
        let most = reported.len() as Place + Place::from(self.params.window);
        let next = last.saturating_add(1).clamp(first, first.saturating_add(most));
        self.role = Role::Leader(Leader { ballot, next, acceptances: BTreeMap::new() });
        self.leader = Some(cx.me());
        self.attempts = 0;
        cx.cancel_timer(Timer::Election);
        for place in first..next {
            match reported.remove(&place) {
                Some(Accepted { entry, .. }) => self.propose(place, entry, cx),
                None if cx.runs(&SKIP_GAP) => {}
                None => {
                    cx.reach("a gap was filled");
                    self.propose(place, Entry::NoOp, cx);
                }
            }
        }
        self.send_heartbeat(cx);
    }

    /// It learns of a higher ballot than its own: somebody else leads, or will.
    pub(super) fn give_way(&mut self, other: Ballot, cx: &mut Context) {
        let own = match &self.role {
            Role::Follower => None,
            Role::Preparing { ballot, .. } | Role::Leader(Leader { ballot, .. }) => Some(*ballot),
        };
        if own.is_some_and(|own| own < other) {
            self.role = Role::Follower;
            self.leader = None;
            cx.cancel_timer(Timer::Heartbeat);
            self.await_leader(cx);
        }
        if self.promised < Some(other) {
            self.promise(other, cx);
        }
    }
}

/// Phase 2.
impl Server {
    /// Has a command proposed, unless it is under way or done.
    pub(super) fn on_request(
        &mut self,
        command: Command,
        key: Key,
        operation: Operation,
        cx: &mut Context,
    ) {
        let first_open = self.first_open();
        let Role::Leader(leader) = &mut self.role else {
            return cx.send(command.client, Msg::NotLeader(self.leader));
        };
        if let Some(outcome) = self.machine.answer(command) {
            return cx.send(command.client, Msg::Reply { number: command.number, outcome });
        }
        if self.machine.has_applied(command) {
            return;
        }
        let mut under_way = leader.acceptances.keys().filter_map(|place| self.accepted.get(place));
        if under_way.any(|accepted| accepted.entry.is(command)) {
            return;
        }
        let place = leader.next;
        if place >= first_open.saturating_add(self.params.window.into()) {
            return;
        }
        leader.next = place.saturating_add(1);
        self.propose(place, Entry::Command(command, key, operation), cx);
    }

    /// Phase 2 (a), and (b) at itself.
    fn propose(&mut self, place: Place, entry: Entry, cx: &mut Context) {
        let Role::Leader(leader) = &mut self.role else { return };
        let ballot = leader.ballot;
        leader.acceptances.insert(place, ProcessSet::new());
        self.accept(place, Accepted { ballot, entry: entry.clone() }, cx);
        let chosen = self.chosen.len() as Place;
        cx.send_to(self.others(cx).iter(), Msg::Accept { ballot, place, entry, chosen });
        self.on_accepted(cx.me(), ballot, place, cx);
    }

    /// An entry is chosen once a majority has accepted it in this ballot.
    pub(super) fn on_accepted(
        &mut self,
        from: ProcessId,
        ballot: Ballot,
        place: Place,
        cx: &mut Context,
    ) {
        let Role::Leader(leader) = &mut self.role else { return };
        if ballot != leader.ballot || !self.servers.contains(from) {
            return;
        }
        if let Some(acceptances) = leader.acceptances.get_mut(&place) {
            acceptances.insert(from);
        }
        self.execute_chosen(cx);
    }

    /// Executes what is chosen, in the order of the places.
    fn execute_chosen(&mut self, cx: &mut Context) {
        loop {
            let place = self.first_open();
            let Role::Leader(leader) = &mut self.role else { return };
            let is_gap = cx.runs(&SKIP_GAP) && place < leader.next;
            match leader.acceptances.get(&place) {
                Some(acceptances) if is_majority(acceptances.len(), &self.servers) => {
                    leader.acceptances.remove(&place);
                    let Some(Accepted { entry, .. }) = self.accepted.get(&place) else { return };
                    self.execute(entry.clone(), cx);
                }
                None if is_gap => self.execute(Entry::NoOp, cx),
                _ => return,
            }
        }
    }

    /// Leaders: sends again what has not been accepted, and says that it is there.
    pub(super) fn on_heartbeat_due(&mut self, cx: &mut Context) {
        let Role::Leader(leader) = &self.role else { return };
        let (ballot, chosen) = (leader.ballot, self.chosen.len() as Place);
        let others = self.others(cx);
        for (place, acceptances) in &leader.acceptances {
            let Some(Accepted { entry, .. }) = self.accepted.get(place) else { continue };
            let silent = others.iter().filter(|p| !acceptances.contains(*p));
            let (place, entry) = (*place, entry.clone());
            cx.send_to(silent, Msg::Accept { ballot, place, entry, chosen });
        }
        self.send_heartbeat(cx);
    }

    fn send_heartbeat(&self, cx: &mut Context) {
        let Role::Leader(leader) = &self.role else { return };
        let (ballot, chosen) = (leader.ballot, self.chosen.len() as Place);
        cx.send_to(self.others(cx).iter(), Msg::Heartbeat { ballot, chosen });
        cx.set_timer(self.params.heartbeat, Timer::Heartbeat);
    }
}
