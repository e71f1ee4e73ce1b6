//! Distinguishes livelock from slowness: executes a stalled run again and looks for repeated states
//! among its last steps.

use crate::digest::Digest;
use crate::engine::stepper::Stepper;
use crate::model::property::Stall;

/// The number of steps at the end of a run that are searched.
const STEPS_WATCHED: u64 = 20_000;

/// The search for a repeated state (Brent 1980): one state is kept and compared with the following
/// ones, over doubling distances.
struct Search {
    kept: Digest,
    distance: u64,
    left: u64,
    /// The number of indications when the state was kept.
    announced: u64,
}

/// Executes the run to its end after `steps` steps, and returns the reason why nothing more
/// happened.
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
            Some(Search { distance, announced: before, .. }) if *before == announced => {
                let distance = distance.saturating_mul(2);
                search = Some(Search { kept: state, distance, left: distance, announced });
            }
            _ => search = Some(Search { kept: state, distance: 1, left: 1, announced }),
        }
    }
    Stall::TooSlow
}
