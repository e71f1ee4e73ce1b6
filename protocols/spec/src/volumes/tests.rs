//! The properties of volumes, on histories written by hand.

use ftsim_core::bench::history::{Act, judge};
use ftsim_core::{ProcessId, Setting, Verdict};

use super::{DISK, Fact, VolumeService, volume_of};
use crate::service::{CLIENT, Command, Indication, Operation, Outcome, Request, SERVER};

/// Two servers, two disks, and a client.
const S0: ProcessId = ProcessId(0);
const S1: ProcessId = ProcessId(1);
const C4: ProcessId = ProcessId(4);
const NONE: [&str; 0] = [];

fn setting() -> Setting {
    let roles = vec![(SERVER.into(), 2), (DISK.into(), 2), (CLIENT.into(), 1)];
    Setting { roles, ..Setting::of(5) }
}

fn takes(server: ProcessId, volume: u32) -> Act<VolumeService> {
    Act::Indicate(server, Indication::Fact(Fact::Takes(volume)))
}

fn releases(server: ProcessId, volume: u32) -> Act<VolumeService> {
    Act::Indicate(server, Indication::Fact(Fact::Releases(volume)))
}

fn applies(server: ProcessId, number: u64) -> Act<VolumeService> {
    Act::Indicate(server, Indication::Applied(Command { client: C4, number }))
}

/// The client writes to this key, and learns that it is done.
fn writes(number: u64, key: u32) -> [Act<VolumeService>; 2] {
    let operation = Operation::Write(number);
    [
        Act::Request(C4, Request::Invoke { number, key, operation }),
        Act::Indicate(C4, Indication::Response { number, outcome: Outcome::Done }),
    ]
}

fn violated(history: &[Act<VolumeService>]) -> Vec<&'static str> {
    let verdicts = judge(&setting(), history, false).into_iter();
    verdicts.filter(|(_, v)| matches!(v, Verdict::Violated(_))).map(|(id, _)| id).collect()
}

#[test]
fn each_volume_has_one_primary() {
    assert_eq!(violated(&[takes(S0, 0), takes(S1, 1)]), NONE);
    assert_eq!(violated(&[takes(S0, 0), takes(S0, 0)]), NONE);
    assert_eq!(violated(&[takes(S0, 0), takes(S1, 0)]), ["pb.one-primary"]);
    assert_eq!(violated(&[takes(S0, 0), releases(S0, 0), takes(S1, 0)]), NONE);
    assert_eq!(violated(&[takes(S0, 0), releases(S1, 0), takes(S1, 0)]), ["pb.one-primary"]);
    assert_eq!(violated(&[takes(S0, 0), Act::Crash(S0), takes(S1, 0)]), NONE);
}

#[test]
fn whoever_takes_a_volume_has_all_its_acknowledged_updates() {
    let lost = |key, volume| {
        let before = [takes(S0, 0), takes(S0, 1), applies(S0, 1)];
        let after = [Act::Crash(S0), takes(S1, volume)];
        violated(&before.into_iter().chain(writes(1, key)).chain(after).collect::<Vec<_>>())
    };
    assert_eq!(lost(2, 0), ["dur.acked-survives"]);
    assert_eq!(lost(3, 1), ["dur.acked-survives"]);
    assert_eq!(lost(2, 1), NONE);
    let kept = [takes(S0, 0), applies(S0, 1)].into_iter().chain(writes(1, 0));
    let kept = kept.chain([Act::Crash(S0), applies(S1, 1), takes(S1, 0)]);
    assert_eq!(violated(&kept.collect::<Vec<_>>()), NONE);
}

#[test]
fn a_primary_has_what_a_client_learns_to_be_done() {
    let never = [takes(S0, 0)].into_iter().chain(writes(1, 0)).collect::<Vec<_>>();
    assert_eq!(violated(&never), ["dur.acked-survives"]);
    let nobody = writes(1, 0);
    assert_eq!(violated(&nobody), NONE);
}

#[test]
fn keys_are_spread_over_the_volumes() {
    assert_eq!([0, 1, 2, 3].map(|key| volume_of(key, &setting())), [0, 1, 0, 1]);
    assert_eq!(volume_of(3, &Setting::of(2)), 0);
}
