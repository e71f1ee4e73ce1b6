//! The history of a register, and whether it is linearizable.

use serde::{Deserialize, Serialize};

/// A call or a return of an operation on a register, whose first value is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Call {
    /// This is to be written.
    Write(u8),
    /// It is written.
    Written,
    /// The value is to be read.
    Read,
    /// It is this.
    Got(u8),
}

impl Call {
    /// Whether it is a return.
    pub const fn is_return(self) -> bool {
        matches!(self, Self::Written | Self::Got(_))
    }
}

/// Calls and returns in the order in which they happened, each with its client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct History(Vec<(u32, Call)>);

/// An operation of a history.
#[derive(Clone, Copy, Debug)]
struct Operation {
    client: u32,
    called: usize,
    /// When it returned; never, if it did not.
    returned: usize,
    writes: Option<u8>,
    reads: Option<u8>,
}

impl History {
    /// Notes a call or a return.
    pub fn note(&mut self, client: u32, call: Call) {
        self.0.push((client, call));
    }

    /// Whether the operations can be put in an order that explains what was read, and in which none
    /// comes after another that was called after it had returned (Herlihy and Wing 1990).
    pub fn is_linearizable(&self) -> bool {
        let mut operations: Vec<Operation> = Vec::new();
        for (at, (client, call)) in self.0.iter().enumerate() {
            let (writes, reads) = match *call {
                Call::Write(value) => (Some(value), None),
                Call::Read => (None, None),
                Call::Written | Call::Got(_) => {
                    let mut open = operations.iter_mut().rev();
                    if let Some(operation) = open.find(|o| o.client == *client) {
                        operation.returned = at;
                        operation.reads = match *call {
                            Call::Got(value) => Some(value),
                            _ => None,
                        };
                    }
                    continue;
                }
            };
            let operation =
                Operation { client: *client, called: at, returned: usize::MAX, writes, reads };
            operations.push(operation);
        }
        explains(&operations, 0, 0)
    }
}

/// Whether those that are not taken yet can come in some order when the register has this value.
fn explains(operations: &[Operation], taken: u32, value: u8) -> bool {
    let left = || operations.iter().enumerate().filter(|(i, _)| taken >> i & 1 == 0);
    // What has not returned need not take effect.
    let Some(first) = left().map(|(_, o)| o.returned).min() else { return true };
    if first == usize::MAX {
        return true;
    }
    left().filter(|(_, o)| o.called < first).any(|(i, o)| {
        let is_right = o.reads.is_none_or(|read| read == value);
        is_right && explains(operations, taken | 1 << i, o.writes.unwrap_or(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Call::{Got, Read, Write, Written};

    #[track_caller]
    fn check(history: &[(u32, Call)], expected: bool) {
        assert_eq!(History(history.to_vec()).is_linearizable(), expected, "{history:?}");
    }

    #[test]
    fn what_was_written_before_is_read() {
        check(&[(0, Write(1)), (0, Written), (1, Read), (1, Got(1))], true);
        check(&[(0, Write(1)), (0, Written), (1, Read), (1, Got(0))], false);
        check(&[(0, Write(1)), (0, Written), (1, Read), (1, Got(2))], false);
    }

    #[test]
    fn what_overlaps_comes_in_either_order() {
        for read in [0, 1] {
            check(&[(0, Write(1)), (1, Read), (1, Got(read)), (0, Written)], true);
        }
        check(&[(0, Write(1)), (1, Read), (1, Got(1))], true);
    }

    #[test]
    fn the_old_value_is_not_read_after_the_new_one() {
        let both = |first, second| {
            let reads = [(1, Read), (1, Got(first)), (2, Read), (2, Got(second))];
            [&[(0, Write(1))][..], &reads, &[(0, Written)]].concat()
        };
        check(&both(0, 1), true);
        check(&both(1, 0), false);
    }
}
