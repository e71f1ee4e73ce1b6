//! Proposes patterns that no clause covers: a SAT problem.

use std::collections::{BTreeMap, BTreeSet};

use batsat::{BasicSolver, Lit, SolverInterface as _, lbool};

use super::Faults;
use super::clause::Clause;
use super::pattern::{MessageName, Pattern, Point};
use crate::id::ProcessId;
use crate::time::{Duration, Instant};

/// The patterns within a budget that no clause covers.
pub(super) struct Proposer {
    solver: BasicSolver,
    /// For each process: that it crashes, and where.
    processes: Vec<Crashes>,
    messages: BTreeMap<MessageName, Arrival>,
    /// How long a late message takes.
    late_delay: Duration,
    crash_count: Counter,
    loss_count: Counter,
    late_count: Counter,
}

/// The variables about one message.
struct Arrival {
    is_lost: Lit,
    /// `None` if none ever is.
    is_late: Option<Lit>,
}

/// The variables about the crash of one process.
struct Crashes {
    is_down: Lit,
    points: BTreeMap<Point, Lit>,
    /// When each of the points was first seen.
    times: BTreeMap<Point, Instant>,
    one: Counter,
}

/// Counts the true ones of a list of literals that grows (Sinz 2005): `at_least[k]` is true if at
/// least k + 1 of them are.
struct Counter {
    at_least: Vec<Lit>,
}

impl Proposer {
    pub fn new(n: u32, faults: Faults, late_delay: Duration) -> Self {
        let mut solver = BasicSolver::default();
        let mut crash_count = Counter::new(&mut solver, faults.crashes);
        let processes = (0..n).map(|_| {
            let is_down = new_lit(&mut solver);
            crash_count.push(&mut solver, is_down);
            Crashes {
                is_down,
                points: BTreeMap::new(),
                times: BTreeMap::new(),
                one: Counter::new(&mut solver, 1),
            }
        });
        let processes = processes.collect();
        let loss_count = Counter::new(&mut solver, faults.losses);
        let late_count = Counter::new(&mut solver, faults.late);
        let messages = BTreeMap::new();
        Self { processes, messages, late_delay, crash_count, loss_count, late_count, solver }
    }

    /// This message can be lost or late.
    pub fn add_message(&mut self, name: MessageName) {
        let solver = &mut self.solver;
        self.messages.entry(name).or_insert_with(|| {
            let is_lost = new_lit(solver);
            self.loss_count.push(solver, is_lost);
            if self.late_count.at_least.is_empty() {
                return Arrival { is_lost, is_late: None };
            }
            let is_late = new_lit(solver);
            self.late_count.push(solver, is_late);
            add(solver, [!is_lost, !is_late]);
            Arrival { is_lost, is_late: Some(is_late) }
        });
    }

    /// This process can crash here, which is at this time in some run.
    pub fn add_point(&mut self, p: ProcessId, point: Point, at: Instant) {
        let solver = &mut self.solver;
        let crashes = &mut self.processes[p.index()];
        if crashes.points.contains_key(&point) {
            return;
        }
        let is_here = new_lit(solver);
        crashes.points.insert(point, is_here);
        crashes.times.insert(point, at);
        crashes.one.push(solver, is_here);
        add(solver, [!is_here, crashes.is_down]);
    }

    /// No more pattern that this clause covers.
    pub fn learn(&mut self, clause: &Clause) {
        let mut lits: Vec<Lit> = Vec::new();
        for (p, points) in &clause.crashes {
            let crashes_here = new_lit(&mut self.solver);
            let known = points.iter().filter_map(|one| self.processes[p.index()].points.get(one));
            for point in known {
                add(&mut self.solver, [!*point, crashes_here]);
            }
            lits.push(!crashes_here);
        }
        for (p, points) in &clause.passed {
            let known = &self.processes[p.index()].points;
            lits.extend(points.iter().filter_map(|point| known.get(point)));
        }
        let known = |names: &BTreeSet<MessageName>| -> Vec<&Arrival> {
            names.iter().filter_map(|name| self.messages.get(name)).collect()
        };
        lits.extend(known(&clause.lost).iter().map(|message| !message.is_lost));
        lits.extend(known(&clause.messages).iter().map(|message| message.is_lost));
        lits.extend(
            known(&clause.late).iter().filter_map(|message| message.is_late.map(|lit| !lit)),
        );
        lits.extend(known(&clause.in_time).iter().filter_map(|message| message.is_late));
        self.solver.add_clause_reuse(&mut lits);
    }

    /// A pattern with at most so many faults, if there is one. Its crashes come late: a run says
    /// more of earlier crashes than of later ones.
    pub fn propose(&mut self, faults: Faults) -> Option<Pattern> {
        let bounds = [
            self.crash_count.at_most(faults.crashes),
            self.loss_count.at_most(faults.losses),
            self.late_count.at_most(faults.late),
        ];
        let bounds: Vec<Lit> = bounds.into_iter().flatten().collect();
        let mut pattern = self.solve(&bounds)?;
        for p in pattern.crashes.keys().copied().collect::<Vec<_>>() {
            while let Some(later) = self.put_off(&pattern, p, &bounds) {
                pattern = later;
            }
        }
        Some(pattern)
    }

