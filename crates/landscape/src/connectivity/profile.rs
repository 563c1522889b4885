//! The loss along a curve: barrier, mean, verdict.

use std::cmp::Ordering;
use std::fmt;
use std::ops::ControlFlow;

use burn::module::Module;

use super::Curve;
use super::shape::check_time;
use crate::batch::Batch;
use crate::error::Error;
use crate::risk::{Objective, Risk};
use crate::slice::Buffers;

/// The threshold of the verdict where none is chosen: 10 % above the worse end.
const THRESHOLD: f64 = 1.1;

/// The verdict on a path between two models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The loss is nowhere above the limit, at the points at which it was evaluated.
    Connected,
    /// The loss is above the limit at some point.
    Separated,
    /// A loss on the path is NaN or infinite.
    NotFinite,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connected => "connected",
            Self::Separated => "separated",
            Self::NotFinite => "not finite",
        })
    }
}

/// The loss along a path from A at t = 0 to B at t = 1.
///
/// All of it is of the points at which the loss was evaluated. Between them the loss may be higher:
/// a maximum is at most that of the path, and `barrier_error` estimates what is missing.
#[derive(Debug, Clone, PartialEq)]
pub struct PathProfile {
    /// The points, ascending, from 0 to 1.
    pub t: Vec<f64>,
    /// The loss at each, as it came out.
    pub loss: Vec<f64>,
    /// The length of the path from A to each, Euclidean in the parameters.
    pub length: Vec<f64>,
    /// `max_t L(t) − ((1 − t) L(A) + t L(B))`: how far the loss rises above the line between the
    /// losses of the ends. Never below zero, which it is at the ends.
    pub barrier: f64,
    /// The t of the barrier.
    pub barrier_t: f64,
    /// An estimate of how much higher the barrier is between the points: the rise to the vertex of
    /// the parabola through the barrier and both points beside it. Zero where there is no barrier;
    /// it says nothing of a bump that lies between two points as a whole.
    pub barrier_error: f64,
    /// `max_t L(t) − ½ (L(A) + L(B))`, the other convention: how far the loss rises above the mean
    /// of the ends.
    pub barrier_over_mean: f64,
    /// The smallest loss.
    pub min: f64,
    /// The largest loss.
    pub max: f64,
    /// The t of the largest loss.
    pub max_t: f64,
    /// `∫₀¹ L(θ(t)) dt` by the trapezoidal rule.
    pub mean: f64,
    /// `∫ L(θ(t)) ‖θ'(t)‖ dt / ∫ ‖θ'(t)‖ dt`, the mean over the path's length, by the trapezoidal
    /// rule in the exact length between neighbouring points: it does not depend on how fast t
    /// passes the path.
    pub length_weighted: f64,
    /// The threshold of the verdict.
    pub threshold: f64,
    /// The loss that a connected path does not exceed. With w the loss of the worse end,
    /// `w + (threshold − 1) |w|`: threshold times w where w is positive. Where w is negative, it
    /// lies by the same share of its size above it; where w is zero, a connected path does not
    /// rise above zero, and a threshold says nothing.
    pub limit: f64,
    /// The verdict.
    pub verdict: Verdict,
}

impl PathProfile {
    /// Returns the profile of losses that have been computed already, at ascending t from 0 to 1,
    /// with the length of the path up to each t.
    ///
    /// ```
    /// use landscape::connectivity::{PathProfile, Verdict};
    ///
    /// let t = [0.0, 0.5, 1.0];
    /// let profile = PathProfile::of(&t, &[1.0, 4.0, 2.0], &[0.0, 3.0, 4.0])?;
    /// assert_eq!((profile.barrier, profile.barrier_over_mean), (2.5, 2.5));
    /// assert_eq!(profile.mean, 2.75);
    /// assert_eq!(profile.length_weighted, (3.0 * 2.5 + 1.0 * 3.0) / 4.0);
    /// assert_eq!(profile.verdict, Verdict::Separated);
    /// # Ok::<(), landscape::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Length`] for lists of different lengths, [`Error::Setting`] for t that do not
    /// ascend from 0 to 1 and lengths that fall, [`Error::NonFiniteLoss`] for an end whose loss is
    /// not finite.
    pub fn of(t: &[f64], loss: &[f64], length: &[f64]) -> Result<Self, Error> {
        for (what, found) in [
            ("list of losses", loss.len()),
            ("list of lengths", length.len()),
        ] {
            if found != t.len() {
                return Err(Error::Length {
                    what,
                    expected: t.len(),
                    found,
                });
            }
        }
        let [first_t, .., last_t] = t else {
            return Err(not_a_path("fewer than two t".to_owned()));
        };
        #[expect(clippy::float_cmp, reason = "0 and 1 are exact")]
        if *first_t != 0.0 || *last_t != 1.0 {
            return Err(not_a_path(format!("from {first_t} to {last_t}")));
        }
        if let Some(pair) = t
            .windows(2)
            .find(|pair| pair[0].partial_cmp(&pair[1]) != Some(Ordering::Less))
        {
            return Err(not_a_path(format!("{} after {}", pair[1], pair[0])));
        }
        let falls = |pair: &&[f64]| !(pair[1] - pair[0]).is_finite() || pair[1] < pair[0];
        if let Some(pair) = length.windows(2).find(falls) {
            return Err(Error::Setting {
                name: "the length of the path",
                value: format!("{} after {}", pair[1], pair[0]),
                allowed: "finite and ascending with t",
            });
        }
        let last = t.len() - 1;
        for (end, place) in [(0, "at the first model"), (last, "at the second model")] {
            if !loss[end].is_finite() {
                return Err(Error::NonFiniteLoss {
                    value: loss[end],
                    place: place.to_owned(),
                });
            }
        }
        let between = |t: f64| (1.0 - t) * loss[0] + t * loss[last];
        let above: Vec<f64> = t.iter().zip(loss).map(|(&t, l)| l - between(t)).collect();
        let (at, barrier) = largest(&above);
        let (at_max, max) = largest(loss);
        let negative: Vec<f64> = loss.iter().map(|loss| -loss).collect();
        let profile = Self {
            t: t.to_vec(),
            loss: loss.to_vec(),
            length: length.to_vec(),
            barrier,
            barrier_t: t[at],
            barrier_error: rise_beside(t, &above, at),
            barrier_over_mean: max - f64::midpoint(loss[0], loss[last]),
            min: -largest(&negative).1,
            max,
            max_t: t[at_max],
            mean: trapezoids(t, loss),
            length_weighted: trapezoids(length, loss) / (length[last] - length[0]),
            threshold: THRESHOLD,
            limit: 0.0,
            verdict: Verdict::NotFinite,
        };
        profile.with_threshold(THRESHOLD)
    }

