//! Coteries: a quorum for each process, such that every two quorums have a process in common.
//!
//! Source: Garcia-Molina and Barbara (1985) for the word; Maekawa (1985) for these two.

use ftsim_core::{ProcessId, ProcessSet};

/// The quorum of `p` among `n` processes in a grid as wide as it is high, or nearly: its row and
/// its column, 2√n − 1 processes if n is a square. The row of one process and the column of
/// another meet, or where the last row is too short for that, the column and the row.
pub fn grid(p: ProcessId, n: u32) -> ProcessSet {
    let width = n.isqrt() + u32::from(n.isqrt().pow(2) < n);
    let (row, column) = (p.0 / width.max(1), p.0 % width.max(1));
    let shares = |q: &u32| q / width == row || q % width == column;
    (0..n).filter(shares).map(ProcessId).collect()
}

/// The quorum of `p` among `n` processes, which are the lines of a finite projective plane: K
/// processes, where n = K(K − 1) + 1, so that two quorums have exactly one process in common.
/// `None` if the plane of this size is not known here.
pub fn plane(p: ProcessId, n: u32) -> Option<ProcessSet> {
    // Perfect difference sets (Singer 1938): each distance but 0 occurs once, modulo n.
    let differences: &[u32] = match n {
        3 => &[0, 1],
        7 => &[0, 1, 3],
        13 => &[0, 1, 3, 9],
        21 => &[0, 3, 4, 9, 11],
        31 => &[0, 4, 10, 23, 24, 26],
        _ => return None,
    };
    Some(differences.iter().map(|difference| ProcessId((p.0 + difference) % n)).collect())
}
