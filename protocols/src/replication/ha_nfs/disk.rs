//! A dual-ported disk: it keeps the log of a volume, for the server that has reserved it, and
//! passes signs of life on between the servers.

use std::collections::BTreeMap;

use ftsim_core::{ProcessId, Setting, Stored};

use super::{Context, Entry, Msg, NETWORK_ONLY, Record, Reservation, Ticket};
use crate::spec::service::SERVER;
use crate::spec::volumes::DISK;

/// A disk.
#[derive(Clone, Debug, Hash)]
pub struct Disk {
    servers: Vec<ProcessId>,
    /// The server that has reserved it.
    owner: Option<ProcessId>,
    reservation: Reservation,
    /// The last ticket of each server.
    tickets: BTreeMap<ProcessId, Ticket>,
    log: Vec<Entry>,
}

impl Disk {
    /// The disk as it is at first: reserved by the server with its number.
    pub(super) fn new(setting: &Setting, me: ProcessId) -> Self {
        let pair = setting.role(DISK).zip(setting.role(SERVER)).find(|(disk, _)| *disk == me);
        Self {
            servers: setting.role(SERVER).collect(),
            owner: pair.map(|(_, server)| server),
            reservation: 0,
            tickets: BTreeMap::new(),
            log: Vec::new(),
        }
    }

    pub(super) fn on_recover(&mut self, log: &[Stored<Record>]) {
        for record in log.iter().filter_map(Stored::intact) {
            match record {
                Record::Reserved { server, ticket } => self.grant(*server, *ticket),
                Record::Entry { place, entry } => self.put(*place, entry.clone()),
            }
        }
    }

    pub(super) fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Context) {
        match msg {
            Msg::Probe => self.pass_on(from, Msg::Knock, cx),
            Msg::Answer => self.pass_on(from, Msg::Answer, cx),
            Msg::Reserve(ticket) => self.on_reserve(from, ticket, cx),
            Msg::Write { reservation, place, entries } => {
                self.on_write(from, reservation, place, entries, cx);
            }
            _ => {}
        }
    }

    /// Passes a sign of life, or a request for one, on to the other server.
    fn pass_on(&self, from: ProcessId, msg: Msg, cx: &mut Context) {
        cx.send_to(self.servers.iter().copied().filter(|p| *p != from), msg);
    }

    fn on_reserve(&mut self, from: ProcessId, ticket: Ticket, cx: &mut Context) {
        let is_known = self.tickets.get(&from) == Some(&ticket);
        if is_known && self.owner != Some(from) {
            cx.reach("an old reservation came late");
            return;
        }
        if !is_known {
            self.grant(from, ticket);
            cx.append(Record::Reserved { server: from, ticket });
        }
        cx.sync();
        let (reservation, log) = (self.reservation, self.log.clone());
        cx.send(from, Msg::Reserved { ticket, reservation, log });
    }

    fn on_write(
        &mut self,
        from: ProcessId,
        reservation: Reservation,
        place: u64,
        entries: Vec<Entry>,
        cx: &mut Context,
    ) {
        let is_reserved = self.owner == Some(from) && self.reservation == reservation;
        if !is_reserved && !cx.runs(&NETWORK_ONLY) {
            cx.send(from, Msg::Refused(reservation));
            return;
        }
        // It has some of them already if this is a repetition.
        let known =
            (self.log.len() as u64).checked_sub(place).and_then(|n| usize::try_from(n).ok());
        for entry in entries.into_iter().skip(known.unwrap_or(usize::MAX)) {
            let place = self.log.len() as u64;
            self.put(place, entry.clone());
            cx.append(Record::Entry { place, entry });
        }
        cx.sync();
        cx.send(from, Msg::Written { reservation, length: self.log.len() as u64 });
    }

    fn grant(&mut self, server: ProcessId, ticket: Ticket) {
        self.owner = Some(server);
        self.reservation += 1;
        self.tickets.insert(server, ticket);
    }

    /// Appends an update, unless one is missing before it, which a crash has lost.
    fn put(&mut self, place: u64, entry: Entry) {
        if place == self.log.len() as u64 {
            self.log.push(entry);
        }
    }
}
