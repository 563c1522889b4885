//! Means, variances, norms and projections of the gradients of single examples.

use std::ops::ControlFlow;

use burn::module::Module;

use super::rows::for_each_gradient;
use crate::batch::Batch;
use crate::error::Error;
use crate::risk::{Objective, Risk};
use crate::vector::{dot, download};

/// What the noise of the gradient is made of: see the [module](super) for conventions and for what
/// its methods give.
#[derive(Debug, Clone, PartialEq)]
pub struct GradientStatistics {
    /// Number of examples N, at least two.
    pub examples: usize,
    /// The mean loss L.
    pub loss: f64,
    /// The gradient g of L, the mean of the example gradients, `[P]`.
    pub gradient: Vec<f64>,
    /// The unbiased variance `σᵢ² = 1/(N−1) Σₙ (gₙᵢ − gᵢ)²` of each coordinate, `[P]`.
    pub variance: Vec<f64>,
    /// The mean square `Cᵢᵢ = 1/N Σₙ gₙᵢ²` of each coordinate, `[P]`: the diagonal of the
    /// empirical Fisher matrix.
    pub second_moment: Vec<f64>,
    /// The norms `‖gₙ‖` in the order of the data, `[N]`.
    pub norms: Vec<f64>,
    /// The inner products `gₙᵀ g` in the order of the data, `[N]`.
    pub projections: Vec<f64>,
    /// Whether the examples of some batch touch each other (BatchNorm with the statistics of the
    /// batch): their gradients then go through what they share.
    pub coupled: bool,
    /// The unit roundoff u of the float type in which the gradients were taken.
    pub unit_roundoff: f64,
}

/// Returns the statistics of the gradients of single examples of a risk at a model.
///
/// Cost: some ten gradients of the data, and some ten passes over each of the N example gradients
/// of P entries, which is far more where a gradient is cheap: 10 gradients in all for a small
/// convolutional network, 40 to 80 for a small perceptron. Where examples touch each other, as many
/// gradients as there are examples in a batch. Memory: some times `[B, P]` for batches of B
/// examples, never `[N, P]`.
///
/// # Errors
/// As [`Objective::example_gradients`]: where examples touch each other, the risk has to tell
/// outputs and loss apart. A single example, of which there is no variance. An entry that is not
/// finite.
///
/// # Examples
/// ```
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::{Device, Tensor};
/// use landscape::{Risk, per_example};
///
/// let device = Device::flex();
/// let model = LinearConfig::new(1, 1).with_bias(false).init(&device);
/// let batch = Tensor::<2>::from_floats([[1.0], [2.0], [6.0]], &device);
/// // The loss terms w x have the gradients 1, 2 and 6.
/// let risk = Risk::mean([batch], |model: &Linear, x: &Tensor<2>| {
///     model.forward(x.clone()).mean()
/// });
/// let found = per_example::statistics(&model, &risk)?;
/// assert_eq!((found.gradient[0], found.variance[0]), (3.0, 7.0)); // (4 + 1 + 9) / 2
/// assert_eq!(found.noise_scale(), Some(7.0 / 9.0));
/// # Ok::<(), landscape::Error>(())
/// ```
pub fn statistics<M: Module, B: Batch>(
    model: &M,
    risk: &Risk<M, B>,
) -> Result<GradientStatistics, Error> {
    statistics_observed(model, risk, |_| ControlFlow::Continue(()))
}

/// Returns the same as [`statistics`], and asks `going_on` after each batch, with the number of
/// examples done, whether to go on.
///
/// # Errors
/// As [`statistics`], and [`Error::Cancelled`].
pub fn statistics_observed<M: Module, B: Batch>(
    model: &M,
    risk: &Risk<M, B>,
    going_on: impl FnMut(usize) -> ControlFlow<()>,
) -> Result<GradientStatistics, Error> {
    let objective = Objective::at(model, risk)?;
    let (loss, around) = objective.gradient_here()?;
    let around = download(&around);
    let mut sums = Sums::around(&around);
    let seen = for_each_gradient(&objective, |gradient| sums.add(gradient), going_on)?;
    if seen.examples < 2 {
        return Err(Error::Setting {
            name: "the number of examples",
            value: seen.examples.to_string(),
            allowed: "at least 2: the gradient of a single one has no variance",
        });
    }
    let unit_roundoff = objective.space().domain.unit_roundoff();
    let mut found = sums.finished(seen.examples);
    let gradient = found.iter().map(|coordinate| coordinate.mean).collect();
    let second_moment = found.iter().map(|coordinate| coordinate.mean_square);
    let second_moment: Vec<f64> = second_moment.collect();
    for (coordinate, mean_square) in found.iter_mut().zip(&second_moment) {
        // What is left of equal numbers after rounding.
        if coordinate.variance <= (8.0 * unit_roundoff).powi(2) * mean_square {
            coordinate.variance = 0.0;
        }
    }
    Ok(GradientStatistics {
        examples: seen.examples,
        loss,
        gradient,
        variance: found.iter().map(|coordinate| coordinate.variance).collect(),
        second_moment,
        norms: sums.norms,
        projections: sums.projections,
        coupled: seen.coupled,
        unit_roundoff,
    })
}

/// Sums over examples, of deviations from a vector near the mean: those of the squares themselves
/// would lose the variance of a gradient that is far larger than its noise.
struct Sums<'a> {
    around: &'a [f64],
    deviations: Vec<f64>,
    squares: Vec<f64>,
    norms: Vec<f64>,
    projections: Vec<f64>,
}

/// Mean, variance and mean square of one coordinate.
struct Coordinate {
    mean: f64,
    variance: f64,
    mean_square: f64,
}

impl<'a> Sums<'a> {
    fn around(around: &'a [f64]) -> Self {
        Self {
            around,
            deviations: vec![0.0; around.len()],
            squares: vec![0.0; around.len()],
            norms: Vec::new(),
            projections: Vec::new(),
        }
    }

    fn add(&mut self, gradient: &[f64]) {
        self.norms.push(crate::vector::norm(gradient));
        self.projections.push(dot(gradient, self.around));
        let sums = self.deviations.iter_mut().zip(&mut self.squares);
        for ((entry, around), (sum, square)) in gradient.iter().zip(self.around).zip(sums) {
            let deviation = entry - around;
            *sum += deviation;
            *square += deviation * deviation;
        }
    }

    /// Returns what the sums over `examples` examples, two or more, say of each coordinate. What
    /// the vector was off the mean is put right (Chan, Golub, LeVeque 1983, equation 1.7).
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 examples")]
    fn finished(&self, examples: usize) -> Vec<Coordinate> {
        let count = examples as f64;
        let sums = self.deviations.iter().zip(&self.squares);
        let coordinate = |(around, (sum, square)): (&f64, (&f64, &f64))| {
            let mean = around + sum / count;
            let squares = (square - sum * sum / count).max(0.0);
            Coordinate {
                mean,
                variance: squares / (count - 1.0),
                mean_square: mean * mean + squares / count,
            }
        };
        self.around.iter().zip(sums).map(coordinate).collect()
    }
}
