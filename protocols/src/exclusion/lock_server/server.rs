//! The server: it keeps the lock, and learns after a crash who has it.

use std::collections::BTreeMap;

use ftsim_core::{Duration, ProcessId, Setting, Stored};

use super::lock::{Entry, Lock, Owner};
use super::mutants::{
    CONNECTION_IDENTITY, GRANT_TO_DEAD, NO_DEADLINE, NO_RESEND, NO_WINDOW, REPLY_THEN_PERSIST,
    SHORT_DEADLINE,
};
use super::params::{Detection, Dial, Memory, OnSuspect, Params};
use super::{Claim, Context, Msg, Record, Timer};
use crate::spec::mutual_exclusion::{CLIENT, EntryNumber, Ticket, Token};

/// The server.
#[derive(Clone, Debug, Hash)]
pub struct Server {
    params: Params,
    clients: Vec<ProcessId>,
    /// δ.
    delay_bound: Duration,
    phase: Phase,
    lock: Lock,
    /// The last grant of an earlier life that it knows of.
    inherited: Token,
    /// The clients that are down as far as it knows, and what has come from each since.
    down: BTreeMap<ProcessId, Vec<Msg>>,
}

/// What a server does with messages.
#[derive(Clone, Debug, Hash)]
enum Phase {
    /// It ignores them: after a restart, they may be from before the crash.
    Quiet,
    /// It collects what clients believe, in the order in which it first hears of them.
    Listening(Vec<(ProcessId, Claim)>),
    /// It serves.
    Serving,
}

/// Messages to clients, sent once the change that they tell is on disk.
type Replies = Vec<(ProcessId, Msg)>;

impl Server {
    pub(super) fn new(params: &Params, setting: &Setting) -> Self {
        Self {
            params: params.clone(),
            clients: setting.role(CLIENT).collect(),
            delay_bound: setting.delay_bound,
            phase: Phase::Serving,
            lock: Lock::default(),
            inherited: 0,
            down: BTreeMap::new(),
        }
    }

    pub(super) fn on_message(&mut self, from: ProcessId, msg: &Msg, cx: &mut Context) {
        match (&self.phase, self.down.get_mut(&from)) {
            (Phase::Quiet, _) => cx.reach("a message from before the crash"),
            (_, Some(kept)) => kept.push(msg.clone()),
            (Phase::Listening(_), None) => self.listen_to(from, msg, cx),
            (Phase::Serving, None) => self.serve(from, msg, cx),
        }
    }

    pub(super) fn on_timer(&mut self, timer: Timer, cx: &mut Context) {
        match timer {
            Timer::Quiet => self.listen(cx),
            Timer::Reconnected => self.conclude(cx),
            Timer::Lease(client) => self.give_up(client, cx),
            Timer::Repeat => {}
        }
    }

    // Serving.

    fn serve(&mut self, from: ProcessId, msg: &Msg, cx: &mut Context) {
        match *msg {
            Msg::Enter { number } | Msg::Reconnect(Claim::Waits { number, .. }) => {
                self.enter(from, number, cx);
            }
            Msg::Leave { token } => self.leave(from, token, cx),
            Msg::Reconnect(Claim::Nothing) => self.remove(from, cx),
            _ => {}
        }
        self.renew_lease(from, cx);
    }

    /// Grants or queues a request, unless it is known.
    fn enter(&mut self, client: ProcessId, number: EntryNumber, cx: &mut Context) {
        let known = self.lock.entry_of(client);
        if known.is_some_and(|entry| entry.number >= number) {
            return;
        }
        self.lock.remove(client);
        let ticket = self.lock.enqueue(client, number);
        let mut replies = self.grant_next();
        if !self.lock.is_owned_by(client) {
            replies.push((client, Msg::Queued { number, ticket }));
        }
        self.save_and_send(replies, cx);
    }

    fn leave(&mut self, client: ProcessId, token: Token, cx: &mut Context) {
        let is_stranger = token <= self.inherited && cx.runs(&CONNECTION_IDENTITY);
        let owns = |owner: Owner| owner.entry.client == client && owner.token == token;
        if self.lock.owner.is_some_and(owns) && !is_stranger {
            self.remove(client, cx);
        }
    }

