//! Panics of code that runs inside a simulation: caught silently, with their source location.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;

/// A caught panic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raised {
    /// The message.
    pub message: String,
    /// The line of code that raised it, as `file:line:column`, if known.
    pub place: Option<String>,
    /// The backtrace, if `RUST_BACKTRACE` requests one.
    pub backtrace: Option<String>,
}

thread_local! {
    /// The nesting depth of [`catch`] on this thread.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// The location and backtrace of this thread's latest panic.
    static RAISED_AT: RefCell<Option<(String, Option<String>)>> = const { RefCell::new(None) };
}

/// Calls `run`, and catches its panic without printing anything on stderr.
///
/// The first call installs a hook in front of the existing one, which still handles panics outside
/// `catch`.
///
/// # Errors
/// The panic.
pub fn catch<T>(run: impl FnOnce() -> T) -> Result<T, Raised> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let default = take_hook();
        set_hook(Box::new(
            move |info| if DEPTH.get() > 0 { remember(info) } else { default(info) },
        ));
    });
    DEPTH.set(DEPTH.get() + 1);
    let result = catch_unwind(AssertUnwindSafe(run));
    DEPTH.set(DEPTH.get() - 1);
    result.map_err(|payload| Raised::new(&*payload))
}

fn remember(info: &PanicHookInfo<'_>) {
    let backtrace = Backtrace::capture();
    let has_backtrace = backtrace.status() == BacktraceStatus::Captured;
    let backtrace = has_backtrace.then(|| backtrace.to_string());
    let place = info.location().map(ToString::to_string);
    RAISED_AT.set(place.map(|place| (place, backtrace)));
}

impl Raised {
    fn new(payload: &(dyn Any + Send)) -> Self {
        // A panic that is passed on already has its location.
        if let Some(raised) = payload.downcast_ref::<Self>() {
            return raised.clone();
        }
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        let (place, backtrace) = RAISED_AT.take().unzip();
        Self {
            message: text.unwrap_or_else(|| "a panic without a message".to_owned()),
            place,
            backtrace: backtrace.flatten(),
        }
    }

    /// The message, with its location.
    pub fn text(&self) -> String {
        match &self.place {
            Some(place) => format!("{} (at {place})", self.message),
            None => self.message.clone(),
        }
    }

    /// Passes the panic on to the next [`catch`].
    pub(crate) fn pass_on(self) -> ! {
        std::panic::resume_unwind(Box::new(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_caught_with_its_message_and_its_place() {
        let line = line!() + 1;
        let raised = catch(|| panic!("three {}", "words")).unwrap_err();
        assert_eq!(raised.message, "three words");
        let place = format!("{}:{line}:", file!());
        assert!(raised.place.as_ref().is_some_and(|p| p.starts_with(&place)), "{raised:?}");
        assert_eq!(catch(|| 7), Ok(7));
    }

    #[test]
    fn a_panic_outside_is_left_to_the_hook_before() {
        assert_eq!(catch(|| 7), Ok(7));
        assert!(catch_unwind(|| panic!("outside")).is_err());
        assert_eq!(RAISED_AT.take(), None);
    }

    #[test]
    fn a_panic_that_is_passed_on_keeps_its_place() {
        let inner = || catch(|| panic!("inside")).unwrap_err();
        let place = inner().place;
        let outer = catch(|| inner().pass_on()).unwrap_err();
        let without_column = |place: Option<String>| place.map(|p| p.contains("panics.rs"));
        assert_eq!(without_column(outer.place), without_column(place));
        assert_eq!(outer.message, "inside");
    }
}