    /// Returns the losses of both ends.
    #[must_use]
    pub fn ends(&self) -> [f64; 2] {
        [self.loss[0], self.loss[self.loss.len() - 1]]
    }

    /// Returns the same profile judged by another threshold.
    ///
    /// # Errors
    /// [`Error::Setting`] for a threshold below 1 or not finite.
    pub fn with_threshold(mut self, threshold: f64) -> Result<Self, Error> {
        if !(threshold.is_finite() && threshold >= 1.0) {
            return Err(Error::Setting {
                name: "the threshold",
                value: threshold.to_string(),
                allowed: "at least 1 and finite: below 1 the ends themselves are above the limit",
            });
        }
        let [first, last] = self.ends();
        let worse = first.max(last);
        self.threshold = threshold;
        // Not `w + (threshold - 1) |w|`, which is rounded twice.
        self.limit = if worse < 0.0 {
            (2.0 - threshold) * worse
        } else {
            threshold * worse
        };
        self.verdict = if self.loss.iter().any(|loss| !loss.is_finite()) {
            Verdict::NotFinite
        } else if self.max <= self.limit {
            Verdict::Connected
        } else {
            Verdict::Separated
        };
        Ok(self)
    }
}

/// Returns place and value of the largest number; of the first NaN where there is one.
fn largest(values: &[f64]) -> (usize, f64) {
    let mut found = (0, f64::NEG_INFINITY);
    for (place, &value) in values.iter().enumerate() {
        if value.is_nan() {
            return (place, value);
        }
        if value > found.1 {
            found = (place, value);
        }
    }
    found
}

/// Returns how far the parabola through the largest value, at `place`, and its neighbours rises
/// above it; zero at the ends.
fn rise_beside(t: &[f64], values: &[f64], place: usize) -> f64 {
    if place == 0 || place + 1 >= t.len() {
        return 0.0;
    }
    let [before, after] = [t[place] - t[place - 1], t[place + 1] - t[place]];
    let rising = (values[place] - values[place - 1]) / before;
    let falling = (values[place + 1] - values[place]) / after;
    // L(t + x) = L(t) + slope x + curve x², with its vertex at −slope² / (4 curve).
    let curve = (falling - rising) / (before + after);
    let slope = (rising * after + falling * before) / (before + after);
    // Of a flat top there is nothing to rise.
    if curve == 0.0 {
        0.0
    } else {
        slope * slope / (-4.0 * curve)
    }
}

/// Returns the integral of the broken line through `(x, y)`.
fn trapezoids(x: &[f64], y: &[f64]) -> f64 {
    let pairs = x.windows(2).zip(y.windows(2));
    pairs
        .map(|(x, y)| (x[1] - x[0]) * f64::midpoint(y[0], y[1]))
        .sum()
}

fn not_a_path(value: String) -> Error {
    Error::Setting {
        name: "the list of t",
        value,
        allowed: "ascending from 0 to 1, both included",
    }
}

