//! Views by a coordinator: the lowest member that is not suspected.
//!
//! Steps: the coordinator proposes the members of the next view, and its number. Who accepts it
//! answers OK. When enough have (all that it does not suspect, or a majority of the view), it
//! commits the view. Another member that takes over first asks the members what they have accepted,
//! and proposes that again, as in Paxos: its ballot is greater, and whoever has promised it accepts
//! nothing of a lesser one. If the process is suspected that committed a view, those that have the
//! view send it on.
//!
//! Why it works: views follow each other one by one, and the members of a view decide on the next.
//! A view that was committed has been accepted by all members that were not suspected, or by a
//! majority. A later coordinator hears from at least one of them, if any is up, and proposes the
//! same view.
//!
//! Words: in Ricciardi and Birman the coordinator is *Mgr*, PROPOSE is its *Invite* and PREPARE, by
//! which another takes over, is *Interrogate*. Ballots are those of
//! Paxos (Lamport 1998): they tell apart what different coordinators propose as one and the same
//! view. The paper remembers who has proposed what, and decides by rank.
//!
//! With a majority, a member may be cut off and not know the view of the others. So it serves a
//! request only when a majority of its view has confirmed that it is still theirs.

use std::collections::BTreeMap;

use ftsim_core::{ProcessId, ProcessSet, Setting};

use super::mutants::{FORGET, IGNORE_MIN_SIZE, NO_MAJORITY, NO_RELAY};
use super::{Agreed, Ballot, Context, Msg, Proposal, Quorum};
use crate::spec::membership::{Indication, Request, RequestNumber, View, ViewNumber};

/// A process whose views a coordinator proposes.
#[derive(Clone, Debug, Hash)]
pub struct ByCoordinator {
    quorum: Quorum,
    min_size: u32,
    /// The last view that it knows, which need not contain it.
    view: View,
    /// Who committed it.
    committer: Option<ProcessId>,
    suspected: ProcessSet,
    joining: ProcessSet,
    leaving: ProcessSet,
    /// All that have ever been members: nobody is admitted twice.
    admitted: ProcessSet,
    next: Next,
    /// Its own attempt to have the next view agreed on.
    attempt: Option<Attempt>,
    /// Requests that wait for confirmations, and who has confirmed.
    unconfirmed: BTreeMap<RequestNumber, ProcessSet>,
}

/// What it knows of the next view.
#[derive(Clone, Debug, Hash)]
struct Next {
    number: ViewNumber,
    promised: Option<Ballot>,
    accepted: Option<Proposal>,
}

impl Next {
    const fn of(number: ViewNumber) -> Self {
        Self { number, promised: None, accepted: None }
    }
}

/// The attempt of a coordinator.
#[derive(Clone, Debug, Hash)]
struct Attempt {
    ballot: Ballot,
    /// What it proposes; `None` while it asks.
    members: Option<ProcessSet>,
    /// Who has answered, itself included.
    answered: ProcessSet,
}

impl ByCoordinator {
    pub(super) fn new(quorum: Quorum, min_size: u32, setting: &Setting) -> Self {
        let view = View::initial(setting);
        Self {
            quorum,
            min_size,
            admitted: view.members.clone(),
            next: Next::of(view.number + 1),
            view,
            committer: None,
            suspected: ProcessSet::new(),
            joining: ProcessSet::new(),
            leaving: ProcessSet::new(),
            attempt: None,
            unconfirmed: BTreeMap::new(),
        }
    }

    pub(super) fn on_start(&self, cx: &mut Context) {
        cx.indicate(Indication::NeedsMembers(self.min_size));
        if self.quorum == Quorum::Majority {
            cx.indicate(Indication::NeedsMajority);
        }
    }

    pub(super) fn on_request(&mut self, request: &Request, cx: &mut Context) {
        match request {
            Request::Join => {
                self.joining.insert(cx.me());
                cx.send_to_others(Msg::Join);
            }
            Request::Leave => {
                self.leaving.insert(cx.me());
                cx.send_to_others(Msg::Leave);
            }
            Request::Serve(number) => self.serve(*number, cx),
        }
        self.advance(cx);
    }

