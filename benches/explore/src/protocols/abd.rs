//! An ABD register whose servers ask the majority on behalf of the clients.
//!
//! Source: Attiya, Bar-Noy and Dolev (1995), *Sharing memory robustly in message-passing systems*;
//! the model is that of stateright's example: a server serves one operation at a time, and counts
//! itself without a message.

use serde::{Deserialize, Serialize};

use super::register::{Msg, OperationId, Server};
use crate::machine::{Out, Setup};

/// A number, and the server that writes.
pub type Tag = (u32, u32);

/// What servers say to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Internal {
    /// What do you have?
    Query(OperationId),
    /// This.
    Reply(OperationId, Tag, u8),
    /// Keep this, unless you have something newer.
    Store(OperationId, Tag, u8),
    /// It is kept.
    Stored(OperationId),
}

const SERVER_COUNT_MAX: usize = 5;

/// What a server waits for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Phase {
    /// Replies of a majority.
    Query { id: OperationId, writes: Option<u8>, replies: [Option<(Tag, u8)>; SERVER_COUNT_MAX] },
    /// A majority that keeps it.
    Store { id: OperationId, reads: Option<u8>, servers: u32 },
}

/// A server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Abd {
    me: u32,
    servers: u32,
    tag: Tag,
    value: u8,
    phase: Option<Phase>,
    /// Operations that wait until another is done, with what they write.
    waiting: Vec<(OperationId, Option<u8>)>,
    /// Whether what is read is not written back.
    is_broken: bool,
}

impl Abd {
    fn broadcast(&self, msg: Internal, out: &mut impl Out<Msg<Internal>>) {
        let others = (0..self.servers).filter(|p| *p != self.me);
        others.for_each(|p| out.send(p, Msg::Internal(msg)));
    }

    fn begin(&mut self, id: OperationId, writes: Option<u8>, out: &mut impl Out<Msg<Internal>>) {
        let mut replies = [None; SERVER_COUNT_MAX];
        replies[self.me as usize] = Some((self.tag, self.value));
        self.phase = Some(Phase::Query { id, writes, replies });
        self.broadcast(Internal::Query(id), out);
    }

    fn keep(&mut self, tag: Tag, value: u8) {
        if tag > self.tag {
            (self.tag, self.value) = (tag, value);
        }
    }

    fn on_reply(&mut self, from: u32, newest: (Tag, u8), out: &mut impl Out<Msg<Internal>>) {
        let majority = self.servers as usize / 2 + 1;
        let Some(Phase::Query { id, writes, replies }) = &mut self.phase else { return };
        replies[from as usize] = Some(newest);
        if replies.iter().flatten().count() != majority {
            return;
        }
        let (id, writes) = (*id, *writes);
        let Some((tag, value)) = replies.iter().flatten().max().copied() else { return };
        let (tag, value, reads) = match writes {
            Some(value) => ((tag.0 + 1, self.me), value, None),
            None => (tag, value, Some(value)),
        };
        if self.is_broken && reads.is_some() {
            return self.respond(id, reads, out);
        }
        self.broadcast(Internal::Store(id, tag, value), out);
        self.keep(tag, value);
        self.phase = Some(Phase::Store { id, reads, servers: 1 << self.me });
    }

    fn on_stored(&mut self, from: u32, out: &mut impl Out<Msg<Internal>>) {
        let Some(Phase::Store { id, reads, servers }) = &mut self.phase else { return };
        *servers |= 1 << from;
        if servers.count_ones() == self.servers / 2 + 1 {
            let (id, reads) = (*id, *reads);
            self.respond(id, reads, out);
        }
    }

    fn respond(&mut self, id: OperationId, reads: Option<u8>, out: &mut impl Out<Msg<Internal>>) {
        let answer = match reads {
            Some(value) => Msg::GetOk(id, value),
            None => Msg::PutOk(id),
        };
        out.send(id.0, answer);
        self.phase = None;
        if !self.waiting.is_empty() {
            let (id, writes) = self.waiting.remove(0);
            self.begin(id, writes, out);
        }
    }
}

impl Server for Abd {
    type Internal = Internal;

    fn new(setup: &Setup, me: u32) -> Self {
        Self {
            me,
            servers: setup.servers,
            tag: (0, me),
            value: 0,
            phase: None,
            waiting: Vec::new(),
            is_broken: setup.is_broken,
        }
    }

    fn heeds(&self, from: u32, msg: &Msg<Internal>) -> bool {
        match msg {
            Msg::Put(..) | Msg::Get(_) => self.phase.is_none(),
            Msg::Internal(Internal::Query(_) | Internal::Store(..)) => true,
            Msg::Internal(Internal::Reply(replied, ..)) => {
                matches!(&self.phase, Some(Phase::Query { id, .. }) if id == replied)
            }
            Msg::Internal(Internal::Stored(stored)) => {
                matches!(&self.phase, Some(Phase::Store { id, servers, .. })
                    if id == stored && servers >> from & 1 == 0)
            }
            Msg::PutOk(_) | Msg::GetOk(..) => false,
        }
    }

    fn receive(&mut self, from: u32, msg: Msg<Internal>, out: &mut impl Out<Msg<Internal>>) {
        let is_heeded = self.heeds(from, &msg);
        match msg {
            Msg::Put(id, value) if is_heeded => self.begin(id, Some(value), out),
            Msg::Get(id) if is_heeded => self.begin(id, None, out),
            Msg::Put(id, value) => self.waiting.push((id, Some(value))),
            Msg::Get(id) => self.waiting.push((id, None)),
            Msg::Internal(Internal::Query(id)) => {
                out.send(from, Msg::Internal(Internal::Reply(id, self.tag, self.value)));
            }
            Msg::Internal(Internal::Store(id, tag, value)) => {
                out.send(from, Msg::Internal(Internal::Stored(id)));
                self.keep(tag, value);
            }
            Msg::Internal(Internal::Reply(_, tag, value)) if is_heeded => {
                self.on_reply(from, (tag, value), out);
            }
            Msg::Internal(Internal::Stored(_)) if is_heeded => self.on_stored(from, out),
            _ => {}
        }
    }
}
