//! Limits end runs: exactly on events and on messages under way, from time to time on memory.

use ftsim_core::environment::delay::Delay;
use ftsim_core::environment::transport::{Guarantee, TransportConfig};
use ftsim_core::fault::Action;
use ftsim_core::{
    Bound, Cx, Duration, DurationRange, EndCause, Experiment, Model, Never, Process, ProcessId,
    Protocol, Setting,
};

use crate::scripted::{Actor, Do, Msg, Script, Stage, Theatre, at};

/// The number of messages of one burst, which is more than a run has under way before it measures
/// its memory.
const BURST: u64 = 290;

/// After what each is told at the start, p0 sends a burst of messages to p1 at 20 ms.
fn burst(n: u32, first: &[(u64, u32, Vec<Do>)], count: u64) -> Stage {
    let sends = (0..count).map(|word| Do::Send(1, word)).collect();
    Stage::new(n, &[first, &[(20, 0, sends)]].concat())
}

fn ends(stage: &Stage, change: impl FnOnce(&mut Experiment)) -> EndCause {
    ends_with::<Actor>(stage, change)
}

/// The same, with other actors.
fn ends_with<P>(stage: &Stage, change: impl FnOnce(&mut Experiment)) -> EndCause
where
    P: Protocol<Spec = Theatre, Params = Script>,
{
    let copy = Stage { experiment: stage.experiment.clone(), lines: stage.lines.clone() };
    copy.with(change).simulation_of::<P>().run(1).cause
}

/// The memory that the run takes where it is measured, in bytes: the least limit that lets it end.
fn bytes(stage: &Stage) -> u64 {
    bytes_with::<Actor>(stage)
}

fn bytes_with<P: Protocol<Spec = Theatre, Params = Script>>(stage: &Stage) -> u64 {
    let (mut too_few, mut enough) = (0, 1 << 24);
    let ends = |most| ends_with::<P>(stage, |e| e.limits.byte_count_max = most);
    assert_eq!(ends(enough), EndCause::Quiescent);
    while enough - too_few > 1 {
        let half = u64::midpoint(too_few, enough);
        match ends(half) {
            EndCause::MemoryLimit => too_few = half,
            other => {
                assert_eq!(other, EndCause::Quiescent);
                enough = half;
            }
        }
    }
    enough
}

/// What the memory grows by when `change` makes one thing more, `count` times.
fn each(count: u64, change: impl Fn(u64) -> Stage) -> u64 {
    let (none, some) = (bytes(&change(0)), bytes(&change(count)));
    assert!(some > none && (some - none).is_multiple_of(count), "{none}, then {some}");
    (some - none) / count
}

#[test]
fn as_many_events_and_messages_under_way_as_the_limits_say() {
    let stage = burst(2, &[], 20);
    // Two starts, the request, and twenty messages.
    let events = |count| ends(&stage, |e| e.limits.event_count_max = count);
    assert_eq!((events(22), events(23)), (EndCause::EventLimit, EndCause::Quiescent));
    let pending = |count| ends(&stage, |e| e.limits.pending_count_max = count);
    assert_eq!((pending(19), pending(20)), (EndCause::EventLimit, EndCause::Quiescent));
    let large = burst(2, &[], 1_000);
    let pending = |count| ends(&large, |e| e.limits.pending_count_max = count);
    assert_eq!((pending(999), pending(1_000)), (EndCause::EventLimit, EndCause::Quiescent));
    let outcome = burst(2, &[], 20).with(|e| e.limits.event_count_max = 10).simulation().run(1);
    assert_eq!(outcome.statistics.events, 10);
}

#[test]
fn packets_of_a_transport_count_as_messages_under_way_and_as_events() {
    let reliable = |e: &mut Experiment| {
        let resend_after = Duration::from_millis(100);
        e.transport =
            TransportConfig { guarantee: Guarantee::Reliable, resend_after, heartbeat: None };
    };
    let stage = burst(2, &[], 20).with(reliable);
    let pending = |count| ends(&stage, |e| e.limits.pending_count_max = count);
    assert_eq!((pending(19), pending(20)), (EndCause::EventLimit, EndCause::Quiescent));
    let outcome = stage.simulation().run(1);
    let events = |count| ends(&stage, |e| e.limits.event_count_max = count);
    let steps = outcome.statistics.events;
    assert_eq!(events(steps + 1), EndCause::EventLimit, "acknowledgements are events too");
}

