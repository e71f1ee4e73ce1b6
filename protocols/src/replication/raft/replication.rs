//! Log replication (section 5.3), commitment (section 5.4.2), and the requests of clients.

use super::mutants::{COMMIT_OLD_TERM, LOCAL_READ, NO_PREV_CHECK, TRUNCATE_ALWAYS};
use super::{Content, Context, Entry, LogEnd, Msg, Read, Reads, Role, Server, Timer, position};
use crate::spec::replicated_log::{Fact, Index, Term};
use crate::spec::service::{Command, Indication, Key, Operation};
use ftsim_core::ProcessId;

/// To whom a leader sends entries.
#[derive(Clone, Copy)]
pub(super) enum Sending {
    ToAll,
    To(ProcessId),
}

/// Leaders.
impl Server {
    pub(super) fn on_heartbeat(&mut self, cx: &mut Context) {
        if let Role::Leader(leader) = &mut self.role {
            leader.round = leader.round.saturating_add(1);
            self.send_entries(Sending::ToAll, cx);
            cx.set_timer(self.params.heartbeat, Timer::Heartbeat);
            self.change_members(cx);
            self.look_for_transfer(cx);
        }
    }

    /// Sends to each follower what comes in its log next.
    pub(super) fn send_entries(&mut self, sending: Sending, cx: &mut Context) {
        self.sync(cx);
        let Role::Leader(leader) = &self.role else { return };
        for (p, next) in &leader.next {
            if matches!(sending, Sending::To(only) if only != *p) {
                continue;
            }
            let index = next.saturating_sub(1);
            let prev = LogEnd { term: self.term_at(index).unwrap_or_default(), index };
            let rest = self.log.get(position(*next)..).unwrap_or_default();
            let entries = rest.iter().take(self.params.batch as usize).cloned().collect();
            let (term, commit, round) = (self.term, self.commit, leader.round);
            cx.send(*p, Msg::AppendEntries { term, prev, entries, commit, round });
        }
    }

    pub(super) fn on_appended(
        &mut self,
        from: ProcessId,
        term: Term,
        success: bool,
        up_to: Index,
        round: u64,
        cx: &mut Context,
    ) {
        let last = self.last().index;
        let Role::Leader(leader) = &mut self.role else { return };
        let (Some(next), Some(matching)) =
            (leader.next.get_mut(&from), leader.matching.get_mut(&from))
        else {
            return;
        };
        if term != self.term {
            return;
        }
        let answered = leader.answered.entry(from).or_default();
        *answered = round.min(leader.round).max(*answered);
        // An answer that says nothing new, such as a copy, has nothing sent.
        if success && up_to.min(last) > *matching {
            *matching = up_to.min(last);
            *next = matching.saturating_add(1).max(*next);
            let is_behind = *next <= last;
            self.advance_commit(cx);
            if is_behind {
                self.send_entries(Sending::To(from), cx);
            }
        } else if !success && up_to.max(*matching).saturating_add(1) < *next {
            *next = up_to.max(*matching).saturating_add(1);
            self.send_entries(Sending::To(from), cx);
        }
        self.answer_reads(cx);
        self.change_members(cx);
        self.hand_over(cx);
    }

    /// If there is an N > commit index that is in the logs of a majority and of this term, then all
    /// up to N is committed.
    pub(super) fn advance_commit(&mut self, cx: &mut Context) {
        let Role::Leader(leader) = &self.role else { return };
        let me = cx.me();
        let has = |p: ProcessId, index: Index| {
            p == me || leader.matching.get(&p).is_some_and(|matching| *matching >= index)
        };
        let is_own = |index| self.term_at(index) == Some(self.term) || cx.runs(&COMMIT_OLD_TERM);
        let mut candidates = (self.commit.saturating_add(1)..=self.last().index).rev();
        let Some(commit) =
            candidates.find(|n| self.configuration.is_decided(|p| has(p, *n), cx) && is_own(*n))
        else {
            return;
        };
        self.commit = commit;
        self.sync(cx);
        cx.indicate(Indication::Fact(Fact::Commits { term: self.term, index: commit }));
        self.apply(cx);
        self.answer_reads(cx);
        self.leave_out(cx);
    }

