//! Linearizability: whether a history of concurrent operations is equivalent to a sequential one.
//!
//! Source: Herlihy and Wing (1990), *Linearizability: a correctness condition for concurrent
//! objects*; the search is based on Wing and Gong (1993), *Testing and verifying concurrent
//! objects*, and Lowe (2017), *Testing for linearizability*. Histories of several objects should be
//! split first: linearizability is local.
//!
//! The search is Lowe's *just-in-time linearization*: it goes through the responses in order, and
//! takes operations, each a step of the [`Model`], until the next response is explained. At a dead
//! end it backtracks. A configuration (the operations taken, and the resulting state) that led to a
//! dead end is not entered again.
//!
//! A [`Search`] continues from its last position when the history grows: an order that explains all
//! responses so far is the start of the next attempt. If a longer history has a legal order, so has
//! each of its prefixes, so a search that was cut off may be completed later.
//!
//! # What need not be tried
//!
//! Most of the operations that could be next need not be tried, since any legal order can be
//! changed into one that the search does try:
//!
//! - An operation whose known outcome fits, and that with this outcome never changes a state (a
//!   read that fits), can be moved to the front of any order, so nothing else is tried. (A write of
//!   the present value cannot: it may be needed later, to restore that value.)
//! - An operation without a known outcome that leaves the state as it is can be left out.
//! - Of two equal operations that both fit, the one that returns first can change places with the
//!   other.
//!
//! # Why it ends
//!
//! The worst case is exponential in the number of overlapping operations, and the problem is
//! NP-complete (Gibbons and Korach 1997, *Testing shared memories*). So a [`Budget`] limits each
//! search in steps and bytes. Neither depends on the machine: the same history is decided, or cut
//! off, on every machine.
//!
//! # Why intervals are closed
//!
//! An operation precedes another only if it returned at a position *smaller* than that of the
//! other's call. Two that touch are concurrent, since a position may stand for an instant with
//! several events whose order is unknown:
//!
//! ```text
//! p0  [0 write(1) 5]
//! p1               [5 read -> 0 9]      the read may have begun just before the write was done
//! ```
//!
//! With half-open intervals this history would be refused, and a correct object blamed. Conversely,
//! positions must not be made coarse. A client that invokes its next operation in the instant of
//! its last response would then touch itself, and a lost write would pass:
//!
//! ```text
//! p0  [0 write(1) 5]
//! p0               [5 read -> 0 9]      one client, which has seen the response: wrong
//! ```
//!
//! So if the order of events is known, each event should get a position of its own, as in
//! [`service`](crate::service); then no two intervals touch.

mod failed;
pub mod models;
#[cfg(test)]
mod models_tests;
pub mod objects;
pub mod sequence;
#[cfg(test)]
mod tests;
pub mod value;

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};

use failed::Failed;

/// A sequential object, defined by the effect of one operation on a state.
pub trait Model {
    /// The state of the object.
    type State: Clone + Eq + Hash;
    /// An operation on the object.
    type Operation: Clone + PartialEq + Hash;
    /// The result of an operation.
    type Outcome: Clone + PartialEq + Hash;

    /// The state after the operation, and its outcome. A pure function.
    fn step(state: &Self::State, operation: &Self::Operation) -> (Self::State, Self::Outcome);

    /// Whether the operation, if it has this outcome, changes no state.
    fn only_looks(_operation: &Self::Operation, _outcome: &Self::Outcome) -> bool {
        false
    }
}

/// One operation of a history.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Call<O, R> {
    /// The position of its call. Calls and returns have positions in one order.
    pub called: u64,
    /// The operation.
    pub operation: O,
    /// The position of its return, and its outcome; `None` if it never returned. It can then take
    /// effect at any time after its call, or never.
    pub returned: Option<(u64, R)>,
}

/// The judgement on a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Linearizability {
    /// There is a legal order.
    Linearizable,
    /// There is no legal order.
    NotLinearizable {
        /// The longest legal order found of some of the operations that could begin a legal order
        /// of all, as indices into the history.
        prefix: Vec<usize>,
    },
    /// The search was cut off.
    Undecided(Cut),
}

/// The limit that a search has reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cut {
    /// The limit on steps.
    Steps,
    /// The limit on memory.
    Bytes,
}

/// The limits of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Budget {
    /// The remaining steps, from which a search deducts. Each operation that is examined is a step,
    /// and so is each configuration that is entered.
    pub steps: u64,
    /// The bytes that a search may hold at once to remember configurations.
    pub bytes: u64,
}

