//! Judges claims about all runs together.

use ftsim_reports::{Interval, Judgement, StatisticRow};

use crate::scenario::statistic::{Measure, Quantity, Statistic};
use crate::sweep::tally::Tally;

/// The judgement on a claim, from the runs counted here.
pub fn judge(claim: &Statistic, tally: &Tally) -> StatisticRow {
    let Statistic { of, least, most, confidence } = *claim;
    let (runs, value, interval) = match of {
        Quantity::Share(id) => {
            let counts = tally.properties.get(&id).cloned().unwrap_or_default();
            let (held, runs) = (counts.held, counts.held + counts.violated);
            let value = (runs > 0).then(|| held as f64 / runs as f64);
            (runs, value, value.map(|_| Interval::of_share(held, runs, confidence)))
        }
        Quantity::Mean(measure) => {
            let moments = match measure {
                Measure::Messages => tally.moments.messages.mean_and_variance(),
                Measure::Steps => tally.moments.steps.mean_and_variance(),
                Measure::Property(id) => tally.moments.of_property(id.0),
            };
            let interval = moments.and_then(|(runs, mean, variance)| {
                Interval::of_mean(mean, variance, runs, confidence)
            });
            (moments.map_or(0, |(runs, ..)| runs), moments.map(|(_, mean, _)| mean), interval)
        }
    };
    let judgement = interval.map_or(Judgement::Open, |interval| interval.judge(least, most));
    StatisticRow { claim: claim.to_string(), runs, value, interval, confidence, judgement }
}
