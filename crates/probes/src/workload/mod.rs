//! The knowledge that probes share of the data that they measure: the sample that the budget
//! allows, its times, and the Hessians of one step.

mod hessians;
mod known_risks;
mod times;

pub(crate) use hessians::Hessians;
pub use hessians::{Curvature, Products};
pub(crate) use known_risks::{KnownRisks, Over, Sample};
pub(crate) use times::{TRIALS, Times, Unit, Work};
