//! Ctrl-C and SIGTERM: the first asks for an end after what is under way, the second ends at once.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::cli::Exit;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Listens from now on. The flag that it returns is set by the first signal.
pub fn listen() -> &'static AtomicBool {
    static LISTEN: Once = Once::new();
    LISTEN.call_once(|| {
        let heard = ctrlc::set_handler(|| {
            if INTERRUPTED.swap(true, Ordering::Relaxed) {
                std::process::exit(Exit::Interrupted as i32);
            }
        });
        // Without a handler a signal ends ftsim at once, and what was finished is there even so.
        drop(heard);
    });
    &INTERRUPTED
}
