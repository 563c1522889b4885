//! The Hessian of a risk as an operator.

use std::fmt;

use burn::module::Module;
use burn::tensor::{DType, Tensor};

use super::differences::Differences;
use super::exact_products::{ExactProducts, KeptParts};
use super::matrix::Matrix;
use super::{DifferenceConfig, ProductConfig};
use crate::batch::Batch;
use crate::error::Error;
use crate::operator::LinearOperator;
use crate::parameters::ParameterSpace;
use crate::risk::{Objective, Risk};
use crate::vector::Domain;

/// The way in which an operator's products are obtained.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Method {
    /// From the captured loss by forward-over-reverse differentiation (Pearlmutter 1994), exact up
    /// to the rounding of the float type. At a kink the derivative is the one that Burn takes.
    Exact {
        /// Float type of the products.
        dtype: DType,
        /// Captured parts of the data of which everything that a product needs of the weights is
        /// kept between products.
        kept: usize,
        /// Captured parts that are computed anew for each product, for want of memory. Of data
        /// that are streamed everything is, and both counts are 0.
        recomputed: usize,
    },
    /// Central differences of gradients, `(g(θ + hv) − g(θ − hv)) / 2h` with `‖hv‖ = length`.
    CentralDifference {
        /// Norm of the displacement to each side.
        length: f64,
        /// Float type of the gradients.
        dtype: DType,
        /// The reason why the products are not exact, if they were meant to be.
        because: Option<String>,
    },
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact { dtype, .. } => write!(f, "exact differentiation in {dtype:?}"),
            Self::CentralDifference {
                length,
                dtype,
                because,
            } => {
                write!(
                    f,
                    "central difference of {dtype:?} gradients, step {length:.2e}"
                )?;
                match because {
                    Some(reason) => write!(f, ", because {reason}"),
                    None => Ok(()),
                }
            }
        }
    }
}

/// The Hessian of a risk at a model, `H = ∇²L(θ)` of the mean loss over all examples: an operator
/// on `[P]` vectors.
///
/// Its vectors have the float type of
/// its [`domain`](LinearOperator::domain).
///
/// Products are exact where the loss can be captured. Where it cannot (a closure that reads data,
/// an operation without a rule) they are central differences of gradients, and
/// [`method`](Self::method) says so and why. A difference across a kink of ReLU or max pooling is
/// off by the jump of the gradient over the step. With
/// [`DifferenceStep::Kinks`](super::DifferenceStep::Kinks), the default, each difference compares
/// both sides, which agree unless one of them has crossed a kink, and looks for a step at which
/// they do. The first is also compared with one at a sixteenth of the step: across a kink at the
/// weights themselves (biases of zero before a ReLU, an L1 penalty at zero) a difference grows
/// without limit as the step shrinks. [`unresolved`](Self::unresolved) counts the products that may
/// be wrong for either reason.
///
/// ```
/// use burn::nn::{
///     Linear, LinearConfig,
///     loss::{MseLoss, Reduction},
/// };
/// use burn::tensor::{Device, Tensor};
/// use landscape::{Hessian, LinearOperator, Risk, download};
///
/// let device = Device::flex();
/// let model = LinearConfig::new(1, 1).with_bias(false).init(&device);
/// let batch = (
///     Tensor::<2>::full([4, 1], 3.0, &device),
///     Tensor::<2>::zeros([4, 1], &device),
/// );
/// let risk = Risk::mean(
///     [batch],
///     |model: &Linear, (x, y): &(Tensor<2>, Tensor<2>)| {
///         MseLoss::new().forward(model.forward(x.clone()), y.clone(), Reduction::Mean)
///     },
/// );
/// let hessian = Hessian::at(&model, &risk)?;
/// let product = hessian.apply(&hessian.domain().upload(&[1.0])?)?;
/// assert!((download(&product)[0] - 18.0).abs() < 1e-6); // 2 x²
///
/// # Ok::<(), landscape::Error>(())
/// ```
#[derive(Debug)]
pub struct Hessian<M, B>(Products<M, B>);

