//! The classification of a point.

use burn::module::Module;
use burn::tensor::Tensor;

use super::config::setting;
use super::evidence::Evidence;
use super::{
    Condition, CriticalConfig, CriticalKind, CriticalPoint, Escape, GradientSize, Inertia,
};
use crate::batch::Batch;
use crate::curvature::{Hessian, Method};
use crate::error::Error;
use crate::operator::LinearOperator;
use crate::risk::Risk;
use crate::vector::{download, norm};

/// A difference that changes more than this, relatively, between a step and its double has a kink
/// at the weights, where it changes by a half, or says nothing for another reason.
const AT_THE_WEIGHTS: f64 = 0.25;

/// Returns what kind of point the model is of the risk, with the evidence.
///
/// In the model's own float type: f32 leaves eigenvalues below some 1e-6 of the largest undecided,
/// and a model cast to f64 ([`cast`](crate::cast)) does not.
///
/// Cost: that of making a [`Hessian`], a gradient, and up to
/// [`dense_limit`](CriticalConfig::dense_limit) coordinates P + 1 products, `O(P³)` operations and
/// some four matrices of `P²` f64 numbers. Above, at most `2 max_steps + starts · steps + 3`
/// products, 703 by default, and the memory of the longest Lanczos run, 100 vectors of P by
/// default. Where products are differences, four gradients more.
///
/// # Errors
/// [`Error::Setting`] for a setting out of range, a model that cannot be measured, and all errors
/// of [`Hessian::at`] and of the spectrum's functions.
///
/// # Examples
/// ```
/// use burn::module::{Module, Param};
/// use burn::tensor::{Device, Tensor};
/// use landscape::Risk;
/// use landscape::critical::{CriticalConfig, CriticalKind, critical_point};
///
/// #[derive(Module, Debug)]
/// struct Point {
///     x: Param<Tensor<1>>,
/// }
///
/// let device = Device::flex();
/// let x = Param::from_tensor(Tensor::from_floats([0.0, 0.0], &device));
/// // x² − y², the saddle at the origin.
/// let signs = Tensor::<2>::from_floats([[1.0, -1.0]], &device);
/// let risk = Risk::mean([signs], |point: &Point, signs: &Tensor<2>| {
///     (signs.clone() * point.x.val().powi_scalar(2).unsqueeze())
///         .sum_dim(1)
///         .mean()
/// });
/// let point = critical_point(&Point { x }, &risk, &CriticalConfig::new())?;
/// assert_eq!(point.kind, CriticalKind::Saddle);
/// assert_eq!(point.index.exact(), Some(1));
/// # Ok::<(), landscape::Error>(())
/// ```
pub fn critical_point<M: Module, B: Batch>(
    model: &M,
    risk: &Risk<M, B>,
    config: &CriticalConfig,
) -> Result<CriticalPoint, Error> {
    config.check()?;
    critical_point_of(&Hessian::at(model, risk)?, config)
}

/// Returns the same as [`critical_point`] for a Hessian that has been made already.
///
/// # Errors
/// As [`critical_point`].
pub fn critical_point_of<M: Module, B: Batch>(
    hessian: &Hessian<M, B>,
    config: &CriticalConfig,
) -> Result<CriticalPoint, Error> {
    config.check()?;
    let objective = hessian.objective();
    let (loss, gradient) = objective.gradient_here()?;
    let length = 1.0 + norm(&download(objective.origin()));
    let point = Point {
        loss,
        gradient_norm: norm(&download(&gradient)),
        gradient: Some(&gradient),
        length: config.length.unwrap_or(length),
    };
    let method = hessian.method();
    // A kink at the weights is seen by the first product, if its direction crosses it. A unit
    // vector may not; a random one does.
    let kinks = match method {
        Method::Exact { .. } => 0,
        Method::CentralDifference { .. } => {
            usize::from(hessian.error_estimate(config.seed)? > AT_THE_WEIGHTS)
        }
    };
    let mut found = point.measured(hessian, config, || kinks + hessian.unresolved())?;
    found.method = Some(method);
    Ok(found)
}

/// Returns what kind of point has the Hessian `op`, a gradient of the given norm and the loss
/// `loss`, which is only passed on.
///
/// The length that the gradient is compared with is [`CriticalConfig::length`], or 1. Cost and
/// memory as of [`critical_point`], without Hessian and gradient.
///
/// # Errors
/// [`Error::Setting`] for a setting out of range, a norm or a loss that is not finite, and all
/// errors of the spectrum's functions: products that change, that are not finite, or not symmetric.
///
/// # Examples
/// ```
/// use burn::tensor::{DType, Device};
/// use landscape::critical::{CriticalConfig, CriticalKind, classify};
/// use landscape::operator::Dense;
///
/// let hessian = Dense::new(&[2.0, 1.0, 1.0, 2.0], (&Device::flex(), DType::F64))?;
/// let point = classify(&hessian, 0.0, 0.0, &CriticalConfig::new())?;
/// assert_eq!(point.kind, CriticalKind::LocalMinimum);
/// assert!((point.condition.value - 3.0).abs() < 1e-12);
/// # Ok::<(), landscape::Error>(())
/// ```
pub fn classify<A: LinearOperator + ?Sized>(
    op: &A,
    gradient_norm: f64,
    loss: f64,
    config: &CriticalConfig,
) -> Result<CriticalPoint, Error> {
    config.check()?;
    if !(gradient_norm >= 0.0 && gradient_norm.is_finite()) {
        let value = gradient_norm.to_string();
        return setting("gradient_norm", value, "finite and not negative");
    }
    if !loss.is_finite() {
        return setting("loss", loss.to_string(), "finite");
    }
    let point = Point {
        loss,
        gradient_norm,
        gradient: None,
        length: config.length.unwrap_or(1.0),
    };
    point.measured(op, config, || 0)
}