impl Budget {
    /// Deducts steps; returns false if none were left.
    fn spend(&mut self, steps: u64) -> bool {
        let had = self.steps > 0;
        self.steps = self.steps.saturating_sub(steps);
        had
    }
}

/// Judges the history of one object with the initial state `initial`.
pub fn check<M: Model>(
    initial: M::State,
    history: &[Call<M::Operation, M::Outcome>],
    budget: &mut Budget,
) -> Linearizability {
    let calls: Vec<_> = history.iter().collect();
    let (mut search, called) = Search::<M>::of(initial, &calls);
    match search.judge(budget) {
        Linearizability::NotLinearizable { prefix } => {
            let prefix = prefix.into_iter().map(|op| called[op]).collect();
            Linearizability::NotLinearizable { prefix }
        }
        judgement => judgement,
    }
}

/// The history of one object, as it grows, and the search for a legal order.
pub struct Search<M: Model> {
    /// The operations in the order of their calls.
    ops: Vec<Op<M>>,
    /// The operations in the order of their returns.
    returns: Vec<usize>,
    /// Overlapping operations have different slots.
    slots: Vec<Slot>,
    /// The slots whose operations have returned.
    free: BTreeSet<usize>,
    /// The choices that led to the present configuration.
    path: Vec<Choice<M::State>>,
    /// The candidates of each choice made in this search, one range after another.
    candidates: Vec<usize>,
    /// The number of returns when the last search began.
    searched: usize,
    /// The most returns that the last search has explained.
    furthest: usize,
    here: Configuration<M::State>,
}

struct Op<M: Model> {
    operation: M::Operation,
    outcome: Option<M::Outcome>,
    /// The number of operations that had returned when it was called, all of which precede it.
    returns_before: usize,
    /// Its position among the returns; `usize::MAX` if it has not returned.
    returns_at: usize,
    slot: usize,
    next_in_slot: Option<usize>,
}

#[derive(Clone)]
struct Slot {
    last: Option<usize>,
    /// The operation that it represents in the present configuration.
    here: Option<usize>,
}

/// The position of a search.
#[derive(Clone)]
struct Configuration<S> {
    state: S,
    /// The index of the first return whose operation is not taken.
    due: usize,
    /// The slots, one bit each, of operations that are taken and return at `due` or later.
    taken: Vec<u64>,
}

/// A configuration that was left by taking an operation.
#[derive(Clone)]
struct Choice<S> {
    state: S,
    due: usize,
    /// The operation taken.
    op: usize,
    /// No other operation needs to be tried here.
    forced: bool,
    /// The number of returns when its candidates were listed.
    searched: usize,
    /// The index of its first candidate, and of the one taken.
    first: usize,
    current: usize,
}

/// The continuation of a search after a dead end.
enum Next {
    /// Another operation has been taken.
    Taken,
    /// Everything has been tried.
    Nothing,
    /// The search is cut off.
    Cut,
}

impl<M: Model> Search<M> {
    /// The empty history of an object with the initial state `initial`.
    pub fn new(initial: M::State) -> Self {
        Self {
            ops: Vec::new(),
            returns: Vec::new(),
            slots: Vec::new(),
            free: BTreeSet::new(),
            path: Vec::new(),
            candidates: Vec::new(),
            searched: 0,
            furthest: 0,
            here: Configuration { state: initial, due: 0, taken: Vec::new() },
        }
    }

    /// A whole history. Returns also the index in it of each operation, in the order of the calls.
    fn of(initial: M::State, history: &[&Call<M::Operation, M::Outcome>]) -> (Self, Vec<usize>) {
        // Calls before returns at one position: intervals are closed.
        let mut events = Vec::new();
        for (index, Call { called, returned, .. }) in history.iter().enumerate() {
            events.push((*called, false, index));
            events.extend(returned.as_ref().map(|(at, _)| (*at.max(called), true, index)));
        }
        events.sort_unstable();
        let mut search = Self::new(initial);
        let mut ops = vec![0; history.len()];
        let mut called = Vec::new();
        for (_, is_return, index) in events {
            let Call { operation, returned, .. } = history[index];
            match returned {
                Some((_, outcome)) if is_return => search.returned(ops[index], outcome.clone()),
                _ => {
                    ops[index] = search.called(operation.clone());
                    called.push(index);
                }
            }
        }
        (search, called)
    }

    /// The operation whose return is the first that no legal order explains, if the last judgement
    /// was that there is none.
    pub fn first_unexplained(&self) -> Option<usize> {
        self.returns.get(self.furthest).copied()
    }