    pub(super) fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Context) {
        match msg {
            Msg::Join => drop(self.joining.insert(from)),
            Msg::Leave => drop(self.leaving.insert(from)),
            Msg::Prepare { last, ballot } => self.on_prepare(from, last, ballot, cx),
            Msg::Promise { number, ballot, accepted } => {
                self.on_promise(from, number, ballot, accepted);
            }
            Msg::Propose { last, proposal } => self.on_propose(from, last, proposal, cx),
            Msg::Ok { number, ballot } => drop(self.on_answer(from, number, ballot)),
            Msg::Refuse { number, promised } => self.on_refuse(number, promised),
            Msg::Commit(next) => self.install(next, from, cx),
            Msg::Ask { number, request } => self.on_ask(from, number, request, cx),
            Msg::Confirm { number, request } => self.on_confirm(from, number, request, cx),
            Msg::Order(_) | Msg::Change(_) => {}
        }
        self.advance(cx);
    }

    pub(super) fn on_suspect(&mut self, p: ProcessId, cx: &mut Context) {
        self.suspected.insert(p);
        self.relay(cx);
        self.advance(cx);
    }

    pub(super) fn on_trust(&mut self, p: ProcessId, cx: &mut Context) {
        self.suspected.remove(p);
        self.advance(cx);
    }

    // The coordinator: a view is proposed and committed, after PREPARE if it takes over.

    fn is_coordinator(&self, cx: &Context) -> bool {
        self.view.members.iter().find(|p| !self.suspected.contains(*p)) == Some(cx.me())
    }

    /// The members that the next view should have.
    fn wanted(&self) -> ProcessSet {
        let newcomers = self.joining.iter().filter(|p| !self.admitted.contains(*p));
        let is_wanted = |p: &ProcessId| !self.suspected.contains(*p) && !self.leaving.contains(*p);
        self.view.members.iter().chain(newcomers).filter(is_wanted).collect()
    }

    /// Goes on towards the next view, if it is the coordinator.
    fn advance(&mut self, cx: &mut Context) {
        // After the last number there is no view, which only a liar can bring about.
        if !self.is_coordinator(cx) || self.next.number == ViewNumber::MAX {
            self.attempt = None;
            return;
        }
        match &self.attempt {
            None if self.wanted() != self.view.members => self.begin(cx),
            Some(Attempt { members: None, answered, .. }) if self.is_quorum(answered, None, cx) => {
                self.propose(cx);
            }
            Some(Attempt { members: Some(members), answered, .. })
                if self.is_quorum(answered, Some(members), cx) =>
            {
                self.commit(members.clone(), cx);
            }
            _ => {}
        }
    }

    /// Begins an attempt. Only the lowest member of all may propose at once: nobody has before it.
    fn begin(&mut self, cx: &mut Context) {
        let me = cx.me();
        let is_first = self.view.members.iter().next() == Some(me);
        let attempt = self
            .next
            .promised
            .map_or(u64::from(!is_first), |promised| promised.attempt.saturating_add(1));
        let ballot = Ballot { attempt, coordinator: me };
        self.next.promised = Some(ballot);
        let answered = ProcessSet::from_iter([me]);
        self.attempt = Some(Attempt { ballot, members: None, answered });
        if attempt == 0 || cx.runs(&FORGET) {
            self.next.accepted = None;
            self.propose(cx);
        } else {
            cx.reach("took over");
            let msg = Msg::Prepare { last: self.agreed(), ballot };
            cx.send_to(self.participants(None, cx).iter(), msg);
            self.advance(cx);
        }
    }

    /// Proposes what has been accepted with the greatest ballot, or else what is wanted.
    fn propose(&mut self, cx: &mut Context) {
        let Some(attempt) = &self.attempt else { return };
        let ballot = attempt.ballot;
        let members = match self.next.accepted.take() {
            Some(accepted) => accepted.members,
            None => self.wanted(),
        };
        let proposal = Proposal { ballot, members: members.clone() };
        self.next.accepted = Some(proposal.clone());
        let answered = ProcessSet::from_iter([cx.me()]);
        self.attempt = Some(Attempt { ballot, members: Some(members.clone()), answered });
        let msg = Msg::Propose { last: self.agreed(), proposal };
        cx.send_to(self.participants(Some(&members), cx).iter(), msg);
        self.advance(cx);
    }

    fn commit(&mut self, members: ProcessSet, cx: &mut Context) {
        let participants = self.participants(Some(&members), cx);
        let admitted = self.admitted.iter().chain(members.iter()).collect();
        let next = Agreed { view: View { number: self.next.number, members }, admitted };
        cx.send_to(participants.iter(), Msg::Commit(next.clone()));
        self.install(next, cx.me(), cx);
        self.advance(cx);
    }

    /// The others that have a part in the next view. If suspicions may be wrong, also those that
    /// are suspected: they have to learn that they are left out.
    fn participants(&self, members: Option<&ProcessSet>, cx: &Context) -> ProcessSet {
        let new = members.into_iter().flat_map(ProcessSet::iter);
        let is_told =
            |p: &ProcessId| self.quorum == Quorum::Majority || !self.suspected.contains(*p);
        let others = |p: &ProcessId| *p != cx.me();
        self.view.members.iter().chain(new).filter(is_told).filter(others).collect()
    }

    /// Whether these are enough to go on, if the next view is to have these members.
    fn is_quorum(&self, answered: &ProcessSet, members: Option<&ProcessSet>, cx: &Context) -> bool {
        if self.quorum == Quorum::Majority && !cx.runs(&NO_MAJORITY) {
            return self.is_majority(answered);
        }
        let has_answered = |p| answered.contains(p) || self.suspected.contains(p);
        self.participants(members, cx).iter().all(has_answered)
    }

    fn is_majority(&self, these: &ProcessSet) -> bool {
        let members = self.view.members.iter().filter(|p| these.contains(*p));
        2 * members.count() > self.view.members.len()
    }

    // The messages: PREPARE, PROMISE, PROPOSE, OK, REFUSE and COMMIT, each at its receiver.

    /// Learns the view of the sender; true if it is the same view as its own now.
    fn agrees_on(&mut self, last: Agreed, from: ProcessId, cx: &mut Context) -> bool {
        let number = last.view.number;
        self.install(last, from, cx);
        if self.view.number > number {
            cx.send(from, Msg::Commit(self.agreed()));
        }
        self.view.number == number
    }

    fn on_prepare(&mut self, from: ProcessId, last: Agreed, ballot: Ballot, cx: &mut Context) {
        if !self.agrees_on(last, from, cx) {
            return;
        }
        let number = self.next.number;
        match self.next.promised {
            Some(promised) if promised > ballot => {
                cx.send(from, Msg::Refuse { number, promised });
            }
            _ => {
                self.next.promised = Some(ballot);
                let accepted = self.next.accepted.clone();
                cx.send(from, Msg::Promise { number, ballot, accepted });
            }
        }
    }

    fn on_promise(
        &mut self,
        from: ProcessId,
        number: ViewNumber,
        ballot: Ballot,
        accepted: Option<Proposal>,
    ) {
        let asks = self.attempt.as_ref().is_some_and(|attempt| attempt.members.is_none());
        if asks && self.on_answer(from, number, ballot) && accepted > self.next.accepted {
            self.next.accepted = accepted;
        }
    }

    fn on_propose(&mut self, from: ProcessId, last: Agreed, proposal: Proposal, cx: &mut Context) {
        if !self.agrees_on(last, from, cx) {
            return;
        }
        let (number, ballot) = (self.next.number, proposal.ballot);
        match self.next.promised {
            Some(promised) if promised > ballot => {
                cx.send(from, Msg::Refuse { number, promised });
            }
            _ => {
                self.next.promised = Some(ballot);
                self.next.accepted = Some(proposal);
                cx.send(from, Msg::Ok { number, ballot });
            }
        }
    }

    /// An answer to its own attempt; false if it is to another.
    fn on_answer(&mut self, from: ProcessId, number: ViewNumber, ballot: Ballot) -> bool {
        match &mut self.attempt {
            Some(attempt) if number == self.next.number && attempt.ballot == ballot => {
                attempt.answered.insert(from)
            }
            _ => false,
        }
    }

    /// Its attempt is too late: it begins another one, if it is still the coordinator.
    fn on_refuse(&mut self, number: ViewNumber, promised: Ballot) {
        if number == self.next.number {
            self.next.promised = self.next.promised.max(Some(promised));
            self.attempt.take_if(|attempt| attempt.ballot < promised);
        }
    }

    /// The view that it has agreed on last.
    fn agreed(&self) -> Agreed {
        Agreed { view: self.view.clone(), admitted: self.admitted.clone() }
    }

    /// Installs a view, if it is newer.
    fn install(&mut self, next: Agreed, committer: ProcessId, cx: &mut Context) {
        let Agreed { view, admitted } = next;
        if view.number <= self.view.number {
            return;
        }
        let Some(next) = view.number.checked_add(1) else { return };
        let was_member = self.view.contains(cx.me());
        self.admitted = admitted;
        self.next = Next::of(next);
        self.attempt = None;
        self.committer = Some(committer);
        self.view = view.clone();
        if view.contains(cx.me()) {
            cx.indicate(Indication::Installs(view));
        } else if was_member {
            cx.indicate(Indication::Leaves);
        }
        self.relay(cx);
        for number in std::mem::take(&mut self.unconfirmed).into_keys() {
            self.serve(number, cx);
        }
    }

    /// Sends its view on, if the process is suspected that may not have sent it to all.
    fn relay(&mut self, cx: &mut Context) {
        let is_suspected = |p: &ProcessId| self.suspected.contains(*p);
        if !cx.runs(&NO_RELAY) && self.committer.take_if(|p| is_suspected(p)).is_some() {
            cx.reach("sent a view on");
            cx.send_to_others(Msg::Commit(self.agreed()));
        }
    }

    // Service.

    /// Serves a request in the name of the group, if it can speak for it.
    fn serve(&mut self, number: RequestNumber, cx: &mut Context) {
        let me = cx.me();
        let is_viable = self.view.members.len() >= self.min_size as usize;
        let is_member = self.view.contains(me) && !self.leaving.contains(me);
        if !is_member || !(is_viable || cx.runs(&IGNORE_MIN_SIZE)) {
            cx.indicate(Indication::Refuses(number));
            return;
        }
        let confirmed = ProcessSet::from_iter([me]);
        if self.speaks_for_the_group(&confirmed, cx) {
            cx.indicate(Indication::Serves(number));
        } else {
            self.unconfirmed.insert(number, confirmed);
            let others = self.view.members.iter().filter(|p| *p != me);
            cx.send_to(others, Msg::Ask { number: self.view.number, request: number });
        }
    }

    fn speaks_for_the_group(&self, confirmed: &ProcessSet, cx: &Context) -> bool {
        self.quorum == Quorum::All || cx.runs(&NO_MAJORITY) || self.is_majority(confirmed)
    }

    /// Confirms that this is its view, unless it has accepted the next one.
    fn on_ask(
        &self,
        from: ProcessId,
        number: ViewNumber,
        request: RequestNumber,
        cx: &mut Context,
    ) {
        if self.view.number == number && self.next.accepted.is_none() {
            cx.send(from, Msg::Confirm { number, request });
        }
    }

    fn on_confirm(
        &mut self,
        from: ProcessId,
        number: ViewNumber,
        request: RequestNumber,
        cx: &mut Context,
    ) {
        if number != self.view.number {
            return;
        }
        let Some(mut confirmed) = self.unconfirmed.remove(&request) else { return };
        confirmed.insert(from);
        if self.speaks_for_the_group(&confirmed, cx) {
            cx.indicate(Indication::Serves(request));
        } else {
            self.unconfirmed.insert(request, confirmed);
        }
    }
}