/// The loss, the gradient and the scale of a point, before its curvature is known.
struct Point<'a> {
    loss: f64,
    gradient_norm: f64,
    gradient: Option<&'a Tensor<1>>,
    length: f64,
}

impl Point<'_> {
    fn measured<A: LinearOperator + ?Sized>(
        &self,
        op: &A,
        config: &CriticalConfig,
        unresolved: impl Fn() -> usize,
    ) -> Result<CriticalPoint, Error> {
        let evidence = Evidence::of(op, self.gradient, config)?;
        let gradient = GradientSize {
            norm: self.gradient_norm,
            limit: config.gradient_tolerance * evidence.largest * self.length,
            length: self.length,
            newton_decrease: evidence.newton.map(|newton| newton.decrease),
            flat_norm: evidence.newton.map(|newton| newton.flat_norm),
        };
        let unresolved = unresolved();
        let (kind, because) = verdict(&gradient, unresolved, &evidence, config);
        let escape = if evidence.min.value < -evidence.threshold {
            Some(Escape::along(&evidence.min, self.gradient)?)
        } else {
            None
        };
        Ok(CriticalPoint {
            kind,
            because,
            loss: self.loss,
            gradient,
            condition: Condition::of(&evidence.min, &evidence.max),
            min: evidence.min,
            max: evidence.max,
            range: evidence.range,
            zero_threshold: evidence.threshold,
            index: evidence.index,
            inertia: evidence.inertia,
            eigenvalues: evidence.eigenvalues,
            statistics: evidence.statistics,
            escape,
            method: None,
            unresolved,
            products: evidence.products,
        })
    }
}

/// Returns the kind, and the sentence that says why.
fn verdict(
    gradient: &GradientSize,
    unresolved: usize,
    evidence: &Evidence,
    config: &CriticalConfig,
) -> (CriticalKind, String) {
    if !gradient.is_small() {
        let because = format!(
            "the gradient's norm {:.2e} is above {:.2e}, which is {:.0e} of the curvature times the length of the weights",
            gradient.norm, gradient.limit, config.gradient_tolerance
        );
        return (CriticalKind::NotCritical, because);
    }
    if unresolved > 0 {
        let because =
            format!("{unresolved} products by differences may be wrong, for kinks of the loss");
        return (CriticalKind::Undecided, because);
    }
    match evidence.inertia {
        Some(inertia) => of_all(inertia),
        None => of_some(evidence, config),
    }
}

/// Returns the verdict where every eigenvalue is known.
fn of_all(inertia: Inertia) -> (CriticalKind, String) {
    let Inertia {
        negative,
        zero,
        positive,
    } = inertia;
    let kind = match (negative, zero, positive) {
        (1.., _, 1..) => CriticalKind::Saddle,
        (_, 1.., _) => CriticalKind::Degenerate,
        (0, 0, _) => CriticalKind::LocalMinimum,
        (_, 0, _) => CriticalKind::LocalMaximum,
    };
    let because = format!(
        "of {} eigenvalues {negative} are negative, {zero} zero and {positive} positive",
        negative + zero + positive
    );
    (kind, because)
}

/// Returns the verdict where bounds are known.
fn of_some(evidence: &Evidence, config: &CriticalConfig) -> (CriticalKind, String) {
    let [low, high] = evidence.range;
    let negative = evidence.index.at_least;
    let percent = 100.0 * config.confidence;
    if negative > 0 && evidence.positive > 0 {
        let because = format!(
            "at least {negative} eigenvalues are negative and at least {} positive",
            evidence.positive
        );
        (CriticalKind::Saddle, because)
    } else if low > evidence.threshold {
        let because = format!("no eigenvalue is below {low:.2e}, at {percent} % confidence");
        (CriticalKind::LocalMinimum, because)
    } else if high < -evidence.threshold {
        let because = format!("no eigenvalue is above {high:.2e}, at {percent} % confidence");
        (CriticalKind::LocalMaximum, because)
    } else {
        let because = format!(
            "no two eigenvalues of certain and different signs were found, and others may lie between {low:.2e} and {high:.2e}: take more steps, or a dense_limit of P"
        );
        (CriticalKind::Undecided, because)
    }
}
