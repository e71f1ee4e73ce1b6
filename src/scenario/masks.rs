//! `[[mask]]`: requests that are not made.

use ftsim_core::Mask;

use super::names::Names;
use super::problems::Problems;
use crate::scenario::file::MaskFile;

/// The masks, in the order of the file.
pub fn masks(problems: &mut Problems<'_>, names: &Names<'_>, masks: &[MaskFile]) -> Vec<Mask> {
    let mut read: Vec<Mask> = Vec::new();
    for (index, MaskFile { process, request }) in masks.iter().enumerate() {
        let path = format!("mask[{index}]");
        if request.0 == 0 {
            let nth = format!("{path}.request");
            problems.value(&nth, "counting begins at 1");
        }
        let process = names.one(problems, &format!("{path}.process"), process);
        let Some(process) = process else { continue };
        let mask = Mask { process, request: request.0 };
        if read.contains(&mask) {
            problems.value(&path, "this request is already masked");
        }
        read.push(mask);
    }
    read
}
