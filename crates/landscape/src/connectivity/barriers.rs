//! The barriers between several models, pair by pair.

use std::ops::ControlFlow;

use burn::module::Module;

use super::{Curve, PathProfile, Shape, profile};
use crate::batch::Batch;
use crate::error::Error;
use crate::parameters::{ParameterSpace, copy, weights};
use crate::risk::Risk;
use crate::slice::Buffers;

/// The line between two of several models.
#[derive(Debug, Clone, PartialEq)]
pub struct PairBarrier {
    /// Position of the first model.
    pub first: usize,
    /// Position of the second, which comes later.
    pub second: usize,
    /// Distance of both in the parameters, Euclidean; after alignment where there is one.
    pub distance: f64,
    /// The barrier on the line, as of [`PathProfile::barrier`]; zero between equal models.
    pub barrier: f64,
    /// The loss along the line; none between models that are equal in all parameters.
    pub profile: Option<PathProfile>,
}

/// The barriers between all pairs of some models.
#[derive(Debug, Clone, PartialEq)]
pub struct Barriers {
    /// Number of models m.
    pub models: usize,
    /// The pairs (0, 1), (0, 2), .., (1, 2), .., `m (m − 1) / 2` of them.
    pub pairs: Vec<PairBarrier>,
}

impl Barriers {
    /// Returns the barriers as a symmetric matrix, zero on the diagonal.
    #[must_use]
    pub fn matrix(&self) -> Vec<Vec<f64>> {
        self.matrix_of(|pair| pair.barrier)
    }

    /// Returns the distances as a symmetric matrix, zero on the diagonal. Aligned models have one
    /// for each pair: they are no distances between points then.
    #[must_use]
    pub fn distances(&self) -> Vec<Vec<f64>> {
        self.matrix_of(|pair| pair.distance)
    }

    fn matrix_of(&self, value: impl Fn(&PairBarrier) -> f64) -> Vec<Vec<f64>> {
        let mut matrix = vec![vec![0.0; self.models]; self.models];
        for pair in &self.pairs {
            matrix[pair.first][pair.second] = value(pair);
            matrix[pair.second][pair.first] = value(pair);
        }
        matrix
    }
}

/// Returns the barriers on the lines between all pairs of `models`, with the loss at each of the
/// points `t`.
///
/// ```
/// use burn::module::{Module, Param};
/// use burn::tensor::{Device, Tensor};
/// use landscape::Risk;
/// use landscape::connectivity::barriers;
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
/// let risk = Risk::mean(
///     Tensor::<1>::ones([1], &device),
///     |point: &Point, _: &Tensor<1>| (point.at.val().square() - 1.0).square(),
/// );
/// let models = [point(-1.0), point(1.0), point(1.0)];
/// let all = models.each_ref();
/// let found = barriers(&all, &risk, &Buffers::Interpolate, &[0.5])?;
/// assert_eq!(
///     found.matrix(),
///     [[0.0, 1.0, 1.0], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
/// );
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// Cost: for each pair that of [`profile()`]. Memory: that of one line.
///
/// # Errors
/// Fewer than two models, and as [`Curve::between`] and [`profile()`].
pub fn barriers<M: Module, B: Batch>(
    models: &[&M],
    risk: &Risk<M, B>,
    buffers: &Buffers<M, B>,
    t: &[f64],
) -> Result<Barriers, Error> {
    let same = |_: &M, second: &M| Ok(copy(second));
    aligned_barriers(
        models,
        risk,
        buffers,
        t,
        same,
        |_| ControlFlow::Continue(()),
    )
}

/// Returns the same as [`barriers`], with the second model of each pair brought into the order of
/// the first: `align(first, second)` returns a model with the function of the second.
///
/// Each finished pair is handed to `each`, which may cancel.
///
/// # Errors
/// As [`barriers`], errors of `align`, and [`Error::Cancelled`].
pub fn aligned_barriers<M: Module, B: Batch>(
    models: &[&M],
    risk: &Risk<M, B>,
    buffers: &Buffers<M, B>,
    t: &[f64],
    mut align: impl FnMut(&M, &M) -> Result<M, Error>,
    mut each: impl FnMut(&PairBarrier) -> ControlFlow<()>,
) -> Result<Barriers, Error> {
    check_several(models.len())?;
    let mut pairs = Vec::new();
    for (first, &from) in models.iter().enumerate() {
        for (second, &to) in models.iter().enumerate().skip(first + 1) {
            let aligned = align(from, to)?;
            let (distance, profile) = line([first, second], [from, &aligned], risk, buffers, t)?;
            let pair = PairBarrier {
                first,
                second,
                distance,
                barrier: profile.as_ref().map_or(0.0, |profile| profile.barrier),
                profile,
            };
            let stops = each(&pair).is_break();
            pairs.push(pair);
            if stops {
                return Err(Error::Cancelled { done: pairs.len() });
            }
        }
    }
    Ok(Barriers {
        models: models.len(),
        pairs,
    })
}

/// Checks that there are models to compare.
///
/// # Errors
/// [`Error::Setting`].
pub(super) fn check_several(count: usize) -> Result<(), Error> {
    if count < 2 {
        return Err(Error::Setting {
            name: "the number of models",
            value: count.to_string(),
            allowed: "at least 2",
        });
    }
    Ok(())
}

/// Returns length and loss of a line; no loss between equal models.
fn line<M: Module, B: Batch>(
    [first, second]: [usize; 2],
    [from, to]: [&M; 2],
    risk: &Risk<M, B>,
    buffers: &Buffers<M, B>,
    t: &[f64],
) -> Result<(f64, Option<PathProfile>), Error> {
    let space = ParameterSpace::of(from)?;
    let start = weights(&space, from, || format!("model {first}"))?;
    if start == weights(&space, to, || format!("model {second}"))? {
        return Ok((0.0, None));
    }
    let curve = Curve::between(from, to, Shape::Line)?;
    let profile = profile(&curve, risk, buffers, t)?;
    Ok((curve.length()?, Some(profile)))
}
