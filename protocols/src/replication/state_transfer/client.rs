//! A client: it sends updates to the primary, and reads to one replica after another.

use ftsim_core::{Duration, ProcessId, Setting};

use super::{Context, Msg, NO_RETRY, PRIMARY, Params, Timer};
use crate::spec::service::{Indication, Key, Operation, SERVER};

/// A client of the service.
#[derive(Clone, Debug, Hash)]
pub struct Client {
    primary: ProcessId,
    servers: Vec<ProcessId>,
    retry: Duration,
    /// The replica at which it reads: an index into `servers`.
    place: usize,
    /// The operation that waits for a reply.
    pending: Option<(u64, Key, Operation)>,
}

impl Client {
    pub(super) fn new(params: &Params, setting: &Setting, me: ProcessId) -> Self {
        let servers: Vec<_> = setting.role(SERVER).collect();
        let place = me.index() % servers.len().max(1);
        let primary = setting.role(PRIMARY).next().unwrap_or(me);
        Self { primary, servers, retry: params.retry, place, pending: None }
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
        if let Msg::Reply { number, outcome } = msg
            && self.pending.take_if(|(pending, ..)| *pending == number).is_some()
        {
            cx.cancel_timer(Timer::Retry);
            cx.indicate(Indication::Response { number, outcome });
        }
    }

    /// Reads at the next replica, or asks the primary again.
    pub(super) fn on_retry(&mut self, cx: &mut Context) {
        self.place = (self.place + 1) % self.servers.len();
        self.transmit(cx);
    }

    fn transmit(&self, cx: &mut Context) {
        let Some((number, key, operation)) = self.pending.clone() else { return };
        let reads = operation == Operation::Read;
        let to = if reads { self.servers[self.place] } else { self.primary };
        cx.send(to, Msg::Request { number, key, operation });
        if !cx.runs(&NO_RETRY) {
            cx.set_timer(self.retry, Timer::Retry);
        }
    }
}
