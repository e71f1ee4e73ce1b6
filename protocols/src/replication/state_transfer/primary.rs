//! The primary: it orders updates, waits for its members, and copies its state to those that
//! return.

use std::collections::BTreeMap;

use ftsim_core::{Duration, ProcessId, ProcessSet, Setting};

use super::{Content, Context, Mode, Msg, Params, Place, Ticket, Timer, Update};
use crate::spec::service::{Command, Key, SERVER, Value};

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
        }
    }

    pub(super) fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Context) {
        match msg {
            Msg::Request { number, key, operation } => {
                let command = Command { client: from, number };
                self.order(Update { command, key, operation }, cx);
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
        self.log.push(update.clone());
        let place = self.last();
        cx.send_to(self.members.iter(), Msg::Update { place, update });
        self.awaited.insert(place, self.members.clone());
        let due_ns = self.delay_bound.times(2).as_nanos();
        cx.set_timer(Duration::from_nanos(due_ns + due_ns / 10), Timer::AckDue(place));
        self.commit(cx);
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
        cx.send(client, Msg::Reply { number, outcome });
    }

    /// A replica has returned: it is a member from here on, and what came before is copied to it.
    fn on_join(&mut self, from: ProcessId, ticket: Ticket, applied: Place, cx: &mut Context) {
        self.members.insert(from);
        self.await_no_more(from);
        let is_short = self.last() - applied.min(self.last()) <= u64::from(self.params.keep);
        let mut parts = match self.params.mode {
            Mode::Snapshot => self.snapshot(),
            Mode::SnapshotLog if !is_short => self.snapshot(),
            Mode::LogSuffix | Mode::SnapshotLog => self.updates_after(applied),
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
        let rest = self.log.get(index(place + 1)..).unwrap_or_default();
        let firsts = (place + 1..).step_by(size);
        firsts
            .zip(rest.chunks(size))
            .map(|(at, part)| Content::Updates(at, part.to_vec()))
            .collect()
    }
}

/// The index in the log of the update in this place.
fn index(place: Place) -> usize {
    usize::try_from(place.saturating_sub(1)).unwrap_or(usize::MAX)
}
