//! Logical clocks.
//!
//! Source: Lamport (1978), rules IR1 and IR2, as Tanenbaum and van Steen (2007) count them: an
//! event that receives a message takes a tick too.

/// A logical clock. It saturates: a liar that sends the highest time of all stops the clocks of
/// others, and no more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogicalClock(Time);

/// A value of a logical clock.
pub type Time = u64;

impl LogicalClock {
    /// The time now.
    pub const fn now(self) -> Time {
        self.0
    }

    /// A local event, or a sending: the time after it.
    pub const fn tick(&mut self) -> Time {
        self.0 = self.0.saturating_add(1);
        self.0
    }

    /// A message arrives that was sent at this time: the time after it.
    pub fn receive(&mut self, sent: Time) -> Time {
        self.0 = self.0.max(sent);
        self.tick()
    }
}
