//! Histories of several objects: linearizability is local, so each object is judged by itself.

use std::collections::{BTreeMap, BTreeSet};

use super::{Budget, Call, Linearizability, Model, Search};

/// The judgement on one object.
pub struct Judged<K, M: Model> {
    /// The name of the object.
    pub key: K,
    /// The number of operations on it.
    pub operation_count: usize,
    /// The judgement; indices are those of the whole history.
    pub judgement: Linearizability,
    /// What is wrong, if it is not linearizable.
    pub misfits: Vec<Misfit<M>>,
}

/// An operation that fits nowhere: it returned, at the latest where the history cannot be explained
/// any more, but is not in the longest legal order.
pub struct Misfit<M: Model> {
    /// The index of the operation in the history.
    pub index: usize,
    /// What its outcome would have been after that order.
    pub instead: M::Outcome,
    /// Whether its return is the first that cannot be explained.
    pub is_first: bool,
}

/// A call on the object with this name.
pub type ObjectCall<K, M> = (K, Call<<M as Model>::Operation, <M as Model>::Outcome>);

/// Judges a history of several objects, each with the initial state `initial`, in the order of
/// their names. Each may spend an equal share of the steps that are left.
pub fn check_each<K: Clone + Ord, M: Model>(
    initial: &M::State,
    history: &[ObjectCall<K, M>],
    budget: &mut Budget,
) -> Vec<Judged<K, M>> {
    let mut objects: BTreeMap<&K, Vec<usize>> = BTreeMap::new();
    for (index, (key, _)) in history.iter().enumerate() {
        objects.entry(key).or_default().push(index);
    }
    let mut left = objects.len() as u64;
    let mut judged = Vec::new();
    for (key, indices) in objects {
        let calls: Vec<_> = indices.iter().map(|index| &history[*index].1).collect();
        let steps = budget.steps / left;
        let mut share = Budget { steps, ..*budget };
        judged.push(judge(key, initial, &calls, &indices, &mut share));
        budget.steps -= steps - share.steps;
        left -= 1;
    }
    judged
}

fn judge<K: Clone, M: Model>(
    key: &K,
    initial: &M::State,
    calls: &[&Call<M::Operation, M::Outcome>],
    indices: &[usize],
    budget: &mut Budget,
) -> Judged<K, M> {
    let (mut search, called) = Search::<M>::of(initial.clone(), calls);
    let judgement = search.judge(budget);
    let mut misfits = Vec::new();
    let operation_count = calls.len();
    let Linearizability::NotLinearizable { prefix } = judgement else {
        return Judged { key: key.clone(), operation_count, judgement, misfits };
    };
    let mut state = initial.clone();
    for op in &prefix {
        state = M::step(&state, search.operation(*op).0).0;
    }
    let taken: BTreeSet<usize> = prefix.iter().copied().collect();
    for op in search.unexplained().filter(|op| !taken.contains(op)) {
        let instead = M::step(&state, search.operation(op).0).1;
        let index = indices[called[op]];
        misfits.push(Misfit { index, instead, is_first: search.first_unexplained() == Some(op) });
    }
    let prefix = prefix.into_iter().map(|op| indices[called[op]]).collect();
    let judgement = Linearizability::NotLinearizable { prefix };
    Judged { key: key.clone(), operation_count, judgement, misfits }
}
