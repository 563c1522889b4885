//! The way down from a point with negative curvature.

use burn::module::Module;
use burn::tensor::Tensor;

use super::EscapeConfig;
use super::config::setting;
use super::point::Eigenvalue;
use crate::batch::Batch;
use crate::error::Error;
use crate::risk::{Objective, Risk};
use crate::vector::{dot, download, norm, normalize};

/// A direction of negative curvature: the eigenvector of the most negative eigenvalue.
#[derive(Debug, Clone)]
pub struct Escape {
    /// Unit vector, `[P]`; of both signs the one along which the gradient falls or is zero.
    pub direction: Tensor<1>,
    /// The curvature `vᵀHv` along it, negative.
    pub curvature: f64,
    /// Its residual `‖Hv − κv‖`. The curvature along the direction is what it is even where the
    /// residual is large, and the direction is then not the steepest.
    pub residual: f64,
    /// The slope `gᵀv`, not positive; none where the gradient is not known.
    pub slope: Option<f64>,
}

impl Escape {
    pub(super) fn along(min: &Eigenvalue, gradient: Option<&Tensor<1>>) -> Result<Self, Error> {
        let slope = gradient.map(|g| dot(&download(g), &download(&min.vector)));
        let sign = if slope.is_some_and(|slope| slope > 0.0) {
            -1.0
        } else {
            1.0
        };
        Ok(Self {
            direction: min.vector.clone() * sign,
            curvature: min.value,
            residual: min.error,
            slope: slope.map(|slope| sign * slope),
        })
    }
}

/// A step along an escape direction, beside what the quadratic model says of it.
#[derive(Debug, Clone)]
pub struct EscapeStep {
    /// Length of the step, negative against the direction; 0 where no step lowered the loss as
    /// was asked for.
    pub length: f64,
    /// The displacement, `[P]`, for [`ParameterSpace::displace`](crate::ParameterSpace::displace).
    pub displacement: Tensor<1>,
    /// The loss before the step.
    pub loss_before: f64,
    /// The loss after it.
    pub loss_after: f64,
    /// The decrease that was measured.
    pub decrease: f64,
    /// The decrease of the quadratic model, `−(s t + ½ κ t²)` with slope s, curvature κ, length t.
    pub predicted_decrease: f64,
    /// Whether the loss falls by more than its rounding.
    pub falls: bool,
    /// Slope of the loss along the direction.
    pub slope: f64,
    /// Differences of losses that may be rounding.
    pub rounding: f64,
    /// Every length that was tried, with its loss, in order.
    pub trials: Vec<(f64, f64)>,
}

