//! A client: it sends updates to the primary, and reads to one replica after another.

use ftsim_core::{Duration, ProcessId, Setting};

use super::{Context, Msg, PRIMARY, Params, Timer};
use crate::spec::service::{Indication, Key, Operation, SERVER};

/// A client of the service.
#[derive(Clone, Debug, Hash)]
pub struct Client {
    primary: Option<ProcessId>,
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
        let primary = setting.role(PRIMARY).next();
        Self { primary, servers, retry: params.retry, place, pending: None }
    }

    pub(super) fn on_invoke(
        &mut self,
        number: u64,
        key: Key,
        operation: Operation,
        cx: &mut Context,
    ) {
        self.pending = Some((number, key, operation.clone()));
        if operation == Operation::Read {
            self.read(cx);
        } else if let Some(primary) = self.primary {
            cx.send(primary, Msg::Request { number, key, operation });
        }
    }

    pub(super) fn on_message(&mut self, msg: Msg, cx: &mut Context) {
        if let Msg::Reply { number, outcome } = msg
            && self.pending.take_if(|(pending, ..)| *pending == number).is_some()
        {
            cx.cancel_timer(Timer::Retry);
            cx.indicate(Indication::Response { number, outcome });
        }
    }

    /// Tries the next replica.
    pub(super) fn on_retry(&mut self, cx: &mut Context) {
        self.place = (self.place + 1) % self.servers.len();
        self.read(cx);
    }

    fn read(&self, cx: &mut Context) {
        let Some((number, key, operation)) = self.pending.clone() else { return };
        cx.send(self.servers[self.place], Msg::Request { number, key, operation });
        cx.set_timer(self.retry, Timer::Retry);
    }
}