    /// The same pattern with a later crash of this process, if no clause covers it.
    fn put_off(&mut self, pattern: &Pattern, p: ProcessId, bounds: &[Lit]) -> Option<Pattern> {
        let mut others = pattern.clone();
        let point = others.crashes.remove(&p)?;
        let crashes = &self.processes[p.index()];
        let time = |point: &Point| (crashes.times.get(point).copied(), *point);
        let later = crashes.points.iter().filter(|(one, _)| time(one) > time(&point));
        let mut later: Vec<Lit> = later.map(|(_, lit)| *lit).collect();
        let is_later = new_lit(&mut self.solver);
        later.push(!is_later);
        self.solver.add_clause_reuse(&mut later);
        let assumed = [bounds.to_vec(), self.literals(&others), vec![is_later]].concat();
        let found = self.solve(&assumed);
        add(&mut self.solver, [!is_later]);
        found
    }

    /// How many patterns the budget allows, of faults that were possible in some run.
    pub fn pattern_count(&self) -> u128 {
        let sum = |counts: &[u128], picked_max: usize| {
            // The number of ways to pick from each of these, by how many are picked.
            let mut ways = vec![0u128; picked_max + 1];
            ways[0] = 1;
            for count in counts {
                for picked in (1..=picked_max).rev() {
                    let more = ways[picked - 1].saturating_mul(*count);
                    ways[picked] = ways[picked].saturating_add(more);
                }
            }
            ways.into_iter().fold(0, u128::saturating_add)
        };
        let points: Vec<u128> = self.processes.iter().map(|p| p.points.len() as u128).collect();
        let [crashes, losses, late] = [&self.crash_count, &self.loss_count, &self.late_count]
            .map(|counter| counter.at_least.len());
        // The ways to have some of the messages lost, and some of the others late.
        let ones = |count: usize| vec![1; count];
        let message_count = self.messages.len();
        let ways = (0..=losses.min(message_count)).map(|lost| {
            let others = message_count - lost;
            let of_lost = sum(&ones(message_count), lost)
                - match lost {
                    0 => 0,
                    _ => sum(&ones(message_count), lost - 1),
                };
            of_lost.saturating_mul(sum(&ones(others), late.min(others)))
        });
        let ways = ways.fold(0, u128::saturating_add);
        sum(&points, crashes).saturating_mul(ways)
    }

    /// The literals that say this pattern.
    fn literals(&self, pattern: &Pattern) -> Vec<Lit> {
        let crashes = pattern.crashes.iter();
        let crashes = crashes.filter_map(|(p, point)| self.processes[p.index()].points.get(point));
        let lost = pattern.lost.iter().filter_map(|name| Some(self.messages.get(name)?.is_lost));
        let late = pattern.late.keys().filter_map(|name| self.messages.get(name)?.is_late);
        crashes.copied().chain(lost).chain(late).collect()
    }

    fn solve(&mut self, assumptions: &[Lit]) -> Option<Pattern> {
        if self.solver.solve_limited(assumptions) != lbool::TRUE {
            return None;
        }
        let is_true = |lit: &Lit| self.solver.value_lit(*lit) == lbool::TRUE;
        let point_of = |crashes: &Crashes| {
            crashes.points.iter().find(|(_, lit)| is_true(lit)).map(|(point, _)| *point)
        };
        let crashes = (0u32..).map(ProcessId).zip(&self.processes);
        let crashes = crashes.filter_map(|(p, crashes)| Some((p, point_of(crashes)?)));
        let messages = self.messages.iter();
        let lost = messages.clone().filter(|(_, message)| is_true(&message.is_lost));
        let late = messages.filter(|(_, message)| message.is_late.is_some_and(|lit| is_true(&lit)));
        Some(Pattern {
            crashes: crashes.collect(),
            lost: lost.map(|(name, _)| *name).collect(),
            late: late.map(|(name, _)| (*name, self.late_delay)).collect(),
        })
    }
}

impl Counter {
    /// None is true yet, and no more than `max` ever are.
    fn new(solver: &mut BasicSolver, max: u32) -> Self {
        let at_least: Vec<Lit> = (0..max).map(|_| new_lit(solver)).collect();
        Self { at_least }
    }

    fn push(&mut self, solver: &mut BasicSolver, one: Lit) {
        match self.at_least.last() {
            None => add(solver, [!one]),
            Some(all) => add(solver, [!one, !*all]),
        }
        let before = self.at_least.clone();
        for (count, after) in self.at_least.iter_mut().enumerate() {
            *after = new_lit(solver);
            add(solver, [!before[count], *after]);
            match count.checked_sub(1) {
                None => add(solver, [!one, *after]),
                Some(fewer) => add(solver, [!one, !before[fewer], *after]),
            }
        }
    }

    /// To be assumed: no more than `count` are true.
    fn at_most(&self, count: u32) -> Option<Lit> {
        self.at_least.get(count as usize).map(|more| !*more)
    }
}

fn new_lit(solver: &mut BasicSolver) -> Lit {
    Lit::new(solver.new_var_default(), true)
}

fn add<const N: usize>(solver: &mut BasicSolver, lits: [Lit; N]) {
    solver.add_clause_reuse(&mut lits.to_vec());
}
