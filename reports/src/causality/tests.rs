use ftsim_core::environment::network::DropReason;
use ftsim_core::outcome::trace::{Entry, Trace, TraceEvent};
use ftsim_core::{Instant, MessageId, ProcessId};
use proptest::prelude::*;

use super::Causality;

/// A hand-made trace: each entry is a step of its own unless it has the number of the previous one.
#[derive(Default)]
struct Script {
    trace: Trace,
    step: u64,
}

impl Script {
    fn event(&mut self, process: u32, what: TraceEvent) -> &mut Self {
        self.step += 1;
        self.effect(process, what)
    }

    fn effect(&mut self, process: u32, what: TraceEvent) -> &mut Self {
        let (step, at) = (self.step, Instant::from_nanos(self.step));
        let process = Some(ProcessId(process));
        self.trace.entries.push(Entry { step, at, process, what });
        self
    }

    fn causality(&self) -> Causality {
        Causality::of(&self.trace)
    }
}

fn request() -> TraceEvent {
    TraceEvent::Request { request: "Go".into() }
}

fn send(id: u64, to: u32) -> TraceEvent {
    let message = "Hello".to_owned();
    let arrives = Instant::MAX;
    TraceEvent::Send {
        id: MessageId(id),
        to: ProcessId(to),
        kind: message.clone(),
        message,
        arrives,
    }
}

fn deliver(id: u64, from: u32) -> TraceEvent {
    TraceEvent::Deliver { id: MessageId(id), from: ProcessId(from), message: "Hello".into() }
}

fn lose(id: u64, to: u32) -> TraceEvent {
    let reason = DropReason::Cut;
    TraceEvent::Drop { id: MessageId(id), to: ProcessId(to), message: "Hello".into(), reason }
}

fn crash() -> TraceEvent {
    TraceEvent::Crash { effects_lost: 0 }
}

#[test]
fn a_delivery_follows_its_sending_and_nothing_concurrent() {
    let mut script = Script::default();
    script.event(0, request()).effect(0, send(1, 1));
    script.event(2, request());
    script.event(1, deliver(1, 0));
    script.event(0, request());
    let causality = script.causality();
    assert_eq!(causality.past(&[2]), [true, false, true, false]);
    assert_eq!(causality.steps[2].cause, Some(0));
}

#[test]
fn a_message_that_is_lost_tells_nothing_and_is_no_event_of_its_sender() {
    let mut script = Script::default();
    script.event(0, request()).effect(0, send(1, 1)).effect(0, lose(2, 1));
    script.event(1, request());
    script.effect(0, lose(1, 1));
    let causality = script.causality();
    assert_eq!(causality.steps.len(), 2);
    assert_eq!(causality.past(&[1]), [false, true]);
    let lost = |id| causality.voyages[&MessageId(id)].lost;
    assert_eq!((lost(1), lost(2)), (Some(4), Some(2)));
}

#[test]
fn a_suspicion_follows_the_crash_and_a_mistaken_one_follows_nothing() {
    let suspect = || TraceEvent::Suspect { subject: ProcessId(0) };
    let mut script = Script::default();
    script.event(1, suspect()).event(0, crash()).event(2, suspect());
    let causality = script.causality();
    let causes: Vec<_> = causality.steps.iter().map(|step| step.cause).collect();
    assert_eq!(causes, [None, None, Some(1)]);
}

#[test]
fn a_timer_follows_the_step_that_set_it_last() {
    let set = || TraceEvent::SetTimer { timer: "Vote".into(), due: Instant::MAX };
    let mut script = Script::default();
    script.event(0, request()).effect(0, set());
    script.event(0, request()).effect(0, set());
    script.event(1, request()).effect(1, set());
    script.event(0, TraceEvent::Timer { timer: "Vote".into() });
    assert_eq!(script.causality().steps[3].cause, Some(1));
}

#[test]
fn what_a_process_does_first_after_a_recovery_is_a_part_of_it() {
    let mut script = Script::default();
    script.event(0, crash()).event(0, TraceEvent::Recover { records: 0 });
    // A recovery is recorded with the number of the step before its handler's.
    let at = script.trace.entries[1].at;
    let what = TraceEvent::Indicate { what: "Back".into(), phrase: None, leads: None };
    script.trace.entries.push(Entry { step: 3, at, process: Some(ProcessId(0)), what });
    assert_eq!(script.causality().steps[1].entries, [1, 2]);
}

#[test]
fn a_cause_is_nearer_than_what_the_process_did_before() {
    let mut script = Script::default();
    script.event(0, request()).effect(0, send(1, 1));
    script.event(1, request());
    script.event(1, deliver(1, 0));
    assert_eq!(script.causality().distances(&[2]), [Some(1), Some(2), Some(0)]);
}

/// A randomly drawn run: in each step, a process acts, sends, and may receive a waiting message.
fn runs() -> impl Strategy<Value = Trace> {
    let acts = (0u32..4, prop::option::of(0u32..4), any::<bool>());
    prop::collection::vec(acts, 1..60).prop_map(|acts| {
        let mut script = Script::default();
        let mut waiting: Vec<(u64, u32, u32)> = Vec::new();
        for (id, (process, to, hears)) in (0u64..).zip(acts) {
            let heard = waiting.iter().position(|(_, _, to)| hears && *to == process);
            match heard.map(|heard| waiting.remove(heard)) {
                Some((id, from, _)) => script.event(process, deliver(id, from)),
                None => script.event(process, request()),
            };
            if let Some(to) = to.filter(|to| *to != process) {
                script.effect(process, send(id, to));
                waiting.push((id, process, to));
            }
        }
        script.trace
    })
}

/// Vector clocks of all steps (Fidge 1988, Mattern 1989), derived from the trace alone.
fn vector_clocks(trace: &Trace) -> Vec<[u32; 4]> {
    let (mut now, mut sent) = ([[0; 4]; 4], std::collections::BTreeMap::new());
    let mut clocks = Vec::new();
    for entry in &trace.entries {
        let p = entry.process.expect("no entry is of the network").index();
        match &entry.what {
            TraceEvent::Send { id, .. } => {
                sent.insert(*id, now[p]);
                continue;
            }
            TraceEvent::Deliver { id, .. } => {
                let theirs: [u32; 4] = sent[id];
                now[p] = std::array::from_fn(|q| now[p][q].max(theirs[q]));
            }
            _ => {}
        }
        now[p][p] += 1;
        clocks.push(now[p]);
    }
    clocks
}

proptest! {
    /// The past of a step is exactly that of vector clocks: it is closed under the order of each
    /// process and of each message, and contains nothing concurrent.
    #[test]
    fn the_past_is_what_vector_clocks_say(trace in runs(), pick in any::<prop::sample::Index>()) {
        let causality = Causality::of(&trace);
        let clocks = vector_clocks(&trace);
        prop_assert_eq!(causality.steps.len(), clocks.len());
        let root = pick.index(clocks.len());
        let before = |a: &[u32; 4], b: &[u32; 4]| a.iter().zip(b).all(|(a, b)| a <= b);
        let expected: Vec<bool> = clocks.iter().map(|clock| before(clock, &clocks[root])).collect();
        prop_assert_eq!(causality.past(&[root]), expected);
    }
}