/// Returns the loss along a curve at the points `t`, ascending; the ends are added where they are
/// missing.
///
/// `buffers` says what becomes of running statistics and frozen parameters: between networks with
/// BatchNorm these are recomputed at each point ([`Buffers::Recompute`]), at the ends too. Where
/// the models have no such tensors, all three are the same, and [`Buffers::Interpolate`] says so.
/// The verdict is that of the threshold 1.1; [`PathProfile::with_threshold`] judges by another.
///
/// ```
/// use burn::module::{Module, Param};
/// use burn::tensor::{Device, Tensor};
/// use landscape::Risk;
/// use landscape::connectivity::{Curve, Shape, Verdict, profile};
/// use landscape::slice::Buffers;
///
/// #[derive(Module, Debug)]
/// struct Point {
///     at: Param<Tensor<1>>,
/// }
/// let device = Device::flex();
/// let point = |x: f32| Point {
///     at: Param::from_tensor(Tensor::from_floats([x], &device)),
/// };
/// // A double well with its wells at −1 and 1, and a quarter of the height between.
/// let risk = Risk::mean(
///     Tensor::<1>::ones([1], &device),
///     |point: &Point, _: &Tensor<1>| (point.at.val().square() - 1.0).square() + 1.0,
/// );
/// let line = Curve::between(&point(-1.0), &point(1.0), Shape::Line)?;
/// let path = profile(&line, &risk, &Buffers::Interpolate, &[0.25, 0.5, 0.75])?;
/// assert_eq!((path.t.len(), path.barrier, path.max_t), (5, 1.0, 0.5));
/// assert_eq!(path.verdict, Verdict::Separated);
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// Cost: a forward pass over the data for each t, with [`Buffers::Recompute`] another in training
/// mode; and two to see that the curve ends at the second model. Memory: four vectors of P beside
/// the curve's.
///
/// # Errors
/// [`Error::Setting`] for t that do not ascend or lie outside 0 to 1; ends that differ in something
/// that is no tensor or that cannot be interpolated; [`Error::NonFiniteLoss`] where the loss of an
/// end is not finite; a risk that cannot be evaluated.
pub fn profile<M: Module, B: Batch>(
    curve: &Curve<M>,
    risk: &Risk<M, B>,
    buffers: &Buffers<M, B>,
    t: &[f64],
) -> Result<PathProfile, Error> {
    profile_observed(curve, risk, buffers, t, |_, _| ControlFlow::Continue(()))
}

/// Returns the same as [`profile`], handing each finished point (its t and its loss) to `each`,
/// which may cancel.
///
/// # Errors
/// As [`profile`], and [`Error::Cancelled`].
pub fn profile_observed<M: Module, B: Batch>(
    curve: &Curve<M>,
    risk: &Risk<M, B>,
    buffers: &Buffers<M, B>,
    t: &[f64],
    mut each: impl FnMut(f64, f64) -> ControlFlow<()>,
) -> Result<PathProfile, Error> {
    let t = with_ends(t)?;
    let path = PathLosses::new(curve, risk, buffers)?;
    let mut losses = Vec::with_capacity(t.len());
    for &t in &t {
        let loss = path.at(t)?;
        losses.push(loss);
        if each(t, loss).is_break() {
            return Err(Error::Cancelled { done: losses.len() });
        }
    }
    PathProfile::of(&t, &losses, &curve.lengths(&t)?)
}

/// Returns the points with both ends.
pub(super) fn with_ends(t: &[f64]) -> Result<Vec<f64>, Error> {
    t.iter().try_for_each(|&t| check_time(t))?;
    let mut all = Vec::with_capacity(t.len() + 2);
    if t.first().is_none_or(|&first| first > 0.0) {
        all.push(0.0);
    }
    all.extend(t);
    if all.last().is_none_or(|&last| last < 1.0) {
        all.push(1.0);
    }
    Ok(all)
}

/// The loss at the points of a curve, with its buffers.
pub(super) struct PathLosses<'c, M, B> {
    curve: &'c Curve<M>,
    risk: &'c Risk<M, B>,
    buffers: &'c Buffers<M, B>,
    /// One objective for all points, where nothing moves but the coordinates.
    shared: Option<Objective<M, B>>,
}

impl<'c, M: Module, B: Batch> PathLosses<'c, M, B> {
    pub(super) fn new(
        curve: &'c Curve<M>,
        risk: &'c Risk<M, B>,
        buffers: &'c Buffers<M, B>,
    ) -> Result<Self, Error> {
        if !matches!(buffers, Buffers::Keep) {
            curve.reaches_second(|model| risk.value(model))?;
        }
        let moves = match buffers {
            Buffers::Keep => false,
            Buffers::Recompute(_) => true,
            Buffers::Interpolate => curve.rest_differs().is_some(),
        };
        let shared = if moves {
            None
        } else {
            Some(Objective::at(&curve.ends[0], risk)?)
        };
        Ok(Self {
            curve,
            risk,
            buffers,
            shared,
        })
    }

    pub(super) fn at(&self, t: f64) -> Result<f64, Error> {
        match &self.shared {
            Some(objective) => objective.value(&self.curve.theta(t)?),
            None => self.risk.value(&self.curve.at_with(t, self.buffers)?),
        }
    }
}
