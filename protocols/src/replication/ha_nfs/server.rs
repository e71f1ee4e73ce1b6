//! A server: the primary of its own volume, and of that of the other server when that is down.

use std::collections::BTreeMap;

use ftsim_core::{Duration, ProcessId, Setting};

use super::{
    ACK_BEFORE_LOG, Context, Entry, Msg, NETWORK_ONLY, Params, Reservation, Ticket, Timer,
    VOLATILE_DUP_TABLE,
};
use crate::spec::service::{Command, Indication, Key, Operation, Outcome, SERVER, Value};
use crate::spec::volumes::{DISK, Fact, Volume, volume_of};

/// A file server.
#[derive(Clone, Debug, Hash)]
pub struct Server {
    params: Params,
    /// δ.
    delay_bound: Duration,
    /// Its own volume.
    home: Volume,
    partner: ProcessId,
    /// The disk of each volume.
    disks: Vec<ProcessId>,
    /// The volumes of which it is primary.
    held: BTreeMap<Volume, Copy>,
    /// The volumes whose disks it is reserving.
    reserving: BTreeMap<Volume, Ticket>,
    /// Whether the partner has returned, while this server was reserving its disk.
    is_partner_waiting: bool,
}

/// What a primary knows of its volume.
#[derive(Clone, Debug, Default, Hash)]
struct Copy {
    reservation: Reservation,
    log: Vec<Entry>,
    /// The length of the log on the disk, as far as it is known.
    written: u64,
    /// Whether a write is under way.
    is_writing: bool,
    values: BTreeMap<Key, Value>,
    /// The last update of each client: the table of duplicate requests.
    replies: BTreeMap<ProcessId, Done>,
    /// Replies that wait until the log is long enough on the disk.
    owed: Vec<(ProcessId, Done)>,
}

/// An operation that is executed.
#[derive(Clone, Debug, Hash)]
struct Done {
    number: u64,
    outcome: Outcome,
    /// The length of the log that it has seen.
    length: u64,
}

impl Copy {
    fn replayed(reservation: Reservation, log: Vec<Entry>) -> Self {
        let mut copy = Self { reservation, written: log.len() as u64, ..Self::default() };
        for entry in log {
            copy.apply(entry);
        }
        copy
    }

    fn apply(&mut self, entry: Entry) {
        self.values.insert(entry.key, entry.value);
        let (client, number, outcome) =
            (entry.command.client, entry.command.number, entry.outcome.clone());
        self.log.push(entry);
        self.replies.insert(client, Done { number, outcome, length: self.length() });
    }

    fn length(&self) -> u64 {
        self.log.len() as u64
    }

    /// The updates that are not on the disk.
    fn unwritten(&self) -> Vec<Entry> {
        let written = usize::try_from(self.written).unwrap_or(usize::MAX);
        self.log.iter().skip(written).cloned().collect()
    }
}

impl Server {
    pub(super) fn new(params: &Params, setting: &Setting, me: ProcessId) -> Self {
        let place = setting.role(SERVER).position(|p| p == me).unwrap_or(0);
        Self {
            params: params.clone(),
            delay_bound: setting.delay_bound,
            home: if place == 0 { 0 } else { 1 },
            partner: setting.role(SERVER).find(|p| *p != me).unwrap_or(me),
            disks: setting.role(DISK).collect(),
            held: BTreeMap::new(),
            reserving: BTreeMap::new(),
            is_partner_waiting: false,
        }
    }

    /// Starts as the primary of its own volume, whose disk is reserved for it.
    pub(super) fn on_start(&mut self, cx: &mut Context) {
        self.take(self.home, 0, Vec::new(), cx);
        self.show_life(cx);
        self.listen(cx);
    }

    /// Returns, and asks the other for its volume.
    pub(super) fn on_recover(&mut self, cx: &mut Context) {
        self.show_life(cx);
        self.listen(cx);
    }

