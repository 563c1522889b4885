//! A range that reaches until the loss has risen.

use std::ops::{ControlFlow, RangeInclusive};

use burn::config::Config;
use burn::module::Module;
use serde::{Deserialize, Serialize};

use super::{Grid, Search, Slice};
use crate::error::Error;

/// The rise of a loss above its value at the centre at which a range ends.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Rise {
    /// To this multiple of the value at the centre, above 1; the centre's value must be positive.
    Factor(f64),
    /// By this amount, above 0.
    Amount(f64),
}

/// Settings of [`adaptive_range`].
#[derive(Config, Debug, PartialEq)]
pub struct RangeConfig {
    /// Position of the quantity that has to rise.
    #[config(default = 0)]
    pub quantity: usize,
    /// The rise that is searched for.
    #[config(default = "Rise::Factor(10.0)")]
    pub rise: Rise,
    /// The distance is searched until it is known up to this share of itself, between 0 and 1.
    #[config(default = 0.01)]
    pub tolerance: f64,
    /// First distance that is tried, as a share of the farthest; then it is doubled.
    #[config(default = 0.0625)]
    pub first: f64,
    /// Most evaluations for each of the 2 D ends.
    #[config(default = 40)]
    pub max_evaluations: usize,
}

/// The end of a range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RangeEnd {
    /// Distance from the centre, in multiples of the direction: the nearest at which the loss was
    /// seen to have risen; the farthest that was tried where it has not.
    pub distance: f64,
    /// The largest distance below it at which the loss was seen not to have risen.
    pub below: f64,
    /// The loss at `distance`; one that is not finite counts as risen.
    pub value: f64,
    /// Whether the loss has risen within the slice's extent and both distances are as near as the
    /// tolerance asks.
    pub reached: bool,
}

/// Distances from the centre of a slice at which the loss has risen.
#[derive(Debug, Clone, PartialEq)]
pub struct AdaptiveRange<const D: usize> {
    /// For each direction its negative and its positive end.
    pub ends: [[RangeEnd; 2]; D],
    /// The loss at the centre.
    pub centre: f64,
    /// The loss to which it had to rise.
    pub threshold: f64,
    /// Points that were evaluated, the centre included.
    pub evaluations: usize,
}

impl<const D: usize> AdaptiveRange<D> {
    /// Returns the range of each coordinate, for [`Slice::within`] and a grid. An end at which the
    /// loss is not finite is drawn back to the last finite place known.
    #[must_use]
    pub fn extent(&self) -> [RangeInclusive<f64>; D] {
        let place = |end: &RangeEnd| {
            if end.value.is_finite() {
                end.distance
            } else {
                end.below
            }
        };
        self.ends
            .each_ref()
            .map(|[negative, positive]| -place(negative)..=place(positive))
    }
}

impl AdaptiveRange<2> {
    /// Returns a grid of so many points in both directions over the range.
    #[must_use]
    pub fn grid(&self, counts: [usize; 2]) -> Grid {
        let [a, b] = self.extent();
        Grid::rectangle((a, counts[0]), (b, counts[1]))
    }
}

