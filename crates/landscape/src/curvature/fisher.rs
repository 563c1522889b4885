//! The empirical Fisher matrix of a risk as an operator.

use burn::module::Module;
use burn::tensor::Tensor;

use super::ProductConfig;
use super::exact_products::ExactProducts;
use super::matrix::Matrix;
use crate::batch::Batch;
use crate::error::Error;
use crate::operator::LinearOperator;
use crate::parameters::ParameterSpace;
use crate::risk::{Objective, Risk};
use crate::vector::Domain;

/// The empirical Fisher matrix of a risk at a model, `F = 1/N Σₙ gₙ gₙᵀ`: the second moment of the
/// gradients `gₙ = ∇ℓₙ(θ)` of its loss terms.
///
/// Positive semi-definite; its trace is the mean of `‖gₙ‖²`, and `F − g gᵀ` is the covariance of
/// the gradient over the examples.
///
/// The risk must tell outputs and loss apart ([`Risk::of`]), the outputs have a row for each
/// example, and each loss term is a function of its own row. Products are exact and make no `gₙ`:
/// with `c = ∂L/∂f` and the Jacobian J of the outputs f, over one batch `F v = Jᵀ (s · c)` with
/// `sₙ = N ⟨cₙ, (J v)ₙ⟩`. BatchNorm with the statistics of the batch is no obstacle: `gₙ` then goes
/// through the statistics of all examples.
///
/// Where the risk weights its batches ([`Risk::with_weights`]), F is the mean over the batches' own
/// matrices with these weights.
///
/// This empirical Fisher matrix is not the Fisher information, which takes the labels from the
/// model's own prediction: that one is the [`GaussNewton`](crate::GaussNewton) matrix where the
/// loss is the cross entropy of a softmax, and up to scale where it is a squared error. The two
/// agree where the model's prediction is the distribution of the labels. Elsewhere they do not, not
/// even in scale: near a perfect fit F vanishes with the gradients, while Gauss-Newton does not.
/// For a step of natural gradient use Gauss-Newton; F is for the noise of the gradient.
///
/// ```
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::{Device, Tensor};
/// use landscape::{Fisher, LinearOperator, Reduction, Risk, download};
///
/// let device = Device::flex();
/// let model = LinearConfig::new(1, 1).with_bias(false).init(&device);
/// let batch = Tensor::<2>::from_floats([[1.0], [2.0]], &device);
/// // The loss terms w x have the gradients 1 and 2.
/// let risk = Risk::of(
///     [batch],
///     |model: &Linear, x: &Tensor<2>| model.forward(x.clone()),
///     |outputs: Tensor<2>, _| outputs.mean(),
///     Reduction::Mean,
/// );
/// let fisher = Fisher::at(&model, &risk)?;
/// let product = fisher.apply(&fisher.domain().upload(&[1.0])?)?;
/// assert_eq!(download(&product), [2.5]); // (1 + 4) / 2
///
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// # References
/// Kunstner, Balles, Hennig 2019, "Limitations of the Empirical Fisher Approximation for Natural
/// Gradient Descent", equations 1 to 3.
#[derive(Debug)]
pub struct Fisher<M, B>(ExactProducts<M, B>);

impl<M: Module, B: Batch> Fisher<M, B> {
    /// Returns the matrix of `risk` at `model`. A product costs about as much as one with
    /// Gauss-Newton.
    ///
    /// # Errors
    /// A model that cannot be measured, no data, a loss that is no mean, cannot be captured or
    /// depends on the parameters beside the outputs, a risk that does not tell outputs and loss
    /// apart, outputs that have not a row for each example.
    pub fn at(model: &M, risk: &Risk<M, B>) -> Result<Self, Error> {
        Self::at_with(model, risk, &ProductConfig::new())
    }

    /// Returns the same as [`at`](Self::at) with settings of the products, such as the memory they
    /// may keep.
    ///
    /// # Errors
    /// As [`at`](Self::at).
    pub fn at_with(model: &M, risk: &Risk<M, B>, config: &ProductConfig) -> Result<Self, Error> {
        ExactProducts::of(Objective::at(model, risk)?, Matrix::Fisher, config).map(Self)
    }

    /// Returns the bytes that are kept between products.
    pub fn kept_bytes(&self) -> usize {
        self.0.kept().bytes
    }

    /// Returns the coordinates.
    pub const fn space(&self) -> &ParameterSpace {
        self.0.objective().space()
    }
}

impl<M: Module, B: Batch> LinearOperator for Fisher<M, B> {
    fn domain(&self) -> &Domain {
        self.0.domain()
    }

    fn apply(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        self.0.apply(v)
    }

    fn apply_many(&self, vectors: &[Tensor<1>]) -> Result<Vec<Tensor<1>>, Error> {
        self.0.apply_many(vectors)
    }

    /// Returns `vᵀFv = 1/N Σₙ (gₙᵀ v)²`, by a forward derivative and without a
    /// backward pass: about half the cost of a product.
    fn quadratic_form(&self, v: &Tensor<1>) -> Result<f64, Error> {
        self.0.quadratic_form(v)
    }

    fn quadratic_forms(&self, vectors: &[Tensor<1>]) -> Result<Vec<f64>, Error> {
        self.0.quadratic_forms(vectors)
    }
}
