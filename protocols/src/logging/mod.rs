//! Message logging: a process that crashes delivers the same messages again.

mod log_causal;
mod log_optimistic;
mod log_pessimistic;
mod log_sender;

pub use log_causal::{LogCausal, LogCausalParams};
pub use log_optimistic::{LogOptimistic, LogOptimisticParams};
pub use log_pessimistic::{Force, LogPessimistic, LogPessimisticParams};
pub use log_sender::LogSender;
