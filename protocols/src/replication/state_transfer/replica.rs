//! A replica: it applies committed updates, answers reads, and catches up when it returns.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::{Duration, ProcessId, Setting, Stored};

use super::{
    Content, Context, JOIN_AT_ONCE, Mode, Msg, NO_BUFFER, NO_DEDUP, NO_TRANSFER, PRIMARY, Params,
    Place, READ_PENDING, Record, SERVE_WHILE_BEHIND, Ticket, Timer, Update, whole_part, with_drift,
};
use crate::spec::replication::Fact;
use crate::spec::service::{Command, Indication, Key, Outcome, Value};

/// A replica of the service.
#[derive(Clone, Debug, Hash)]
pub struct Replica {
    primary: ProcessId,
    /// How long messages of an earlier life may be under way.
    quiet_time: Duration,
    retry: Duration,
    has_disk: bool,
    save: Duration,
    /// Whether something that it has applied is not durable.
    is_to_save: bool,
    /// The place up to which it has applied all updates.
    applied: Place,
    values: BTreeMap<Key, Value>,
    /// The updates received and not applied, by their places.
    received: BTreeMap<Place, Update>,
    /// The place up to which all is committed, as far as it knows.
    committed: Place,
    /// The reads that it has not answered: a client, its number of the operation, and the key.
    reads: Vec<(ProcessId, u64, Key)>,
    /// The copy that it receives.
    copy: Option<Copy>,
}

/// A copy in parts.
#[derive(Clone, Debug, Default, Hash)]
struct Copy {
    ticket: Ticket,
    parts: BTreeSet<u32>,
    values: BTreeMap<Key, Value>,
    /// If the copy is of a whole state, the commands that led to it.
    commands: Option<Vec<Command>>,
}

impl Replica {
    pub(super) fn new(params: &Params, setting: &Setting, me: ProcessId) -> Self {
        Self {
            primary: setting.role(PRIMARY).next().unwrap_or(me),
            quiet_time: with_drift(setting.delay_bound),
            retry: params.retry,
            has_disk: params.mode != Mode::Snapshot,
            save: params.save,
            is_to_save: false,
            applied: 0,
            values: BTreeMap::new(),
            received: BTreeMap::new(),
            committed: 0,
            reads: Vec::new(),
            copy: None,
        }
    }

