//! A client (section 8): it sends a request to the server that it takes for the leader, and to
//! another if no reply comes.

use ftsim_core::{Duration, ProcessId, Setting};

use super::{Context, Msg, Params, Timer};
use crate::spec::service::{Indication, Key, Operation, Outcome, SERVER};

/// A client of the service.
#[derive(Clone, Debug, Hash)]
pub struct Client {
    servers: Vec<ProcessId>,
    retry: Duration,
    /// The server that it takes for the leader: an index into `servers`.
    destination: usize,
    /// Whether it was sent on since it last waited.
    was_sent_on: bool,
    /// The operation that waits for a reply.
    pending: Option<(u64, Key, Operation)>,
}

impl Client {
    pub(super) fn new(params: &Params, setting: &Setting) -> Self {
        Self {
            servers: setting.role(SERVER).collect(),
            retry: params.retry,
            destination: 0,
            was_sent_on: false,
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

    pub(super) fn on_message(&mut self, msg: Msg, cx: &mut Context) {
        match msg {
            Msg::Reply { number, outcome } => self.on_reply(number, outcome, cx),
            Msg::NotLeader(Some(leader)) => self.on_sent_on(leader, cx),
            _ => {}
        }
    }

    fn on_reply(&mut self, number: u64, outcome: Outcome, cx: &mut Context) {
        if self.pending.take_if(|(pending, ..)| *pending == number).is_some() {
            cx.cancel_timer(Timer::Retry);
            cx.indicate(Indication::Response { number, outcome });
        }
    }

    /// Follows a hint once; servers that know no better may send it round in a circle.
    fn on_sent_on(&mut self, leader: ProcessId, cx: &mut Context) {
        let Some(server) = self.servers.iter().position(|server| *server == leader) else { return };
        if server != self.destination && !self.was_sent_on {
            self.destination = server;
            self.transmit(cx);
            self.was_sent_on = true;
        }
    }

    /// Tries the next server.
    pub(super) fn on_retry(&mut self, cx: &mut Context) {
        self.destination = (self.destination + 1) % self.servers.len().max(1);
        self.transmit(cx);
    }

    fn transmit(&mut self, cx: &mut Context) {
        let Some((number, key, operation)) = self.pending.clone() else { return };
        let Some(server) = self.servers.get(self.destination) else { return };
        self.was_sent_on = false;
        cx.send(*server, Msg::Request { number, key, operation });
        cx.set_timer(self.retry, Timer::Retry);
    }
}
