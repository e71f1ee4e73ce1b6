//! The primary: it orders updates, waits for its members, and copies its state to those that
//! return.

use std::collections::BTreeMap;

use ftsim_core::{Duration, ProcessId, ProcessSet, Setting, Stored};

use super::{
    Content, Context, Mode, Msg, Params, Place, Record, Ticket, Timer, Update, whole_part,
    with_drift,
};
use crate::spec::service::{Command, Key, Outcome, SERVER, Value};

/// The process that orders updates.
#[derive(Clone, Debug, Hash)]
pub struct Primary {
    params: Params,
    delay_bound: Duration,
    /// The replicas whose acknowledgements it awaits.
    members: ProcessSet,
    /// All updates: the one in place k has index k - 1.
    log: Vec<Update>,
    /// The place up to which all is committed.
    committed: Place,
    /// For each later place, the members that have not acknowledged it.
    awaited: BTreeMap<Place, ProcessSet>,
    /// The result of the committed updates.
    values: BTreeMap<Key, Value>,
    /// The outcome of each command in the log, once it is committed.
    outcomes: BTreeMap<Command, Option<Outcome>>,
}

impl Primary {
    pub(super) fn new(params: &Params, setting: &Setting) -> Self {
        Self {
            params: params.clone(),
            delay_bound: setting.delay_bound,
            members: setting.role(SERVER).collect(),
            log: Vec::new(),
            committed: 0,
            awaited: BTreeMap::new(),
            values: BTreeMap::new(),
            outcomes: BTreeMap::new(),
        }
    }

    pub(super) fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Context) {
        match msg {
            Msg::Request { number, key, operation } => {
                let command = Command { client: from, number };
                match self.outcomes.get(&command) {
                    None => self.order(Update { command, key, operation }, cx),
                    Some(None) => {}
                    Some(Some(outcome)) => {
                        cx.send(from, Msg::Reply { number, outcome: outcome.clone() });
                    }
                }
            }
            Msg::Ack(place) => {
                if let Some(awaited) = self.awaited.get_mut(&place) {
                    awaited.remove(from);
                    self.commit(cx);
                }
            }
            Msg::Join { ticket, applied } => self.on_join(from, ticket, applied, cx),
            _ => {}
        }
    }

    fn last(&self) -> Place {
        self.log.len() as Place
    }

    fn order(&mut self, update: Update, cx: &mut Context) {
        cx.append(Record::Update { place: self.last() + 1, update: update.clone() });
        cx.sync();
        self.send_out(update, cx);
        self.commit(cx);
    }

    /// It has returned: who is up, and what is committed, the acknowledgements tell anew.
    pub(super) fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Context) {
        for record in whole_part(log, cx) {
            if let Record::Update { update, .. } = record {
                self.send_out(update, cx);
            }
        }
    }

    /// Gives an update that is on the disk its place, and sends it to the members.
    fn send_out(&mut self, update: Update, cx: &mut Context) {
        self.outcomes.insert(update.command, None);
        self.log.push(update.clone());
        let place = self.last();
        cx.send_to(self.members.iter(), Msg::Update { place, update });
        self.awaited.insert(place, self.members.clone());
        cx.set_timer(self.ack_timeout(), Timer::AckDue(place));
    }

    fn ack_timeout(&self) -> Duration {
        // The time of a sync of the member, if it has a disk.
        let save = (self.params.mode != Mode::Snapshot).then_some(self.params.save);
        with_drift(self.delay_bound.times(2) + save.unwrap_or(Duration::ZERO))
    }

    /// Members that have not acknowledged this update are down.
    pub(super) fn on_ack_due(&mut self, place: Place, cx: &mut Context) {
        let Some(down) = self.awaited.get(&place).cloned() else { return };
        for p in down.iter() {
            cx.reach("a member is down");
            self.members.remove(p);
            self.await_no_more(p);
        }
        self.commit(cx);
    }

    fn await_no_more(&mut self, p: ProcessId) {
        for awaited in self.awaited.values_mut() {
            awaited.remove(p);
        }
    }

    /// Commits what all members have, in the order of places.
    fn commit(&mut self, cx: &mut Context) {
        let before = self.committed;
        while let Some(first) = self.awaited.first_entry()
            && first.get().is_empty()
        {
            self.committed = *first.key();
            first.remove();
            self.execute_last_committed(cx);
        }
        if self.committed > before {
            cx.send_to(self.members.iter(), Msg::Committed(self.committed));
        }
    }

    fn execute_last_committed(&mut self, cx: &mut Context) {
        let Some(update) = self.log.get(index(self.committed)) else { return };
        let value = self.values.entry(update.key).or_default();
        let (new, outcome) = update.operation.apply(*value);
        *value = new;
        let Command { client, number } = update.command;
        self.outcomes.insert(update.command, Some(outcome.clone()));
        cx.send(client, Msg::Reply { number, outcome });
    }

    /// A replica has returned: it is a member from here on, and what came before is copied to it.
    fn on_join(&mut self, from: ProcessId, ticket: Ticket, applied: Place, cx: &mut Context) {
        self.members.insert(from);
        self.await_no_more(from);
        let missed = self.last().saturating_sub(applied);
        let has_log = match self.params.mode {
            Mode::Snapshot => false,
            Mode::LogSuffix => true,
            Mode::SnapshotLog => missed <= u64::from(self.params.keep),
        };
        // After a crash of its own, it may know less to be committed than the replica has applied.
        let mut parts = match has_log || applied >= self.committed {
            true => self.updates_after(applied),
            false => self.snapshot(),
        };
        parts.push(Content::UpTo(self.last()));
        let of = u32::try_from(parts.len()).unwrap_or(u32::MAX);
        for (index, content) in (0..).zip(parts) {
            cx.send(from, Msg::Part { ticket, index, of, content });
        }
        cx.send(from, Msg::Committed(self.committed));
        self.commit(cx);
    }

    /// The committed state, and the updates after it.
    fn snapshot(&self) -> Vec<Content> {
        let size = self.params.part as usize;
        let values: Vec<_> = self.values.iter().map(|(key, value)| (*key, *value)).collect();
        let committed = &self.log[..index(self.committed + 1)];
        let commands: Vec<_> = committed.iter().map(|update| update.command).collect();
        let values = values.chunks(size).map(|part| Content::Values(part.to_vec()));
        let commands = Content::Commands(commands);
        values.chain([commands]).chain(self.updates_after(self.committed)).collect()
    }

    fn updates_after(&self, place: Place) -> Vec<Content> {
        let size = self.params.part as usize;
        let next = place.saturating_add(1);
        let rest = self.log.get(index(next)..).unwrap_or_default();
        // A liar's place may be the greatest number: nothing is counted on from it in vain.
        let parts = rest.chunks(size).zip((next..).step_by(size));
        parts.map(|(part, at)| Content::Updates(at, part.to_vec())).collect()
    }
}

/// The index in the log of the update in this place.
fn index(place: Place) -> usize {
    usize::try_from(place.saturating_sub(1)).unwrap_or(usize::MAX)
}
