//! How many threads work.

use std::num::NonZeroUsize;

/// How many threads, where so many are asked for.
pub(crate) fn jobs(asked: Option<NonZeroUsize>) -> usize {
    let available = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    asked.map_or_else(available, NonZeroUsize::get)
}
