use std::collections::BTreeSet;

use ftsim_core::{ProcessId, ProcessSet};
use ftsim_protocols::parts::coterie::{grid, plane};

fn meet(quorums: &[ProcessSet]) -> impl Iterator<Item = usize> {
    let count = |a: &ProcessSet, b: &ProcessSet| a.iter().filter(|p| b.contains(*p)).count();
    let pairs =
        quorums.iter().enumerate().flat_map(|(i, a)| quorums[..i].iter().map(move |b| (a, b)));
    pairs.map(|(a, b)| count(a, b)).collect::<Vec<_>>().into_iter()
}

#[test]
fn every_two_quorums_of_a_grid_meet_whatever_its_size() {
    for n in 1..=70 {
        let quorums: Vec<_> = (0..n).map(|p| grid(ProcessId(p), n)).collect();
        assert!(meet(&quorums).all(|common| common > 0), "n = {n}");
        assert!((0..).zip(&quorums).all(|(p, quorum)| quorum.contains(ProcessId(p))));
    }
    for width in 1..=8 {
        let sizes: BTreeSet<_> =
            (0..width * width).map(|p| grid(ProcessId(p), width * width).len()).collect();
        assert_eq!(sizes, [2 * width as usize - 1].into());
    }
}

#[test]
fn every_two_lines_of_a_plane_meet_in_one_point() {
    for k in 2..=6_usize {
        let n = u32::try_from(k * (k - 1) + 1).expect("small");
        let quorums: Vec<_> = (0..n).map(|p| plane(ProcessId(p), n).expect("known")).collect();
        assert!(meet(&quorums).all(|common| common == 1), "n = {n}");
        for (p, quorum) in (0..).zip(&quorums) {
            assert_eq!((quorum.len(), quorum.contains(ProcessId(p))), (k, true));
            // Each process is in as many quorums as it has members: all work equally.
            assert_eq!(quorums.iter().filter(|q| q.contains(ProcessId(p))).count(), k);
        }
    }
    assert_eq!(plane(ProcessId(0), 8), None);
}
