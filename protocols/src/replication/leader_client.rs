//! A client of a service that one server leads: it sends a request to the server that it takes for
//! the leader, and to another if no reply comes.

use ftsim_core::{Cx, Duration, Process, ProcessId, Setting};

use crate::spec::service::{Facts, Indication, Key, Operation, Outcome, SERVER, Service};

/// A protocol with such clients.
pub(super) trait Led: Process<Spec = Service<Self::Fact>> {
    /// The facts of its spec.
    type Fact: Facts;
    /// At a client: no reply came.
    const RETRY: Self::Timer;

    /// What a client sends.
    fn request(number: u64, key: Key, operation: Operation) -> Self::Msg;
}

/// A client of the service.
#[derive(Clone, Debug, Hash)]
pub struct LeaderClient {
    servers: Vec<ProcessId>,
    retry: Duration,
    /// The server that it takes for the leader: an index into `servers`.
    destination: usize,
    /// Whether it was sent on since it last waited.
    was_sent_on: bool,
    /// The operation that waits for a reply.
    pending: Option<(u64, Key, Operation)>,
}

impl LeaderClient {
    /// A client that asks the next server after this time.
    pub(super) fn new(retry: Duration, setting: &Setting) -> Self {
        Self {
            servers: setting.role(SERVER).collect(),
            retry,
            destination: 0,
            was_sent_on: false,
            pending: None,
        }
    }

    pub(super) fn on_invoke<P: Led>(
        &mut self,
        number: u64,
        key: Key,
        operation: Operation,
        cx: &mut Cx<P>,
    ) {
        self.pending = Some((number, key, operation));
        self.transmit(cx);
    }

    pub(super) fn on_reply<P: Led>(&mut self, number: u64, outcome: Outcome, cx: &mut Cx<P>) {
        if self.pending.take_if(|(pending, ..)| *pending == number).is_some() {
            cx.cancel_timer(P::RETRY);
            cx.indicate(Indication::Response { number, outcome });
        }
    }

    /// Follows a hint once; servers that know no better may send it round in a circle.
    pub(super) fn on_sent_on<P: Led>(&mut self, leader: ProcessId, cx: &mut Cx<P>) {
        let Some(server) = self.servers.iter().position(|server| *server == leader) else { return };
        if server != self.destination && !self.was_sent_on {
            self.destination = server;
            self.transmit(cx);
            self.was_sent_on = true;
        }
    }

    /// Tries the next server.
    pub(super) fn on_retry<P: Led>(&mut self, cx: &mut Cx<P>) {
        self.destination = (self.destination + 1) % self.servers.len().max(1);
        self.transmit(cx);
    }

    fn transmit<P: Led>(&mut self, cx: &mut Cx<P>) {
        let Some((number, key, operation)) = self.pending.clone() else { return };
        let Some(server) = self.servers.get(self.destination) else { return };
        self.was_sent_on = false;
        cx.send(*server, P::request(number, key, operation));
        cx.set_timer(self.retry, P::RETRY);
    }
}
