//! The average rise of the loss under random displacements.

use burn::config::Config;
use burn::module::Module;

use super::ball::{positive, some};
use super::losses::{Losses, mean_of, non_finite, scaled};
use super::{Rescaling, Scale};
use crate::batch::Batch;
use crate::curvature::Hessian;
use crate::error::Error;
use crate::operator::LinearOperator;
use crate::risk::Risk;
use crate::spectrum::Estimate;
use crate::vector::largest_magnitude;
use crate::vector::random::{Purpose, normal, rademacher};

/// Settings of [`average_sharpness`].
#[derive(Config, Debug, Copy, PartialEq)]
pub struct AverageConfig {
    /// Standard deviation σ of the displacement in each coordinate, in units of its scale.
    #[config(default = 0.01)]
    pub sigma: f64,
    /// The scale T of each coordinate.
    #[config(default = "Scale::One")]
    pub scale: Scale,
    /// Number of pairs of displacements, each two forward passes.
    #[config(default = 50)]
    pub pairs: usize,
    /// Seed of the displacements and of the probes.
    #[config(default = 0)]
    pub seed: u64,
    /// Number of probes for the second-order value, each a quadratic form; zero does without it.
    /// With P or more the value is exact, by P unit vectors in place of the probes.
    #[config(default = 0)]
    pub probes: usize,
}

/// The result of [`average_sharpness`].
#[derive(Debug, Clone, PartialEq)]
pub struct AverageSharpness {
    /// The standard deviation σ.
    pub sigma: f64,
    /// The scale T.
    pub scale: Scale,
    /// The loss `L(θ)`.
    pub loss: f64,
    /// Estimate of `E[L(θ + σ T z) − L(θ)]` over the pairs. Its
    /// [`interval`](Estimate::interval) is Student's. NaN where a loss is not finite.
    pub estimate: Estimate,
    /// Number of the pairs in which a loss is NaN or infinite.
    pub non_finite: usize,
    /// Estimate of the rounding error of a value; the mean's own is no larger.
    pub rounding: f64,
    /// The second-order value, where it was asked for.
    pub second_order: Option<SecondOrder>,
    /// Whether the numbers survive the rescaling of ReLU layers.
    pub rescaling: Rescaling,
}

/// The second-order value of the average sharpness, `σ²/2 Σᵢ Tᵢ² Hᵢᵢ` with the Hessian H.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SecondOrder {
    /// The value with its standard error over the probes, which is zero where it is exact.
    pub estimate: Estimate,
    /// Whether it is exact up to rounding: from the whole diagonal, without probes.
    pub exact: bool,
}

/// Returns the average rise of the loss under normal displacements of the weights.
///
/// ```text
/// E[L(θ + σ T z) − L(θ)],   z ~ N(0, I);   about σ²/2 tr(T H T) for small σ
/// ```
///
/// Displacements come in pairs of opposite sign, and a value is the mean of both rises: the slope,
/// whose variance `σ² ‖T g‖²` would hide the mean where σ is small, cancels in each, as do all
/// odd terms. What is left has for small σ the variance `σ⁴/2 ‖T H T‖²_F`. Pair i depends on the
/// seed and on i alone.
///
/// Cost: `2 pairs + 1` forward passes, those of captured losses spread over the cores, and about
/// ten to capture the loss and to check it; `probes` quadratic forms of a
/// [`Hessian`], which is made for them. Memory: 16 vectors of P.
///
/// # Errors
/// A σ that is not positive and finite, no pair, and a risk that cannot be evaluated or is not
/// finite at the weights.
///
/// # Examples
/// ```
/// use burn::module::{Module, Param};
/// use burn::tensor::{DType, Device, Tensor};
/// use landscape::Risk;
/// use landscape::sharpness::{AverageConfig, average_sharpness};
///
/// #[derive(Module, Debug)]
/// struct Point {
///     at: Param<Tensor<1>>,
/// }
///
/// // L = ½ |w|² in five coordinates: the average rise is 5/2 σ², wherever w is.
/// let ones = Tensor::<1>::ones([5], (&Device::flex(), DType::F64));
/// let model = Point {
///     at: Param::from_tensor(ones.clone() * 3.0),
/// };
/// let risk = Risk::mean(ones, |model: &Point, one: &Tensor<1>| {
///     (model.at.val().square() * one.clone()).sum() * 0.5
/// })
/// .without_reduction_check();
/// let config = AverageConfig::new()
///     .with_sigma(0.1)
///     .with_pairs(100)
///     .with_probes(5);
/// let found = average_sharpness(&model, &risk, &config)?;
/// let [low, high] = found.estimate.interval(0.999)?;
/// assert!(low < 0.025 && 0.025 < high);
/// let second_order = found.second_order.expect("it was asked for");
/// assert!(second_order.exact && (second_order.estimate.mean - 0.025).abs() < 1e-15);
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// # References
/// Keskar et al. 2017 and Andriushchenko et al. 2023, "A Modern Look at the Relationship between
/// Sharpness and Generalization", section 2; there with `T = |θ|`.
pub fn average_sharpness<M: Module, B: Batch>(
    model: &M,
    risk: &Risk<M, B>,
    config: &AverageConfig,
) -> Result<AverageSharpness, Error> {
    check(config)?;
    let losses = Losses::many(model, risk)?;
    let found = average_of(&losses, config)?;
    if config.probes == 0 {
        return Ok(found);
    }
    let hessian = Hessian::at(model, risk)?;
    Ok(AverageSharpness {
        second_order: Some(second_order(&losses, &hessian, config)?),
        ..found
    })
}