#[test]
fn each_message_process_record_and_waiting_input_takes_its_memory() {
    let message = each(10, |more| burst(2, &[], BURST + more));
    // Its place in the queue, its numbers, and its content.
    assert!((24 + 24..24 + 64).contains(&message), "{message}");
    let process = each(10, |more| burst(2 + u32::try_from(more).expect("few"), &[], BURST));
    assert!((100..400).contains(&process), "{process}");
    let append = |more| vec![(0, 1, (0..more).map(Do::Append).collect())];
    let record = each(10, |more| burst(2, &append(more), BURST));
    assert_eq!(record, 16, "a word, and whether it is intact");
    assert_eq!(bytes(&burst(2, &[], BURST)), BURST * message + 2 * process, "nothing else");
    // What waits for a paused process: requests, and messages that have arrived.
    let pause = |stage: Stage| {
        stage.fault(at(5), Action::Pause { process: ProcessId(2), resume_after: None })
    };
    let asks = |more| (0..more).map(|_| (10, 2, vec![Do::Sync])).collect::<Vec<_>>();
    let request = each(10, |more| pause(burst(3, &asks(more), BURST)));
    let sends = |more| vec![(6, 0, (0..more).map(|word| Do::Send(2, word)).collect())];
    let input = each(10, |more| pause(burst(3, &sends(more), BURST)));
    assert!((24..120).contains(&request), "{request}");
    assert_eq!(input, request + r#"{"Data":0}"#.len() as u64);
}

#[test]
fn packets_take_memory_too() {
    let reliable = |e: &mut Experiment| {
        let resend_after = Duration::from_millis(500);
        e.transport =
            TransportConfig { guarantee: Guarantee::Reliable, resend_after, heartbeat: None };
    };
    let packet = each(10, |more| burst(2, &[], BURST + more).with(reliable));
    assert!((24 + 40..24 + 160).contains(&packet), "{packet}");
}

#[test]
fn memory_is_measured_again_when_twice_as_much_is_under_way() {
    // Measured at 300 under way, and next at more than 600.
    let twice = |second| {
        let sends = |count| (0..count).map(|word| Do::Send(1, word)).collect::<Vec<_>>();
        let stage = Stage::new(2, &[(0, 0, sends(300)), (1, 0, sends(second))]);
        stage.with(|e| {
            let slow = DurationRange::constant(Duration::from_millis(50));
            e.network.default.delay = Delay::Uniform(slow);
        })
    };
    let (once, again) = (bytes(&twice(300)), bytes(&twice(301)));
    assert_eq!(bytes(&twice(0)), once, "not measured at 600");
    let message = each(10, |more| burst(2, &[], BURST + more));
    assert_eq!(again - once, 301 * message);
}

#[test]
fn processes_that_alone_fill_the_memory_are_not_all_created() {
    let ends = |n, bytes| ends(&Stage::new(n, &[]), |e| e.limits.byte_count_max = bytes);
    let process = each(10, |more| burst(2 + u32::try_from(more).expect("few"), &[], BURST));
    assert_eq!(ends(300, 256 * process), EndCause::Quiescent);
    assert_eq!(ends(300, 256 * process - 1), EndCause::MemoryLimit);
    // Below 256 it is not worth a look.
    assert_eq!(ends(255, 1), EndCause::Quiescent);
}

/// Keeps the words that it hears in its state, and sends as it is told.
#[derive(Clone, Debug, Hash)]
struct Hoarder(Vec<u64>);

impl Process for Hoarder {
    type Spec = Theatre;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;
    fn on_request(&mut self, todo: Vec<Do>, cx: &mut Cx<Self>) {
        for act in todo {
            if let Do::Send(to, word) = act {
                cx.send(ProcessId(to), Msg::Data(word));
            }
        }
    }
    fn on_message(&mut self, _: ProcessId, Msg::Data(word): Msg, _: &mut Cx<Self>) {
        self.0.push(word);
    }
}

impl Protocol for Hoarder {
    const NAME: &'static str = "hoarder";
    const SUMMARY: &'static str = "keeps what it hears";
    const SOURCE: &'static str = "none";
    type Params = Script;
    fn model(_: &Script, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_stop(Bound::NONE)
    }
    fn new(_: &Script, _: &Setting, _: ProcessId) -> Self {
        Self(Vec::new())
    }
}

#[test]
fn the_state_of_a_process_takes_its_memory() {
    let hears = |count| {
        let sends = vec![(0, 0, (0..count).map(|word| Do::Send(1, word)).collect())];
        bytes_with::<Hoarder>(&burst(2, &sends, BURST))
    };
    assert_eq!(hears(30) - hears(10), 20 * 8);
}
