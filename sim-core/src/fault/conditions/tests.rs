//! Each condition affects only its own process or links, and only while it is in force.

use super::*;
use crate::environment::clock::Shift;
use crate::environment::network::Cut;
use crate::fault::condition::Links;
use crate::rng::Stream;
use crate::time::DurationRange;

const P0: ProcessId = ProcessId(0);
const P1: ProcessId = ProcessId(1);
const P2: ProcessId = ProcessId(2);
const ALL: [ProcessId; 3] = [P0, P1, P2];

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn at_ms(n: u64) -> Instant {
    Instant::ZERO + ms(n)
}

fn rng() -> Rng {
    Rng::new(1, Stream::ActiveConditions)
}

/// The link from p0 to p1.
fn link() -> Links {
    let only = |p| Some(ProcessSet::from_iter([p]));
    Links { from: only(P0), to: only(P1) }
}

/// These conditions, permanently in force.
fn begun(conditions: impl IntoIterator<Item = Condition>) -> ActiveConditions {
    let mut all = ActiveConditions::default();
    for condition in conditions {
        assert_eq!(all.begin(condition, Persistence::Permanent, Instant::ZERO).1, None);
    }
    all
}

/// The links that satisfy a predicate.
fn links_where(is: impl Fn(ProcessId, ProcessId) -> bool) -> Vec<(u32, u32)> {
    let pairs = ALL.into_iter().flat_map(|from| ALL.map(|to| (from, to)));
    pairs.filter(|(from, to)| from != to && is(*from, *to)).map(|(p, q)| (p.0, q.0)).collect()
}

fn dropped(conditions: &ActiveConditions, from: ProcessId, to: ProcessId) -> Option<DropReason> {
    conditions.on_send(from, to, &mut rng()).drop
}

fn not_received(
    conditions: &ActiveConditions,
    from: ProcessId,
    to: ProcessId,
) -> Option<DropReason> {
    conditions.on_arrival(from, to, &mut rng())
}

#[test]
fn a_wrong_clock_is_that_of_its_process() {
    let conditions = begun([
        Condition::Skew(P1, Shift::Ahead(ms(5))),
        Condition::Skew(P1, Shift::Behind(ms(2))),
        Condition::Drift(P1, 30),
        Condition::Drift(P1, -10),
        Condition::Freeze(P2),
    ]);
    assert_eq!(conditions.clock_error(P0), ClockError::default());
    let wrong = ClockError { skew_ns: 3_000_000, drift_ppm: 20, frozen: false };
    assert_eq!(conditions.clock_error(P1), wrong);
    assert_eq!(conditions.clock_error(P2), ClockError { frozen: true, ..ClockError::default() });
    assert_eq!(conditions.clocks().collect::<Vec<_>>(), [P1, P1, P1, P1, P2]);
    assert_eq!(begun([Condition::DiskFull(P1)]).clocks().count(), 0);
}

#[test]
fn a_slow_process_slows_nobody_else() {
    let slow = |p, factor| Condition::Slow(p, factor);
    let conditions = begun([slow(P1, 3), slow(P1, 5), slow(P2, 7), slow(P2, 0)]);
    assert_eq!(ALL.map(|p| conditions.slowness(p)), [1, 15, 7]);
    let slower = |from, to| conditions.on_send(from, to, &mut rng()).slower;
    assert_eq!([slower(P0, P1), slower(P1, P0), slower(P1, P2), slower(P2, P1)], [1, 15, 15, 7]);
}

#[test]
fn a_bad_disk_is_that_of_its_process() {
    let conditions = begun([
        Condition::SlowSync(P1, ms(3)),
        Condition::SlowSync(P1, ms(4)),
        Condition::SyncFails(P0),
        Condition::DiskFull(P2),
    ]);
    assert_eq!(ALL.map(|p| conditions.sync_delay(p)), [ms(0), ms(7), ms(0)]);
    assert_eq!(ALL.map(|p| conditions.sync_fails(p)), [true, false, false]);
    assert_eq!(ALL.map(|p| conditions.disk_is_full(p)), [false, false, true]);
}