    /// The operations that returned up to the first return that no legal order explains.
    pub fn unexplained(&self) -> impl Iterator<Item = usize> {
        self.returns.iter().copied().take(self.furthest + 1)
    }

    /// Adds the call of an operation. Returns its index, from 0.
    pub fn called(&mut self, operation: M::Operation) -> usize {
        let op = self.ops.len();
        let slot = self.free.pop_first().unwrap_or(self.slots.len());
        if slot == self.slots.len() {
            self.slots.push(Slot { last: None, here: None });
            self.here.taken.resize(self.slots.len().div_ceil(64), 0);
        }
        let Slot { last, here } = &mut self.slots[slot];
        if let Some(last) = last.replace(op) {
            self.ops[last].next_in_slot = Some(op);
        }
        here.get_or_insert(op);
        self.ops.push(Op {
            operation,
            outcome: None,
            returns_before: self.returns.len(),
            returns_at: usize::MAX,
            slot,
            next_in_slot: None,
        });
        op
    }

    /// Adds the return of an operation.
    ///
    /// If there is no such operation, or it has returned already.
    pub fn returned(&mut self, op: usize, outcome: M::Outcome) {
        assert!(self.ops[op].outcome.is_none(), "an operation returns once");
        let is_taken = self.is_taken(op);
        let choice = is_taken.then(|| self.path.iter().rposition(|choice| choice.op == op));
        if let Some(choice) = choice.flatten()
            && M::step(&self.path[choice].state, &self.ops[op].operation).1 != outcome
        {
            // It was taken in the wrong place.
            while self.path.len() > choice {
                self.go_back();
            }
        }
        self.ops[op].outcome = Some(outcome);
        self.ops[op].returns_at = self.returns.len();
        self.returns.push(op);
        self.free.insert(self.ops[op].slot);
    }

    /// The operation with this index, and its outcome if it has returned.
    pub fn operation(&self, op: usize) -> (&M::Operation, Option<&M::Outcome>) {
        (&self.ops[op].operation, self.ops[op].outcome.as_ref())
    }

    /// Forgets the progress of the search, but not the history.
    pub fn restart(&mut self) {
        while self.go_back().is_some() {}
        self.candidates.clear();
    }

    /// Searches for a legal order of the history so far.
    pub fn judge(&mut self, budget: &mut Budget) -> Linearizability {
        if self.searched != self.returns.len() {
            self.searched = self.returns.len();
            self.candidates.clear();
        }
        let mut failed = Failed::new(self.here.taken.len());
        let mut longest = Vec::new();
        self.furthest = 0;
        loop {
            self.pass_returns();
            self.furthest = self.furthest.max(self.here.due);
            if self.here.due == self.returns.len() {
                self.candidates.clear();
                return Linearizability::Linearizable;
            }
            let held = failed.bytes() + (self.candidates.len() * size_of::<usize>()) as u64;
            if !budget.spend(1) {
                return Linearizability::Undecided(Cut::Steps);
            }
            if held > budget.bytes {
                return Linearizability::Undecided(Cut::Bytes);
            }
            let Configuration { state, due, taken } = &self.here;
            let is_new = !failed.contains(*due, taken, state);
            let (first, forced) = (self.candidates.len(), is_new && self.list_candidates(budget));
            if let Some(op) = self.candidates.get(first).copied() {
                self.take(op, forced, first);
                continue;
            }
            if self.path.len() > longest.len() {
                longest = self.path.iter().map(|choice| choice.op).collect();
            }
            if is_new {
                let Configuration { state, due, taken } = &self.here;
                failed.insert(*due, taken, state);
            }
            match self.try_another(&mut failed, budget) {
                Next::Taken => {}
                Next::Cut => return Linearizability::Undecided(Cut::Steps),
                Next::Nothing => return Linearizability::NotLinearizable { prefix: longest },
            }
        }
    }

    /// Backtracks to the last configuration that has another operation to take, and takes it.
    fn try_another(&mut self, failed: &mut Failed<M::State>, budget: &mut Budget) -> Next {
        loop {
            // The configurations given up here are entered again if the search continues.
            if !budget.spend(1) {
                return Next::Cut;
            }
            let Some(choice) = self.go_back() else { return Next::Nothing };
            let Choice { forced, searched, mut first, current, .. } = choice;
            let mut next = current + 1;
            if forced {
                next = self.candidates.len();
            } else if searched != self.searched {
                // Some operations have returned since.
                (first, next) = (self.candidates.len(), self.candidates.len());
                let forced = self.list_candidates(budget);
                if let Some(op) = self.candidates.get(first).copied() {
                    self.take(op, forced, first);
                    return Next::Taken;
                }
            }
            if let Some(op) = self.candidates.get(next).copied() {
                self.take(op, false, first);
                if let Some(choice) = self.path.last_mut() {
                    choice.current = next;
                }
                return Next::Taken;
            }
            self.candidates.truncate(first);
            failed.insert(self.here.due, &self.here.taken, &self.here.state);
        }
    }

