//! The width of a basin along a direction.

use burn::config::Config;
use burn::module::Module;
use burn::tensor::Tensor;

use crate::batch::Batch;
use crate::error::Error;
use crate::risk::{Objective, Risk};
use crate::slice::Search;
use crate::vector::{download, norm};

/// Settings of [`basin_width`].
#[derive(Config, Debug, PartialEq)]
pub struct BasinConfig {
    /// The loss is followed until it has risen to `L + (factor − 1) |L|`, with L the loss of the
    /// model: to `factor` times L where L is positive. Above 1.
    #[config(default = 2.0)]
    pub factor: f64,
    /// The first coordinate that is tried, in multiples of the direction; each further one is
    /// twice the one before. The crossing that is found is the first one as long as the loss
    /// does not rise above the level and fall below it again between two of them.
    #[config(default = 1e-2)]
    pub first: f64,
    /// The farthest coordinate, in multiples of the direction.
    #[config(default = 10.0)]
    pub bound: f64,
    /// The crossing is enclosed until the interval is at most this share of its outer end.
    #[config(default = 1e-4)]
    pub tolerance: f64,
}

impl BasinConfig {
    fn check(&self) -> Result<(), Error> {
        let setting = |name, value: f64, allowed| {
            Err(Error::Setting {
                name,
                value: value.to_string(),
                allowed,
            })
        };
        if !(self.factor.is_finite() && self.factor > 1.0) {
            return setting("factor", self.factor, "above 1 and finite");
        }
        if !(self.first.is_finite() && self.first > 0.0) {
            return setting("first", self.first, "positive and finite");
        }
        if !(self.bound.is_finite() && self.bound >= self.first) {
            return setting("bound", self.bound, "at least `first` and finite");
        }
        if !(self.tolerance > 0.0 && self.tolerance < 1.0) {
            return setting("tolerance", self.tolerance, "between 0 and 1");
        }
        Ok(())
    }
}

/// The reach of a basin to one side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reach {
    /// The coordinate at which the loss has risen to the level, in multiples of the direction: the
    /// outer end of the interval that encloses it. Never negative; the bound where the level is
    /// not reached.
    pub a: f64,
    /// The inner end of that interval: the loss is below the level here.
    pub inner: f64,
    /// `a ‖d‖`, a Euclidean distance in the parameters.
    pub distance: f64,
    /// The loss at `a`; where it is NaN or infinite, the level counts as reached.
    pub loss: f64,
    /// Whether the level was reached before the bound. Otherwise the basin is at least so wide.
    pub reached: bool,
}

/// The width of a basin along a direction.
#[derive(Debug, Clone, PartialEq)]
pub struct BasinWidth {
    /// The loss of the model.
    pub loss: f64,
    /// The level to which it was followed.
    pub level: f64,
    /// The side of the direction.
    pub forward: Reach,
    /// The other side.
    pub backward: Reach,
    /// The sum of both distances; a lower bound where a side did not reach the level.
    pub width: f64,
    /// Forward passes over the data.
    pub passes: usize,
}

/// Returns how far the basin around `model` reaches along a direction, to both sides: until the
/// loss has risen by a factor.
///
/// Buffers stay. Directions of one length make models comparable: see
/// [`direction`](crate::direction), whose filter-normalised ones remove the scale of the weights.
///
/// ```
/// use burn::module::{Module, Param};
/// use burn::tensor::{Device, Tensor};
/// use landscape::Risk;
/// use landscape::connectivity::{BasinConfig, basin_width};
///
/// #[derive(Module, Debug)]
/// struct Point {
///     at: Param<Tensor<1>>,
/// }
/// let device = Device::flex();
/// let point = Point {
///     at: Param::from_tensor(Tensor::from_floats([0.0], &device)),
/// };
/// // L(x) = 1 + x² has doubled at 1: half a direction of length two.
/// let risk = Risk::mean(
///     Tensor::<1>::ones([1], &device),
///     |point: &Point, _: &Tensor<1>| point.at.val().square() + 1.0,
/// );
/// let direction = Tensor::<1>::from_floats([2.0], &device);
/// let found = basin_width(&point, &risk, &direction, &BasinConfig::new())?;
/// assert!((found.forward.a - 0.5).abs() < 1e-4 && (found.width - 2.0).abs() < 4e-4);
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// Cost: at most `1 + 2 (log₂(bound / first) + log₂(1 / tolerance) + 2)` forward passes over the
/// data: about 50 by default. Memory: four vectors of P.
///
/// # Errors
/// [`Error::Setting`] for settings out of range and for a loss of exactly zero, which no factor
/// raises; [`Error::NoDirection`]; [`Error::NonFiniteLoss`] for a model whose loss is not finite.
pub fn basin_width<M: Module, B: Batch>(
    model: &M,
    risk: &Risk<M, B>,
    direction: &Tensor<1>,
    config: &BasinConfig,
) -> Result<BasinWidth, Error> {
    config.check()?;
    let objective = Objective::at(model, risk)?;
    let direction = objective.space().domain.adopt(direction)?;
    let length = norm(&download(&direction));
    let problem = match length {
        x if !x.is_finite() => Some("is not finite"),
        0.0 => Some("is zero"),
        _ => None,
    };
    if let Some(problem) = problem {
        return Err(Error::NoDirection {
            what: "direction of the basin",
            problem,
        });
    }
    let loss = objective.value_here()?;
    if !loss.is_finite() {
        return Err(Error::NonFiniteLoss {
            value: loss,
            place: "at the model".to_owned(),
        });
    }
    if loss == 0.0 {
        return Err(Error::Setting {
            name: "the loss of the model",
            value: "0".to_owned(),
            allowed: "other than zero: no factor raises zero, so add a constant to the loss",
        });
    }
    let level = loss + (config.factor - 1.0) * loss.abs();
    let mut passes = 1;
    let mut side = |sign: f64| -> Result<Reach, Error> {
        let places = [config.first, config.bound];
        let mut search = Search::new(places, config.tolerance, loss, level);
        while let Some(a) = search.next() {
            passes += 1;
            let theta = objective.origin().clone() + direction.clone() * (sign * a);
            search.take(a, objective.value(&theta)?);
        }
        let (a, loss) = search.end();
        Ok(Reach {
            a,
            inner: search.below(),
            distance: a * length,
            loss,
            reached: search.has_risen(),
        })
    };
    let forward = side(1.0)?;
    let backward = side(-1.0)?;
    Ok(BasinWidth {
        loss,
        level,
        width: forward.distance + backward.distance,
        forward,
        backward,
        passes,
    })
}