#[test]
fn who_omits_to_receive_loses_only_what_arrives_for_it_on_these_links() {
    let (always, never) = (Probability::ALWAYS, Probability::NEVER);
    let omits = begun([Condition::ReceiveOmission(P1, link(), always)]);
    assert_eq!(links_where(|p, q| not_received(&omits, p, q).is_some()), [(0, 1)]);
    assert_eq!(not_received(&omits, P0, P1), Some(DropReason::ReceiveOmission));
    assert_eq!(links_where(|p, q| dropped(&omits, p, q).is_some()), []);
    let all = begun([Condition::ReceiveOmission(P1, Links::ALL, always)]);
    assert_eq!(links_where(|p, q| not_received(&all, p, q).is_some()), [(0, 1), (2, 1)]);
    let other = begun([Condition::ReceiveOmission(P2, link(), always)]);
    assert_eq!(links_where(|p, q| not_received(&other, p, q).is_some()), []);
    let rarely = begun([Condition::ReceiveOmission(P1, link(), never)]);
    assert_eq!(not_received(&rarely, P0, P1), None);
}

#[test]
fn who_omits_to_send_loses_only_what_it_sends_on_these_links() {
    let (always, never) = (Probability::ALWAYS, Probability::NEVER);
    let omits = begun([Condition::SendOmission(P0, link(), always)]);
    assert_eq!(links_where(|p, q| dropped(&omits, p, q).is_some()), [(0, 1)]);
    assert_eq!(dropped(&omits, P0, P1), Some(DropReason::SendOmission));
    assert_eq!(links_where(|p, q| not_received(&omits, p, q).is_some()), []);
    let all = begun([Condition::SendOmission(P0, Links::ALL, always)]);
    assert_eq!(links_where(|p, q| dropped(&all, p, q).is_some()), [(0, 1), (0, 2)]);
    let other = begun([Condition::SendOmission(P1, link(), always)]);
    assert_eq!(links_where(|p, q| dropped(&other, p, q).is_some()), []);
    let rarely = begun([Condition::SendOmission(P0, link(), never)]);
    assert_eq!(dropped(&rarely, P0, P1), None);
}

#[test]
fn a_cut_loses_what_is_sent_and_what_arrives() {
    let cut = Cut::OneWay { from: vec![P0], to: vec![P1] };
    let conditions = begun([Condition::Partition(cut)]);
    assert_eq!(links_where(|p, q| dropped(&conditions, p, q).is_some()), [(0, 1)]);
    assert_eq!(links_where(|p, q| not_received(&conditions, p, q).is_some()), [(0, 1)]);
    assert_eq!(dropped(&conditions, P0, P1), Some(DropReason::Cut));
    assert_eq!(not_received(&conditions, P0, P1), Some(DropReason::Cut));
}

#[test]
fn bad_links_lose_and_double_what_is_sent_on_them_and_nothing_else() {
    let (always, never) = (Probability::ALWAYS, Probability::NEVER);
    let lossy = begun([Condition::Loss(link(), always)]);
    assert_eq!(links_where(|p, q| dropped(&lossy, p, q).is_some()), [(0, 1)]);
    assert_eq!(dropped(&lossy, P0, P1), Some(DropReason::Loss));
    assert_eq!(dropped(&begun([Condition::Loss(link(), never)]), P0, P1), None);
    let copies = |c: &ActiveConditions, p, q| c.on_send(p, q, &mut rng()).copies;
    let twice = || Condition::Duplicate(link(), always);
    let doubling = begun([twice(), twice(), Condition::Duplicate(link(), never)]);
    assert_eq!(links_where(|p, q| copies(&doubling, p, q)), [(0, 1)]);
    assert!(!copies(&begun([Condition::Duplicate(link(), never)]), P0, P1));
}