    /// If a command is received from a client: append it; answer when it is applied.
    pub(super) fn on_request(
        &mut self,
        command: Command,
        key: Key,
        operation: Operation,
        cx: &mut Context,
    ) {
        let (client, last) = (command.client, self.last().index);
        let Role::Leader(leader) = &mut self.role else {
            return cx.send(client, Msg::NotLeader(self.leader));
        };
        if let Some(transfer) = &leader.transfer {
            return cx.send(client, Msg::NotLeader(Some(transfer.to)));
        }
        if let Some(outcome) = self.machine.answer(command) {
            return cx.send(client, Msg::Reply { number: command.number, outcome });
        }
        if operation == Operation::Read {
            if cx.runs(&LOCAL_READ) {
                let outcome = self.machine.read(key);
                return cx.send(client, Msg::Reply { number: command.number, outcome });
            }
            if self.params.reads == Reads::ReadIndex {
                leader.round = leader.round.saturating_add(1);
                let index = self.commit.max(leader.blank);
                leader.reads.push(Read { command, key, index, round: leader.round });
                self.send_entries(Sending::ToAll, cx);
                return self.answer_reads(cx);
            }
        }
        let entry = Entry { term: self.term, content: Content::Command(command, key, operation) };
        self.store(last.saturating_add(1), entry, cx);
        self.send_entries(Sending::ToAll, cx);
        self.advance_commit(cx);
    }

    /// Answers the reads before which all is applied, and after whose arrival a majority has
    /// answered a heartbeat.
    fn answer_reads(&mut self, cx: &mut Context) {
        let Role::Leader(leader) = &mut self.role else { return };
        let (reads, me) = (std::mem::take(&mut leader.reads), cx.me());
        for read in reads {
            let has =
                |p| p == me || leader.answered.get(&p).is_some_and(|round| *round >= read.round);
            if read.index <= self.applied && self.configuration.is_decided(has, cx) {
                let (number, outcome) = (read.command.number, self.machine.read(read.key));
                cx.send(read.command.client, Msg::Reply { number, outcome });
            } else {
                leader.reads.push(read);
            }
        }
    }
}

/// Followers.
impl Server {
    #[expect(clippy::too_many_arguments, reason = "the arguments of figure 2")]
    pub(super) fn on_append_entries(
        &mut self,
        from: ProcessId,
        term: Term,
        prev: LogEnd,
        entries: Vec<Entry>,
        commit: Index,
        round: u64,
        cx: &mut Context,
    ) {
        let answer = |server: &mut Self, success, up_to, cx: &mut Context| {
            server.sync(cx);
            cx.send(from, Msg::Appended { term: server.term, success, up_to, round });
        };
        // 1. Reply false if term < currentTerm.
        if term < self.term {
            return answer(self, false, self.last().index, cx);
        }
        if matches!(self.role, Role::Leader(_)) {
            return;
        }
        self.follow(Some(from), cx);
        self.heard = Some(cx.now());
        self.await_leader(cx);
        // 2. Reply false if the log doesn't contain an entry at prev.index whose term matches.
        if self.term_at(prev.index) != Some(prev.term) && !cx.runs(&NO_PREV_CHECK) {
            let before = self.last().index.min(prev.index.saturating_sub(1));
            return answer(self, false, before, cx);
        }
        // 3. If an existing entry conflicts with a new one, delete the existing entry and all that
        // follow it. 4. Append any new entries not already in the log.
        let up_to = prev.index.saturating_add(entries.len() as u64);
        if cx.runs(&TRUNCATE_ALWAYS) {
            self.log.truncate(usize::try_from(prev.index).unwrap_or(usize::MAX));
            self.find_configuration();
            self.show_log(cx);
        }
        for (index, entry) in (prev.index.saturating_add(1)..).zip(entries) {
            if self.term_at(index) != Some(entry.term) {
                self.store(index, entry, cx);
            }
        }
        // 5. If leaderCommit > commitIndex, commitIndex = min(leaderCommit, last new entry).
        self.commit = commit.min(up_to).min(self.last().index).max(self.commit);
        answer(self, true, up_to, cx);
        self.apply(cx);
    }
}

/// All servers.
impl Server {
    /// If commitIndex > lastApplied: applies the entries between. A leader serves from its blank
    /// entry on, and answers the clients of entries of its term; the others ask again.
    fn apply(&mut self, cx: &mut Context) {
        while self.applied < self.commit {
            let index = self.applied.saturating_add(1);
            let Some(entry) = self.log.get(position(index)) else { return };
            let slot = entry.slot();
            self.applied = index;
            cx.indicate(Indication::Fact(Fact::Applies { index, slot }));
            let Content::Command(command, key, operation) = entry.content.clone() else {
                if matches!(&self.role, Role::Leader(leader) if leader.blank == index) {
                    cx.indicate(Indication::Serves);
                }
                continue;
            };
            if self.machine.apply(command, key, &operation) {
                cx.indicate(Indication::Applied(command));
            }
            if let (Role::Leader(_), true) = (&self.role, slot.term == self.term)
                && let Some(outcome) = self.machine.answer(command)
            {
                cx.send(command.client, Msg::Reply { number: command.number, outcome });
            }
        }
    }
}
