//! The tags of what probes record, and a sentence for each.
//!
//! A tag is `area/quantity`. Curves of the model stand in `loss`, `accuracy`, `gradient`,
//! `curvature`, `sharpness`, `stability`; what tells how good a number is in `curvature_check`;
//! what measuring takes in `cost`.

mod analysis;
mod batch_norm;
mod curvature;
mod gradient;
mod landscape;
mod layer;
mod learning_rate;
mod parameters;
mod run;
mod sharpness;
mod stability;
mod training;

pub use analysis::*;
pub use batch_norm::*;
pub use curvature::*;
pub use gradient::*;
pub use landscape::*;
pub use layer::*;
pub use learning_rate::*;
pub use parameters::*;
pub use run::*;
pub use sharpness::*;
pub use stability::*;

/// Returns one sentence about what stands under `tag`, for whoever looks at it; `None` for a tag
/// that is not of this crate.
#[must_use]
pub fn description(tag: &str) -> Option<String> {
    let areas = [
        analysis::description,
        batch_norm::description,
        curvature::description,
        gradient::description,
        landscape::description,
        layer::description,
        learning_rate::description,
        parameters::description,
        run::description,
        sharpness::description,
        stability::description,
        training::description,
    ];
    areas.into_iter().find_map(|describe| describe(tag))
}
