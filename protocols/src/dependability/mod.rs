//! Dependability: redundancy of units, of time and of information; what it comes to in numbers;
//! rings that mend themselves; and what no protocol can do.

mod dijkstra_ring;
mod flp_bivalence;
mod info_redundancy;
mod nmr_voting;
mod time_redundancy;
mod two_generals;
mod units;

pub use dijkstra_ring::{DijkstraRing, Rule};
pub use flp_bivalence::FlpBivalence;
pub use info_redundancy::{Code, InfoRedundancy, codes};
pub use nmr_voting::NmrVoting;
pub use time_redundancy::TimeRedundancy;
pub use two_generals::TwoGenerals;
pub use units::{Arrangement, Law, Params as UnitsParams, Units};
