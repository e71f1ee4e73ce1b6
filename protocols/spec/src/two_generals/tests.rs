//! Coordinated attacks, on histories written by hand.

use ftsim_core::Setting;
use ftsim_core::bench::history::{Act, check, judge};
use ftsim_core::model::property::Verdict;

use super::{CoordinatedAttack, GENERALS, Indication};

type Event = Act<CoordinatedAttack>;

const NONE: [&str; 0] = [];

fn attacks(general: usize) -> Event {
    Act::Indicate(GENERALS[general], Indication::Attack)
}

fn stays(general: usize) -> Event {
    Act::Indicate(GENERALS[general], Indication::Stay)
}

#[test]
fn both_or_neither() {
    assert_eq!(check(2, &[attacks(0), attacks(1)]), NONE);
    assert_eq!(check(2, &[attacks(0), stays(1)]), ["gen.coordinated", "gen.attack"]);
    assert_eq!(check(2, &[stays(0), attacks(1)]), ["gen.coordinated", "gen.attack"]);
}

#[test]
fn who_does_nothing_does_not_attack_and_who_has_crashed_need_not() {
    assert_eq!(check(2, &[attacks(0)]), ["gen.coordinated", "gen.attack"]);
    assert_eq!(check(2, &[attacks(1)]), ["gen.coordinated", "gen.attack"]);
    assert_eq!(check(2, &[stays(0)]), ["gen.attack"]);
    assert_eq!(check(2, &[attacks(0), Act::Crash(GENERALS[1])]), NONE);
}

#[test]
fn to_stay_for_no_reason_is_no_solution() {
    assert_eq!(check(2, &[stays(0), stays(1)]), ["gen.attack"]);
    // If something went wrong, they may.
    let verdicts = judge(&Setting::of(2), &[stays(0), stays(1)], false);
    let verdicts: Vec<Verdict> = verdicts.into_iter().map(|(_, verdict)| verdict).collect();
    assert_eq!(verdicts, [Verdict::Held, Verdict::HeldVacuously]);
}
