use std::collections::BTreeMap;

use ftsim_core::bench::Bench;
use ftsim_core::environment::delay::Delay;
use ftsim_core::model::property::Verdict;
use ftsim_core::{Duration, Instant};
use ftsim_protocols::dependability::{DijkstraRing, Rule};

const NONE: [&str; 0] = [];

fn bench(n: u32, params: &str) -> Bench {
    let mut bench = Bench::with_roles::<DijkstraRing>(&[("machine", n), ("daemon", 1)])
        .params(params)
        .delay(Duration::from_millis(1));
    bench.experiment.limits.horizon = Instant::ZERO + Duration::from_secs(2);
    bench
}

/// The states of a ring, as the digits of numbers.
struct Ring {
    n: usize,
    k: u32,
}

type States = Vec<u32>;

impl Ring {
    fn all(&self) -> impl Iterator<Item = States> + use<> {
        let (n, k) = (self.n, self.k);
        let count = u64::from(k).pow(u32::try_from(n).unwrap());
        let digit = move |number: u64, at: usize| {
            u32::try_from(number / u64::from(k).pow(u32::try_from(at).unwrap()) % u64::from(k))
        };
        (0..count).map(move |number| (0..n).map(|at| digit(number, at).unwrap()).collect())
    }

    /// The moves that are possible, as the machine and the state after.
    fn moves(&self, states: &States) -> Vec<(usize, States)> {
        let next = |i: usize| {
            let rule = Rule { states: self.k, is_root: i == 0 };
            let to = rule.next(states[i], states[(i + self.n - 1) % self.n])?;
            let mut after = states.clone();
            after[i] = to;
            Some((i, after))
        };
        (0..self.n).filter_map(next).collect()
    }

    /// The most moves from any state to one with a single privilege, and the machines that make
    /// them; `None` if some illegal state can come back.
    fn worst(&self) -> Option<(usize, States, Vec<usize>)> {
        let mut known: BTreeMap<States, Option<usize>> = BTreeMap::new();
        let mut worst = (0, vec![0; self.n]);
        for states in self.all() {
            let moves = self.longest(&states, &mut known)?;
            if moves > worst.0 {
                worst = (moves, states);
            }
        }
        let (most, start) = worst;
        let (mut states, mut way) = (start.clone(), Vec::new());
        while way.len() < most {
            let is_longest =
                |(_, after): &(usize, States)| known[after] == Some(most - way.len() - 1);
            let (i, after) = self.moves(&states).into_iter().find(is_longest)?;
            way.push(i);
            states = after;
        }
        Some((most, start, way))
    }

    /// Known states have their longest ways, those on the present way have none.
    fn longest(
        &self,
        states: &States,
        known: &mut BTreeMap<States, Option<usize>>,
    ) -> Option<usize> {
        if let Some(moves) = known.get(states) {
            return *moves;
        }
        let moves = self.moves(states);
        assert!(!moves.is_empty(), "somebody is privileged in {states:?}");
        if moves.len() == 1 {
            known.insert(states.clone(), Some(0));
            return Some(0);
        }
        known.insert(states.clone(), None);
        let mut most = 0;
        for (_, after) in moves {
            most = most.max(self.longest(&after, known)? + 1);
        }
        known.insert(states.clone(), Some(most));
        Some(most)
    }
}

#[test]
fn it_converges_if_and_only_if_k_is_at_least_n_minus_1() {
    for n in [4, 5, 6] {
        for k in 2..=n + 1 {
            let converges = Ring { n: n as usize, k }.worst().is_some();
            assert_eq!(converges, k >= n - 1, "n = {n}, K = {k}");
        }
    }
}

#[test]
fn the_longest_ways_to_a_single_privilege_have_2_13_24_and_38_moves() {
    for (n, k_min, most) in [(3, 3, 2), (4, 3, 13), (5, 4, 24), (6, 5, 38)] {
        for k in k_min..=n + 1 {
            let (found, start, way) = Ring { n: n as usize, k }.worst().expect("it converges");
            assert_eq!(found, most, "n = {n}, K = {k}");
            assert_eq!(way.len(), most);
            // Every single move of that way is made by the processes too.
            let params = format!(r#"{{"k": {k}, "start": {start:?}, "schedule": {way:?}}}"#);
            let run = bench(n, &params).run(1);
            assert_eq!(run.violated(), NONE);
            let convergence = run.judged.iter().find(|j| j.id.0 == "stab.convergence").unwrap();
            assert_eq!(convergence.measured, Some(most as f64), "n = {n}, K = {k}");
        }
        if n > 3 {
            assert_eq!(most, 3 * (n as usize) * (n as usize - 1) / 2 - n as usize - 1);
        }
    }
}

#[test]
fn a_legal_state_is_followed_by_legal_states() {
    for (n, k) in [(2, 2), (3, 2), (4, 3), (5, 4)] {
        let ring = Ring { n, k };
        let legal = |states: &States| ring.moves(states).len() == 1;
        let mut count = 0;
        for states in ring.all().filter(legal) {
            let after = ring.moves(&states).remove(0).1;
            assert!(legal(&after), "{states:?} -> {after:?}");
            count += 1;
        }
        // All are equal, and the root is privileged; or one of the others is, where two differ.
        let k = k as usize;
        assert_eq!(count, k + (n - 1) * k * (k - 1));
    }
}

#[test]
fn whatever_the_state_and_the_delays_it_comes_to_one_privilege() {
    for n in 2..=6 {
        let mut bench = bench(n, "{}");
        bench.experiment.network.default.delay = Delay::Uniform("1ms..10ms".parse().unwrap());
        bench.experiment.limits.horizon = Instant::ZERO + Duration::from_secs(10);
        let mut runner = bench.runner();
        for seed in 0..100 {
            for judged in runner.run(seed).judged {
                let holds = matches!(judged.verdict, Verdict::Held | Verdict::HeldVacuously);
                assert!(holds, "n = {n}, seed {seed}: {judged:?}");
            }
        }
    }
}

#[test]
fn with_too_few_states_a_daemon_can_keep_it_from_converging() {
    let cases =
        [(4, 2, "[0, 0, 1, 0]", "[0, 3, 2, 1]"), (5, 3, "[0, 0, 2, 1, 0]", "[0, 4, 3, 2, 1]")];
    for (n, k, start, schedule) in cases {
        let with = |k: u32| {
            let params = format!(r#"{{"k": {k}, "start": {start}, "schedule": {schedule}}}"#);
            bench(n, &params).run(1).violated()
        };
        assert_eq!(with(k), ["stab.convergence"]);
        assert_eq!(with(k + 1), NONE);
    }
}

#[test]
fn without_a_root_the_ring_comes_to_rest() {
    for violated in bench(4, "{}").mutant("no-root").violated_in(0..200) {
        assert_eq!(violated, ["me.progress"]);
    }
}

#[test]
fn rings_that_make_no_sense_are_refused() {
    for params in [
        r#"{"k": 1}"#,
        r#"{"start": [0, 1]}"#,
        r#"{"start": [0, 1, 4, 0]}"#,
        r#"{"schedule": [4]}"#,
        r#"{"pace": "0ms"}"#,
    ] {
        assert!(bench(4, params).refused().is_some(), "{params}");
    }
    assert!(bench(1, "{}").refused().is_some());
}
