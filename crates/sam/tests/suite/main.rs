//! The methods: beside their papers' equations, over every optimiser, in the learner, and what
//! holds of all of them.
//!
//! No test draws from the device's generator, which is one for the whole process.

mod chosen;
mod learner;
mod methods;
mod optimisers;
mod properties;
mod references;
mod rules;
mod steps;
