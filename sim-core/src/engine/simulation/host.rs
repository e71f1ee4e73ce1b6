//! A process, and its state in the engine.

use std::collections::VecDeque;

use crate::engine::event::Place;
use crate::engine::timer::Timers;
use crate::environment::clock::LocalClock;
use crate::environment::storage::Log;
use crate::environment::transport::Transport;
use crate::id::{MessageId, ProcessId};
use crate::model::data::StorageError;
use crate::model::effect::{Coin, Effect};
use crate::model::process::Request;
use crate::model::protocol::Protocol;
use crate::time::Duration;

/// A process, and its state in the engine.
#[derive(Clone)]
pub(super) struct Host<P: Protocol> {
    pub process: P,
    pub up: bool,
    pub ever_faulty: bool,
    pub paused: bool,
    /// The index of its adversary, if it is Byzantine.
    pub adversary: Option<usize>,
    /// Whether it waits for a sync.
    pub blocked: bool,
    pub incarnation: u32,
    pub effect_count: u64,
    pub request_count: u64,
    pub clock: LocalClock,
    pub coin: Coin,
    pub timers: Timers<P::Timer>,
    /// While its clock stands still: its timers, and the remaining time of each.
    pub stopped: Vec<(P::Timer, Duration)>,
    /// Whether it has not started yet.
    pub absent: bool,
    pub log: Log<P::Record>,
    /// The transport of its messages, once there are any.
    pub transport: Option<Box<Transport>>,
    /// The inputs that reached it while it was paused or blocked, in order.
    pub inbox: VecDeque<Input<P>>,
    /// The effects after a slow sync, in reverse order.
    pub behind_sync: Vec<Effect<P>>,
}

/// A message under way.
#[derive(Clone)]
pub(super) struct Envelope<M> {
    pub id: MessageId,
    pub from: ProcessId,
    pub to: ProcessId,
    /// Whether its sender crashed and made it lose messages under way.
    pub lost: bool,
    pub msg: M,
}

/// The input of a handler.
#[derive(Clone)]
pub(super) enum Input<P: Protocol> {
    Start,
    Recover,
    Request(Request<P>),
    Message(ProcessId, MessageId, P::Msg),
    Timer(P::Timer, Place),
    StorageError(StorageError),
    Suspect(ProcessId),
    Trust(ProcessId),
}

impl<P: Protocol> Host<P> {
    pub fn new(process: P) -> Self {
        const {
            assert!(
                size_of::<Self>() <= size_of::<P>() + 264,
                "a million processes fit into memory"
            );
        }
        Self {
            process,
            up: true,
            ever_faulty: false,
            paused: false,
            adversary: None,
            blocked: false,
            incarnation: 0,
            effect_count: 0,
            request_count: 0,
            clock: LocalClock::default(),
            coin: Coin::default(),
            timers: Timers::default(),
            stopped: Vec::new(),
            absent: false,
            log: Log::default(),
            transport: None,
            inbox: VecDeque::new(),
            behind_sync: Vec::new(),
        }
    }

    /// Whether it is up, is not paused, and is not Byzantine.
    pub const fn gives_service(&self) -> bool {
        self.up && !self.paused && self.adversary.is_none()
    }

    pub const fn is_waiting(&self) -> bool {
        self.paused || self.blocked
    }
}
