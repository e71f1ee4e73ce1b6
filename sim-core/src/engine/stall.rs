//! Tells livelock from slowness: a run that stalls is run again, and its last steps are watched for
//! states that come again.

use crate::digest::Digest;
use crate::engine::stepper::Stepper;
use crate::model::property::Stall;

/// This many of the last steps of a run are watched.
const STEPS_WATCHED: u64 = 20_000;

/// The search for a state that comes again (Brent 1980): one state is kept and compared with those
/// that follow, over distances that double.
struct Search {
    kept: Digest,
    distance: u64,
    left: u64,
    /// How much had been announced when the state was kept.
    announced: u64,
}

/// Runs to the end, which comes after `steps` steps, and says why nothing more happened.
pub(super) fn find(stepper: &mut dyn Stepper, steps: u64) -> Stall {
    let mut search: Option<Search> = None;
    stepper.start();
    while let Some(event) = stepper.next_event() {
        stepper.execute(event);
        if stepper.world().step + STEPS_WATCHED < steps {
            continue;
        }
        let (state, announced) = (stepper.behaviour(), stepper.world().announced);
        match &mut search {
            Some(search) if search.announced == announced && search.left > 0 => {
                if search.kept == state {
                    return Stall::Livelock;
                }
                search.left -= 1;
            }
            Some(Search { distance, .. }) => {
                let distance = *distance * 2;
                search = Some(Search { kept: state, distance, left: distance, announced });
            }
            None => search = Some(Search { kept: state, distance: 1, left: 1, announced }),
        }
    }
    Stall::TooSlow
}
