//! Ctrl-C and SIGTERM: the first signal ends the program after the work in progress, the second one
//! at once.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::cli::Exit;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Installs the signal handler. The first signal sets the returned flag.
pub fn listen() -> &'static AtomicBool {
    static LISTEN: Once = Once::new();
    LISTEN.call_once(|| {
        let heard = ctrlc::set_handler(|| {
            if INTERRUPTED.swap(true, Ordering::Relaxed) {
                std::process::exit(Exit::Interrupted as i32);
            }
        });
        // Without a handler a signal ends ftsim at once; finished results are already written.
        drop(heard);
    });
    &INTERRUPTED
}
