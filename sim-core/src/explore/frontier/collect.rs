//! What a step has scheduled, and what it has taken away.

use super::{Frontier, Pending};
use crate::engine::event::{Class, Scheduled};
use crate::engine::world::{Control, Notice};
use crate::explore::budget::Time;
use crate::explore::choice::{Choice, EventId};
use crate::explore::step::{MessageKindIn, What};
use crate::id::ProcessId;

/// An event that cannot happen any more, because of what a step has done.
#[derive(Clone, Copy, Debug)]
pub(in crate::explore) struct Ghost {
    /// The event.
    pub event: EventId,
    /// The steps without which it would not have been pending.
    pub cause: u32,
    /// The step after which it could not happen.
    pub killer: u32,
    /// The step after which it was pending and could not happen.
    pub since: u32,
}

/// A pending event, as a strategy sees it.
#[derive(Clone, Copy, Debug)]
pub(in crate::explore) struct Prospect {
    /// The event.
    pub event: EventId,
    /// Where it happens.
    pub at: ProcessId,
    /// The step that has caused it.
    pub cause: u32,
    /// Its link, if messages on links keep their order.
    pub link: Option<(ProcessId, ProcessId)>,
}

impl Frontier {
    /// Takes over what has been scheduled, and what cannot happen any more.
    pub(super) fn collect(&mut self, choice: Choice, index: u32, mut new: Vec<Scheduled>) {
        let cause = choice.digest();
        let stepper = self.runner.stepper();
        let now = stepper.world().now;
        let will_recover = self.will_recover;
        let is_lost = |p: ProcessId| will_recover >> p.0 & 1 == 0;
        let (crash_step, ghosts) = (&self.crash_step, &mut self.ghosts);
        self.sender = index;
        let is_free = self.time == Time::Free;
        let mut give_up = |one: &Pending| {
            let (event, killer) = match one.what {
                What::Timer(_) if is_free => (one.id.early(), index),
                What::Timer(_) => (one.id, index),
                _ => (one.id, crash_step[one.at.index()]),
            };
            ghosts.push(Ghost { event, cause: one.cause, killer, since: index });
        };
        self.pending.retain_mut(|one| {
            if one.is_timer() {
                match stepper.settle_timer(one.event) {
                    Some(settled) if settled.place == one.event.place => return true,
                    // It was set anew: another event.
                    Some(settled) => new.push(settled),
                    None => {}
                }
            } else if stepper.is_up(one.at) || !is_lost(one.at) {
                return true;
            }
            give_up(one);
            false
        });
        for (nth, mut event) in (0u64..).zip(new) {
            let Some((at, what)) = self.about(&event) else { continue };
            let id = EventId::of(cause, nth);
            if let What::Message { .. } = what {
                self.undecided.push((id, what));
            }
            let stepper = self.runner.stepper();
            match event.place.class() {
                // One that was set twice in this step is where it was set last.
                Class::Timer => match stepper.settle_timer(event) {
                    Some(settled) => event = settled,
                    None => continue,
                },
                _ if !stepper.is_up(at) && self.will_recover >> at.0 & 1 == 0 => {
                    let killer = self.crash_step[at.index()];
                    self.ghosts.push(Ghost { event: id, cause: index, killer, since: index });
                    continue;
                }
                _ => {}
            }
            let after = event.place.at.since(now);
            let due = self.clocks[at.index()] + after;
            let one = Pending { after, id, event, what, at, cause: index, due, is_double: false };
            self.pending.push(one);
        }
    }

    /// What was pending and could not happen any more.
    pub(in crate::explore) fn ghosts(&self) -> &[Ghost] {
        &self.ghosts
    }

    /// Where an event happens, and what it is.
    fn about(&mut self, event: &Scheduled) -> Option<(ProcessId, What)> {
        let stepper = self.runner.stepper();
        if let Some((from, to, kind)) = stepper.message_of(event) {
            let nth = self.sent.entry((from, to, kind.code())).or_default();
            *nth += 1;
            return Some((to, What::Message { from, to, kind: MessageKindIn(kind), nth: *nth }));
        }
        let at = stepper.process_of(event);
        match (event.place.class(), at) {
            (Class::Fault, _) => match stepper.world().controls.get(event.subject()) {
                Some(Control::Recover(p, _)) => Some((*p, What::Recovery(*p))),
                _ => None,
            },
            (Class::Timer, Some(p)) => Some((p, What::Timer(p))),
            (Class::Request, Some(process)) => {
                let nth = &mut self.asked[process.index()];
                *nth += 1;
                Some((process, What::Request { process, nth: *nth }))
            }
            (Class::Detector, Some(observer)) => {
                let Notice { subject, mistake, .. } = Notice::unpack(event.detail());
                let count = self.notices.entry((observer, subject)).or_default();
                *count += u64::from(!mistake);
                let nth = if mistake { 0 } else { *count };
                Some((observer, What::Notice { observer, subject, nth }))
            }
            (_, Some(p)) => Some((p, What::Other(p))),
            (_, None) => None,
        }
    }

    /// What is pending, whether it can be next or not; the consequences of a step in their order.
    pub(in crate::explore) fn prospects(&self) -> impl Iterator<Item = Prospect> {
        self.pending.iter().map(|one| Prospect {
            event: one.id,
            at: one.at,
            cause: one.cause,
            link: match one.what {
                What::Message { from, to, .. } if self.is_fifo => Some((from, to)),
                _ => None,
            },
        })
    }
}
