//! The average of weights, of several models and along a path.

use burn::module::Module;

use super::{Curve, PathProfile, profile};
use crate::batch::Batch;
use crate::error::Error;
use crate::parameters::{ParameterSpace, Rest, put, weights};
use crate::risk::Risk;
use crate::slice::Buffers;
use crate::vector::add_scaled;

/// Returns the model whose parameters are the mean of those of `models`, with the ids and
/// everything else of the first.
///
/// The tensors that are no coordinates are averaged too. Running statistics of BatchNorm are then
/// those of no network: recompute them before the average is measured
/// ([`Risk::recompute_statistics`]).
///
/// ```
/// use burn::module::{Module, Param};
/// use burn::tensor::{Device, Tensor};
/// use landscape::connectivity::average;
///
/// #[derive(Module, Debug)]
/// struct Point {
///     at: Param<Tensor<1>>,
/// }
/// let point = |x: f32| Point {
///     at: Param::from_tensor(Tensor::from_floats([x], &Device::flex())),
/// };
/// let mean = average(&[&point(1.0), &point(2.0), &point(6.0)])?;
/// assert_eq!(landscape::download(&mean.at.val()), [3.0]);
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// Cost: no pass over data. Memory: two vectors of P on the host, whatever the number of models.
///
/// # Errors
/// No model, models of different architecture ([`Error::AnotherModule`], [`Error::RestDiffers`]),
/// and one with a parameter that is not finite ([`Error::NonFiniteWeights`]).
///
/// # References
/// Izmailov et al. 2018, "Averaging Weights Leads to Wider Optima and Better Generalization";
/// Wortsman et al. 2022, "Model soups".
pub fn average<M: Module>(models: &[&M]) -> Result<M, Error> {
    #[expect(clippy::cast_precision_loss, reason = "there are few models")]
    let share = (models.len().max(1) as f64).recip();
    weighted_average(models, &vec![share; models.len()])
}

/// Returns the same as [`average`] with a share for each model; their sum is one, and they may be
/// negative.
///
/// # Errors
/// As [`average`], [`Error::Length`] for another number of shares, and [`Error::Setting`] for
/// shares whose sum is not one.
pub fn weighted_average<M: Module>(models: &[&M], shares: &[f64]) -> Result<M, Error> {
    let Some(&first) = models.first() else {
        return Err(Error::Setting {
            name: "the number of models",
            value: "0".to_owned(),
            allowed: "at least 1",
        });
    };
    if shares.len() != models.len() {
        return Err(Error::Length {
            what: "list of shares",
            expected: models.len(),
            found: shares.len(),
        });
    }
    let sum: f64 = shares.iter().sum();
    // Shares such as ten times 0.1 have a sum of one up to rounding.
    let one = (sum - 1.0).abs() <= 1e-9;
    if !one {
        return Err(Error::Setting {
            name: "the sum of the shares",
            value: sum.to_string(),
            allowed: "1",
        });
    }
    let space = ParameterSpace::of(first)?;
    let mut theta = vec![0.0; space.dim()];
    let mut rests = Vec::with_capacity(models.len());
    for (number, (&model, &weight)) in models.iter().zip(shares).enumerate() {
        let of_model = weights(&space, model, || format!("model {number}"))?;
        add_scaled(&mut theta, weight, &of_model);
        rests.push(Rest::of(&space, model)?);
    }
    let model = space.unflatten(first, &space.domain.upload(&theta)?)?;
    Ok(put(model, &Rest::combine(&rests, shares)?))
}

/// The average of a path's weights, and its loss beside the path's.
#[derive(Debug, Clone)]
pub struct PathAverage<M> {
    /// The model at `∫₀¹ θ(t) dt`, its statistics as `buffers` said.
    pub model: M,
    /// Its loss.
    pub loss: f64,
    /// The loss along the path; its `mean` is that of the models on it.
    pub path: PathProfile,
}

/// Returns the average of all weights of a curve with its loss, and the loss along the curve at the
/// points `t`.
///
/// The average is exact, `∫₀¹ θ(t) dt`, and does not depend on `t`. Where the loss is convex
/// between the points of the curve, that of the average is at most the path's mean (Jensen).
///
/// Cost: that of [`profile()`] and one point more.
///
/// # Errors
/// As [`profile()`].
pub fn path_average<M: Module, B: Batch>(
    curve: &Curve<M>,
    risk: &Risk<M, B>,
    buffers: &Buffers<M, B>,
    t: &[f64],
) -> Result<PathAverage<M>, Error> {
    let path = profile(curve, risk, buffers, t)?;
    let model = curve.average_with(buffers)?;
    Ok(PathAverage {
        loss: risk.value(&model)?,
        model,
        path,
    })
}
