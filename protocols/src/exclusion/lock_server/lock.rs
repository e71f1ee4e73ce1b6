//! What the server knows of the lock.

use std::collections::VecDeque;

use ftsim_core::ProcessId;
use serde::{Deserialize, Serialize};

use super::Msg;
use crate::spec::mutual_exclusion::{EntryNumber, Ticket, Token};

/// Who owns the lock and who waits for it: the content of the server's disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Lock {
    pub(super) owner: Option<Owner>,
    /// In the order in which they will own it, which is that of their tickets.
    pub(super) queue: VecDeque<Entry>,
    pub(super) last_ticket: Ticket,
    pub(super) last_token: Token,
}

/// A request of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Entry {
    pub(super) client: ProcessId,
    pub(super) number: EntryNumber,
    pub(super) ticket: Ticket,
}

/// A request that was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Owner {
    pub(super) entry: Entry,
    pub(super) token: Token,
}

impl Owner {
    /// The message that tells the owner.
    pub(super) const fn grant(&self) -> Msg {
        let Entry { number, ticket, .. } = self.entry;
        Msg::Grant { number, ticket, token: self.token }
    }
}

impl Lock {
    /// All requests: that of the owner, then those in the queue.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry> {
        self.owner.iter().map(|owner| owner.entry).chain(self.queue.iter().copied())
    }

    /// The request of a client.
    pub(super) fn entry_of(&self, client: ProcessId) -> Option<Entry> {
        self.entries().find(|entry| entry.client == client)
    }

    pub(super) fn is_owned_by(&self, client: ProcessId) -> bool {
        self.owner.is_some_and(|owner| owner.entry.client == client)
    }

    /// Puts a request at the end of the queue, with the next ticket.
    pub(super) fn enqueue(&mut self, client: ProcessId, number: EntryNumber) -> Ticket {
        self.last_ticket = self.last_ticket.saturating_add(1);
        let ticket = self.last_ticket;
        self.queue.push_back(Entry { client, number, ticket });
        ticket
    }

    /// Forgets the request of a client, granted or not.
    pub(super) fn remove(&mut self, client: ProcessId) {
        self.owner.take_if(|owner| owner.entry.client == client);
        self.queue.retain(|entry| entry.client != client);
    }

    /// Gives the lock to the first in the queue, if it is free.
    pub(super) fn grant_next(&mut self) -> Option<Owner> {
        if self.owner.is_some() {
            return None;
        }
        let entry = self.queue.pop_front()?;
        self.last_token = self.last_token.saturating_add(1);
        self.owner = Some(Owner { entry, token: self.last_token });
        self.owner
    }
}
