//! Whether a history of concurrent operations could have happened one operation at a time.
//!
//! Source: Herlihy and Wing (1990), *Linearizability: a correctness condition for concurrent
//! objects*; the search is Wing and Gong's (1993), *Testing and verifying concurrent objects*, with
//! the memory of Lowe (2017), *Testing for linearizability*. Histories of several objects are to be
//! split first: linearizability is local.
//!
//! The search takes, again and again, an operation that nothing still left must precede, lets the
//! [`Model`] make the step, and compares the outcome. Where it is stuck it goes back. A
//! configuration (the set of operations taken, the state they led to) that was met before is not
//! entered again.
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

use std::collections::BTreeSet;

/// A sequential object: what one operation does to a state, and answers. A pure function.
pub trait Model {
    /// What the object holds.
    type State: Clone + Ord;
    /// What it can be asked for.
    type Operation;
    /// What it can answer.
    type Outcome: PartialEq;

    /// The state after the operation, and its outcome.
    fn step(state: &Self::State, operation: &Self::Operation) -> (Self::State, Self::Outcome);
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
        /// The longest legal order of some of the operations that could begin one, as indices into
        /// the history.
        prefix: Vec<usize>,
    },
    /// The search would have visited more configurations than allowed.
    Undecided,
}

/// Judges the history of one object that began in `initial`, visiting at most `budget`
/// configurations.
///
/// The worst case is exponential in the number of operations that overlap; a history without
/// concurrency costs one configuration per operation.
pub fn check<M: Model>(
    initial: M::State,
    history: &[Call<M::Operation, M::Outcome>],
    budget: usize,
) -> Linearizability {
    let mut left = Events::of(history);
    let mut taken = Taken::none(history.len());
    let mut visited: BTreeSet<(Taken, M::State)> = BTreeSet::new();
    let mut state = initial;
    let mut order: Vec<(usize, M::State)> = Vec::new();
    let mut longest = Vec::new();
    let mut event = left.first();
    loop {
        match left.at(event) {
            // Nothing that returned is left.
            None => return Linearizability::Linearizable,
            Some(Event::Call(op)) => {
                let (next, outcome) = M::step(&state, &history[op].operation);
                let fits = history[op].returned.as_ref().is_none_or(|(_, known)| *known == outcome);
                if fits && visited.insert((taken.with(op), next.clone())) {
                    if visited.len() > budget {
                        return Linearizability::Undecided;
                    }
                    taken = taken.with(op);
                    order.push((op, std::mem::replace(&mut state, next)));
                    left.take(op);
                    event = left.first();
                } else {
                    event = left.after(event);
                }
            }
            // Whatever comes later in the list must not precede this one, and nothing before it
            // fits.
            Some(Event::Return(_)) => {
                if order.len() > longest.len() {
                    longest = order.iter().map(|(op, _)| *op).collect();
                }
                let Some((op, before)) = order.pop() else {
                    return Linearizability::NotLinearizable { prefix: longest };
                };
                state = before;
                taken = taken.without(op);
                left.put_back(op);
                event = left.after(left.call_of(op));
            }
        }
    }
}

/// Where an operation begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    Call(usize),
    Return(usize),
}

/// The events of operations not yet taken, in order, as a doubly linked list over a fixed array:
/// taking an operation out and putting it back, in reverse order, costs the same whatever the
/// length.
struct Events {
    /// Place 0 is the end of the list, before the first and behind the last.
    events: Vec<Option<Event>>,
    next: Vec<usize>,
    previous: Vec<usize>,
    /// The places of each operation's call and, if it returned, return.
    places: Vec<(usize, Option<usize>)>,
}

impl Events {
    fn of<O, R>(history: &[Call<O, R>]) -> Self {
        // Calls before returns at one position: that closes the intervals.
        let mut sorted = Vec::new();
        for (op, call) in history.iter().enumerate() {
            sorted.push((call.called, 0, op));
            sorted.extend(call.returned.as_ref().map(|(at, _)| (*at.max(&call.called), 1, op)));
        }
        sorted.sort_unstable();
        let mut events = vec![None];
        let mut places = vec![(0, None); history.len()];
        for (place, (_, end, op)) in (1..).zip(sorted) {
            if end == 0 {
                places[op].0 = place;
                events.push(Some(Event::Call(op)));
            } else {
                places[op].1 = Some(place);
                events.push(Some(Event::Return(op)));
            }
        }
        let count = events.len();
        let next = (1..=count).map(|place| place % count).collect();
        let previous = (0..count).map(|place| (place + count - 1) % count).collect();
        Self { events, next, previous, places }
    }

    fn first(&self) -> usize {
        self.next[0]
    }

    fn after(&self, place: usize) -> usize {
        self.next[place]
    }

    fn at(&self, place: usize) -> Option<Event> {
        self.events[place]
    }

    fn call_of(&self, op: usize) -> usize {
        self.places[op].0
    }

    fn take(&mut self, op: usize) {
        let (call, end) = self.places[op];
        for place in std::iter::once(call).chain(end) {
            let (previous, next) = (self.previous[place], self.next[place]);
            self.next[previous] = next;
            self.previous[next] = previous;
        }
    }

    fn put_back(&mut self, op: usize) {
        let (call, end) = self.places[op];
        for place in end.into_iter().chain(std::iter::once(call)) {
            let (previous, next) = (self.previous[place], self.next[place]);
            self.next[previous] = place;
            self.previous[next] = place;
        }
    }
}

/// A set of operations, as bits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Taken(Vec<u64>);

impl Taken {
    fn none(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    fn with(&self, op: usize) -> Self {
        let mut words = self.0.clone();
        words[op / 64] |= 1 << (op % 64);
        Self(words)
    }

    fn without(mut self, op: usize) -> Self {
        self.0[op / 64] &= !(1 << (op % 64));
        self
    }
}

#[cfg(test)]
#[path = "linearizability_tests.rs"]
mod tests;
