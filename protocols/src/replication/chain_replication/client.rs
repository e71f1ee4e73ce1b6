//! A client: it sends updates to the head, and reads to the tail, or with CRAQ to any server.

use ftsim_core::{Duration, ProcessId, Setting};

use super::mutants::READ_ANY;
use super::{Context, Msg, Params, Reads, Timer};
use crate::spec::service::{Indication, Key, Operation, Outcome, SERVER};

/// A client of the service.
#[derive(Clone, Debug, Hash)]
pub struct Client {
    /// The servers that have not crashed, as far as it knows.
    chain: Vec<ProcessId>,
    reads: Reads,
    retry: Duration,
    /// Counts the requests that may go to any server, which take turns.
    turn: usize,
    /// The operation that waits for a reply, and the server that has it.
    pending: Option<Pending>,
}

#[derive(Clone, Debug, Hash)]
struct Pending {
    number: u64,
    key: Key,
    operation: Operation,
    destination: Option<ProcessId>,
}

impl Client {
    pub(super) fn new(params: &Params, setting: &Setting, me: ProcessId) -> Self {
        Self {
            chain: setting.role(SERVER).collect(),
            reads: params.reads,
            retry: params.retry,
            turn: me.index(),
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
        self.pending = Some(Pending { number, key, operation, destination: None });
        self.transmit(cx);
    }

    pub(super) fn on_message(&mut self, msg: Msg, cx: &mut Context) {
        let Msg::Reply { number, outcome } = msg else { return };
        self.on_reply(number, outcome, cx);
    }

    fn on_reply(&mut self, number: u64, outcome: Outcome, cx: &mut Context) {
        if self.pending.take_if(|pending| pending.number == number).is_some() {
            cx.cancel_timer(Timer::Retry);
            cx.indicate(Indication::Response { number, outcome });
        }
    }

    /// What a server that has crashed was asked, another is.
    pub(super) fn on_crash_of(&mut self, p: ProcessId, cx: &mut Context) {
        self.chain.retain(|server| *server != p);
        if self.pending.as_ref().is_some_and(|pending| pending.destination == Some(p)) {
            self.transmit(cx);
        }
    }

    pub(super) fn transmit(&mut self, cx: &mut Context) {
        let Some(pending) = &mut self.pending else { return };
        let reads_anywhere = self.reads == Reads::Craq || cx.runs(&READ_ANY);
        let destination = match pending.operation {
            Operation::Read if reads_anywhere => {
                self.turn = self.turn.wrapping_add(1);
                self.chain.get(self.turn % self.chain.len().max(1))
            }
            Operation::Read => self.chain.last(),
            _ => self.chain.first(),
        };
        pending.destination = destination.copied();
        let Pending { number, key, operation, destination } = pending.clone();
        if let Some(destination) = destination {
            cx.send(destination, Msg::Request { number, key, operation });
            cx.set_timer(self.retry, Timer::Retry);
        }
    }
}
