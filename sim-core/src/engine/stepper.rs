//! A simulation behind a pointer, whatever its protocol: what runs and explorers are built on, so
//! that they are compiled once and not once a protocol.

use crate::digest::Digest;
use crate::engine::event::Scheduled;
use crate::engine::panics::Raised;
use crate::engine::world::World;
use crate::fault::Crash;
use crate::id::{MessageId, ProcessId};
use crate::kind::MessageKind;
use crate::outcome::Outcome;
use crate::time::Instant;

/// A protocol in a world, step by step.
pub(crate) trait Stepper {
    /// What does not depend on the protocol.
    fn world(&self) -> &World;
    /// What does not depend on the protocol.
    fn world_mut(&mut self) -> &mut World;
    /// Back to the start, with this seed and the world's plan. No process has started yet.
    fn reset(&mut self, seed: u64);
    /// Starts every process in the order of their ids, then the clients.
    fn start(&mut self) {
        while self.start_next() {}
    }
    /// Starts the next process, or the clients after the last one. False once all have started.
    fn start_next(&mut self) -> bool;
    /// Draws from this seed whatever is drawn from now on.
    fn draw_anew(&mut self, seed: u64);
    /// Takes the earliest event, or ends the run: at a limit, or when nothing is left to happen.
    fn next_event(&mut self) -> Option<Scheduled>;
    /// Executes an event that was taken from the queue.
    fn execute(&mut self, event: Scheduled);
    /// Executes all events in their order. The loop is static: nothing is called by pointer.
    fn run_to_end(&mut self);
    /// The verdicts and figures of a run that is over, by a panic perhaps.
    fn finish(&mut self, panic: Option<Raised>) -> Outcome;
    /// Queues every timer where it runs out, and forgets the events of those that never will.
    fn settle_timers(&mut self);
    /// The process that this event happens at; `None` for what changes the world around them.
    fn process_of(&self, event: &Scheduled) -> Option<ProcessId>;
    /// The state of each process, as `Debug` shows it.
    fn states(&self) -> Vec<String>;
    /// The state of this process, as `Debug` shows it.
    fn state(&self, p: ProcessId) -> String;
    /// The state: equal for two that behave alike under equal choices.
    fn fingerprint(&self) -> Digest;
    /// What this event is, apart from when it happens and how it came about; nothing of timers,
    /// which are part of their processes.
    fn content(&self, event: &Scheduled) -> Digest;
    /// The states of the processes, and what is under way among them; not when it arrives.
    fn behaviour(&self) -> Digest;
    /// A copy that goes its own way.
    fn fork(&self) -> Box<dyn Stepper>;
    /// Executes an event that was taken from the queue at this time, whenever it is due.
    fn happen(&mut self, event: Scheduled, now: Instant);
    /// Where the timer of this event runs out by now; `None` if it is not set any more.
    fn settle_timer(&mut self, event: Scheduled) -> Option<Scheduled>;
    /// The sender and the receiver of the message that this event delivers, and the name of its
    /// kind; `None` for any other event.
    fn message_of(&self, event: &Scheduled) -> Option<(ProcessId, ProcessId, MessageKind)>;
    /// The message that this event delivers; `None` for any other event.
    fn message_id(&self, event: &Scheduled) -> Option<MessageId>;
    /// The state of this process as its handlers see it: equal for two in which they do the same.
    /// Never equal to an earlier one once the process has drawn.
    fn state_digest(&self, p: ProcessId) -> Digest;
    /// The state of this process and whether it is up: equal for two that look alike, whatever was
    /// drawn and done before.
    fn class_of(&self, p: ProcessId) -> Digest;
    /// Loses the message of this event, which was taken from the queue.
    fn lose(&mut self, event: Scheduled);
    /// Schedules a copy of the message of this event.
    fn duplicate(&mut self, event: &Scheduled);
    /// Whether this process is up.
    fn is_up(&self, p: ProcessId) -> bool;
    /// Crashes this process between two steps.
    fn crash_at_rest(&mut self, p: ProcessId, crash: &Crash);
    /// The number of effects of this process so far.
    fn effect_count(&self, p: ProcessId) -> u64;
    /// How much was drawn from each stream of what processes, clients and disks draw.
    fn streams(&self) -> Digest;
    /// Whether some process has read its clock.
    fn has_read_clocks(&self) -> bool;
    /// Whether some property minds the order of events at different processes.
    fn minds_order(&self) -> bool;
    /// The state of the clients that all processes share.
    fn clients(&self) -> Digest;
}
