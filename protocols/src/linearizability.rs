//! Whether a history of concurrent operations could have happened one operation at a time.
//!
//! Source: Herlihy and Wing (1990), *Linearizability: a correctness condition for concurrent
//! objects*; the search goes back to Wing and Gong (1993), *Testing and verifying concurrent
//! objects*, and Lowe (2017), *Testing for linearizability*. Histories of several objects are to be
//! split first: linearizability is local.
//!
//! The search is Lowe's *just-in-time linearization*: it looks at the responses in their order, and
//! takes operations, each a step of the [`Model`], until the next response is explained. Where it
//! is stuck it goes back. A configuration (which operations are taken, the state they led to) from
//! which there was no way on is not entered again.
//!
//! A [`Search`] goes on where it stood when the history grows: an order that explains all responses
//! so far is the beginning of the next attempt. A longer history that has a legal order has one for
//! each of its beginnings, so that what was cut off once may be made up for later.
//!
//! # What need not be tried
//!
//! Of the operations that could be next, most need not be tried, since whatever legal order there
//! is can be changed into one that the search does try:
//!
//! - One that has its known outcome and, with that, never changes a state, a read that fits, can be
//!   moved to the front of any order, so that nothing else is tried. (A write of what is there
//!   already cannot: it may be what brings that value back later.)
//! - One that has no known outcome and leaves the state as it is can be left out.
//! - Of two that ask for the same and both fit, the one that returns first can change places with
//!   the other.
//!
//! # Why it ends
//!
//! The worst case is exponential in the number of operations that overlap, and the problem is
//! NP-complete (Gibbons and Korach 1997, *Testing shared memories*), so that a [`Budget`] bounds
//! each search in steps and bytes. Neither depends on the machine: the same history is decided, or
//! cut off, everywhere.
//!
//! # Why intervals are closed
//!
//! An operation precedes another only if it returned at a position *smaller* than that of the
//! other's call. Two that touch are concurrent, since a position may stand for an instant in which
//! several things happened, in an order that nobody knows:
//!
//! ```text
//! p0  [0 write(1) 5]
//! p1               [5 read -> 0 9]      the read may have begun just before the write was done
//! ```
//!
//! With half-open intervals this history would be refused, and a correct object blamed. The other
//! way round it must not be used to make positions coarse. A client that asks for its next
//! operation in the instant of its last response touches itself, and a lost write would pass:
//!
//! ```text
//! p0  [0 write(1) 5]
//! p0               [5 read -> 0 9]      one client, which has seen the response: wrong
//! ```
//!
//! So whoever has an order of events gives each of them a position of its own, as
//! [`spec::service`](crate::spec::service) does, and no two intervals touch at all.

mod failed;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};

use failed::Failed;

/// A sequential object: what one operation does to a state, and answers. A pure function.
pub trait Model {
    /// What the object holds.
    type State: Clone + Eq + Hash;
    /// What it can be asked for.
    type Operation: Clone + PartialEq + Hash;
    /// What it can answer.
    type Outcome: Clone + PartialEq + Hash;

    /// The state after the operation, and its outcome.
    fn step(state: &Self::State, operation: &Self::Operation) -> (Self::State, Self::Outcome);

    /// Whether the operation leaves every state as it is in which it has this outcome.
    fn only_looks(_operation: &Self::Operation, _outcome: &Self::Outcome) -> bool {
        false
    }
}

/// One operation of a history.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Call<O, R> {
    /// Its position: operations are called and return at positions of one order.
    pub called: u64,
    /// What was asked for.
    pub operation: O,
    /// Position and outcome; `None` if it never returned. Then it can have taken effect at any time
    /// since it was called, or can still do so, or never will.
    pub returned: Option<(u64, R)>,
}

/// The judgement on a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Linearizability {
    /// There is a legal order.
    Linearizable,
    /// There is none.
    NotLinearizable {
        /// The longest legal order that was found of some of the operations, and that could begin
        /// one of all, as indices into the history.
        prefix: Vec<usize>,
    },
    /// The search was cut off.
    Undecided(Cut),
}

/// The bound that a search has met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cut {
    /// Too many steps.
    Steps,
    /// Too much memory.
    Bytes,
}

/// How much a search may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Budget {
    /// Steps that are left: a search takes off what it spends. Each operation that is looked at is
    /// one, and so is each configuration that is entered.
    pub steps: u64,
    /// Bytes that a search may hold at once to remember where it has been.
    pub bytes: u64,
}

impl Budget {
    /// Takes off so many steps; false if there was none left.
    fn spend(&mut self, steps: u64) -> bool {
        let had = self.steps > 0;
        self.steps = self.steps.saturating_sub(steps);
        had
    }
}

