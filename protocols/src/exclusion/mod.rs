//! Mutual exclusion: processes enter a critical section one at a time.

mod lamport_mutex;
mod lock_server;
mod maekawa;
mod ricart_agrawala;
mod suzuki_kasami;
mod token_ring;

pub use lamport_mutex::LamportMutex;
pub use lock_server::LockServer;
pub use maekawa::Maekawa;
pub use ricart_agrawala::RicartAgrawala;
pub use suzuki_kasami::SuzukiKasami;
pub use token_ring::TokenRing;
