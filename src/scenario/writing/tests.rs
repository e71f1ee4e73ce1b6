//! Every kind of fault is read again as it was written.

use ftsim_core::{Duration, DurationRange, Instant, Plan};
use ftsim_protocols::Catalogue;

use super::*;
use crate::scenario::Scenario;
use crate::scenario::file::ScenarioFile;

const WORLD: &str = "protocol = \"two-phase-commit\"\n\
                     processes = { coordinator = 1, participant = 4 }\n";

fn at(ms: u64, action: Action) -> Fault {
    Fault { trigger: Trigger::At(Instant::ZERO + Duration::from_millis(ms)), action }
}

fn p(id: u32) -> ProcessId {
    ProcessId(id)
}

fn some(ids: &[u32]) -> ProcessSet {
    ids.iter().copied().map(ProcessId).collect()
}

fn crashes() -> Vec<Fault> {
    let second = Some(Duration::from_secs(1));
    let of = |recover_after, in_flight, disk| {
        Action::Crash(p(1), Crash { recover_after, in_flight, disk, announced: false })
    };
    let disks = [
        OnCrash::LoseUnsynced,
        OnCrash::KeepAll,
        OnCrash::KeepPrefix,
        OnCrash::KeepSubset,
        OnCrash::TornLast,
        OnCrash::LoseAll,
    ];
    let on_crash = disks.map(|disk| at(3, of(second, InFlight::Keep, Some(disk))));
    let triggers = [
        Trigger::At(Instant::ZERO + Duration::from_nanos(12_000_345)),
        Trigger::AfterEffect { process: p(2), nth: 7 },
        Trigger::Sends { process: p(0), kind: "Rb.Commit".to_owned(), nth: 2 },
    ];
    let crash = |trigger| Fault { trigger, action: of(None, InFlight::Lose, None) };
    let exception = Crash { announced: true, recover_after: second, ..Crash::default() };
    let exception = at(3, Action::Crash(p(2), exception));
    triggers.into_iter().map(crash).chain(on_crash).chain([exception]).collect()
}

fn conditions() -> Vec<Condition> {
    let of =
        |from: Option<&[u32]>, to: Option<&[u32]>| Links { from: from.map(some), to: to.map(some) };
    let third = Probability::new(1.0 / 3.0).expect("a probability");
    let cuts = [
        Cut::Groups(vec![vec![p(0), p(3)], vec![p(1)]]),
        Cut::OneWay { from: vec![p(0)], to: vec![p(1), p(2)] },
        Cut::Links(vec![(p(0), p(2)), (p(4), p(1))]),
        Cut::Bridge { left: vec![p(3)], right: vec![p(0), p(4)] },
        Cut::RingOfMajorities([3, 0, 4, 1, 2].map(ProcessId).to_vec()),
    ];
    let range: DurationRange = "1ms..2.5ms".parse().expect("a range");
    let mut all: Vec<Condition> = cuts.into_iter().map(Condition::Partition).collect();
    all.extend([
        Condition::SendOmission(p(1), of(None, Some(&[2, 3])), third),
        Condition::ReceiveOmission(p(1), of(Some(&[0]), None), Probability::ALWAYS),
        Condition::Loss(of(Some(&[0, 1]), Some(&[2])), third),
        Condition::Duplicate(Links::ALL, Probability::new(1e-9).expect("a probability")),
        Condition::Late(of(None, Some(&[4])), Duration::from_micros(1_500)),
        Condition::Delay(of(None, Some(&[4])), range),
        Condition::Reorder(of(Some(&[2]), None), third, Duration::from_millis(30)),
        Condition::Replay(Links::ALL, third),
        Condition::Garble(of(Some(&[0]), None), third),
        Condition::Bandwidth(Links::ALL, 1_234),
        Condition::Skew(p(1), Shift::Behind(Duration::from_millis(3))),
        Condition::Drift(p(1), -250),
        Condition::Freeze(p(4)),
        Condition::Clog(of(Some(&[3]), None)),
        Condition::Clog(Links::ALL),
        Condition::Slow(p(2), 10),
        Condition::SyncFails(p(2)),
        Condition::SlowSync(p(2), Duration::from_millis(5)),
        Condition::DiskFull(p(3)),
    ]);
    all
}

fn others() -> Vec<Fault> {
    let behaviours = [
        Behaviour::Silent,
        Behaviour::Withhold(some(&[1, 4])),
        Behaviour::Delay(Duration::from_millis(50)),
        Behaviour::Collude(some(&[3])),
        Behaviour::Equivocate,
        Behaviour::Mutate,
        Behaviour::Replay,
        Behaviour::Random,
    ];
    let corrupt = behaviours.map(|behaviour| Action::Corrupt(p(3), behaviour));
    let damage = [DiskFault::CorruptRecord, DiskFault::LoseDisk, DiskFault::Rollback(2)];
    let damage = damage.map(|damage| Action::Damage(p(1), damage));
    let pause = |resume_after| Action::Pause { process: p(4), resume_after };
    let single = [
        pause(None),
        pause(Some(Duration::from_millis(9))),
        Action::Resume { process: p(4) },
        Action::Start(p(2)),
        Action::Jump(p(0), Shift::Ahead(Duration::from_secs(2))),
        Action::Heal,
    ];
    corrupt.into_iter().chain(damage).chain(single).map(|action| at(4, action)).collect()
}

#[test]
fn every_kind_of_fault_is_read_as_it_was_written() {
    let ms = Duration::from_millis;
    let persistences = [
        Persistence::Permanent,
        Persistence::Transient(ms(20)),
        Persistence::Intermittent { period: ms(20), on: ms(7) },
    ];
    let mut faults = crashes();
    faults.extend(others());
    for persistence in persistences {
        faults.extend(conditions().into_iter().map(|c| at(2, Action::Begin(c, persistence))));
    }
    reads_as_written(WORLD, faults);
}

#[test]
fn what_a_protocol_brings_along_is_read_as_it_was_written() {
    let behaviour = Behaviour::Custom("two-faced".to_owned());
    let faults = vec![at(4, Action::Corrupt(p(3), behaviour)), at(5, Action::CorruptState(p(1)))];
    reads_as_written("protocol = \"phase-king\"\nprocesses = 5\n", faults);
}

#[test]
fn what_no_fault_of_a_file_says_is_not_written() {
    let never = Fault { trigger: Trigger::Never, action: Action::Heal };
    let leader = at(1, Action::IfLeads(p(0), Box::new(Action::Resume { process: p(0) })));
    assert!(FaultFile::of(&never).is_none() && FaultFile::of(&leader).is_none());
}

fn reads_as_written(world: &str, faults: Vec<Fault>) {
    let mut file: ScenarioFile = toml::from_str(world).expect("a scenario");
    file.fault = faults.iter().filter_map(FaultFile::of).collect();
    let text = file.text(&[]).expect("TOML");
    let scenario = Scenario::parse("x.toml", &text, &Catalogue::builtin());
    let scenario = scenario.unwrap_or_else(|wrong| panic!("{wrong:?}\n{text}"));
    assert_eq!(scenario.experiment.plan, Plan { faults });
}
