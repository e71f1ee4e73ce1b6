//! A client: it sends a request to one server at a time, and to the next if no reply comes.

use ftsim_core::{Duration, ProcessId, ProcessSet, Setting};

use super::mutants::ASKS_ALL;
use super::params::Params;
use super::{Context, Msg, Timer, View};
use crate::spec::primary_backup::Fact;
use crate::spec::service::{Indication, Key, Operation, Outcome, SERVER};

/// A client of the service.
#[derive(Clone, Debug, Hash)]
pub struct Client {
    servers: Vec<ProcessId>,
    retry: Duration,
    /// The server that it takes for the primary: an index into `servers`.
    destination: usize,
    /// The highest view whose primary has announced itself.
    view: View,
    /// The operation that waits for a reply.
    pending: Option<(u64, Key, Operation)>,
}

impl Client {
    pub(super) fn new(params: &Params, setting: &Setting) -> Self {
        Self {
            servers: setting.role(SERVER).collect(),
            retry: params.retry,
            destination: 0,
            view: 0,
            pending: None,
        }
    }

    pub(super) fn on_invoke(
        &mut self,
        number: u64,
        key: Key,
        operation: Operation,
        cx: &mut Context,
    ) {
        self.pending = Some((number, key, operation));
        self.transmit(cx);
    }

    pub(super) fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Context) {
        match msg {
            Msg::Reply { number, outcome } => self.on_reply(number, outcome, cx),
            Msg::NewPrimary(view) => self.on_new_primary(from, view, cx),
            _ => {}
        }
    }

    fn on_reply(&mut self, number: u64, outcome: Outcome, cx: &mut Context) {
        if self.pending.take_if(|(pending, ..)| *pending == number).is_some() {
            cx.cancel_timer(Timer::Retry);
            cx.indicate(Indication::Response { number, outcome });
        }
    }

    fn on_new_primary(&mut self, from: ProcessId, view: View, cx: &mut Context) {
        let Some(server) = self.servers.iter().position(|server| *server == from) else { return };
        if view > self.view {
            self.view = view;
            self.destination = server;
            self.transmit(cx);
        }
    }

    /// Tries the next server.
    pub(super) fn on_retry(&mut self, cx: &mut Context) {
        self.destination = (self.destination + 1) % self.servers.len();
        self.transmit(cx);
    }

    fn transmit(&mut self, cx: &mut Context) {
        let Some((number, key, operation)) = self.pending.clone() else { return };
        let to: ProcessSet = if cx.runs(&ASKS_ALL) {
            self.servers.iter().copied().collect()
        } else {
            [self.servers[self.destination]].into_iter().collect()
        };
        cx.indicate(Indication::Fact(Fact::Transmits { number, to: to.clone() }));
        cx.send_to(to.iter(), Msg::Request { number, key, operation });
        cx.set_timer(self.retry, Timer::Retry);
    }
}
