//! Each rule of the auditor refuses a trace that was real before it was forged.

use std::sync::Arc;

use std::fs;

use crate::shipped;
use ftsim::audit::Rule;
use ftsim::run;
use ftsim::run::audited::findings;
use ftsim::scenario::Scenario;
use ftsim_core::environment::network::DropReason;
use ftsim_core::fault::{Action, Crash, Fault, Plan, Trigger};
use ftsim_core::outcome::trace::{Entry, TraceEvent};
use ftsim_core::{Duration, Instant, Outcome, ProcessId, Trace};

use super::parse;

/// A run that can be tampered with.
struct Run {
    scenario: Scenario,
    outcome: Outcome,
    trace: Trace,
}

/// Messages over links that keep order, and a crash.
const BROADCAST: &str = r#"
    protocol = "eager-rb"
    processes = 3
    network = { delay = "1ms..10ms", order = "fifo" }
    workload = { senders = ["p0"], broadcasts = 5, every = "10ms" }
    fault = [{ at = "200ms", crash = "p2" }]
    run = { seeds = 1, horizon = "1s" }
"#;

/// The same over a transport.
const TRANSPORT: &str = r#"
    protocol = "eager-rb"
    processes = 3
    network = { delay = "1ms..10ms", links = "reliable-fifo", loss = 0.1 }
    workload = { senders = ["p0"], broadcasts = 5, every = "10ms" }
    run = { seeds = 1, horizon = "10s" }
"#;

/// Timers that run out again and again.
const TIMERS: &str = r#"
    protocol = "fd-heartbeat"
    processes = 2
    run = { seeds = 1, horizon = "300ms" }
"#;

/// The same, and a clock that begins to drift.
const DRIFT: &str = r#"
    protocol = "fd-heartbeat"
    processes = 2
    fault = [{ at = "105ms", drift = { process = "p0", by = "500000ppm" } }]
    run = { seeds = 1, horizon = "300ms" }
"#;

impl Run {
    /// The run of a shipped scenario, or of one that is written here.
    fn of(source: &str, seed: u64) -> Self {
        let is_name = !source.contains('\n');
        let shipped = |name: &str| {
            let text = fs::read_to_string(shipped::file(name)).expect("a readable scenario");
            parse(name, &text)
        };
        let scenario = if is_name { shipped(source) } else { parse("inline", source) };
        let (outcome, trace) = run::record(&scenario, seed).expect("the run is made");
        Self { scenario, outcome, trace }
    }

    fn rules(&self) -> Vec<Rule> {
        let found = findings(&self.scenario, None, &self.outcome, &self.trace);
        found.iter().map(|finding| finding.rule).collect()
    }

    /// The index of the last entry of which this is true.
    fn last(&self, is: impl Fn(&Entry) -> bool) -> usize {
        self.trace.entries.iter().rposition(is).expect("there is such an entry")
    }

    /// The index of the first entry of which this is true.
    fn first(&self, is: impl Fn(&Entry) -> bool) -> usize {
        self.trace.entries.iter().position(is).expect("there is such an entry")
    }

    /// The index of the entry that sets the timer that is the last to run out.
    fn setting_of_a_timer(&self) -> usize {
        let end = self.last(|entry| matches!(entry.what, TraceEvent::Timer { .. }));
        let entries = &self.trace.entries[..end];
        let TraceEvent::Timer { timer: ended } = &self.trace.entries[end].what else {
            unreachable!()
        };
        let sets = |entry: &Entry| {
            entry.process == self.trace.entries[end].process
                && matches!(&entry.what, TraceEvent::SetTimer { timer, .. } if timer == ended)
        };
        entries.iter().rposition(sets).expect("it was set")
    }

    fn remove(&mut self, is: impl Fn(&Entry) -> bool) -> Entry {
        let index = self.first(is);
        self.trace.entries.remove(index)
    }

    /// Puts this into the trace just before the entry with this index.
    fn insert(&mut self, index: usize, what: TraceEvent) {
        let entry = Entry { what, ..self.trace.entries[index].clone() };
        self.trace.entries.insert(index, entry);
    }

    fn what(&mut self, index: usize) -> &mut TraceEvent {
        &mut self.trace.entries[index].what
    }
}

/// A test for each forgery, and the list of the rules that they break.
macro_rules! forged {
    ($($name:ident: $rule:ident in $source:expr, $seed:expr, |$run:ident| $forge:block)+) => {
        $(#[test]
        fn $name() {
            let mut $run = Run::of($source, $seed);
            assert_eq!($run.rules(), [], "the real trace");
            $forge
            let found = $run.rules();
            assert!(found.contains(&Rule::$rule), "not {:?}, but {found:?}", Rule::$rule);
        })+

        #[test]
        fn every_rule_has_a_forged_trace_that_it_refuses() {
            let broken = [$(Rule::$rule),+];
            for rule in Rule::ALL {
                assert!(broken.contains(rule), "{} has none", rule.name());
            }
        }
    };
}

