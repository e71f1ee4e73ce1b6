//! That an explorer sees all: against a search in every order, and against closed forms. That it
//! samples with the chances that it claims.

mod brute;
mod classes;
mod guided;
mod lineage;
mod sampling;
mod states;
mod tables;