    fn remove(&mut self, client: ProcessId, cx: &mut Context) {
        if self.lock.entry_of(client).is_some() {
            self.lock.remove(client);
            let replies = self.grant_next();
            self.save_and_send(replies, cx);
        }
    }

    fn grant_next(&mut self) -> Replies {
        let owner = self.lock.grant_next();
        owner.iter().map(|owner| (owner.entry.client, owner.grant())).collect()
    }

    /// Sends what there is to tell, when it is on disk.
    fn save_and_send(&self, replies: Replies, cx: &mut Context) {
        if cx.runs(&REPLY_THEN_PERSIST) {
            self.send(replies, cx);
            return self.save(cx);
        }
        self.save(cx);
        self.send(replies, cx);
    }

    fn save(&self, cx: &mut Context) {
        if self.params.server == Memory::Stateful {
            cx.rewrite(vec![Record::Lock(self.lock.clone())]);
            cx.sync();
        }
    }

    fn send(&self, replies: Replies, cx: &mut Context) {
        for (client, msg) in replies {
            cx.send(client, msg);
        }
    }

    // Clients that crash.

    pub(super) fn on_suspect(&mut self, client: ProcessId, cx: &mut Context) {
        self.down.insert(client, Vec::new());
        self.give_up(client, cx);
    }

    /// Listens to a client that is up again. What it sent before its crash comes first, and then
    /// that it claims nothing.
    pub(super) fn on_trust(&mut self, client: ProcessId, cx: &mut Context) {
        for msg in self.down.remove(&client).unwrap_or_default() {
            self.on_message(client, &msg, cx);
        }
    }

    fn give_up(&mut self, client: ProcessId, cx: &mut Context) {
        match &mut self.phase {
            // It will claim nothing.
            Phase::Quiet => return cx.reach("a suspicion in the quiet time"),
            Phase::Listening(claims) => return claims.retain(|(p, _)| *p != client),
            Phase::Serving => {}
        }
        let keeps = match self.lock.is_owned_by(client) {
            true => self.params.on_suspect == OnSuspect::Wait,
            false => cx.runs(&GRANT_TO_DEAD),
        };
        if !keeps {
            self.remove(client, cx);
        }
    }

    fn renew_lease(&self, client: ProcessId, cx: &mut Context) {
        if self.params.detection == Detection::Lease && self.lock.entry_of(client).is_some() {
            cx.set_timer(self.params.lease, Timer::Lease(client));
        }
    }

    // After a crash of its own.