pub(super) fn check(config: &AverageConfig) -> Result<(), Error> {
    positive("sigma", config.sigma)?;
    some("number of pairs", config.pairs)?;
    config.scale.check()
}

/// Returns the average of losses that are prepared, without the second-order value.
pub(super) fn average_of<M: Module, B: Batch>(
    losses: &Losses<M, B>,
    config: &AverageConfig,
) -> Result<AverageSharpness, Error> {
    let scale = losses.scale(config.scale);
    let displaced = losses.at_all(2 * config.pairs, |index| {
        let sign = if index % 2 == 0 { 1.0 } else { -1.0 };
        let stream = Purpose::Average.stream((index / 2) as u64);
        let mut step = normal(config.seed, stream, losses.dim());
        step.iter_mut().for_each(|x| *x *= sign * config.sigma);
        scaled(scale.as_deref(), step)
    })?;
    let loss = losses.loss();
    let values: Vec<f64> = displaced
        .as_chunks::<2>()
        .0
        .iter()
        .map(|[ahead, behind]| 0.5 * ((ahead - loss) + (behind - loss)))
        .collect();
    let largest = largest_magnitude(displaced.iter().filter(|loss| loss.is_finite()));
    Ok(AverageSharpness {
        sigma: config.sigma,
        scale: config.scale,
        loss,
        estimate: mean_of(&values),
        non_finite: non_finite(&values),
        rounding: losses.rounding(loss, largest),
        second_order: None,
        rescaling: config.scale.rescaling(),
    })
}

/// Returns the second-order value from quadratic forms of an operator.
pub(super) fn second_order<M: Module, B: Batch, A: LinearOperator + ?Sized>(
    losses: &Losses<M, B>,
    hessian: &A,
    config: &AverageConfig,
) -> Result<SecondOrder, Error> {
    let scale = losses.scale(config.scale);
    let dim = losses.dim();
    let exact = config.probes >= dim;
    let factor = 0.5 * config.sigma * config.sigma;
    let form = |vector: Vec<f64>| -> Result<f64, Error> {
        let vector = scaled(scale.as_deref(), vector);
        let value = factor * hessian.quadratic_form(&hessian.domain().upload(&vector)?)?;
        if value.is_finite() {
            Ok(value)
        } else {
            Err(Error::NonFiniteVector {
                what: "operator's product",
            })
        }
    };
    if exact {
        let mut unit = vec![0.0; dim];
        let mut mean = 0.0;
        for index in 0..dim {
            unit[index] = 1.0;
            mean += form(unit.clone())?;
            unit[index] = 0.0;
        }
        let estimate = Estimate {
            mean,
            standard_error: 0.0,
            count: dim,
        };
        return Ok(SecondOrder { estimate, exact });
    }
    let forms = (0..config.probes).map(|probe| {
        let stream = Purpose::SecondOrder.stream(probe as u64);
        form(rademacher(config.seed, stream, dim))
    });
    let forms = forms.collect::<Result<Vec<_>, Error>>()?;
    Ok(SecondOrder {
        estimate: Estimate::of(forms),
        exact,
    })
}

impl SecondOrder {
    /// Returns the exact value from the diagonal of the Hessian.
    pub(super) fn of_diagonal<M: Module, B: Batch>(
        losses: &Losses<M, B>,
        diagonal: &[f64],
        config: &AverageConfig,
    ) -> Self {
        let squares = scaled(losses.scale(config.scale).as_deref(), diagonal.to_vec());
        let trace: f64 = scaled(losses.scale(config.scale).as_deref(), squares)
            .iter()
            .sum();
        Self {
            estimate: Estimate {
                mean: 0.5 * config.sigma * config.sigma * trace,
                standard_error: 0.0,
                count: diagonal.len(),
            },
            exact: true,
        }
    }
}