/// Returns for each direction and sign the distance at which the loss has risen.
///
/// The distance is doubled until the loss has risen and then halved in between, up to the
/// tolerance. It is a place where the loss crosses the threshold, the first one if it rises
/// steadily. The search ends where the slice's extent does: state a wide one, and
/// [`AdaptiveRange::extent`] gives the one for the picture.
///
/// Cost: one evaluation for the centre and some ten for each end; the ends are searched at the same
/// time.
///
/// # Errors
/// A setting out of range, a quantity that is not there, a centre outside of the extent or with a
/// loss that is not finite.
///
/// # Examples
/// ```
/// use burn::module::{Module, Param};
/// use burn::tensor::{Device, Tensor};
/// use landscape::Risk;
/// use landscape::slice::{Quantity, RangeConfig, Rise, Slice, adaptive_range};
///
/// #[derive(Module, Debug)]
/// struct Point {
///     at: Param<Tensor<1>>,
/// }
/// let device = Device::flex();
/// let model = Point {
///     at: Param::from_tensor(Tensor::zeros([1], &device)),
/// };
/// let risk = Risk::mean(
///     Tensor::<1>::ones([1], &device),
///     |model: &Point, one: &Tensor<1>| (model.at.val().square() + 1.0) * one.clone(),
/// );
/// // 1 + a² has risen to 10 at a = 3.
/// let direction = Tensor::<1>::ones([1], &device);
/// let slice = Slice::along(&model, [&direction], [Quantity::of("loss", &risk)])?
///     .within([-100.0..=100.0])?;
/// let range = adaptive_range(&slice, &RangeConfig::new())?;
/// for end in range.ends[0] {
///     assert!(end.reached && (3.0..=3.03).contains(&end.distance));
/// }
/// # Ok::<(), landscape::Error>(())
/// ```
pub fn adaptive_range<M: Module + 'static, const D: usize>(
    slice: &Slice<M, D>,
    config: &RangeConfig,
) -> Result<AdaptiveRange<D>, Error> {
    check(config, slice.names().len())?;
    let values = |points: &[[f64; D]]| -> Result<Vec<f64>, Error> {
        let values = slice.values(points, |_, _| ControlFlow::Continue(()))?;
        Ok(values
            .iter()
            .map(|values| values[config.quantity])
            .collect())
    };
    let centre = values(&[[0.0; D]])?[0];
    if !centre.is_finite() {
        return Err(Error::NonFiniteLoss {
            value: centre,
            place: "at the centre of the slice".to_owned(),
        });
    }
    let threshold = match config.rise {
        Rise::Factor(factor) if centre > 0.0 => factor * centre,
        Rise::Factor(_) => {
            return Err(Error::Setting {
                name: "loss at the centre",
                value: centre.to_string(),
                allowed: "above 0 to be multiplied by a factor: ask for `Rise::Amount`",
            });
        }
        Rise::Amount(amount) => centre + amount,
    };
    let mut searches: Vec<Search> = slice
        .extent()
        .iter()
        .flat_map(|range| [-range.start(), *range.end()])
        .map(|farthest| {
            let farthest = farthest.max(0.0);
            let places = [farthest * config.first, farthest];
            Search::new(places, config.tolerance, centre, threshold)
        })
        .collect();
    let mut evaluations = 1;
    // A search that is not at its end tries one distance in each round.
    for _ in 0..config.max_evaluations {
        let mut asked = Vec::new();
        let mut points = Vec::new();
        for (index, search) in searches.iter().enumerate() {
            if let Some(distance) = search.next() {
                let mut point = [0.0; D];
                point[index / 2] = if index % 2 == 0 { -distance } else { distance };
                asked.push((index, distance));
                points.push(point);
            }
        }
        if points.is_empty() {
            break;
        }
        evaluations += points.len();
        for ((index, distance), value) in asked.into_iter().zip(values(&points)?) {
            searches[index].take(distance, value);
        }
    }
    let end = |search: &Search| {
        let (distance, value) = search.end();
        RangeEnd {
            distance,
            below: search.below(),
            value,
            reached: search.is_met(),
        }
    };
    Ok(AdaptiveRange {
        ends: std::array::from_fn(|i| [0, 1].map(|side| end(&searches[2 * i + side]))),
        centre,
        threshold,
        evaluations,
    })
}

fn check(config: &RangeConfig, quantities: usize) -> Result<(), Error> {
    let setting = |name, value: String, allowed| {
        Err(Error::Setting {
            name,
            value,
            allowed,
        })
    };
    super::prepared::check_quantity(config.quantity, quantities)?;
    let share = |x: f64| x > 0.0 && x < 1.0;
    if !share(config.tolerance) {
        return setting(
            "tolerance",
            config.tolerance.to_string(),
            "above 0 and below 1",
        );
    }
    if !(share(config.first) || config.first == 1.0) {
        return setting("first", config.first.to_string(), "above 0 and at most 1");
    }
    match config.rise {
        Rise::Factor(factor) if !(factor > 1.0 && factor.is_finite()) => {
            setting("factor of a rise", factor.to_string(), "above 1 and finite")
        }
        Rise::Amount(amount) if !(amount > 0.0 && amount.is_finite()) => {
            setting("amount of a rise", amount.to_string(), "above 0 and finite")
        }
        _ => Ok(()),
    }
}
