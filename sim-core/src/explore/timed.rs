//! An explored run as plain times: delays of messages, of notices and of requests, and faults.

use crate::environment::detector::{Mistake, NoticeDelay};
use crate::environment::message_rule::{Arrival, Fate, MessageRule};
use crate::environment::request_override::RequestOverride;
use crate::explore::choice::How;
use crate::explore::step::{Step, What};
use crate::fault::condition::{Condition, Persistence};
use crate::fault::{Action, Crash, Fault, Trigger};
use crate::id::ProcessId;
use crate::time::{Duration, Instant};

/// The time between two steps.
const STEP: Duration = Duration::from_micros(1);

/// What makes an experiment without other faults take the steps of an explored run.
#[derive(Clone, Debug, Default)]
pub struct Timed {
    /// The fates of its messages.
    pub messages: Vec<MessageRule>,
    /// The delays of the detector's notices.
    pub notices: Vec<NoticeDelay>,
    /// The wrong suspicions.
    pub mistakes: Vec<Mistake>,
    /// When clients ask.
    pub requests: Vec<RequestOverride>,
    /// The crashes, and when clocks stand still.
    pub faults: Vec<Fault>,
    /// When the last step happens.
    pub end: Instant,
}

impl Timed {
    /// The times of a run with these steps, after which this is left. `None` if times alone cannot
    /// tell it: a timer would have to run out before or after it is due.
    pub fn of(steps: &[Step], left: &[(What, u32)]) -> Option<Self> {
        Some(Self::at(&times(steps)?, Vec::new(), steps, left))
    }

    /// The same for a run of `n` processes whose clocks stand still but for when they have to pass.
    /// Timers that run out before or after they are due are those of clocks that run fast or slow.
    pub fn with_clocks(n: u32, steps: &[Step], left: &[(What, u32)]) -> Self {
        let (times, faults) = with_clocks(n, steps);
        Self::at(&times, faults, steps, left)
    }

    fn at(times: &[Instant], faults: Vec<Fault>, steps: &[Step], left: &[(What, u32)]) -> Self {
        let end = times.iter().copied().max().unwrap_or_default();
        let mut timed = Self { end, faults, ..Self::default() };
        for (index, step) in steps.iter().enumerate() {
            let cause = step.needs[0].map_or(Instant::ZERO, |cause| times[cause as usize]);
            let after = times[index].since(cause);
            timed.add(step, times[index], after, steps, times);
        }
        let late = end + STEP + STEP;
        for (what, cause) in left {
            timed.put_off(*what, late.since(times[*cause as usize]));
        }
        timed
    }

    fn add(&mut self, step: &Step, at: Instant, after: Duration, all: &[Step], times: &[Instant]) {
        match step.what {
            _ if step.choice.how == How::ComesTwice => return,
            What::Message { from, to, kind, nth } => {
                let is_copy = step.needs[0]
                    .is_some_and(|cause| link_of(&all[cause as usize]) == Some((from, to)));
                if !is_copy {
                    let fate = match step.choice.how {
                        How::IsLost => Fate::DROP,
                        _ => arrival(step, after, all, times),
                    };
                    let kind = Some(kind.0.to_string());
                    self.messages.push(MessageRule { from, to, kind, nth, fate });
                }
            }
            What::Request { process, nth } => {
                self.requests.push(RequestOverride {
                    process,
                    nth,
                    after: Some(after),
                    replace: None,
                });
            }
            What::Notice { observer, subject, nth } if nth > 0 => {
                self.notices.push(NoticeDelay { observer, subject, nth, delay: after });
            }
            _ => {}
        }
        match step.choice.how {
            How::Suspects { observer, subject } => {
                let withdrawn = all.iter().zip(times).find(|(later, until)| {
                    **until > at
                        && matches!(later.what, What::Notice { observer: o, subject: s, nth: 0 }
                            if (o, s) == (observer, subject))
                });
                let until = withdrawn.map(|(_, until)| *until);
                self.mistakes.push(Mistake { observer, suspects: subject, at, until });
            }
            How::Crash { process, .. } | How::CrashesAfter { process, effects: 0, .. } => {
                self.crash(process, Trigger::At(at), at, all, times);
            }
            How::CrashesAfter { process, effects, .. } => {
                let nth = step.effect_count + effects;
                self.crash(process, Trigger::AfterEffect { process, nth }, at, all, times);
            }
            How::Happens | How::IsLost | How::ComesTwice => {}
        }
    }

