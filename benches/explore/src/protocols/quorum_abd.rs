//! An ABD register whose clients ask the servers themselves.
//!
//! Source: Lynch and Shvartsman (1997), *Robust emulation of shared memory using dynamic
//! quorum-acknowledged broadcasts*; the model is that of TraceForge's example, but each message is
//! received when it comes, and what is late is ignored.

use serde::{Deserialize, Serialize};

use super::register::Client as RegisterClient;
use crate::history::Call;
use crate::machine::{Event, Machine, Out, Setup};

/// A number, and the client that writes.
pub type Tag = (u32, u32);

/// A message; the number is that of the client's phase, which the answer repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// Client to server: what do you have?
    Query(u8),
    /// Server to client: this.
    Reply(u8, Tag, u8),
    /// Client to server: keep this, unless you have something newer.
    Store(u8, Tag, u8),
    /// Server to client: it is kept.
    Stored(u8),
}

/// A process.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum QuorumAbd {
    /// It keeps the register.
    Server(Tag, u8),
    /// It uses it.
    Client(Client),
}

/// A client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Client {
    me: u32,
    servers: u32,
    script: String,
    /// The number of its operation that has been called last.
    called: u8,
    /// The number of its phase: odd ones query, even ones store.
    phase: u8,
    /// What it writes.
    writes: Option<u8>,
    /// The newest reply, or what it stores.
    newest: (Tag, u8),
    /// How many servers have answered in this phase.
    answers: u32,
    /// Whether what is read is not written back.
    is_broken: bool,
}

impl Client {
    fn next(&mut self, out: &mut impl Out<Msg>) {
        let next = self.script.as_bytes().get(usize::from(self.called)).copied();
        self.phase += 1 + self.phase % 2;
        let Some(letter) = next else { return };
        self.called += 1;
        let value = RegisterClient::value(self.me, self.servers, self.called);
        self.writes = (letter == b'w').then_some(value);
        out.tell(Event::Call(self.writes.map_or(Call::Read, Call::Write)));
        (self.newest, self.answers) = (((0, 0), 0), 0);
        (0..self.servers).for_each(|p| out.send(p, Msg::Query(self.phase)));
    }

    fn heeds(&self, msg: &Msg) -> bool {
        matches!(msg, Msg::Reply(phase, ..) | Msg::Stored(phase) if *phase == self.phase)
    }

    fn receive(&mut self, msg: Msg, out: &mut impl Out<Msg>) {
        self.answers += 1;
        let is_majority = self.answers == self.servers / 2 + 1;
        match msg {
            Msg::Reply(_, tag, value) => {
                self.newest = self.newest.max((tag, value));
                if is_majority {
                    self.store(out);
                }
            }
            _ if is_majority => self.respond(out),
            _ => {}
        }
    }

    fn store(&mut self, out: &mut impl Out<Msg>) {
        if let Some(value) = self.writes {
            self.newest = ((self.newest.0.0 + 1, self.me), value);
        } else if self.is_broken {
            return self.respond(out);
        }
        (self.phase, self.answers) = (self.phase + 1, 0);
        let (tag, value) = self.newest;
        (0..self.servers).for_each(|p| out.send(p, Msg::Store(self.phase, tag, value)));
    }

    fn respond(&mut self, out: &mut impl Out<Msg>) {
        out.tell(Event::Call(match self.writes {
            Some(_) => Call::Written,
            None => Call::Got(self.newest.1),
        }));
        self.next(out);
    }
}

impl Machine for QuorumAbd {
    type Msg = Msg;

    fn count(setup: &Setup) -> u32 {
        setup.servers + u32::try_from(setup.clients.len()).expect("few clients")
    }

    fn new(setup: &Setup, me: u32) -> Self {
        let servers = setup.servers;
        let Some(index) = me.checked_sub(servers) else { return Self::Server((0, 0), 0) };
        Self::Client(Client {
            me,
            servers,
            script: setup.clients[index as usize].clone(),
            called: 0,
            phase: 0,
            writes: None,
            newest: ((0, 0), 0),
            answers: 0,
            is_broken: setup.is_broken,
        })
    }

    fn start(&mut self, out: &mut impl Out<Msg>) {
        if let Self::Client(client) = self {
            client.next(out);
        }
    }

    fn heeds(&self, _: u32, msg: &Msg) -> bool {
        match self {
            Self::Server(..) => true,
            Self::Client(client) => client.heeds(msg),
        }
    }

    fn receive(&mut self, from: u32, msg: Msg, out: &mut impl Out<Msg>) {
        match (self, msg) {
            (Self::Server(tag, value), Msg::Query(phase)) => {
                out.send(from, Msg::Reply(phase, *tag, *value));
            }
            (Self::Server(tag, value), Msg::Store(phase, newer, stored)) => {
                if newer > *tag {
                    (*tag, *value) = (newer, stored);
                }
                out.send(from, Msg::Stored(phase));
            }
            (Self::Client(client), msg) if client.heeds(&msg) => client.receive(msg, out),
            _ => {}
        }
    }

    fn facts(&self) -> [Option<Event>; 2] {
        [None, None]
    }
}
