//! The Hessian of a risk as an operator.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::module::Module;
use burn::tensor::{DType, Tensor};

use super::finite_difference::{Difference, central, norm, one_sided, relative_change};
use super::{DifferenceConfig, Precision, Step};
use crate::operator::{Domain, LinearOperator, download};
use crate::{Batch, Error, Objective, ParameterSpace, Risk, random};

/// A first product that changes more than this, relatively, as its step shrinks to a sixteenth has a
/// kink at the weights: the jump over the step changes by 15/16.
const AT_THE_WEIGHTS: f64 = 0.25;

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
/// its [`domain`](LinearOperator::domain), which may be wider than the model's.
///
/// At a kink of ReLU or max pooling the gradient jumps, and a difference across one is off by the
/// jump over the step. With [`Step::Kinks`] each product compares the differences to both sides,
/// which agree unless one of them has crossed a kink, and looks for a step at which they do. The
/// first product is also compared with one at a sixteenth of the step: across a kink at the weights
/// themselves (biases of zero before a ReLU, an L1 penalty at zero) a difference grows without
/// limit as the step shrinks. [`unresolved`](Self::unresolved) counts the products that may be
/// wrong for either reason.
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
    avoid_kinks: bool,
    gradient: OnceLock<Vec<f64>>,
    relative_error: OnceLock<f64>,
    unresolved: AtomicUsize,
}

impl<M: Module, B: Batch> Hessian<M, B> {
    /// The Hessian of `risk` at `model`, with the default settings.
    ///
    /// # Errors
    /// A model that cannot be measured, no data, a loss that is no mean.
    pub fn at(model: &M, risk: &Risk<M, B>) -> Result<Self, Error> {
        Self::by_differences(model, risk, &DifferenceConfig::new())
    }

    /// The Hessian by central differences of gradients (a product costs two gradients, and two more for
    /// each step it has to try against kinks; the first costs three more).
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
        Ok(Self {
            objective,
            length,
            avoid_kinks: config.step == Step::Kinks,
            gradient: OnceLock::new(),
            relative_error: OnceLock::new(),
            unresolved: AtomicUsize::new(0),
        })
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

    /// How many products so far may be wrong: the differences to both sides were more than one per
    /// cent apart at every step tried, or a kink lies at the weights themselves. Only
    /// [`Step::Kinks`] checks; with another step this stays zero.
    pub fn unresolved(&self) -> usize {
        self.unresolved.load(Ordering::Relaxed)
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
        Ok(relative_change(&near, &far))
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
        let product = if self.avoid_kinks {
            self.between_kinks(v, h)?
        } else {
            let (ahead, behind) = self.both_sides(v, h)?;
            central(&ahead, &behind, h)
        };
        self.domain().upload(&product)
    }

    /// The difference at the step, of a few, at which both sides agree best.
    fn between_kinks(&self, v: &Tensor<1>, h: f64) -> Result<Vec<f64>, Error> {
        let mut best = self.compared(v, h)?;
        if !best.agrees() {
            let closer = self.compared(v, h / 16.0)?;
            // Closer helps against a kink between; against rounding, which grows as the step
            // shrinks, farther does.
            let factors = if closer.disagreement < best.disagreement {
                [1.0 / 16.0, 1.0 / 256.0]
            } else {
                [16.0, 256.0]
            };
            best = best.better(closer);
            for factor in factors {
                if best.agrees() {
                    break;
                }
                best = best.better(self.compared(v, factor * h)?);
            }
        }
        let relative_error = match self.relative_error.get() {
            Some(error) => *error,
            None => {
                let closer = self.compared(v, best.h / 16.0)?;
                *self.relative_error.get_or_init(|| best.change(&closer))
            }
        };
        if !best.is_usable() || relative_error > AT_THE_WEIGHTS {
            self.unresolved.fetch_add(1, Ordering::Relaxed);
        }
        Ok(best.product)
    }

    fn compared(&self, v: &Tensor<1>, h: f64) -> Result<Difference, Error> {
        let here = self.gradient_here()?;
        let (ahead, behind) = self.both_sides(v, h)?;
        Ok(one_sided(&ahead, here, &behind, h))
    }

    fn both_sides(&self, v: &Tensor<1>, h: f64) -> Result<(Vec<f64>, Vec<f64>), Error> {
        let origin = self.objective.origin();
        let step = v.clone() * h;
        let (_, ahead) = self.objective.gradient(&(origin.clone() + step.clone()))?;
        let (_, behind) = self.objective.gradient(&(origin.clone() - step))?;
        Ok((download(&ahead), download(&behind)))
    }

    fn gradient_here(&self) -> Result<&[f64], Error> {
        if let Some(gradient) = self.gradient.get() {
            return Ok(gradient);
        }
        let gradient = download(&self.objective.gradient_here()?.1);
        Ok(self.gradient.get_or_init(|| gradient))
    }
}

impl<M: Module, B: Batch> LinearOperator for Hessian<M, B> {
    fn domain(&self) -> &Domain {
        &self.objective.space().domain
    }

    /// With [`Step::Kinks`] the change of the first product as its step shrinks to a sixteenth;
    /// otherwise what theory says of the step. At least the square root of the rounding.
    fn relative_error(&self) -> f64 {
        let rounding = self.domain().unit_roundoff();
        let step = self.length / (1.0 + norm(&download(self.objective.origin())));
        let theory = if self.avoid_kinks {
            rounding.sqrt()
        } else {
            (step * step).max(rounding / step)
        };
        self.relative_error
            .get()
            .map_or(theory, |measured| measured.max(rounding.sqrt()))
    }

    fn apply(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        self.difference(&self.domain().adopt(v)?, self.length)
    }
}
