//! All fault patterns of an experiment in lockstep, each run in the ordinary way.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::environment::message_rule::{Fate, MessageRule};
use ftsim_core::explore::lineage::{Faults, LATE_BOUND_COUNT, MessageName, Pattern, Point};
use ftsim_core::outcome::Outcome;
use ftsim_core::outcome::decisions::Decision;
use ftsim_core::outcome::trace::TraceEvent;
use ftsim_core::{Duration, Instant, ProcessId, RunRequest, Runner};

/// A run, and the faults that were possible in it.
struct Run {
    outcome: Outcome,
    messages: Vec<MessageName>,
    /// When something happened to each process.
    times: BTreeSet<(ProcessId, Instant)>,
}

/// Makes runs of one seed, each pattern once.
struct Runs<'a> {
    make: &'a mut dyn FnMut(Vec<MessageRule>) -> Runner,
    seed: u64,
    late_delay: Duration,
    runs: BTreeMap<Pattern, Run>,
}

/// What all patterns come to with so many faults at most, all of which come true.
///
/// A process can crash after each of its effects, and at each time at which something would happen
/// to it. `None` if there are more than `pattern_count_max`.
pub fn all(
    make: &mut dyn FnMut(Vec<MessageRule>) -> Runner,
    seed: u64,
    faults: Faults,
    bound: Duration,
    pattern_count_max: usize,
) -> Option<BTreeMap<Pattern, Outcome>> {
    let late_delay = bound.times(LATE_BOUND_COUNT);
    let mut runs = Runs { make, seed, late_delay, runs: BTreeMap::new() };
    let mut known = BTreeSet::from([Pattern::default()]);
    let mut last = known.clone();
    while !last.is_empty() {
        let longer: BTreeSet<Pattern> = last.iter().flat_map(|one| runs.longer(one)).collect();
        let is_within = |one: &Pattern| {
            one.crashes.len() <= faults.crashes as usize
                && one.lost.len() <= faults.losses as usize
                && one.late.len() <= faults.late as usize
        };
        last = longer.into_iter().filter(|one| is_within(one) && runs.come_true(one)).collect();
        known.extend(last.iter().cloned());
        if known.len() > pattern_count_max {
            return None;
        }
    }
    let mut outcome = |pattern: Pattern| {
        let outcome = runs.of(&pattern).outcome.clone();
        (pattern, outcome)
    };
    Some(known.into_iter().map(&mut outcome).collect())
}

impl Runs<'_> {
    /// The pattern with one more fault that was possible in its run.
    fn longer(&mut self, pattern: &Pattern) -> Vec<Pattern> {
        let late_delay = self.late_delay;
        let run = self.of(pattern);
        let mut all = Vec::new();
        for (p, count) in (0u32..).map(ProcessId).zip(&run.outcome.statistics.effects) {
            if pattern.crashes.contains_key(&p) {
                continue;
            }
            let own = run.times.iter().filter(|(q, _)| *q == p);
            let at = own.map(|(_, at)| Point::At(*at));
            for point in at.chain((1..=*count).map(Point::After)) {
                let mut longer = pattern.clone();
                longer.crashes.insert(p, point);
                all.push(longer);
            }
        }
        let in_time = run.messages.iter().filter(|name| !pattern.late.contains_key(name));
        for name in in_time {
            let mut longer = pattern.clone();
            longer.lost.insert(*name);
            all.push(longer);
            let mut longer = pattern.clone();
            longer.late.insert(*name, late_delay);
            all.push(longer);
        }
        all
    }

    /// Whether each fault strikes, and a process that crashes at a time would have had to do then.
    fn come_true(&mut self, pattern: &Pattern) -> bool {
        let outcome = &self.of(pattern).outcome;
        let mut all = outcome.unfired.is_empty() && outcome.unused.is_empty();
        for (p, point) in &pattern.crashes {
            let mut without = pattern.clone();
            without.crashes.remove(p);
            if let Point::At(at) = point {
                all &= self.of(&without).times.contains(&(*p, *at));
            }
        }
        all
    }

    fn of(&mut self, pattern: &Pattern) -> &Run {
        let Self { make, seed, runs, .. } = self;
        runs.entry(pattern.clone()).or_insert_with(|| {
            let mut runner = make(pattern.rules());
            let request = RunRequest::under(*seed, pattern.plan());
            let (outcome, schedule) = runner.schedule(request.clone());
            let (_, trace) = runner.record(request);
            let is_event = |what: &TraceEvent| {
                matches!(
                    what,
                    TraceEvent::Deliver { .. }
                        | TraceEvent::Timer { .. }
                        | TraceEvent::Request { .. }
                        | TraceEvent::Suspect { .. }
                        | TraceEvent::Trust { .. }
                )
            };
            let events = trace.entries.iter().filter(|entry| is_event(&entry.what));
            let times = events.filter_map(|entry| Some((entry.process?, entry.at))).collect();
            let name = |decision: &Decision| {
                let MessageRule { from, to, kind, nth, fate } = &decision.rule;
                let mut kinds = outcome.statistics.kinds.iter().map(|one| one.kind);
                let kind = kinds.find(|one| Some(one.to_string()) == *kind)?;
                let name = MessageName { from: *from, to: *to, kind, nth: *nth };
                matches!(fate, Fate::Arrive(_)).then_some(name)
            };
            let messages = schedule.messages.iter().filter_map(name).collect();
            Run { outcome, messages, times }
        })
    }
}