/// A message between two processes is delivered.
fn is_delivery(entry: &Entry) -> bool {
    matches!(&entry.what, TraceEvent::Deliver { from, .. } if Some(*from) != entry.process)
}

forged! {
    time_that_goes_back_is_refused: Order in BROADCAST, 1, |run| {
        let index = run.last(is_delivery);
        run.trace.entries[index].at = Instant::ZERO;
    }
    a_step_after_a_crash_is_refused: Down in BROADCAST, 1, |run| {
        let index = run.first(is_delivery);
        run.insert(index, TraceEvent::Crash { effects_lost: 0 });
    }
    a_request_that_is_lost_at_a_process_that_is_up_is_refused: Down in BROADCAST, 1, |run| {
        let index = run.first(|entry| matches!(entry.what, TraceEvent::Request { .. }));
        *run.what(index) = TraceEvent::RequestLost { request: "Broadcast(0)".into() };
    }
    a_step_in_a_pause_is_refused: Paused in BROADCAST, 1, |run| {
        let index = run.first(is_delivery);
        run.insert(index, TraceEvent::Pause);
    }
    a_step_in_a_sync_is_refused: Blocked in "2pc-slow-sync", 1, |run| {
        let index = run.first(|entry| entry.what == TraceEvent::SyncBegins);
        run.insert(index, TraceEvent::Note { remark: "at work".into() });
        run.trace.entries.swap(index, index + 1);
    }
    a_process_that_never_started_is_refused: Absent in BROADCAST, 1, |run| {
        run.remove(|entry| entry.what == TraceEvent::Start);
    }
    a_second_start_is_refused: Absent in BROADCAST, 1, |run| {
        let index = run.first(is_delivery);
        run.insert(index, TraceEvent::Start);
    }
    a_number_of_two_messages_is_refused: Number in BROADCAST, 1, |run| {
        let first = run.first(|entry| matches!(entry.what, TraceEvent::Send { .. }));
        let TraceEvent::Send { id: number, .. } = *run.what(first) else { unreachable!() };
        let last = run.last(|entry| matches!(entry.what, TraceEvent::Send { .. }));
        let TraceEvent::Send { id, .. } = run.what(last) else { unreachable!() };
        *id = number;
    }
    a_delivery_without_a_sending_is_refused: Sent in BROADCAST, 1, |run| {
        run.remove(|entry| matches!(entry.what, TraceEvent::Send { .. }));
    }
    a_delivery_that_comes_twice_is_refused: Sent in BROADCAST, 1, |run| {
        let index = run.first(is_delivery);
        let again = run.trace.entries[index].what.clone();
        run.insert(index + 1, again);
    }
    a_delivery_to_oneself_that_comes_twice_is_refused: Sent in BROADCAST, 1, |run| {
        let index = run.first(|entry| {
            matches!(&entry.what, TraceEvent::Deliver { from, .. } if Some(*from) == entry.process)
        });
        let again = run.trace.entries[index].what.clone();
        run.insert(index + 1, again);
    }
    a_message_that_changed_on_its_way_is_refused: Content in BROADCAST, 1, |run| {
        let index = run.first(is_delivery);
        let TraceEvent::Deliver { message, .. } = run.what(index) else { unreachable!() };
        message.push('!');
    }
    a_message_that_comes_at_another_time_is_refused: Arrival in BROADCAST, 1, |run| {
        let index = run.first(|entry| matches!(entry.what, TraceEvent::Send { .. }));
        let TraceEvent::Send { arrives, .. } = run.what(index) else { unreachable!() };
        *arrives = *arrives + Duration::from_nanos(1);
    }
    a_message_that_never_comes_is_refused: Vanished in BROADCAST, 1, |run| {
        run.remove(is_delivery);
    }
    a_copy_that_nothing_makes_is_refused: Copies in BROADCAST, 1, |run| {
        let index = run.first(|entry| matches!(entry.what, TraceEvent::Send { .. }));
        let again = run.what(index).clone();
        run.insert(index + 1, again);
    }
    a_replay_that_nothing_makes_is_refused: Copies in BROADCAST, 1, |run| {
        let index = run.first(|entry| matches!(entry.what, TraceEvent::Send { .. }));
        let TraceEvent::Send { id, to, message, .. } = run.what(index).clone() else {
            unreachable!()
        };
        let again = run.what(index).clone();
        run.insert(index + 1, again);
        run.insert(index + 1, TraceEvent::Replay { id, to, message });
    }
    a_message_through_a_cut_is_refused: Cut in "split-brain-one-way", 1, |run| {
        let cut = |entry: &Entry| {
            matches!(entry.what, TraceEvent::Drop { reason: DropReason::Cut, .. })
        };
        // One that was cut off when it was sent, not one that was under way.
        let sent = |run: &Run, index: usize| {
            let TraceEvent::Drop { id: lost, .. } = &run.trace.entries[index].what else {
                return false;
            };
            let is_it = |entry: &Entry| {
                matches!(&entry.what, TraceEvent::Send { id, .. } if id == lost)
            };
            run.trace.entries.iter().any(is_it)
        };
        let mut cuts = (0..run.trace.entries.len()).filter(|index| cut(&run.trace.entries[*index]));
        let index = cuts.find(|index| !sent(&run, *index)).expect("a message that was cut off");
        let TraceEvent::Drop { id, to, message, .. } = run.what(index).clone() else {
            unreachable!()
        };
        let arrives = run.trace.entries[index].at + Duration::from_millis(5);
        *run.what(index) = TraceEvent::Send { id, to, kind: "Kind".into(), message, arrives };
    }
    a_message_that_is_lost_on_a_good_link_is_refused: Loss in BROADCAST, 1, |run| {
        let index = run.first(is_delivery);
        let to = run.trace.entries[index].process.expect("a receiver");
        let TraceEvent::Deliver { id, from, message } = run.what(index).clone() else {
            unreachable!()
        };
        run.trace.entries[index].process = Some(from);
        *run.what(index) = TraceEvent::Drop { id, to, message, reason: DropReason::Loss };
    }
    a_message_that_is_lost_at_a_receiver_that_is_up_is_refused: Loss in BROADCAST, 1, |run| {
        let index = run.first(is_delivery);
        let to = run.trace.entries[index].process.expect("a receiver");
        let TraceEvent::Deliver { id, from, message } = run.what(index).clone() else {
            unreachable!()
        };
        run.trace.entries[index].process = Some(from);
        *run.what(index) = TraceEvent::Drop { id, to, message, reason: DropReason::ReceiverDown };
    }
    a_message_that_takes_too_long_is_refused: Delay in BROADCAST, 1, |run| {
        let index = run.last(|entry| matches!(entry.what, TraceEvent::Send { .. }));
        let TraceEvent::Send { arrives, .. } = run.what(index) else { unreachable!() };
        *arrives = *arrives + Duration::from_millis(30);
    }
    a_message_that_takes_too_long_after_stabilisation_is_refused:
        Delay in "fd-heartbeat-gst", 1, |run| {
        let index = run.last(|entry| matches!(entry.what, TraceEvent::Send { .. }));
        let gst = run.scenario.experiment.network.stabilise_at.expect("a time");
        assert!(run.trace.entries[index].at > gst);
        let bound = run.scenario.experiment.network.bound;
        let at = run.trace.entries[index].at;
        let TraceEvent::Send { arrives, .. } = run.what(index) else { unreachable!() };
        *arrives = at + bound + Duration::from_nanos(1);
    }
    messages_that_change_places_are_refused: Fifo in BROADCAST, 1, |run| {
        let of_link = |entry: &Entry| {
            is_delivery(entry)
                && entry.process == Some(ProcessId(1))
                && matches!(entry.what, TraceEvent::Deliver { from: ProcessId(0), .. })
        };
        let (first, last) = (run.first(of_link), run.last(of_link));
        let ids = [first, last].map(|index| match run.trace.entries[index].what {
            TraceEvent::Deliver { id, .. } => id,
            _ => unreachable!(),
        });
        let sends = ids.map(|wanted| run.first(|entry| {
            matches!(entry.what, TraceEvent::Send { id, .. } if id == wanted)
        }));
        let times = sends.map(|index| match run.trace.entries[index].what {
            TraceEvent::Send { arrives, .. } => arrives,
            _ => unreachable!(),
        });
        for (index, time) in sends.into_iter().zip([times[1], times[0]]) {
            let TraceEvent::Send { arrives, .. } = run.what(index) else { unreachable!() };
            *arrives = time;
        }
        let (one, other) = (run.what(first).clone(), run.what(last).clone());
        *run.what(first) = other;
        *run.what(last) = one;
    }
    a_transport_that_delivers_twice_is_refused: TransportOnce in TRANSPORT, 1, |run| {
        let index = run.first(is_delivery);
        let again = run.what(index).clone();
        run.insert(index + 1, again);
    }
    a_transport_that_swaps_messages_is_refused: TransportOrder in TRANSPORT, 1, |run| {
        let of_link = |entry: &Entry| {
            is_delivery(entry)
                && entry.process == Some(ProcessId(1))
                && matches!(entry.what, TraceEvent::Deliver { from: ProcessId(0), .. })
        };
        let (first, last) = (run.first(of_link), run.last(of_link));
        let (one, other) = (run.what(first).clone(), run.what(last).clone());
        *run.what(first) = other;
        *run.what(last) = one;
    }
    a_transport_that_leaves_a_gap_is_refused: TransportOrder in TRANSPORT, 1, |run| {
        run.remove(is_delivery);
    }
    a_transport_that_delivers_what_was_never_sent_is_refused: Sent in TRANSPORT, 1, |run| {
        run.remove(|entry| matches!(entry.what, TraceEvent::Carry { .. }));
    }
    a_transport_that_gets_stuck_is_refused: TransportStuck in TRANSPORT, 1, |run| {
        let index = run.last(is_delivery);
        run.trace.entries.remove(index);
    }
    a_timer_that_runs_out_early_is_refused: Timer in TIMERS, 1, |run| {
        let index = run.setting_of_a_timer();
        let TraceEvent::SetTimer { due, .. } = run.what(index) else { unreachable!() };
        *due = *due + Duration::from_nanos(1);
    }
    a_timer_that_runs_out_late_is_refused: Timer in TIMERS, 1, |run| {
        let index = run.setting_of_a_timer();
        let at = run.trace.entries[index].at;
        let TraceEvent::SetTimer { due, .. } = run.what(index) else { unreachable!() };
        *due = at + Duration::from_nanos(1);
    }
    a_timer_that_was_never_set_is_refused: Timer in TIMERS, 1, |run| {
        let index = run.setting_of_a_timer();
        run.trace.entries.remove(index);
    }
    a_timer_that_was_unset_is_refused: Timer in "fd-heartbeat-crashes", 1, |run| {
        let index = run.first(|entry| matches!(entry.what, TraceEvent::Timer { .. }));
        let TraceEvent::Timer { timer } = run.what(index).clone() else { unreachable!() };
        run.insert(index, TraceEvent::CancelTimer { timer });
    }
    a_timer_that_runs_out_by_the_true_time_is_refused: Timer in DRIFT, 1, |run| {
        // Without the condition the clock is a true one, and its timers run out at other times.
        run.remove(|entry| matches!(entry.what, TraceEvent::Begins { .. }));
    }
    a_timer_that_never_runs_out_is_refused: TimerMissed in TIMERS, 1, |run| {
        let index = run.setting_of_a_timer();
        let process = run.trace.entries[index].process;
        let ends = |entry: &Entry| {
            entry.process == process && matches!(entry.what, TraceEvent::Timer { .. })
        };
        let step = run.trace.entries[run.last(ends)].step;
        run.trace.entries.retain(|entry| entry.step != step);
    }
    a_log_that_grew_in_a_crash_is_refused: Log in "2pc-coordinator-recovery", 1, |run| {
        let index = run.first(|entry| matches!(entry.what, TraceEvent::Recover { .. }));
        let TraceEvent::Recover { records } = run.what(index) else { unreachable!() };
        *records += 1;
    }
    a_log_that_kept_what_was_not_synced_is_refused:
        Log in "2pc-coordinator-recovery", 1, |run| {
        let index = run.first(|entry| matches!(entry.what, TraceEvent::Crash { .. }));
        run.trace.entries.retain({
            let (at, process) = (run.trace.entries[index].at, run.trace.entries[index].process);
            move |entry| {
                entry.process != process || entry.at > at || entry.what != TraceEvent::Synced
            }
        });
    }
    a_suspicion_of_a_process_that_is_up_is_refused: Accuracy in "fd-perfect-crashes", 1,
    |run| {
        run.remove(|entry| matches!(entry.what, TraceEvent::Crash { .. }));
    }
    a_crash_that_is_not_told_is_refused: Completeness in "fd-perfect-crashes", 1, |run| {
        run.remove(|entry| matches!(entry.what, TraceEvent::Suspect { .. }));
    }
    a_crash_that_is_not_planned_is_refused: Unplanned in BROADCAST, 1, |run| {
        run.outcome.plan = Arc::new(Plan::default());
    }
    a_crash_that_does_not_happen_is_refused: Missing in BROADCAST, 1, |run| {
        run.remove(|entry| matches!(entry.what, TraceEvent::Crash { .. }));
        // Something has to come after it.
        let last = run.trace.entries.len() - 1;
        let later = run.trace.entries[last].clone();
        run.trace.entries.push(Entry { at: Instant::ZERO + Duration::from_secs(1), ..later });
    }
    more_faults_than_may_be_drawn_are_refused: Budget in "eager-rb-random-crashes", 1, |run| {
        let crash = |process| Fault {
            trigger: Trigger::Never,
            action: Action::Crash(process, Crash::default()),
        };
        let mut plan = Plan::clone(&run.outcome.plan);
        plan.faults.extend(run.scenario.experiment.setting.processes().map(crash));
        run.outcome.plan = Arc::new(plan);
    }
    a_crashed_process_that_passes_for_correct_is_refused: Correct in BROADCAST, 1, |run| {
        run.outcome.correct[2] = true;
    }
}