    pub(super) fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Context) {
        let saved = whole_part(log, cx);
        let history = self.restore(saved);
        cx.indicate(Indication::Adopted(history));
        if cx.runs(&NO_TRANSFER) {
            return;
        }
        cx.indicate(Indication::Fact(Fact::CatchesUp));
        if cx.runs(&JOIN_AT_ONCE) {
            return self.join(cx);
        }
        self.expect_copy(cx);
        cx.set_timer(self.quiet_time, Timer::Retry);
    }

    pub(super) fn on_retry(&mut self, cx: &mut Context) {
        self.join(cx);
    }

    /// Asks for a copy, and again until it is there.
    fn join(&mut self, cx: &mut Context) {
        let ticket = self.expect_copy(cx);
        cx.send(self.primary, Msg::Join { ticket, applied: self.applied });
        cx.set_timer(self.retry, Timer::Retry);
    }

    /// From here on it waits for a copy with a new ticket.
    fn expect_copy(&mut self, cx: &mut Context) -> Ticket {
        let ticket = cx.rng().below(u64::MAX);
        self.copy = Some(Copy { ticket, ..Copy::default() });
        ticket
    }

    /// Takes the state from its disk; returns the commands that led to it.
    fn restore(&mut self, log: Vec<Record>) -> Vec<Command> {
        let mut history = Vec::new();
        for record in log {
            match record {
                Record::State { values, commands } => {
                    (self.applied, self.values) = (commands.len() as Place, values);
                    history = commands;
                }
                Record::Update { update, .. } => {
                    self.execute(&update);
                    history.push(update.command);
                }
            }
        }
        history
    }

    pub(super) fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Context) {
        match msg {
            Msg::Request { number, key, .. } => self.reads.push((from, number, key)),
            Msg::Update { place, update } => {
                self.receive(place, update, cx);
                cx.send(from, Msg::Ack(place));
            }
            Msg::Committed(place) => self.committed = place.max(self.committed),
            Msg::Part { ticket, index, of, content } => {
                self.on_part(ticket, index, of, content, cx);
            }
            _ => {}
        }
        self.apply(cx);
        self.answer(cx);
    }

    fn receive(&mut self, place: Place, update: Update, cx: &mut Context) {
        if place > self.applied || cx.runs(&NO_DEDUP) {
            self.received.insert(place, update);
        }
    }

    fn on_part(&mut self, ticket: Ticket, index: u32, of: u32, content: Content, cx: &mut Context) {
        let Some(copy) = self.copy.as_mut().filter(|copy| copy.ticket == ticket) else { return };
        copy.parts.insert(index);
        let is_whole = copy.parts.len() == of as usize;
        match content {
            Content::Values(values) => copy.values.extend(values),
            Content::Commands(commands) => copy.commands = Some(commands),
            Content::Updates(first, updates) => {
                for (place, update) in (first..=Place::MAX).zip(updates) {
                    self.receive(place, update, cx);
                }
            }
            Content::UpTo(_) => {}
        }
        if is_whole {
            self.install(cx);
        }
    }

    /// The copy is whole: what has been received after it goes on from there.
    fn install(&mut self, cx: &mut Context) {
        let Some(Copy { values, commands, .. }) = self.copy.take() else { return };
        cx.cancel_timer(Timer::Retry);
        if let Some(commands) = commands {
            (self.applied, self.values) = (commands.len() as Place, values.clone());
            if self.has_disk {
                cx.rewrite(vec![Record::State { values, commands: commands.clone() }]);
                self.save_later(cx);
            }
            cx.indicate(Indication::Adopted(commands));
        }
        if self.received.keys().any(|place| *place > self.applied) {
            cx.reach("updates came during the copy");
        }
        if self.received.keys().any(|place| *place <= self.applied) {
            cx.reach("an update came that is in the copy");
        }
        if cx.runs(&NO_BUFFER) {
            self.applied = self.received.keys().copied().fold(self.applied, Place::max);
        }
        if !cx.runs(&NO_DEDUP) {
            self.received.retain(|place, _| *place > self.applied);
        }
        cx.indicate(Indication::Fact(Fact::CaughtUp));
    }

    /// Applies the committed updates in the order of their places.
    fn apply(&mut self, cx: &mut Context) {
        while self.copy.is_none()
            && let Some(first) = self.received.first_entry()
            && *first.key() <= self.committed.min(self.applied.saturating_add(1))
        {
            let update = first.remove();
            self.execute(&update);
            cx.indicate(Indication::Applied(update.command));
            if self.has_disk {
                cx.append(Record::Update { place: self.applied, update });
                self.save_later(cx);
            }
        }
    }

    fn save_later(&mut self, cx: &mut Context) {
        if !self.is_to_save {
            self.is_to_save = true;
            cx.set_timer(self.save, Timer::Save);
        }
    }

    pub(super) fn on_save(&mut self, cx: &mut Context) {
        self.is_to_save = false;
        cx.sync();
    }

    fn execute(&mut self, update: &Update) {
        let value = self.values.entry(update.key).or_default();
        (*value, _) = update.operation.apply(*value);
        self.applied = self.applied.saturating_add(1);
    }

    /// Answers the reads that need not wait.
    fn answer(&mut self, cx: &mut Context) {
        if self.copy.is_some() && !cx.runs(&SERVE_WHILE_BEHIND) {
            return;
        }
        for (client, number, key) in std::mem::take(&mut self.reads) {
            let is_pending = self.received.values().any(|update| update.key == key);
            if is_pending && !cx.runs(&READ_PENDING) {
                cx.reach("a read waits for an update");
                self.reads.push((client, number, key));
            } else {
                let value = self.values.get(&key).copied().unwrap_or_default();
                cx.send(client, Msg::Reply { number, outcome: Outcome::Value(value) });
            }
        }
    }
}