    pub(super) fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Context) {
        let mut volumes = (0..).zip(&self.disks);
        let volume = volumes.find(|(_, disk)| **disk == from).map(|(volume, _)| volume);
        match (msg, volume) {
            (Msg::Request { number, key, operation }, _) => {
                self.on_client_request(Command { client: from, number }, key, &operation, cx);
            }
            (Msg::Heartbeat, _) if from == self.partner => self.listen(cx),
            (Msg::Rejoin, _) if from == self.partner => self.on_rejoin(cx),
            (Msg::Relinquish, _) if from == self.partner => self.on_relinquish(cx),
            (Msg::Knock, Some(_)) => cx.send(from, Msg::Answer),
            (Msg::Answer, Some(_)) => self.on_answer(cx),
            (Msg::Reserved { ticket, reservation, log }, Some(volume)) => {
                self.on_reserved(volume, ticket, reservation, log, cx);
            }
            (Msg::Written { reservation, length }, Some(volume)) => {
                self.on_written(volume, reservation, length, cx);
            }
            (Msg::Refused(reservation), Some(volume)) => self.on_refused(volume, reservation, cx),
            _ => {}
        }
    }

    pub(super) fn on_timer(&mut self, timer: Timer, cx: &mut Context) {
        match timer {
            Timer::Heartbeat => self.show_life(cx),
            Timer::Silence => self.on_silence(cx),
            Timer::ProbeDue => self.take_over(cx),
            Timer::Disk(volume) => self.ask_disk(volume, cx),
            Timer::Retry => {}
        }
    }

    // Requests.

    fn on_client_request(
        &mut self,
        command: Command,
        key: Key,
        operation: &Operation,
        cx: &mut Context,
    ) {
        let volume = volume_of(key, cx.setting());
        let Some(copy) = self.held.get_mut(&volume) else { return };
        let Command { client, number } = command;
        let done = match copy.replies.get(&client) {
            Some(last) if last.number > number => return,
            Some(last) if last.number == number => {
                cx.reach("a repeated request");
                last.clone()
            }
            _ => {
                let value = copy.values.get(&key).copied().unwrap_or_default();
                let (value, outcome) = operation.apply(value);
                if operation.is_update() {
                    copy.apply(Entry { command, key, value, outcome: outcome.clone() });
                    cx.indicate(Indication::Applied(command));
                }
                Done { number, outcome, length: copy.length() }
            }
        };
        if cx.runs(&ACK_BEFORE_LOG) {
            cx.send(client, Msg::Reply { number, outcome: done.outcome });
        } else {
            copy.owed.push((client, done));
        }
        self.write(volume, cx);
        self.reply(volume, cx);
    }

    /// Has the updates logged that are not on the disk, unless a write is under way.
    fn write(&mut self, volume: Volume, cx: &mut Context) {
        if self.held.get(&volume).is_some_and(|copy| !copy.is_writing) {
            self.ask_disk(volume, cx);
        }
    }

    /// Sends the replies to what is on the disk.
    fn reply(&mut self, volume: Volume, cx: &mut Context) {
        let Some(copy) = self.held.get_mut(&volume) else { return };
        let written = copy.written;
        copy.owed.retain(|(client, done)| {
            let is_logged = done.length <= written;
            if is_logged {
                let Done { number, outcome, .. } = done.clone();
                cx.send(*client, Msg::Reply { number, outcome });
            }
            !is_logged
        });
    }

    fn on_written(
        &mut self,
        volume: Volume,
        reservation: Reservation,
        length: u64,
        cx: &mut Context,
    ) {
        let copy = self.held.get_mut(&volume).filter(|copy| copy.reservation == reservation);
        let Some(copy) = copy else { return };
        copy.written = copy.written.max(length.min(copy.length()));
        copy.is_writing = false;
        cx.cancel_timer(Timer::Disk(volume));
        self.write(volume, cx);
        self.reply(volume, cx);
    }

    /// Somebody else has reserved the disk.
    fn on_refused(&mut self, volume: Volume, reservation: Reservation, cx: &mut Context) {
        if self.held.get(&volume).is_some_and(|copy| copy.reservation == reservation) {
            cx.reach("a disk refused a write");
            self.release(volume, cx);
        }
    }

    /// Sends the disk what it has not answered, and again if it does not answer in time.
    fn ask_disk(&mut self, volume: Volume, cx: &mut Context) {
        let Some(disk) = self.disks.get(volume as usize).copied() else { return };
        if let Some(ticket) = self.reserving.get(&volume) {
            cx.send(disk, Msg::Reserve(*ticket));
        } else if let Some(copy) = self.held.get_mut(&volume)
            && copy.written < copy.length()
        {
            let (reservation, place) = (copy.reservation, copy.written);
            copy.is_writing = true;
            cx.send(disk, Msg::Write { reservation, place, entries: copy.unwritten() });
        } else {
            return;
        }
        cx.set_timer(self.params.retry, Timer::Disk(volume));
    }

    // Signs of life.

    /// Shows the other that it is up, and whether it has its volume.
    fn show_life(&self, cx: &mut Context) {
        let is_home = self.held.contains_key(&self.home) || self.reserving.contains_key(&self.home);
        cx.send(self.partner, if is_home { Msg::Heartbeat } else { Msg::Rejoin });
        cx.set_timer(self.params.heartbeat, Timer::Heartbeat);
    }

    /// Has heard from the other.
    fn listen(&self, cx: &mut Context) {
        cx.cancel_timer(Timer::ProbeDue);
        cx.set_timer(self.params.timeout, Timer::Silence);
    }

    /// Looks for the other by way of the disks.
    fn on_silence(&mut self, cx: &mut Context) {
        if cx.runs(&NETWORK_ONLY) {
            return self.take_over(cx);
        }
        cx.send_to(self.disks.iter().copied(), Msg::Probe);
        cx.set_timer(self.delay_bound.times(4), Timer::ProbeDue);
    }

    /// The other is up, though not heard on the network.
    fn on_answer(&self, cx: &mut Context) {
        cx.reach("heard by way of a disk");
        self.listen(cx);
    }

    // Volumes that go from one to the other.

    /// The other is down: reserves the disks of all volumes that this one does not hold.
    fn take_over(&mut self, cx: &mut Context) {
        for volume in [0, 1] {
            self.reserve(volume, cx);
        }
    }

    fn reserve(&mut self, volume: Volume, cx: &mut Context) {
        if self.held.contains_key(&volume) || self.reserving.contains_key(&volume) {
            return;
        }
        self.reserving.insert(volume, cx.rng().below(u64::MAX));
        self.ask_disk(volume, cx);
    }

    fn on_reserved(
        &mut self,
        volume: Volume,
        ticket: Ticket,
        reservation: Reservation,
        log: Vec<Entry>,
        cx: &mut Context,
    ) {
        if self.reserving.get(&volume) != Some(&ticket) {
            return;
        }
        self.reserving.remove(&volume);
        cx.cancel_timer(Timer::Disk(volume));
        if volume != self.home && std::mem::take(&mut self.is_partner_waiting) {
            cx.reach("the other came back in time");
            cx.send(self.partner, Msg::Relinquish);
            return;
        }
        if volume != self.home {
            cx.reach("took over");
        }
        self.take(volume, reservation, log, cx);
    }

    fn take(
        &mut self,
        volume: Volume,
        reservation: Reservation,
        log: Vec<Entry>,
        cx: &mut Context,
    ) {
        let mut copy = Copy::replayed(reservation, log);
        if cx.runs(&VOLATILE_DUP_TABLE) {
            copy.replies.clear();
        }
        self.held.insert(volume, copy);
        self.announce_state(cx);
        cx.indicate(Indication::Fact(Fact::Takes(volume)));
    }

    /// The other has returned, and gets its volume back.
    fn on_rejoin(&mut self, cx: &mut Context) {
        self.listen(cx);
        let other = 1 - self.home;
        if self.reserving.contains_key(&other) {
            self.is_partner_waiting = true;
            return;
        }
        if self.held.contains_key(&other) {
            self.release(other, cx);
        }
        cx.send(self.partner, Msg::Relinquish);
    }

    /// The other does not hold this one's volume.
    fn on_relinquish(&mut self, cx: &mut Context) {
        self.listen(cx);
        self.reserve(self.home, cx);
    }

    /// Gives a volume up. Clients will ask again for what it has not answered.
    fn release(&mut self, volume: Volume, cx: &mut Context) {
        self.held.remove(&volume);
        cx.cancel_timer(Timer::Disk(volume));
        cx.indicate(Indication::Fact(Fact::Releases(volume)));
        self.announce_state(cx);
    }

    fn announce_state(&self, cx: &mut Context) {
        let logs = self.held.values().flat_map(|copy| &copy.log);
        cx.indicate(Indication::Adopted(logs.map(|entry| entry.command).collect()));
    }
}
