//! The interface for authors of protocols: processes and their effects, problems and their
//! properties, protocols and their models.

pub mod act;
pub mod adversary;
pub(crate) mod any_message;
pub mod bound;
pub mod data;
pub mod effect;
pub mod layer;
pub mod mutant;
pub mod process;
pub mod property;
pub mod protocol;
pub mod setting;
pub mod signature;
pub mod spec;
pub mod system_model;
