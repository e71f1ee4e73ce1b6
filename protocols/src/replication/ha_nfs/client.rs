//! A client: it sends a request to the server of the volume, and to the other if no reply comes.

use std::collections::BTreeMap;

use ftsim_core::{Duration, ProcessId, Setting};

use super::{Context, Msg, Params, Timer};
use crate::spec::service::{Indication, Key, Operation, SERVER};
use crate::spec::volumes::{Volume, volume_of};

/// A client of the file servers.
#[derive(Clone, Debug, Hash)]
pub struct Client {
    servers: Vec<ProcessId>,
    retry: Duration,
    /// The server that it takes for the primary of each volume: an index into `servers`. At first
    /// that is the server with the number of the volume.
    primaries: BTreeMap<Volume, usize>,
    /// The operation that waits for a reply.
    pending: Option<(u64, Key, Operation)>,
}

impl Client {
    pub(super) fn new(params: &Params, setting: &Setting) -> Self {
        Self {
            servers: setting.role(SERVER).collect(),
            retry: params.retry,
            primaries: BTreeMap::new(),
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
        if let Msg::Reply { number, outcome } = msg
            && self.pending.take_if(|(pending, ..)| *pending == number).is_some()
        {
            cx.cancel_timer(Timer::Retry);
            cx.indicate(Indication::Response { number, outcome });
        }
    }

    /// Tries the other server.
    pub(super) fn on_retry(&mut self, cx: &mut Context) {
        let Some((_, key, _)) = &self.pending else { return };
        let volume = volume_of(*key, cx.setting());
        let next = (self.primary_of(volume) + 1) % self.servers.len();
        self.primaries.insert(volume, next);
        self.transmit(cx);
    }

    fn transmit(&self, cx: &mut Context) {
        let Some((number, key, operation)) = self.pending.clone() else { return };
        let server = self.servers[self.primary_of(volume_of(key, cx.setting()))];
        cx.send(server, Msg::Request { number, key, operation });
        cx.set_timer(self.retry, Timer::Retry);
    }

    fn primary_of(&self, volume: Volume) -> usize {
        self.primaries.get(&volume).copied().unwrap_or(volume as usize % self.servers.len())
    }
}
