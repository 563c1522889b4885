//! Directions scaled to the weights they move.

use burn::config::Config;
use burn::module::Module;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::parameters::{Block, ParameterSpace, weights};
use crate::vector::{download, norm_of};

/// The scale of a direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Normalization {
    /// Each filter gets the norm of the weights' filter (Li et al. 2018).
    Filter,
    /// Each tensor gets the norm of the weights' tensor.
    Layer,
    /// The whole direction gets norm 1.
    Global,
    /// Nothing is scaled.
    None,
}

/// The fate of parameters of rank 0 and 1 (biases, scale and shift of norm layers) under
/// [`Normalization::Filter`] and [`Normalization::Layer`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum VectorParameters {
    /// Their direction is zero: they do not move.
    Ignore,
    /// Their direction is the weight itself, as in the original program.
    Copy,
}

/// Settings of [`normalize`].
#[derive(Config, Debug, PartialEq, Eq)]
pub struct NormalizeConfig {
    /// The scale.
    #[config(default = "Normalization::Filter")]
    pub normalization: Normalization,
    /// Parameters of rank 0 and 1.
    #[config(default = "VectorParameters::Ignore")]
    pub vectors: VectorParameters,
}

/// Returns `direction` filter-normalised to the weights of `model`, parameters of rank 0 and 1 at
/// rest.
///
/// For each filter f it is `d_f ← d_f ‖θ_f‖ / (‖d_f‖ + 10⁻¹⁰)`; [`Block`](crate::Block#filters) has
/// the table of what is a filter.
///
/// A step of 1 along it changes each filter by its own norm, so that slices of networks of
/// different scale can be compared.
///
/// # Errors
/// As [`normalize`].
///
/// # References
/// Li et al. 2018, "Visualizing the Loss Landscape of Neural Nets", section 4.
pub fn filter_normalize<M: Module>(
    space: &ParameterSpace,
    model: &M,
    direction: Tensor<1>,
) -> Result<Tensor<1>, Error> {
    normalize(space, model, direction, &NormalizeConfig::new())
}

/// Returns `direction`, `[P]`, normalised as `config` says.
///
/// # Errors
/// A length other than P; a direction that is not finite, or for [`Normalization::Global`] zero; a
/// model that has not the space's parameters, or [`Error::NonFiniteWeights`].
pub fn normalize<M: Module>(
    space: &ParameterSpace,
    model: &M,
    direction: Tensor<1>,
    config: &NormalizeConfig,
) -> Result<Tensor<1>, Error> {
    space
        .domain
        .check_length("direction", direction.dims()[0])?;
    let mut entries = download(&direction);
    if !entries.iter().all(|entry| entry.is_finite()) {
        return Err(not_a_direction("is not finite"));
    }
    match config.normalization {
        Normalization::None => return Ok(direction),
        Normalization::Global => to_unit_norm(&mut entries)?,
        Normalization::Filter | Normalization::Layer => {
            let theta = weights(space, model, || "the model".to_owned())?;
            for block in &space.blocks {
                let range = block.range();
                let (d, w) = (&mut entries[range.clone()], &theta[range]);
                match (block.filter_axis, config.vectors, config.normalization) {
                    (None, VectorParameters::Ignore, _) => d.fill(0.0),
                    (None, VectorParameters::Copy, _) => d.copy_from_slice(w),
                    (Some(_), _, Normalization::Filter) => match_filters(block, d, w),
                    (Some(_), _, _) => match_norm(d, w, &[whole(w)], 0.0),
                }
            }
        }
    }
    space.domain.upload(&entries)
}

fn to_unit_norm(entries: &mut [f64]) -> Result<(), Error> {
    if crate::vector::normalize(entries) == 0.0 {
        return Err(not_a_direction("is zero"));
    }
    Ok(())
}

const fn not_a_direction(problem: &'static str) -> Error {
    Error::NoDirection {
        what: "direction",
        problem,
    }
}

fn whole(entries: &[f64]) -> std::ops::Range<usize> {
    0..entries.len()
}

fn match_filters(block: &Block, d: &mut [f64], w: &[f64]) {
    for runs in block.filters() {
        // The small constant of the original program keeps a zero filter of the direction at zero.
        match_norm(d, w, &runs, 1e-10);
    }
}

/// Scales the runs of `d` together to the norm of the same runs of `w`.
fn match_norm(d: &mut [f64], w: &[f64], runs: &[std::ops::Range<usize>], guard: f64) {
    let norm = |x: &[f64]| norm_of(|| runs.iter().flat_map(|run| &x[run.clone()]).copied());
    let (direction, weights) = (norm(d), norm(w));
    if direction + guard > 0.0 {
        let scale = weights / (direction + guard);
        for run in runs {
            d[run.clone()].iter_mut().for_each(|x| *x *= scale);
        }
    }
}