    /// Lists the operations that can be next and need to be tried, in the order of their returns.
    /// Returns true if one can go before all others.
    fn list_candidates(&mut self, budget: &mut Budget) -> bool {
        let Self { ops, slots, candidates, here, .. } = self;
        let first = candidates.len();
        budget.spend(slots.len() as u64);
        for (slot, op) in slots.iter().enumerate().filter_map(|(i, slot)| Some((i, slot.here?))) {
            let Op { operation, outcome, returns_before, .. } = &ops[op];
            if here.taken[slot / 64] >> (slot % 64) & 1 == 1 || *returns_before > here.due {
                continue;
            }
            let (next, answer) = M::step(&here.state, operation);
            match outcome {
                Some(known) if *known != answer => {}
                Some(known) if M::only_looks(operation, known) => {
                    candidates.truncate(first);
                    candidates.push(op);
                    return true;
                }
                None if next == here.state => {}
                _ => candidates.push(op),
            }
        }
        candidates[first..].sort_unstable_by_key(|op| (ops[*op].returns_at, *op));
        // Of equal operations, the first is enough.
        let mut kept = first;
        for index in first..candidates.len() {
            let op = candidates[index];
            let same = |other: &usize| ops[*other].operation == ops[op].operation;
            budget.spend((kept - first) as u64);
            if !candidates[first..kept].iter().any(same) {
                candidates[kept] = op;
                kept += 1;
            }
        }
        candidates.truncate(kept);
        false
    }

    fn take(&mut self, op: usize, forced: bool, first: usize) {
        let Op { operation, slot, .. } = &self.ops[op];
        let (next, _) = M::step(&self.here.state, operation);
        let state = std::mem::replace(&mut self.here.state, next);
        let (due, searched) = (self.here.due, self.searched);
        self.here.taken[slot / 64] |= 1 << (slot % 64);
        self.path.push(Choice { state, due, op, forced, searched, first, current: first });
    }

    /// Undoes the last choice.
    fn go_back(&mut self) -> Option<Choice<M::State>> {
        let choice = self.path.pop()?;
        for passed in (choice.due..self.here.due).rev() {
            let op = self.returns[passed];
            let slot = self.ops[op].slot;
            self.slots[slot].here = Some(op);
            self.here.taken[slot / 64] |= 1 << (slot % 64);
        }
        let slot = self.ops[choice.op].slot;
        self.here.taken[slot / 64] &= !(1 << (slot % 64));
        self.here.state = choice.state.clone();
        self.here.due = choice.due;
        Some(choice)
    }

    /// Advances past the returns whose operations are taken.
    fn pass_returns(&mut self) {
        while let Some(&op) = self.returns.get(self.here.due).filter(|op| self.is_taken(**op)) {
            let Op { slot, next_in_slot, .. } = self.ops[op];
            self.slots[slot].here = next_in_slot;
            self.here.taken[slot / 64] &= !(1 << (slot % 64));
            self.here.due += 1;
        }
    }

    /// Whether an operation that returns at `due` or later is taken.
    fn is_taken(&self, op: usize) -> bool {
        let slot = self.ops[op].slot;
        self.slots[slot].here == Some(op) && self.here.taken[slot / 64] >> (slot % 64) & 1 == 1
    }
}

impl<M: Model> Clone for Search<M> {
    fn clone(&self) -> Self {
        let op =
            |op: &Op<M>| Op { operation: op.operation.clone(), outcome: op.outcome.clone(), ..*op };
        Self {
            ops: self.ops.iter().map(op).collect(),
            returns: self.returns.clone(),
            slots: self.slots.clone(),
            free: self.free.clone(),
            path: self.path.clone(),
            candidates: self.candidates.clone(),
            searched: self.searched,
            furthest: self.furthest,
            here: self.here.clone(),
        }
    }
}

impl<M: Model> Hash for Search<M> {
    /// Hashes only the history, from which the progress of the search follows.
    fn hash<H: Hasher>(&self, state: &mut H) {
        for op in &self.ops {
            (&op.operation, &op.outcome, op.returns_before, op.returns_at).hash(state);
        }
    }
}
