//! Groups of processes.

mod flat_group;
mod hierarchical_group;
pub(crate) mod membership;
mod view_synchrony;

pub use flat_group::FlatGroup;
pub use hierarchical_group::HierarchicalGroup;
pub use membership::Membership;
pub use view_synchrony::ViewSynchrony;