/// The operator that makes the products.
#[derive(Debug)]
enum Products<M, B> {
    Exact(ExactProducts<M, B>),
    Differences {
        operator: Differences<M, B>,
        because: Option<String>,
    },
}

impl<M: Module, B: Batch> Hessian<M, B> {
    /// Returns the Hessian of `risk` at `model`: exact, or by differences where the loss cannot be
    /// captured, or where the captured loss of the first batch is another function than the
    /// closure's (a number read on the host).
    ///
    /// Value and gradient of the recording are compared with the closure's, at the weights and
    /// beside them, and a difference of values decides between two gradients. A loss whose gradient
    /// is not that of its value has no Hessian that could be right: one that detaches a tensor
    /// (write `derivatives::stop_gradient`) or that takes a derivative inside by `backward` (write
    /// `derivatives::input_gradient`).
    ///
    /// Burn says that a recorded tensor has no value by a panic, which is caught. The program's
    /// panic hook sees it, and can ask [`in_trial`](crate::in_trial) whether to show it. A lock
    /// that the closure holds while it reads is poisoned by it. Where the profile says `panic =
    /// "abort"`, nothing can be caught: the process ends with Burn's message. Use
    /// [`by_differences`](Self::by_differences) there for a loss that reads.
    ///
    /// Cost, where products are exact: four forward passes of each batch that is cut into parts,
    /// which show that the recording is the closure and that cutting changes nothing but the
    /// rounding; six of each other batch. For the first batch besides, of a few rows where it is
    /// cut: two gradients, which compare the recording's with Burn's, and for a model in f32 four
    /// forward passes in f64. Where they are differences: a gradient and 12 forward passes of the
    /// data, and 14 forward passes of its first batch. Of streamed data the first batch alone is
    /// read, where products are exact. So make one operator for all that is measured at one model.
    ///
    /// Each batch held in memory is captured, in parts that fit the cache of a core where that
    /// changes nothing but the rounding, and what a product needs of the point is kept: about three
    /// times the activations of a forward pass. A product then costs about a gradient.
    /// [`at_with`](Self::at_with) limits the memory.
    ///
    /// # Errors
    /// A model that cannot be measured, no data, a loss that is no mean, that depends on no
    /// parameter or that draws random numbers.
    pub fn at(model: &M, risk: &Risk<M, B>) -> Result<Self, Error> {
        Self::at_with(model, risk, &ProductConfig::new())
    }

