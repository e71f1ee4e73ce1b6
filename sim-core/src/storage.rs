//! The stable log of a process: records, and what a crash leaves of them.

use crate::process::Stored;

/// An append-only log with a volatile tail.
///
/// `append` and `rewrite` are volatile until `sync`; a crash loses what was not synced.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Log<R> {
    durable: Vec<Stored<R>>,
    /// The base that replaces `durable` at the next sync.
    rewritten: Option<Vec<R>>,
    tail: Vec<R>,
}

impl<R> Default for Log<R> {
    fn default() -> Self {
        Self { durable: Vec::new(), rewritten: None, tail: Vec::new() }
    }
}

impl<R> Log<R> {
    /// Adds a record to the volatile tail.
    pub fn append(&mut self, record: R) {
        self.tail.push(record);
    }

    /// Replaces everything, the volatile tail included, at the next sync.
    pub fn rewrite(&mut self, records: Vec<R>) {
        self.rewritten = Some(records);
        self.tail.clear();
    }

    /// Makes all of it durable.
    pub fn sync(&mut self) {
        if let Some(records) = self.rewritten.take() {
            self.durable.clear();
            self.durable.extend(records.into_iter().map(Stored::Intact));
        }
        self.durable.extend(self.tail.drain(..).map(Stored::Intact));
    }

    /// A crash: what was not synced is gone.
    pub fn lose_unsynced(&mut self) {
        self.rewritten = None;
        self.tail.clear();
    }

    /// The records that a recovering process finds.
    pub fn durable(&self) -> &[Stored<R>] {
        &self.durable
    }

    /// As of a process that never ran.
    pub fn clear(&mut self) {
        self.durable.clear();
        self.lose_unsynced();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Op {
        Append(u8),
        Rewrite(Vec<u8>),
        Sync,
        Crash,
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            4 => any::<u8>().prop_map(Op::Append),
            1 => proptest::collection::vec(any::<u8>(), 0..4).prop_map(Op::Rewrite),
            2 => Just(Op::Sync),
            1 => Just(Op::Crash),
        ]
    }

    proptest! {
        /// The model is two whole copies: what the process wrote, and what it last synced.
        #[test]
        fn a_crash_leaves_exactly_what_was_synced(ops in proptest::collection::vec(op(), 0..60)) {
            let mut log = Log::default();
            let (mut written, mut synced) = (Vec::new(), Vec::new());
            for op in ops {
                match op {
                    Op::Append(r) => { log.append(r); written.push(r); }
                    Op::Rewrite(rs) => { log.rewrite(rs.clone()); written = rs; }
                    Op::Sync => { log.sync(); synced.clone_from(&written); }
                    Op::Crash => { log.lose_unsynced(); written.clone_from(&synced); }
                }
                let found: Vec<u8> = log.durable().iter().map(|r| *r.intact().unwrap()).collect();
                prop_assert_eq!(&found, &synced);
            }
        }
    }
}
