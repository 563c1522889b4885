//! The Hessian of a risk as an operator.

use std::fmt;

use burn::module::Module;
use burn::tensor::{DType, Tensor};

use super::{DifferenceConfig, Precision};
use crate::operator::{Domain, LinearOperator, download};
use crate::{Batch, Error, Objective, ParameterSpace, Risk, random};

/// How an operator's products are obtained.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Method {
    /// $(g(\theta + h v) - g(\theta - h v)) / 2h$ with $\lVert h v \rVert$ = `length`.
    CentralDifference {
        /// Norm of the displacement to each side.
        length: f64,
        /// Float type of the gradients.
        dtype: DType,
    },
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CentralDifference { length, dtype } => {
                write!(
                    f,
                    "central difference of {dtype:?} gradients, step {length:.2e}"
                )
            }
        }
    }
}

/// The Hessian of a risk at a model: an operator on `[P]` vectors.
///
/// $H = \nabla^2 L(\theta)$ of the mean loss over all examples. Its vectors have the float type of
/// its [`domain`](LinearOperator::domain), which may be wider than the model's. At a kink of ReLU or max pooling a
/// difference averages over the kinks that its step crosses.
///
/// ```
/// use burn::nn::{Linear, LinearConfig, loss::{MseLoss, Reduction}};
/// use burn::tensor::{Device, Tensor};
/// use landscape::{Hessian, LinearOperator, Risk, operator::download};
///
/// let device = Device::flex();
/// let model = LinearConfig::new(1, 1).with_bias(false).init(&device);
/// let batch = (Tensor::<2>::full([4, 1], 3.0, &device), Tensor::<2>::zeros([4, 1], &device));
/// let risk = Risk::mean([batch], |model: &Linear, (x, y): &(Tensor<2>, Tensor<2>)| {
///     MseLoss::new().forward(model.forward(x.clone()), y.clone(), Reduction::Mean)
/// });
/// let hessian = Hessian::at(&model, &risk)?;
/// let product = hessian.apply(&hessian.domain().upload(&[1.0])?)?;
/// assert!((download(&product)[0] - 18.0).abs() < 1e-6); // 2 x^2
/// # Ok::<(), landscape::Error>(())
/// ```
#[derive(Debug)]
pub struct Hessian<M, B> {
    objective: Objective<M, B>,
    length: f64,
}

impl<M: Module, B: Batch> Hessian<M, B> {
    /// The Hessian of `risk` at `model`, with the default settings.
    ///
    /// # Errors
    /// A model that cannot be measured, no data, a loss that is no mean.
    pub fn at(model: &M, risk: &Risk<M, B>) -> Result<Self, Error> {
        Self::by_differences(model, risk, &DifferenceConfig::new())
    }

    /// The Hessian by central differences of gradients (a product costs two gradients).
    ///
    /// # Errors
    /// As [`at`](Self::at), and a step that is not positive and finite.
    pub fn by_differences(
        model: &M,
        risk: &Risk<M, B>,
        config: &DifferenceConfig,
    ) -> Result<Self, Error> {
        let objective = match config.precision {
            Precision::Double => Objective::in_double(model, risk)?,
            Precision::Model => Objective::at(model, risk)?,
        };
        let relative = config.relative_step(&objective.space().domain)?;
        let length = relative * (1.0 + norm(&download(objective.origin())));
        Ok(Self { objective, length })
    }

    /// How the products are obtained.
    pub fn method(&self) -> Method {
        Method::CentralDifference {
            length: self.length,
            dtype: self.domain().dtype,
        }
    }

    /// The coordinates.
    pub const fn space(&self) -> &ParameterSpace {
        self.objective.space()
    }

    /// The risk as a function of theta.
    pub const fn objective(&self) -> &Objective<M, B> {
        &self.objective
    }

    /// An estimate of the relative error of a product with a random direction:
    /// $\lVert D_h - D_{2h} \rVert / \lVert D_h \rVert$.
    ///
    /// Where the truncation error rules, of order $h^2$, this is three times that of $D_h$; where
    /// rounding or kinks rule it is of the size of their error. Cost: four gradients.
    ///
    /// # Errors
    /// As [`apply`](LinearOperator::apply).
    pub fn error_estimate(&self, seed: u64) -> Result<f64, Error> {
        let direction = random::normal(seed, random::Purpose::ErrorEstimate.stream(0), self.dim());
        let direction = self.domain().upload(&direction)?;
        let near = download(&self.difference(&direction, self.length)?);
        let far = download(&self.difference(&direction, 2.0 * self.length)?);
        let change: Vec<f64> = near.iter().zip(&far).map(|(a, b)| a - b).collect();
        let scale = norm(&near);
        Ok(if scale > 0.0 {
            norm(&change) / scale
        } else {
            norm(&change)
        })
    }

    fn difference(&self, v: &Tensor<1>, length: f64) -> Result<Tensor<1>, Error> {
        let scale = norm(&download(v));
        if !scale.is_finite() {
            return Err(Error::NoDirection {
                what: "vector of a product",
                problem: "is not finite",
            });
        }
        if scale == 0.0 {
            return Ok(v.zeros_like());
        }
        let h = length / scale;
        let origin = self.objective.origin();
        let step = v.clone() * h;
        let (_, ahead) = self.objective.gradient(&(origin.clone() + step.clone()))?;
        let (_, behind) = self.objective.gradient(&(origin.clone() - step))?;
        Ok((ahead - behind) / (2.0 * h))
    }
}

impl<M: Module, B: Batch> LinearOperator for Hessian<M, B> {
    fn domain(&self) -> &Domain {
        &self.objective.space().domain
    }

    fn apply(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        self.difference(&self.domain().adopt(v)?, self.length)
    }
}

fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|x| x * x).sum::<f64>().sqrt()
}