    fn crash(
        &mut self,
        process: ProcessId,
        trigger: Trigger,
        at: Instant,
        all: &[Step],
        times: &[Instant],
    ) {
        let recovery = all
            .iter()
            .zip(times)
            .find(|(later, time)| **time > at && later.what == What::Recovery(process));
        let recover_after = recovery.map(|(_, time)| time.since(at));
        let crash = Crash { recover_after, ..Crash::default() };
        self.faults.push(Fault { trigger, action: Action::Crash(process, crash) });
    }

    /// What is left at the end comes after it.
    fn put_off(&mut self, what: What, after: Duration) {
        match what {
            What::Message { from, to, kind, nth } => {
                let kind = Some(kind.0.to_string());
                let fate = Fate::delay(after);
                self.messages.push(MessageRule { from, to, kind, nth, fate });
            }
            What::Request { process, nth } => {
                let after = Some(after);
                self.requests.push(RequestOverride { process, nth, after, replace: None });
            }
            What::Notice { observer, subject, nth } if nth > 0 => {
                self.notices.push(NoticeDelay { observer, subject, nth, delay: after });
            }
            _ => {}
        }
    }
}

/// The arrival of a message in this step, this long after it was sent, and that of its copy.
fn arrival(step: &Step, after: Duration, all: &[Step], times: &[Instant]) -> Fate {
    let is_copy = |later: &Step| {
        let cause = later.needs[0].map(|cause| all[cause as usize].choice);
        cause == Some(step.choice) && link_of(later) == link_of(step)
    };
    let copy = all.iter().zip(times).find(|(later, _)| is_copy(later));
    let sent = step.needs[0].map_or(Instant::ZERO, |cause| times[cause as usize]);
    match (Fate::delay(after), copy) {
        (Fate::Arrive(arrival), Some((_, at))) => {
            Fate::Arrive(Arrival { copy_after: Some(at.since(sent)), ..arrival })
        }
        (fate, _) => fate,
    }
}

fn link_of(step: &Step) -> Option<(ProcessId, ProcessId)> {
    match step.what {
        What::Message { from, to, .. } => Some((from, to)),
        _ => None,
    }
}

/// The time of each step: one after the other, and timers when they are due.
fn times(steps: &[Step]) -> Option<Vec<Instant>> {
    let mut times: Vec<Instant> = Vec::with_capacity(steps.len());
    let mut next = Instant::ZERO;
    for step in steps {
        let cause = step.needs[0].and_then(|cause| times.get(cause as usize).copied());
        let at = match (step.what, cause) {
            (What::Timer(_), Some(cause)) => {
                let due = cause + step.after;
                if due < next {
                    return None;
                }
                due
            }
            _ => next,
        };
        times.push(at);
        next = next.max(at + STEP);
    }
    Some(times)
}

/// The time of each step, one after the other, if the clock of each process stands still but for
/// when it has to pass; and the faults that make it so.
fn with_clocks(n: u32, steps: &[Step]) -> (Vec<Instant>, Vec<Fault>) {
    let mut clocks = vec![Clock::default(); n as usize];
    let mut times: Vec<Instant> = Vec::with_capacity(steps.len());
    let (mut next, mut faults) = (Instant::ZERO, Vec::new());
    for step in steps {
        let at = step.what.process().map_or(next, |p| {
            let clock = &mut clocks[p.index()];
            let passes = step.clock.since(clock.shows);
            if passes > Duration::ZERO {
                faults.extend(clock.stands_still_until(p, next));
                clock.passes(next, passes);
                next + passes
            } else if step.what == What::Timer(p) {
                // Due together with the one before.
                Instant::from_nanos(clock.stopped.as_nanos() - 1)
            } else {
                next
            }
        });
        times.push(at);
        next = next.max(at + STEP);
    }
    let end = next + STEP + STEP;
    let all = (0..n).map(ProcessId).zip(&clocks);
    faults.extend(all.filter_map(|(p, clock)| clock.stands_still_until(p, end)));
    (times, faults)
}

/// A clock that stands still but for when it has to pass.
#[derive(Clone, Copy, Default)]
struct Clock {
    /// What it shows.
    shows: Instant,
    /// Since when it stands still.
    stopped: Instant,
}

impl Clock {
    fn stands_still_until(self, process: ProcessId, until: Instant) -> Option<Fault> {
        let span = until.since(self.stopped);
        let (trigger, freeze) = (Trigger::At(self.stopped), Condition::Freeze(process));
        let action = Action::Begin(freeze, Persistence::Transient(span));
        (span > Duration::ZERO).then_some(Fault { trigger, action })
    }

    /// It passes from this time on, and stops when the timers that are due then have run out.
    fn passes(&mut self, from: Instant, span: Duration) {
        let more = span + Duration::from_nanos(1);
        (self.shows, self.stopped) = (self.shows + more, from + more);
    }
}