    /// Returns the same as [`at`](Self::at) with settings: how much memory the products may keep,
    /// and how many threads make them.
    ///
    /// # Errors
    /// As [`at`](Self::at), and a setting out of range.
    pub fn at_with(model: &M, risk: &Risk<M, B>, config: &ProductConfig) -> Result<Self, Error> {
        match ExactProducts::of(Objective::at(model, risk)?, Matrix::Hessian, config) {
            Ok(exact) => Ok(Self(Products::Exact(exact))),
            Err(Error::Derivatives(reason)) if differences_help(&reason) => {
                let operator = Differences::at(model, risk, &DifferenceConfig::new())?;
                Ok(Self(Products::Differences {
                    operator,
                    because: Some(reason.to_string()),
                }))
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the Hessian by central differences of gradients (a product costs two gradients, and
    /// two more for each step it has to try against kinks; the first costs three more).
    ///
    /// # Errors
    /// As [`at`](Self::at), and a step that is not positive and finite.
    pub fn by_differences(
        model: &M,
        risk: &Risk<M, B>,
        config: &DifferenceConfig,
    ) -> Result<Self, Error> {
        Ok(Self(Products::Differences {
            operator: Differences::at(model, risk, config)?,
            because: None,
        }))
    }

    /// Returns how the products are obtained.
    pub fn method(&self) -> Method {
        let dtype = self.domain().dtype;
        match &self.0 {
            Products::Exact(exact) => {
                let KeptParts {
                    kept, recomputed, ..
                } = exact.kept();
                Method::Exact {
                    dtype,
                    kept,
                    recomputed,
                }
            }
            Products::Differences { operator, because } => Method::CentralDifference {
                length: operator.length(),
                dtype,
                because: because.clone(),
            },
        }
    }

    /// Returns the bytes that are kept between products: 0 by differences, and for streamed data.
    pub fn kept_bytes(&self) -> usize {
        match &self.0 {
            Products::Exact(exact) => exact.kept().bytes,
            Products::Differences { .. } => 0,
        }
    }

    fn operator(&self) -> &dyn LinearOperator {
        match &self.0 {
            Products::Exact(exact) => exact,
            Products::Differences { operator, .. } => operator,
        }
    }

    /// Returns the coordinates.
    pub const fn space(&self) -> &ParameterSpace {
        self.objective().space()
    }

    /// Returns the risk as a function of theta.
    pub const fn objective(&self) -> &Objective<M, B> {
        match &self.0 {
            Products::Exact(exact) => exact.objective(),
            Products::Differences { operator, .. } => operator.objective(),
        }
    }

    /// Returns how many products so far may be wrong: by differences whose two sides were more than
    /// one per cent apart at every step tried, or with a kink at the weights themselves. Exact
    /// products are never, and of differences only those with
    /// [`DifferenceStep::Kinks`](super::DifferenceStep::Kinks) are checked.
    pub fn unresolved(&self) -> usize {
        match &self.0 {
            Products::Exact(_) => 0,
            Products::Differences { operator, .. } => operator.unresolved(),
        }
    }

    /// Returns an estimate of the relative error of a product with a random direction: the rounding
    /// of the float type where products are exact; otherwise `‖D(h) − D(2h)‖ / ‖D(h)‖` with the
    /// difference D at a step.
    ///
    /// Where the truncation error rules, of order `h²`, this is three times that of `D(h)`; where
    /// rounding or kinks rule it is of the size of their error. Cost: four gradients.
    ///
    /// # Errors
    /// As [`apply`](LinearOperator::apply).
    pub fn error_estimate(&self, seed: u64) -> Result<f64, Error> {
        match &self.0 {
            Products::Exact(exact) => Ok(exact.domain().unit_roundoff()),
            Products::Differences { operator, .. } => operator.error_estimate(seed),
        }
    }
}

impl<M: Module, B: Batch> LinearOperator for Hessian<M, B> {
    fn domain(&self) -> &Domain {
        self.operator().domain()
    }

    fn relative_error(&self) -> f64 {
        self.operator().relative_error()
    }

    fn apply(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        self.operator().apply(v)
    }

    fn apply_many(&self, vectors: &[Tensor<1>]) -> Result<Vec<Tensor<1>>, Error> {
        self.operator().apply_many(vectors)
    }

    /// Returns `vᵀHv`. Where products are exact it takes forward derivatives and no product, about
    /// half its cost.
    fn quadratic_form(&self, v: &Tensor<1>) -> Result<f64, Error> {
        match &self.0 {
            Products::Exact(exact) => exact.quadratic_form(v),
            Products::Differences { operator, .. } => operator.quadratic_form(v),
        }
    }

    fn quadratic_forms(&self, vectors: &[Tensor<1>]) -> Result<Vec<f64>, Error> {
        match &self.0 {
            Products::Exact(exact) => exact.quadratic_forms(vectors),
            Products::Differences { operator, .. } => operator.quadratic_forms(vectors),
        }
    }
}

/// Returns whether a loss that cannot be captured for this reason has a gradient all the same.
fn differences_help(reason: &derivatives::Error) -> bool {
    use derivatives::Error as Reason;
    !matches!(
        reason,
        Reason::NoTrainableParameter
            | Reason::LossNotScalar { .. }
            | Reason::Disconnected
            | Reason::Random { .. }
            | Reason::Type { .. }
            | Reason::MixedTypes { .. }
            | Reason::SeveralDevices { .. }
            | Reason::Length { .. }
    )
}
