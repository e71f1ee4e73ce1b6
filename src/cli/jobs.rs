//! The number of threads.

use std::num::NonZeroUsize;

/// The number of threads to use: the requested number, or one per processor.
pub(crate) fn jobs(asked: Option<NonZeroUsize>) -> usize {
    let available = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    asked.map_or_else(available, NonZeroUsize::get)
}
