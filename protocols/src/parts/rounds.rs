//! Rounds of a fixed length: the synchronous model, built from timers.
//!
//! Source: Lynch (1996), *Distributed Algorithms*, section 2.1. In each round a process sends its
//! messages, receives those that the others sent in the same round, and changes its state.
//!
//! Why it works: if all processes begin together, and a round is as long as a message takes at
//! most, every message of a round arrives before the round ends. One that takes exactly as long
//! arrives at the instant at which the timer fires, and deliveries precede timers.

use ftsim_core::{Cx, Duration, Process};

/// The rounds of a process: the current one, and their length.
///
/// A round is a number, or a value of the protocol's own if its rounds have names.
#[derive(Clone, Debug, Hash)]
pub struct Rounds<R = u32> {
    current: R,
    length: Duration,
}

impl<R: Copy> Rounds<R> {
    /// Rounds of this length. Until the first begins, `initial` is the current one.
    pub const fn new(initial: R, length: Duration) -> Self {
        Self { current: initial, length }
    }

    /// The current round.
    pub const fn current(&self) -> R {
        self.current
    }

    /// Begins a round, and sets the timer that ends it.
    pub fn begin<P: Process>(&mut self, round: R, end: P::Timer, cx: &mut Cx<P>) {
        self.current = round;
        cx.set_timer(self.length, end);
    }
}

impl Rounds {
    /// Begins the round after the current one, and sets the timer that ends it.
    pub fn begin_next<P: Process>(&mut self, end: P::Timer, cx: &mut Cx<P>) {
        self.begin(self.current + 1, end, cx);
    }
}
