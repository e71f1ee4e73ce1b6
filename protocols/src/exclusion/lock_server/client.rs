//! A client of the lock server.

use ftsim_core::{Duration, ProcessId, Setting};

use super::params::Params;
use super::{Claim, Context, Msg, RESOURCE, SERVER, Timer};
use crate::spec::mutual_exclusion::{EntryNumber, Indication, Ticket, Token};

/// A client: it knows nothing but its own request.
#[derive(Clone, Debug, Hash)]
pub struct Client {
    server: ProcessId,
    resource: Option<ProcessId>,
    /// The time between two messages that show that it is up, if there are any.
    repeat: Option<Duration>,
    claim: Claim,
}

impl Client {
    pub(super) fn new(params: &Params, setting: &Setting) -> Self {
        Self {
            server: setting.role(SERVER).next().unwrap_or(ProcessId(0)),
            resource: setting.role(RESOURCE).next(),
            repeat: params.clients_repeat().then_some(params.repeat),
            claim: Claim::Nothing,
        }
    }

    /// A client that was down has lost the lock, and its place in the queue.
    pub(super) fn on_recover(&self, cx: &mut Context) {
        self.say_what_it_believes(cx);
    }

    pub(super) fn enter(&mut self, number: EntryNumber, cx: &mut Context) {
        self.claim = Claim::Waits { number, ticket: None };
        cx.send(self.server, Msg::Enter { number });
        self.repeat_later(cx);
    }

    pub(super) fn exit(&mut self, left: EntryNumber, cx: &mut Context) {
        if let Claim::Owns { number, token, .. } = self.claim
            && number == left
        {
            self.write(token, cx);
            self.claim = Claim::Nothing;
            cx.send(self.server, Msg::Leave { token });
            cx.indicate(Indication::Exited(number));
        }
    }

    pub(super) fn on_message(&mut self, msg: &Msg, cx: &mut Context) {
        match *msg {
            Msg::Queued { number, ticket } => self.on_queued(number, ticket, cx),
            Msg::Grant { number, ticket, token } => self.on_grant(number, ticket, token, cx),
            Msg::Rebooted => self.say_what_it_believes(cx),
            Msg::Enter { .. } | Msg::Leave { .. } | Msg::Reconnect(_) | Msg::Write { .. } => {}
        }
    }

    fn on_queued(&mut self, queued: EntryNumber, heard: Ticket, cx: &mut Context) {
        if let Claim::Waits { number, ticket } = &mut self.claim
            && *number == queued
            && ticket.is_none()
        {
            *ticket = Some(heard);
            cx.indicate(Indication::Queued(queued, heard));
        }
    }

    fn on_grant(&mut self, granted: EntryNumber, ticket: Ticket, token: Token, cx: &mut Context) {
        self.on_queued(granted, ticket, cx);
        match self.claim {
            Claim::Waits { number, .. } if number == granted => {
                self.claim = Claim::Owns { number, ticket, token };
                cx.indicate(Indication::Entered(number));
                self.write(token, cx);
            }
            Claim::Owns { token: known, .. } if known == token => {
                cx.reach("a grant is repeated");
            }
            // It has left, or it was down and does not know of the request.
            _ => cx.send(self.server, Msg::Leave { token }),
        }
    }

    fn write(&self, token: Token, cx: &mut Context) {
        cx.send_to(self.resource, Msg::Write { token });
    }

    fn say_what_it_believes(&self, cx: &mut Context) {
        cx.send(self.server, Msg::Reconnect(self.claim.clone()));
    }

    fn repeat_later(&self, cx: &mut Context) {
        if let Some(repeat) = self.repeat {
            cx.set_timer(repeat, Timer::Repeat);
        }
    }

    /// Says again what it believes, as long as it waits or owns the lock.
    pub(super) fn repeat(&self, cx: &mut Context) {
        if self.claim != Claim::Nothing {
            self.say_what_it_believes(cx);
            self.repeat_later(cx);
        }
    }
}