/// Judges the history of one object that began in `initial`.
pub fn check<M: Model>(
    initial: M::State,
    history: &[Call<M::Operation, M::Outcome>],
    budget: &mut Budget,
) -> Linearizability {
    // Calls before returns at one position: that closes the intervals.
    let mut events = Vec::new();
    for (index, Call { called, returned, .. }) in history.iter().enumerate() {
        events.push((*called, false, index));
        events.extend(returned.as_ref().map(|(at, _)| (*at.max(called), true, index)));
    }
    events.sort_unstable();
    let mut search = Search::<M>::new(initial);
    let mut ops = vec![0; history.len()];
    let mut called = Vec::new();
    for (_, is_return, index) in events {
        let Call { operation, returned, .. } = &history[index];
        match returned {
            Some((_, outcome)) if is_return => search.returned(ops[index], outcome.clone()),
            _ => {
                ops[index] = search.called(operation.clone());
                called.push(index);
            }
        }
    }
    match search.judge(budget) {
        Linearizability::NotLinearizable { prefix } => {
            let prefix = prefix.into_iter().map(|op| called[op]).collect();
            Linearizability::NotLinearizable { prefix }
        }
        judgement => judgement,
    }
}

/// The history of one object, as it grows, and the search for its legal order.
pub struct Search<M: Model> {
    /// In the order of their calls.
    ops: Vec<Op<M>>,
    /// In the order of their returns.
    returns: Vec<usize>,
    /// No two operations that overlap have the same slot.
    slots: Vec<Slot>,
    /// Slots whose operation has returned.
    free: BTreeSet<usize>,
    /// How the search came to where it is.
    path: Vec<Choice<M::State>>,
    /// What could be chosen on the path, one range for each choice made in this search.
    candidates: Vec<usize>,
    /// How many returns there were when the last search began.
    searched: usize,
    here: Configuration<M::State>,
}

struct Op<M: Model> {
    operation: M::Operation,
    outcome: Option<M::Outcome>,
    /// How many operations had returned when it was called: all of these precede it.
    returns_before: usize,
    /// Its place among the returns; the greatest number, if it has not returned.
    returns_at: usize,
    slot: usize,
    next_in_slot: Option<usize>,
}

#[derive(Clone)]
struct Slot {
    last: Option<usize>,
    /// The operation that it stands for in the present configuration.
    here: Option<usize>,
}

/// Where a search is.
#[derive(Clone)]
struct Configuration<S> {
    state: S,
    /// The first return whose operation is not taken; all before are.
    due: usize,
    /// The slots of operations that are taken and return at `due` or later: a bit each.
    taken: Vec<u64>,
}

/// A configuration that was left by taking an operation.
#[derive(Clone)]
struct Choice<S> {
    state: S,
    due: usize,
    /// The operation taken.
    op: usize,
    /// Nothing else need be tried here.
    forced: bool,
    /// How many returns there were when its candidates were listed.
    searched: usize,
    /// Where its candidates begin, and which is taken.
    first: usize,
    current: usize,
}

/// How a search goes on after a dead end.
enum Next {
    /// With another operation.
    Taken,
    /// Not at all: everything was tried.
    Nothing,
    /// Not at all: it is cut off.
    Cut,
}

impl<M: Model> Search<M> {
    /// The empty history of an object that begins in `initial`.
    pub fn new(initial: M::State) -> Self {
        Self {
            ops: Vec::new(),
            returns: Vec::new(),
            slots: Vec::new(),
            free: BTreeSet::new(),
            path: Vec::new(),
            candidates: Vec::new(),
            searched: 0,
            here: Configuration { state: initial, due: 0, taken: Vec::new() },
        }
    }

    /// An operation is called. Its index: operations are numbered from 0.
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

    /// An operation that was called returns.
    ///
    /// # Panics
    /// If there is no such operation, or it has returned before.
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

    /// What was asked for, and what was answered if it has returned.
    pub fn operation(&self, op: usize) -> (&M::Operation, Option<&M::Outcome>) {
        (&self.ops[op].operation, self.ops[op].outcome.as_ref())
    }

    /// Forgets how far the search has come, but not the history.
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
        loop {
            self.pass_returns();
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

    /// Goes back to the last configuration that has another operation to take, and takes it.
    fn try_another(&mut self, failed: &mut Failed<M::State>, budget: &mut Budget) -> Next {
        loop {
            // What is given up here is entered again if the search goes on.
            if !budget.spend(1) {
                return Next::Cut;
            }
            let Some(choice) = self.go_back() else { return Next::Nothing };
            let Choice { forced, searched, mut first, current, .. } = choice;
            let mut next = current + 1;
            if forced {
                next = self.candidates.len();
            } else if searched != self.searched {
                // More is known since: some of them have outcomes.
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

    /// Lists the operations that can be next and need to be tried, those that return first first.
    /// True if there is one that can go before all others.
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
        // Of those that ask for the same, the first is enough.
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

    /// Leaves the returns behind whose operations are taken.
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
            here: self.here.clone(),
        }
    }
}

impl<M: Model> Hash for Search<M> {
    /// The history says it all: how far the search has come follows from it.
    fn hash<H: Hasher>(&self, state: &mut H) {
        for op in &self.ops {
            (&op.operation, &op.outcome, op.returns_before, op.returns_at).hash(state);
        }
    }
}