/// Takes a step along an escape direction and measures whether the loss falls.
///
/// Lengths are powers of two times a first one, which is halved until the loss falls by at least
/// `share` of what the quadratic model says, `s t + ½ κ t²`, then doubled while it goes on to fall
/// so. Both signs are tried where the model says that both go down; the gradient's sign decides
/// otherwise. Losses are taken in f64 where that can be, and a predicted decrease below their
/// rounding is not tried. The model is not changed.
///
/// Cost: a gradient and one or two forward passes for each length tried; the memory of three
/// vectors of P.
///
/// # Errors
/// [`Error::Setting`] for a setting out of range and a curvature that is not negative,
/// [`Error::Length`] for a direction of another model, [`Error::NoDirection`] for one that is zero,
/// and a risk that cannot be evaluated.
///
/// # Examples
/// ```
/// use burn::module::{Module, Param};
/// use burn::tensor::{DType, Device, Tensor};
/// use landscape::Risk;
/// use landscape::critical::{CriticalConfig, EscapeConfig, critical_point, follow_escape};
///
/// #[derive(Module, Debug)]
/// struct Point {
///     x: Param<Tensor<1>>,
/// }
///
/// let device = Device::flex();
/// let x = Tensor::from_data([0.0, 0.0], (&device, DType::F64));
/// let model = Point { x: Param::from_tensor(x) };
/// // x² − y², the saddle at the origin.
/// let signs = Tensor::<2>::from_data([[1.0, -1.0]], (&device, DType::F64));
/// let risk = Risk::mean([signs], |point: &Point, signs: &Tensor<2>| {
///     (signs.clone() * point.x.val().powi_scalar(2).unsqueeze()).sum_dim(1).mean()
/// });
/// let point = critical_point(&model, &risk, &CriticalConfig::new())?;
/// let escape = point.escape.expect("a saddle has one");
/// let step = follow_escape(&model, &risk, &escape, &EscapeConfig::new().with_max_halvings(0))?;
/// // From a loss of zero the first length is 1 + ‖θ‖ = 1, and −y² is what the model says.
/// assert!(step.falls && (step.decrease - 1.0).abs() < 1e-12);
/// assert!((step.predicted_decrease - 1.0).abs() < 1e-12);
/// # Ok::<(), landscape::Error>(())
/// ```
pub fn follow_escape<M: Module, B: Batch>(
    model: &M,
    risk: &Risk<M, B>,
    escape: &Escape,
    config: &EscapeConfig,
) -> Result<EscapeStep, Error> {
    config.check()?;
    let curvature = escape.curvature;
    if !(curvature < 0.0 && curvature.is_finite()) {
        let value = curvature.to_string();
        return setting("curvature of the escape direction", value, "negative");
    }
    let objective = Objective::in_double(model, risk)?;
    let domain = &objective.space().domain;
    domain.check_length("escape direction", escape.direction.dims()[0])?;
    let mut unit = download(&escape.direction);
    let length = normalize(&mut unit);
    if !(length > 0.0 && length.is_finite()) {
        return Err(Error::NoDirection {
            what: "escape direction",
            problem: if length == 0.0 {
                "is zero"
            } else {
                "is not finite"
            },
        });
    }
    let (loss, gradient) = objective.gradient_here()?;
    let slope = dot(&unit, &download(&gradient));
    let size = 1.0 + norm(&download(objective.origin()));
    let first = config.first_length.unwrap_or_else(|| {
        if loss == 0.0 {
            size
        } else {
            (2.0 * loss.abs() / curvature.abs()).sqrt().min(size)
        }
    });
    let mut search = Search {
        objective: &objective,
        direction: domain.upload(&unit)?,
        loss,
        slope,
        curvature,
        share: config.share,
        // A mean over many examples loses some digits more than one rounding.
        rounding: 64.0 * domain.unit_roundoff() * loss.abs(),
        trials: Vec::new(),
    };
    let (length, after) = search
        .longest(first, config.max_halvings)?
        .unwrap_or((0.0, loss));
    let decrease = loss - after;
    Ok(EscapeStep {
        length,
        displacement: search.direction.clone() * length,
        loss_before: loss,
        loss_after: after,
        decrease,
        predicted_decrease: -search.change(length),
        falls: decrease > search.rounding,
        slope,
        rounding: search.rounding,
        trials: search.trials,
    })
}

/// The search for a length.
struct Search<'a, M, B> {
    objective: &'a Objective<M, B>,
    direction: Tensor<1>,
    loss: f64,
    slope: f64,
    curvature: f64,
    share: f64,
    rounding: f64,
    trials: Vec<(f64, f64)>,
}

impl<M: Module, B: Batch> Search<'_, M, B> {
    /// Returns the change of the quadratic model by a step of `length`.
    fn change(&self, length: f64) -> f64 {
        length * (self.slope + 0.5 * self.curvature * length)
    }

    /// Returns a length at which the loss falls as asked for, with the loss; the longest of the
    /// powers of two that follow each other.
    fn longest(&mut self, first: f64, halvings: usize) -> Result<Option<(f64, f64)>, Error> {
        let mut length = first;
        let mut found = self.tried(length)?;
        let at_once = found.is_some();
        for _ in 0..halvings {
            if found.is_some() {
                break;
            }
            length *= 0.5;
            // With a slope, the two sides differ; the better of both counts.
            if self.change(length).min(self.change(-length)) > -self.rounding {
                break;
            }
            found = self.tried(length)?;
        }
        if at_once {
            for _ in 0..halvings {
                length *= 2.0;
                let farther = self.tried(length)?;
                match (farther, found) {
                    (Some(next), Some(best)) if next.1 < best.1 => found = farther,
                    _ => break,
                }
            }
        }
        Ok(found)
    }

    /// Returns the better of both signs of a length, with its loss, if it lowers the loss as asked
    /// for.
    fn tried(&mut self, length: f64) -> Result<Option<(f64, f64)>, Error> {
        let mut best: Option<(f64, f64)> = None;
        for length in [length, -length] {
            let change = self.change(length);
            if change > -self.rounding {
                continue;
            }
            let theta = self.objective.origin().clone() + self.direction.clone() * length;
            let loss = self.objective.value(&theta)?;
            self.trials.push((length, loss));
            // A NaN is no decrease.
            let is_lower = loss - self.loss <= self.share * change;
            if is_lower && best.is_none_or(|(_, lowest)| loss < lowest) {
                best = Some((length, loss));
            }
        }
        Ok(best)
    }
}