#[test]
fn late_links_add_up() {
    let later = |c: &ActiveConditions, p, q| c.on_send(p, q, &mut rng()).later_by;
    let late = begun([Condition::Late(link(), ms(3)), Condition::Late(Links::ALL, ms(4))]);
    assert_eq!([later(&late, P0, P1), later(&late, P1, P0)], [ms(7), ms(4)]);
    let by = DurationRange { min: ms(10), max: ms(11) };
    let delays = begun([Condition::Late(link(), ms(3)), Condition::Delay(link(), by)]);
    assert_eq!(later(&delays, P1, P0), ms(0));
    let drawn = later(&delays, P0, P1);
    assert!(ms(13) <= drawn && drawn <= ms(14), "{drawn}");
    let reorders = |chance| {
        let held = Condition::Reorder(link(), chance, ms(2));
        begun([Condition::Late(link(), ms(3)), held])
    };
    let held = later(&reorders(Probability::ALWAYS), P0, P1);
    assert!(ms(3) < held && held <= ms(5), "{held}");
    assert_eq!(later(&reorders(Probability::ALWAYS), P1, P0), ms(0));
    assert_eq!(later(&reorders(Probability::NEVER), P0, P1), ms(3));
}

#[test]
fn a_clogged_link_holds_messages_until_it_ends() {
    let held = |c: &ActiveConditions, p, q| c.on_send(p, q, &mut rng()).held_until;
    let mut clog = ActiveConditions::default();
    let begin = |c: &mut ActiveConditions, duration| {
        c.begin(Condition::Clog(link()), Persistence::Transient(ms(duration)), at_ms(10))
    };
    assert_eq!(begin(&mut clog, 5), (0, Some(at_ms(15))));
    assert_eq!(begin(&mut clog, 20), (1, Some(at_ms(30))));
    assert_eq!([held(&clog, P0, P1), held(&clog, P1, P0)], [Some(at_ms(30)), None]);
    assert_eq!(clog.turn(1, at_ms(30)), None);
    assert_eq!(held(&clog, P0, P1), Some(at_ms(15)));
    assert_eq!(held(&begun([Condition::Clog(link())]), P0, P1), Some(Instant::MAX));
}

#[test]
fn tampering_is_that_of_its_links() {
    let always = Probability::ALWAYS;
    let tampering = |c: &ActiveConditions, p, q| c.tamper(p, q, &mut rng());
    let garble = || Condition::Garble(link(), always);
    let garbling = begun([garble(), garble(), Condition::Garble(link(), Probability::NEVER)]);
    assert_eq!(links_where(|p, q| tampering(&garbling, p, q).garbled), [(0, 1)]);
    assert_eq!(links_where(|p, q| tampering(&garbling, p, q).replayed), []);
    let replay = || Condition::Replay(link(), always);
    let replaying = begun([replay(), replay(), Condition::Replay(link(), Probability::NEVER)]);
    assert_eq!(links_where(|p, q| tampering(&replaying, p, q).replayed), [(0, 1)]);
    assert_eq!(links_where(|p, q| tampering(&replaying, p, q).garbled), []);
}

#[test]
fn the_narrowest_bandwidth_counts() {
    let narrow = begun([Condition::Bandwidth(Links::ALL, 9), Condition::Bandwidth(link(), 5)]);
    assert_eq!([narrow.bandwidth(P0, P1), narrow.bandwidth(P1, P0)], [Some(5), Some(9)]);
    let one = begun([Condition::Bandwidth(link(), 5)]);
    assert_eq!([one.bandwidth(P0, P1), one.bandwidth(P0, P2)], [Some(5), None]);
}

