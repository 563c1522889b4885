//! Several quantities along a curve: losses and accuracies, on several splits.

use std::ops::ControlFlow;

use burn::module::Module;

use super::profile::with_ends;
use super::{Curve, PathProfile};
use crate::batch::Batch;
use crate::error::Error;
use crate::slice::{Buffers, Quantity};

/// Several quantities along a path from A at t = 0 to B at t = 1.
#[derive(Debug, Clone, PartialEq)]
pub struct PathQuantities {
    /// Names of the quantities.
    pub names: Vec<String>,
    /// The points, ascending, from 0 to 1.
    pub t: Vec<f64>,
    /// The length of the path from A to each.
    pub length: Vec<f64>,
    /// For each quantity its value at each point; NaN and infinities as they came out.
    pub values: Vec<Vec<f64>>,
}

impl PathQuantities {
    /// Returns the quantity of a name as a profile: its barrier and verdict are those of a loss,
    /// and for an accuracy `min` and `mean` say more.
    ///
    /// # Errors
    /// [`Error::Setting`] for a name that there is not, and as [`PathProfile::of`].
    pub fn profile(&self, name: &str) -> Result<PathProfile, Error> {
        let Some(place) = self.names.iter().position(|known| known == name) else {
            return Err(Error::Setting {
                name: "the name of the quantity",
                value: format!("`{name}`"),
                allowed: "one of `names`",
            });
        };
        PathProfile::of(&self.t, &self.values[place], &self.length)
    }
}

/// Returns several quantities along a curve at the points `t`, ascending; the ends are added where
/// they are missing. Statistics are recomputed once for each point, whatever the number of
/// quantities.
///
/// Each finished point (its t and its values) is handed to `each`, which may cancel.
///
/// ```
/// use burn::module::{Module, Param};
/// use burn::tensor::{Device, Tensor};
/// use landscape::Risk;
/// use landscape::connectivity::{Curve, Shape, path_quantities};
/// use landscape::slice::{Buffers, Quantity};
/// use std::ops::ControlFlow;
///
/// #[derive(Module, Debug)]
/// struct Point {
///     at: Param<Tensor<1>>,
/// }
/// let device = Device::flex();
/// let point = |x: f32| Point {
///     at: Param::from_tensor(Tensor::from_floats([x], &device)),
/// };
/// let nothing = Tensor::<1>::ones([1], &device);
/// let loss = Risk::mean(&nothing, |point: &Point, _: &Tensor<1>| {
///     point.at.val().square()
/// });
/// let size = Risk::mean(&nothing, |point: &Point, _: &Tensor<1>| {
///     point.at.val().abs()
/// });
/// let quantities = [Quantity::of("loss", &loss), Quantity::of("size", &size)];
/// let line = Curve::between(&point(-1.0), &point(3.0), Shape::Line)?;
/// let buffers: Buffers<Point, Tensor<1>> = Buffers::Interpolate;
/// let found = path_quantities(&line, &quantities, &buffers, &[0.5], |_, _| {
///     ControlFlow::Continue(())
/// })?;
/// assert_eq!(found.values, [[1.0, 1.0, 9.0], [1.0, 1.0, 3.0]]);
/// assert_eq!(found.profile("size")?.mean, 1.5);
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// Cost: a forward pass over its data for each quantity and t, with [`Buffers::Recompute`] another
/// for each t. Memory: four vectors of P beside the curve's.
///
/// # Errors
/// As [`profile()`](super::profile()), but that values that are not finite at the ends are values;
/// [`Error::Cancelled`]; no quantity.
pub fn path_quantities<M: Module + 'static, B: Batch>(
    curve: &Curve<M>,
    quantities: &[Quantity<M>],
    buffers: &Buffers<M, B>,
    t: &[f64],
    mut each: impl FnMut(f64, &[f64]) -> ControlFlow<()>,
) -> Result<PathQuantities, Error> {
    let Some(first) = quantities.first() else {
        return Err(Error::Setting {
            name: "the number of quantities",
            value: "0".to_owned(),
            allowed: "at least 1",
        });
    };
    let t = with_ends(t)?;
    if !matches!(buffers, Buffers::Keep) {
        curve.reaches_second(|model| first.value(model))?;
    }
    let mut values = vec![Vec::with_capacity(t.len()); quantities.len()];
    for (done, &t) in t.iter().enumerate() {
        let model = curve.at_with(t, buffers)?;
        let at_t: Vec<f64> = quantities
            .iter()
            .map(|quantity| quantity.value(&model))
            .collect::<Result<_, Error>>()?;
        for (list, &value) in values.iter_mut().zip(&at_t) {
            list.push(value);
        }
        if each(t, &at_t).is_break() {
            return Err(Error::Cancelled { done: done + 1 });
        }
    }
    Ok(PathQuantities {
        names: quantities.iter().map(|q| q.name().to_owned()).collect(),
        length: curve.lengths(&t)?,
        t,
        values,
    })
}
