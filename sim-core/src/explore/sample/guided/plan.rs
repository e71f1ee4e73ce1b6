//! What a guided run follows before it goes on by itself.
//!
//! A kept run is cut after the choice that showed its feature, or anywhere, each with a chance of
//! 1/2. What is before the cut is made again. Of eight plans, five have nothing else; one leaves
//! out the choice behind the cut and follows the rest, one makes that choice later, and one
//! follows another kept run from a random choice on. One in eight has another seed for what
//! clients and processes draw.
//!
//! What cannot be made when its turn comes is left out: after another order, another seed or a
//! fault, an event may not exist, and a budget may be used up.

use std::iter::Peekable;
use std::vec::IntoIter;

use super::Run;
use super::corpus::{Corpus, Kept};
use crate::explore::choice::{Choice, How};
use crate::explore::frontier::plain;
use crate::rng::Rng;

/// What to follow.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The seed of what clients and processes draw.
    pub seed: u64,
    /// Choices that are known to be possible, one after the other.
    pub exact: Vec<Choice>,
    /// Then these, as far as they can be made.
    pub then: Vec<Choice>,
}

impl Plan {
    /// A plan for the run of this seed, and the feature whose run it varies, if it varies one.
    pub fn draw(corpus: &Corpus, seed: u64, rng: &mut Rng) -> (Self, Option<usize>) {
        let fresh = Self { seed, ..Self::default() };
        if rng.below(4) == 0 {
            return (fresh, None);
        }
        match corpus.draw(rng) {
            None => (fresh, None),
            Some((origin, kept)) => (Self::vary(corpus, kept, seed, rng), Some(origin)),
        }
    }

    fn vary(corpus: &Corpus, kept: &Kept, fresh_seed: u64, rng: &mut Rng) -> Self {
        let choices = &kept.schedule.choices;
        let at = kept.at as usize;
        let cut = match rng.below(2) {
            0 if at < choices.len() => at,
            _ => rng.index(choices.len()),
        };
        let (mut exact, rest) = (choices[..cut].to_vec(), &choices[cut..]);
        let mut then = match rng.below(8) {
            0 => rest[1..].to_vec(),
            1 => {
                let mut rest = rest.to_vec();
                let later = rng.index(rest.len());
                rest[..=later].rotate_left(1);
                rest
            }
            2 => {
                let (_, other) = corpus.draw(rng).unwrap_or((0, kept));
                let other = &other.schedule.choices;
                other[rng.index(other.len())..].to_vec()
            }
            _ => Vec::new(),
        };
        if rng.below(8) == 0 {
            exact.append(&mut then);
            return Self { seed: fresh_seed, exact: Vec::new(), then: exact };
        }
        Self { seed: kept.schedule.seed, exact, then }
    }
}

/// The next of these choices that can be made, other than what becomes of a message.
pub(super) fn next(
    then: &mut Peekable<IntoIter<Choice>>,
    run: &mut Run<'_>,
    enabled: &[Choice],
) -> Option<Choice> {
    then.find(|choice| can_be_made(*choice, run, enabled))
}

/// Whether this choice can be made next, `enabled` being the events that can be.
fn can_be_made(choice: Choice, run: &mut Run<'_>, enabled: &[Choice]) -> bool {
    let mut those = Vec::new();
    match choice.how {
        How::Happens if !choice.event.is_early() => enabled.contains(&choice),
        How::IsLost | How::ComesTwice => false,
        How::CrashesAfter { .. } => {
            let event = plain(choice.event);
            if !enabled.contains(&event) {
                return false;
            }
            let before = run.frontier.used();
            let step = run.take(event);
            run.frontier.variants(&step, &before, &mut those);
            run.take_back();
            those.contains(&choice)
        }
        _ => {
            run.frontier.optional(&mut those);
            those.contains(&choice)
        }
    }
}

/// Decides what becomes of the messages that the last step has sent, as far as it was planned.
pub(super) fn decide_fates(then: &mut Peekable<IntoIter<Choice>>, run: &mut Run<'_>) {
    let mut fates = Vec::new();
    while let Some(fate) = then.next_if(Choice::is_fate) {
        run.frontier.fates(&mut fates);
        if fates.contains(&fate) {
            run.take(fate);
        }
    }
}
