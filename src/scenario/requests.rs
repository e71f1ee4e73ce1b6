//! `[[request]]`: what clients ask for, and when.

use ftsim_core::environment::request_override::RequestOverride;
use ftsim_core::{Entry, Instant};

use super::names::Names;
use super::problems::Problems;
use crate::scenario::file::RequestFile;

/// The overrides, in the order of the file.
pub fn requests(
    problems: &mut Problems<'_>,
    names: &Names<'_>,
    entry: &Entry,
    horizon: Instant,
    requests: &[RequestFile],
) -> Vec<RequestOverride> {
    let mut read: Vec<RequestOverride> = Vec::new();
    for (index, RequestFile { process, nth, after, replace }) in requests.iter().enumerate() {
        let path = format!("request[{index}]");
        let nth = nth.map_or(1, |nth| nth.0);
        if nth == 0 {
            problems.value(&format!("{path}.nth"), "counting begins at 1");
        }
        if after.is_none() && replace.is_none() {
            problems
                .value(&path, "this override has no effect")
                .label("expected `after`, `replace`, or both");
        }
        if let Some(after) = after.filter(|after| Instant::ZERO + *after > horizon) {
            problems
                .value(
                    &format!("{path}.after"),
                    format!("{after} is beyond the horizon ({horizon})"),
                )
                .help("mask a request that is never made");
        }
        if let Some(Err(why)) = replace.as_ref().map(entry.read_request) {
            let path = format!("{path}.replace");
            problems.invalid(&path, &format!("not a request to `{}`: {why}", entry.name));
        }
        let process = names.one(problems, &format!("{path}.process"), process);
        let Some(process) = process else { continue };
        if read.iter().any(|other| (other.process, other.nth) == (process, nth)) {
            problems.value(&path, "there is already an override for this request");
        }
        read.push(RequestOverride { process, nth, after: *after, replace: replace.clone() });
    }
    read
}
