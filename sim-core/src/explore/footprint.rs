//! What a step touches: two steps that touch nothing in common commute.

use crate::id::ProcessId;

/// The greatest number of processes in an exploration.
pub const PROCESS_COUNT_MAX: u32 = 56;

/// The parts of a state that a step reads and writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Footprint {
    reads: u128,
    writes: u128,
}

/// Shown to properties that mind the order of events at different processes.
const SEEN: u128 = 1 << 63;
/// The state of the clients.
const CLIENTS: u128 = 1 << 62;
/// The number of parts of a state.
pub(super) const PART_COUNT: u32 = 128;
/// Whether a process is up: 64 and its id.
const STATUS: u32 = 64;

impl Footprint {
    /// Nothing: it commutes with everything.
    pub const NOTHING: Self = Self { reads: 0, writes: 0 };
    /// Everything: it commutes with nothing.
    pub const EVERYTHING: Self = Self { reads: 0, writes: u128::MAX };

    /// A step of this process.
    pub fn of(process: ProcessId) -> Self {
        Self { reads: 0, writes: 1 << process.0 }
    }

    /// It is shown to properties that mind its order.
    #[must_use]
    pub fn seen(self) -> Self {
        Self { writes: self.writes | SEEN, ..self }
    }

    /// It depends on the state of the clients.
    #[must_use]
    pub fn reads_clients(self) -> Self {
        Self { reads: self.reads | CLIENTS, ..self }
    }

    /// It changes the state of the clients.
    #[must_use]
    pub fn changes_clients(self) -> Self {
        Self { writes: self.writes | CLIENTS, ..self }
    }

    /// It depends on whether this process is up.
    #[must_use]
    pub fn reads_status(self, process: ProcessId) -> Self {
        Self { reads: self.reads | 1 << (STATUS + process.0), ..self }
    }

    /// It depends on which processes are up.
    #[must_use]
    pub fn reads_all_status(self) -> Self {
        Self { reads: self.reads | ((1 << PROCESS_COUNT_MAX) - 1) << STATUS, ..self }
    }

    /// It changes whether this process is up.
    #[must_use]
    pub fn changes_status(self, process: ProcessId) -> Self {
        Self { writes: self.writes | 1 << (STATUS + process.0), ..self }
    }

    /// All that either touches.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self { reads: self.reads | other.reads, writes: self.writes | other.writes }
    }

    /// Whether the order of the two can matter.
    pub const fn conflicts_with(self, other: Self) -> bool {
        self.writes & (other.reads | other.writes) != 0 || other.writes & self.reads != 0
    }

    /// Whether it concerns this process.
    pub const fn is_of(self, process: ProcessId) -> bool {
        self.writes >> process.0 & 1 == 1
    }

    /// Whether both concern the same process.
    pub const fn meets_at_a_process(self, other: Self) -> bool {
        self.writes & other.writes & ((1 << PROCESS_COUNT_MAX) - 1) != 0
    }

    /// Whether it writes this part, for `part` below [`PART_COUNT`].
    pub(super) const fn writes(self, part: u32) -> bool {
        self.writes >> part & 1 == 1
    }

    /// Whether it reads or writes this part, for `part` below [`PART_COUNT`].
    pub(super) const fn touches(self, part: u32) -> bool {
        (self.reads | self.writes) >> part & 1 == 1
    }
}