#[test]
fn only_what_keeps_every_message_back_excuses_its_links() {
    let excuses = |condition: Condition| {
        let conditions = begun([condition]);
        let links = links_where(|p, q| conditions.excuse(p, q).is_some());
        assert_eq!(conditions.silence_links(), !links.is_empty());
        links
    };
    let cut = Cut::OneWay { from: vec![P0], to: vec![P1] };
    assert_eq!(excuses(Condition::Partition(cut)), [(0, 1)]);
    assert_eq!(excuses(Condition::Clog(link())), [(0, 1)]);
    assert_eq!(excuses(Condition::Loss(link(), Probability::ALWAYS)), [(0, 1)]);
    let half = Probability::new(0.5).expect("it is one");
    assert_eq!(excuses(Condition::Loss(link(), half)), []);
    assert_eq!(excuses(Condition::Late(link(), ms(1))), []);
    let why = |condition| begun([condition]).excuse(P0, P1).unwrap_or_default();
    assert!(why(Condition::Clog(link())).contains("clogged"));
    assert!(why(Condition::Loss(link(), Probability::ALWAYS)).contains("loses every message"));
}

#[test]
fn a_spared_core_is_touched_no_more_and_its_links_to_others_are() {
    let mut conditions =
        begun([Condition::Loss(Links::ALL, Probability::ALWAYS), Condition::DiskFull(P0)]);
    conditions.spare([P0, P1].into_iter().collect());
    let lost = links_where(|p, q| dropped(&conditions, p, q).is_some());
    assert_eq!(lost, [(0, 2), (1, 2), (2, 0), (2, 1)]);
    assert!(!conditions.disk_is_full(P0));
    conditions.clear();
    assert!(conditions.is_empty());
    conditions.begin(Condition::DiskFull(P0), Persistence::Permanent, Instant::ZERO);
    assert!(conditions.disk_is_full(P0) && !conditions.is_empty());
}

#[test]
fn what_is_healed_never_comes_back() {
    let on_and_off = Persistence::Intermittent { period: ms(10), on: ms(3) };
    let both = || {
        let mut conditions = ActiveConditions::default();
        let loss = Condition::Loss(Links::ALL, Probability::ALWAYS);
        conditions.begin(loss, on_and_off, Instant::ZERO);
        conditions.begin(Condition::DiskFull(P0), on_and_off, Instant::ZERO);
        conditions
    };
    let mut links = both();
    links.heal_links();
    assert_eq!(dropped(&links, P0, P1), None);
    assert_eq!(links.turn(0, at_ms(3)), None);
    assert_eq!(links.get(0), None);
    assert!(links.disk_is_full(P0));
    assert_eq!(links.get(1), Some((&Condition::DiskFull(P0), true)));
    let mut all = both();
    all.heal_all();
    assert!(!all.disk_is_full(P0) && dropped(&all, P0, P1).is_none());
    assert_eq!([all.turn(0, at_ms(3)), all.turn(1, at_ms(3)), all.turn(9, at_ms(3))], [None; 3]);
}

#[test]
fn conditions_turn_on_and_off_when_they_say() {
    let mut conditions = ActiveConditions::default();
    let mut begin =
        |persistence| conditions.begin(Condition::DiskFull(P0), persistence, at_ms(100));
    assert_eq!(begin(Persistence::Transient(ms(10))), (0, Some(at_ms(110))));
    let on_and_off = Persistence::Intermittent { period: ms(10), on: ms(3) };
    assert_eq!(begin(on_and_off), (1, Some(at_ms(103))));
    assert_eq!(begin(Persistence::Permanent), (2, None));
    let is_on = |conditions: &ActiveConditions, number| conditions.get(number).map(|(_, on)| on);
    assert_eq!([0, 1, 2].map(|number| is_on(&conditions, number)), [Some(true); 3]);
    assert_eq!(conditions.turn(0, at_ms(110)), None);
    assert_eq!(conditions.turn(1, at_ms(103)), Some(at_ms(110)));
    let on = [0, 1, 2].map(|number| is_on(&conditions, number));
    assert_eq!(on, [Some(false), Some(false), Some(true)]);
    assert_eq!(conditions.turn(1, at_ms(110)), Some(at_ms(113)));
    assert_eq!(is_on(&conditions, 1), Some(true));
}
