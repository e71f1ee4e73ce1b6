//! `[[draw]]`: draws whose values are given.

use ftsim_core::rng::told::{Drawer, TOLD_BELOW, ToldDraws};

use super::names::Names;
use super::problems::Problems;
use crate::scenario::file::DrawFile;

/// Who draws, if it is no process.
pub const CLIENTS: &str = "clients";
pub const DISKS: &str = "disks";

/// The draws, in the order of the file.
pub fn draws(problems: &mut Problems<'_>, names: &Names<'_>, draws: &[DrawFile]) -> Vec<ToldDraws> {
    let mut read: Vec<ToldDraws> = Vec::new();
    for (index, DrawFile { by, values }) in draws.iter().enumerate() {
        let path = format!("draw[{index}]");
        let drawer = match by.as_str() {
            CLIENTS => Some(Drawer::Clients),
            DISKS => Some(Drawer::Disks),
            name => names.one(problems, &format!("{path}.by"), name).map(Drawer::Process),
        };
        if let Some(nth) = values.iter().position(|value| u64::from(*value) >= TOLD_BELOW) {
            let value = values[nth];
            problems
                .value(&format!("{path}.values[{nth}]"), format!("{value} is too large"))
                .label(format!("expected 0 to {}", TOLD_BELOW - 1));
        }
        let Some(by) = drawer else { continue };
        if read.iter().any(|known| known.by == by) {
            problems.value(&path, "the draws of this one are already given");
        }
        read.push(ToldDraws { by, values: values.clone() });
    }
    read
}