    pub(super) fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Context) {
        let saved = log.iter().rev().find_map(|stored| stored.intact()?.lock());
        self.lock = saved.cloned().unwrap_or_default();
        self.inherited = self.lock.last_token;
        if !cx.runs(&REPLY_THEN_PERSIST) && !cx.runs(&NO_RESEND) {
            self.phase = Phase::Quiet;
            cx.set_timer(self.delay_bound, Timer::Quiet);
        }
    }

    /// Asks the clients what they believe, unless they say so by themselves.
    fn listen(&mut self, cx: &mut Context) {
        self.phase = Phase::Listening(Vec::new());
        if self.params.dial == Dial::Server {
            cx.send_to(self.clients.iter().copied(), Msg::Rebooted);
        }
        if cx.runs(&NO_WINDOW) {
            self.conclude(cx);
        } else if cx.runs(&SHORT_DEADLINE) {
            let needed = self.params.claims_due(self.delay_bound);
            cx.set_timer(Duration::from_nanos(needed.as_nanos() / 4), Timer::Reconnected);
        } else if !cx.runs(&NO_DEADLINE) {
            cx.set_timer(self.params.reconnect_deadline, Timer::Reconnected);
        }
    }

    fn listen_to(&mut self, client: ProcessId, msg: &Msg, cx: &mut Context) {
        let Phase::Listening(claims) = &mut self.phase else { return };
        let claim = match msg {
            Msg::Reconnect(claim) => claim.clone(),
            Msg::Enter { number } => Claim::Waits { number: *number, ticket: None },
            Msg::Leave { .. } => Claim::Nothing,
            _ => return,
        };
        match claims.iter_mut().find(|(p, _)| *p == client) {
            Some((_, known)) => *known = claim,
            None => claims.push((client, claim)),
        }
        if claims.len() == self.clients.len() && cx.runs(&NO_DEADLINE) {
            self.conclude(cx);
        }
    }

    /// Reconstructs owner and queue from what the clients believe and what is on disk, and serves.
    fn conclude(&mut self, cx: &mut Context) {
        let Phase::Listening(claims) = std::mem::replace(&mut self.phase, Phase::Serving) else {
            return;
        };
        let saved = std::mem::take(&mut self.lock);
        let owner = self.owner_by(&claims, &saved, cx);
        let tokens = owner.iter().map(|owner| owner.token);
        self.lock.last_token = tokens.max().unwrap_or(0).max(saved.last_token);
        self.inherited = self.lock.last_token;
        self.lock.owner = owner;

        let (ticketed, others) = self.queue_by(&claims, &saved);
        let tickets = self.lock.entries().chain(ticketed.iter().copied()).map(|entry| entry.ticket);
        self.lock.last_ticket = tickets.max().unwrap_or(0).max(saved.last_ticket);
        self.lock.queue.extend(ticketed);
        for (client, number) in others {
            self.lock.enqueue(client, number);
        }

        let mut replies = self.tell_owner(&claims, cx);
        let queued = |entry: &Entry| {
            let Entry { client, number, ticket } = *entry;
            (client, Msg::Queued { number, ticket })
        };
        replies.extend(self.lock.queue.iter().map(queued));
        self.save_and_send(replies, cx);
        for (client, _) in claims {
            self.renew_lease(client, cx);
        }
    }

    /// Gives the lock to the first in the queue if it is free, and otherwise tells an owner that
    /// does not know what it owns, or asks one that was not heard.
    fn tell_owner(&mut self, claims: &[(ProcessId, Claim)], cx: &mut Context) -> Replies {
        let Some(owner) = self.lock.owner else { return self.grant_next() };
        let client = owner.entry.client;
        match claims.iter().find(|(p, _)| *p == client) {
            Some((_, Claim::Waits { .. })) => {
                cx.reach("a grant is sent again");
                vec![(client, owner.grant())]
            }
            Some(_) => Replies::new(),
            None => vec![(client, Msg::Rebooted)],
        }
    }

    /// The owner: the client that claims to be, or the one on disk that does not deny it.
    fn owner_by(
        &self,
        claims: &[(ProcessId, Claim)],
        saved: &Lock,
        cx: &mut Context,
    ) -> Option<Owner> {
        let claimed = claims.iter().find_map(|(client, claim)| match *claim {
            Claim::Owns { number, ticket, token } => {
                Some(Owner { entry: Entry { client: *client, number, ticket }, token })
            }
            _ => None,
        });
        claimed.or(saved.owner).filter(|owner| {
            let claim = claims.iter().find(|(client, _)| *client == owner.entry.client);
            match claim {
                Some((_, Claim::Owns { .. })) => true,
                Some((_, Claim::Waits { number, .. })) => *number == owner.entry.number,
                Some((_, Claim::Nothing)) => {
                    cx.reach("the owner has left or was down");
                    false
                }
                None => self.params.on_suspect == OnSuspect::Wait,
            }
        })
    }

    /// The requests of clients that wait: first those with known tickets, in their order, then the
    /// others in the order in which they were heard.
    fn queue_by(
        &self,
        claims: &[(ProcessId, Claim)],
        saved: &Lock,
    ) -> (Vec<Entry>, Vec<(ProcessId, EntryNumber)>) {
        let (mut ticketed, mut others) = (Vec::new(), Vec::new());
        for (client, claim) in claims {
            let Claim::Waits { number, ticket } = *claim else { continue };
            if self.lock.is_owned_by(*client) {
                continue;
            }
            match self.ticket_of(*client, number, ticket, saved) {
                Some(ticket) => ticketed.push(Entry { client: *client, number, ticket }),
                None => others.push((*client, number)),
            }
        }
        ticketed.sort_by_key(|entry| entry.ticket);
        (ticketed, others)
    }

    /// The ticket of a request, from the disk or from its client.
    fn ticket_of(
        &self,
        client: ProcessId,
        number: EntryNumber,
        hint: Option<Ticket>,
        saved: &Lock,
    ) -> Option<Ticket> {
        let entry = saved.entry_of(client).filter(|entry| entry.number == number);
        entry.map(|entry| entry.ticket).or(hint.filter(|_| self.params.ticket_hint))
    }
}
