//! A small number of processes for each role of a protocol.

use ftsim_core::catalogue::RawSettings;
use ftsim_core::{Entry, Setting};
use serde_json::json;

/// A small number of processes for each role that the protocol accepts.
pub fn small_setting(entry: &Entry) -> Setting {
    let empty = json!({});
    let accepts = |setting: &Setting| {
        entry.resolve(RawSettings { params: &empty, workload: &empty, setting }).is_ok()
    };
    let tries = [[3, 3, 3], [1, 3, 3], [3, 1, 1], [4, 4, 4], [1, 3, 1], [1, 1, 1], [2, 2, 1]];
    let counts = tries.into_iter().map(|[first, second, others]| {
        let counts = [first, second].into_iter().chain(std::iter::repeat(others));
        let named = entry.roles.iter().zip(counts);
        let roles: Vec<(String, u32)> =
            named.map(|(role, count)| ((*role).to_owned(), count)).collect();
        Setting { n: roles.iter().map(|(_, count)| count).sum(), roles, ..Setting::of(1) }
    });
    let single = |count| Setting::with_roles(entry.roles, count);
    let singles = [5, 6, 2].into_iter().filter(|_| entry.roles.len() == 1).map(single);
    let all: Vec<Setting> = singles.chain(counts).filter(accepts).collect();
    // With its default parameters a protocol may accept more than it promises anything for.
    let is_within = |setting: &&Setting| entry.model.bound.max(setting).is_some();
    all.iter().find(is_within).or(all.first()).cloned().unwrap_or_else(|| single(5))
}
