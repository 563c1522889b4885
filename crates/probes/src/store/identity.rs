//! The identity of a slice, whose values a store holds.

use burn::module::Module;
use landscape::Grid;
use landscape::slice::Slice;

use crate::Error;
use crate::export::{Column, combine};

/// The most values that a store takes: 2 GiB of them.
const MOST_VALUES: usize = 1 << 28;

/// Axes of a slice: one or two named columns, or a [`Grid`].
pub trait Axes<const D: usize> {
    /// Returns the columns.
    fn columns(self) -> [Column; D];
}

impl<const D: usize> Axes<D> for [Column; D] {
    fn columns(self) -> [Column; D] {
        self
    }
}

impl Axes<2> for Grid {
    fn columns(self) -> [Column; 2] {
        [Column::new("a", self.a), Column::new("b", self.b)]
    }
}

/// The identity of a slice: everything that its values depend on.
///
/// A store goes on only with the identity it was begun with, bit for bit. The version of this crate
/// belongs to it, because another version may sum in another order.
///
/// # Examples
/// ```
/// use landscape::Grid;
/// use probes::store::Identity;
///
/// let identity = Identity {
///     normalisation: "by filter, biases left out".into(),
///     ..Identity::on(Grid::square(-1.0..=1.0, 51), ["training loss"])
/// };
/// assert_eq!(identity.points(), 51 * 51);
/// assert_eq!(identity.point(1), [-1.0, -0.96]);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Identity<const D: usize> {
    /// The checksum of the weights and buffers at the origin:
    /// [`checksum::of_model`](super::checksum::of_model).
    pub model: u32,
    /// The checksum of the directions, or of the other models that span the slice:
    /// [`checksum::of_directions`](super::checksum::of_directions).
    pub directions: u32,
    /// The checksum of the data: [`checksum::of_batches`](super::checksum::of_batches).
    pub data: u32,
    /// The names and values of the axes, one (`a`, or `t` of a path) or two (`a` and `b`). The
    /// points are all combinations, the last axis running fastest.
    pub axes: [Column; D],
    /// The names of the quantities, with their units where they have some.
    pub quantities: Vec<String>,
    /// The normalisation of the directions in words; also where they come from.
    pub normalisation: String,
    /// The way of evaluation in words, as
    /// [`Evaluation`](landscape::slice::Evaluation) displays itself.
    pub evaluation: String,
}

impl<const D: usize> Identity<D> {
    /// Returns the identity of quantities on axes, with all else to be filled in. A
    /// [`Grid`](landscape::Grid) gives the axes `a` and `b`.
    #[must_use]
    pub fn on<Q: Into<String>>(
        axes: impl Axes<D>,
        quantities: impl IntoIterator<Item = Q>,
    ) -> Self {
        Self {
            model: 0,
            directions: 0,
            data: 0,
            axes: axes.columns(),
            quantities: quantities.into_iter().map(Into::into).collect(),
            normalisation: String::new(),
            evaluation: String::new(),
        }
    }

    /// Returns the identity of a slice's quantities on axes within its extent, with the way of
    /// evaluation; checksums and normalisation are to be filled in.
    #[must_use]
    pub fn of_slice<M: Module + 'static>(slice: &Slice<M, D>, axes: impl Axes<D>) -> Self {
        Self {
            evaluation: super::slice::evaluation(slice),
            ..Self::on(axes, slice.names())
        }
    }

    /// Returns the number of points.
    #[must_use]
    pub fn points(&self) -> usize {
        self.axes.iter().map(|axis| axis.values.len()).product()
    }

    /// Returns the coordinates of a point.
    ///
    /// # Panics
    /// When `index` is not below [`points`](Self::points).
    #[must_use]
    pub fn point(&self, index: usize) -> [f64; D] {
        let mut point = [0.0; D];
        combine(&self.axes, index, &mut point);
        point
    }

    /// Checks that there is something to measure, and that it has names.
    pub(super) fn check(&self) -> Result<(), Error> {
        let wrong = |name, value: String, allowed| {
            Err(Error::Slice {
                name,
                value,
                allowed,
            })
        };
        for axis in &self.axes {
            if axis.values.is_empty() {
                let allowed = "one value at least";
                return wrong(
                    "the number of values",
                    format!("0 on axis {}", axis.name),
                    allowed,
                );
            }
            if let Some(value) = axis.values.iter().find(|value| !value.is_finite()) {
                return wrong(
                    "a coordinate",
                    format!("{value} on axis {}", axis.name),
                    "finite",
                );
            }
        }
        if self.quantities.is_empty() {
            return wrong("the number of quantities", "0".to_owned(), "one at least");
        }
        let names = self.axes.iter().map(|axis| &axis.name);
        let mut seen: Vec<&String> = Vec::new();
        for name in names.chain(&self.quantities) {
            if seen.contains(&name) {
                let allowed = "given to one axis or quantity only";
                return wrong("the name", format!("{name:?}"), allowed);
            }
            seen.push(name);
        }
        let lengths = self.axes.iter().map(|axis| axis.values.len());
        let values = lengths
            .chain([self.quantities.len()])
            .try_fold(1_usize, usize::checked_mul);
        if values.is_none_or(|values| values > MOST_VALUES) {
            let sides: Vec<String> = self
                .axes
                .iter()
                .map(|axis| axis.values.len().to_string())
                .collect();
            let value = format!(
                "{} points of {} quantities",
                sides.join(" x "),
                self.quantities.len()
            );
            return wrong("the slice", value, "of at most 2^28 values");
        }
        Ok(())
    }

    /// Returns in what this differs from the identity that a file has, `version` being the file's;
    /// nothing where they are equal bit for bit.
    pub(super) fn differences(&self, stored: &Self, version: &str) -> Vec<String> {
        let mut found = Vec::new();
        let checksums = [
            ("the model's weights or buffers", self.model, stored.model),
            ("the directions", self.directions, stored.directions),
            ("the data", self.data, stored.data),
        ];
        for (what, own, other) in checksums {
            if own != other {
                let text = format!("{what} (checksum {own:08x} here, {other:08x} in the file)");
                found.push(text);
            }
        }
        for (own, other) in self.axes.iter().zip(&stored.axes) {
            found.extend(axis_difference(own, other));
        }
        if self.quantities != stored.quantities {
            found.push(format!(
                "the quantities ({} here, {} in the file)",
                self.quantities.join(", "),
                stored.quantities.join(", ")
            ));
        }
        let texts = [
            (
                "the normalisation",
                &self.normalisation[..],
                &stored.normalisation[..],
            ),
            (
                "the way of evaluation",
                &self.evaluation,
                &stored.evaluation,
            ),
            ("the version of probes", super::VERSION, version),
        ];
        for (what, own, other) in texts {
            if own != other {
                found.push(format!("{what} ({own:?} here, {other:?} in the file)"));
            }
        }
        found
    }
}

fn axis_difference(own: &Column, other: &Column) -> Option<String> {
    if own.name != other.name {
        let (own, other) = (&own.name, &other.name);
        return Some(format!(
            "the grid (axis {own:?} here, {other:?} in the file)"
        ));
    }
    let name = &own.name;
    let (here, there) = (own.values.len(), other.values.len());
    if here != there {
        let text = format!("the grid (axis {name} of {here} values here, of {there} in the file)");
        return Some(text);
    }
    let mut pairs = own.values.iter().zip(&other.values);
    let (here, there) = pairs.find(|(here, there)| here.to_bits() != there.to_bits())?;
    Some(format!(
        "the grid (axis {name} has {here:?} here where the file has {there:?})"
    ))
}
