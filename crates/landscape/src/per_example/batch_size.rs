//! Whether a batch of some size shows the way down, and the size that a learning rate asks for.

use super::GradientStatistics;
use super::noise::ratio;
use crate::error::Error;

/// The gradient of a batch of b examples beside that of all: three relative standard deviations.
///
/// Each test asks whether its number is at most a constant of the user's (0.9 for the first two,
/// `tan 80° = 5.84` for the third, in the papers), and wants a larger batch otherwise. The numbers
/// are the smallest constants for which a batch of b passes. The square of the first is the sum of
/// the squares of the others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchTests {
    /// The batch size b.
    pub batch_size: usize,
    /// The norm test's `θ`: root mean square of the error of the batch's gradient, over `‖g‖`.
    pub norm: f64,
    /// The inner-product test's `θ`: standard deviation of the batch gradient's part along g, over
    /// `‖g‖`. Below 1 most batches point downhill.
    pub inner_product: f64,
    /// The orthogonality test's `ν`: root mean square of the batch gradient's part orthogonal to
    /// g, over `‖g‖`.
    pub orthogonality: f64,
}

impl GradientStatistics {
    /// Returns the norm test, the inner-product test and the orthogonality test for batches of
    /// `batch_size` examples; none where the gradient is zero.
    ///
    /// ```text
    /// norm           θ² = tr Σ / (b ‖g‖²)
    /// inner product  θ² = Var(gₙᵀ g) / (b ‖g‖⁴)
    /// orthogonality  ν² = 1/(N−1) Σₙ ‖gₙ − (gₙᵀ g / ‖g‖²) g‖² / (b ‖g‖²)
    /// ```
    ///
    /// with the variance over the N examples with `1/(N−1)`. In the papers, and in Cockpit, mean
    /// and variance come from the batch of b itself: that is b = N here.
    ///
    /// ```
    /// # use burn::nn::{Linear, LinearConfig};
    /// # use burn::tensor::{Device, Tensor};
    /// # use landscape::{Risk, per_example};
    /// # let device = Device::flex();
    /// # let model = LinearConfig::new(2, 1).with_bias(false).init(&device);
    /// // Loss terms wᵀx have the gradients x, here (1, 1) and (1, −1) with the mean (1, 0).
    /// let batch = Tensor::<2>::from_floats([[1.0, 1.0], [1.0, -1.0]], &device);
    /// # let risk = Risk::mean([batch], |model: &Linear, x: &Tensor<2>| {
    /// #     model.forward(x.clone()).mean()
    /// # });
    /// let tests = per_example::statistics(&model, &risk)?.batch_tests(2)?;
    /// let tests = tests.expect("the gradient is not zero");
    /// // All noise is orthogonal to the gradient.
    /// assert_eq!((tests.inner_product, tests.orthogonality), (0.0, 1.0));
    /// # Ok::<(), landscape::Error>(())
    /// ```
    ///
    /// # Errors
    /// A batch size of zero.
    ///
    /// # References
    /// Byrd, Chin, Nocedal, Wu 2012, "Sample size selection in optimization methods for machine
    /// learning", equation 3.9; Bollapragada, Byrd, Nocedal 2018, "Adaptive sampling strategies for
    /// stochastic optimization", equations 2.6 and 3.3.
    #[expect(clippy::cast_precision_loss, reason = "a number of examples")]
    pub fn batch_tests(&self, batch_size: usize) -> Result<Option<BatchTests>, Error> {
        if batch_size == 0 {
            return Err(Error::Setting {
                name: "the batch size",
                value: "0".into(),
                allowed: "at least 1",
            });
        }
        let squared_norm = self.squared_norm();
        if squared_norm <= 0.0 {
            return Ok(None);
        }
        let mean = self.projections.iter().sum::<f64>() / self.count();
        let squares = self.projections.iter().map(|p| (p - mean).powi(2));
        let along = squares.sum::<f64>() / (self.count() - 1.0) / squared_norm;
        let total = self.total_variance();
        // g has no part orthogonal to itself, so that the squares about it add up by Pythagoras.
        let orthogonal = (total - along).max(0.0);
        let relative = |variance: f64| (variance / (batch_size as f64 * squared_norm)).sqrt();
        Ok(Some(BatchTests {
            batch_size,
            norm: relative(total),
            inner_product: relative(along),
            orthogonality: relative(orthogonal),
        }))
    }

    /// Returns the batch size `η tr Σ / L` that couples the noise to the learning rate `η`: with it
    /// the expected decrease of a step for each example is largest, under a bound on the curvature
    /// of `1/η` and for a loss that can fall to zero. None where the loss is not positive.
    ///
    /// For plain gradient descent, without momentum. Cockpit takes the variance with `1/N`.
    ///
    /// # Errors
    /// A learning rate that is not a positive number.
    ///
    /// # References
    /// Balles, Romero, Hennig 2017, "Coupling Adaptive Batch Sizes with Learning Rates",
    /// equation 22.
    pub fn cabs_batch_size(&self, learning_rate: f64) -> Result<Option<f64>, Error> {
        if !(learning_rate.is_finite() && learning_rate > 0.0) {
            return Err(Error::Setting {
                name: "the learning rate",
                value: learning_rate.to_string(),
                allowed: "a positive number",
            });
        }
        Ok(ratio(learning_rate * self.total_variance(), self.loss))
    }
}
