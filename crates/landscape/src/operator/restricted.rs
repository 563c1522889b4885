//! An operator restricted to some of its coordinates.

use std::ops::Range;

use burn::tensor::Tensor;

use super::LinearOperator;
use crate::error::Error;
use crate::parameters::ParameterSpace;
use crate::vector::Domain;

/// An operator restricted to p of its P coordinates, `SᵀAS` with S the embedding of `[p]` into
/// `[P]`: the diagonal block of the chosen coordinates, also of parameters or layers chosen by
/// their paths.
///
/// A product costs one product of the whole operator; a quadratic form one of its quadratic forms.
///
/// # Examples
/// ```
/// use burn::tensor::{DType, Device};
/// use landscape::download;
/// use landscape::operator::{Dense, LinearOperator, Restricted};
///
/// let rows = [1.0, 2.0, 3.0, 2.0, 4.0, 5.0, 3.0, 5.0, 6.0];
/// let op = Dense::new(&rows, (&Device::flex(), DType::F64))?;
/// // The first and the last coordinate: [[1, 3], [3, 6]].
/// let corner = Restricted::to_ranges(&op, [0..1, 2..3])?;
/// let product = corner.apply(&corner.domain().upload(&[1.0, 1.0])?)?;
/// assert_eq!(download(&product), [4.0, 9.0]);
/// # Ok::<(), landscape::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Restricted<A> {
    operator: A,
    /// Ascending, without overlap, none empty.
    ranges: Vec<Range<usize>>,
    domain: Domain,
}

impl<A: LinearOperator> Restricted<A> {
    /// Restricts to ranges of coordinates, in ascending order.
    ///
    /// # Errors
    /// [`Error::Setting`] for a range that is not one of the operator's coordinates, ranges that
    /// overlap or descend, and no coordinate at all.
    pub fn to_ranges(
        operator: A,
        ranges: impl IntoIterator<Item = Range<usize>>,
    ) -> Result<Self, Error> {
        let whole = operator.domain();
        let mut kept: Vec<Range<usize>> = Vec::new();
        let mut end = 0;
        for range in ranges {
            if range.start < end || range.start > range.end || range.end > whole.dim {
                return Err(Error::Setting {
                    name: "range",
                    value: format!("{range:?}, after coordinate {end} of {}", whole.dim),
                    allowed: "ascending ranges of the operator's coordinates, without overlap",
                });
            }
            end = range.end;
            match kept.last_mut() {
                Some(last) if last.end == range.start => last.end = range.end,
                _ if range.is_empty() => {}
                _ => kept.push(range),
            }
        }
        let dim = kept.iter().map(Range::len).sum();
        if dim == 0 {
            return Err(Error::Setting {
                name: "number of chosen coordinates",
                value: "0".into(),
                allowed: "at least 1",
            });
        }
        Ok(Self {
            domain: Domain {
                dim,
                ..whole.clone()
            },
            ranges: kept,
            operator,
        })
    }

    /// Restricts to the parameters whose paths match one of the patterns
    /// ([`ParameterSpace::matching`]), such as `conv*.weight` or `*.bias`.
    ///
    /// # Errors
    /// [`Error::NoSuchParameter`] for a pattern that matches no parameter, [`Error::Setting`] for
    /// no pattern, [`Error::Length`] for a space of another dimension than the operator's.
    pub fn to_parameters(
        operator: A,
        space: &ParameterSpace,
        patterns: &[&str],
    ) -> Result<Self, Error> {
        operator
            .domain()
            .check_length("parameter space", space.dim())?;
        if patterns.is_empty() {
            return Err(Error::Setting {
                name: "number of patterns",
                value: "0".into(),
                allowed: "at least 1",
            });
        }
        let mut chosen = vec![false; space.blocks.len()];
        for pattern in patterns {
            for index in space.matching_indices(pattern)? {
                chosen[index] = true;
            }
        }
        let blocks = space
            .blocks
            .iter()
            .zip(chosen)
            .filter(|(_, chosen)| *chosen);
        Self::to_ranges(operator, blocks.map(|(block, _)| block.range()))
    }

    /// Returns the chosen coordinates: ascending ranges of the whole operator's.
    #[must_use]
    pub fn ranges(&self) -> &[Range<usize>] {
        &self.ranges
    }

    /// Returns `Sv`, `[P]`: a vector `[p]` of the chosen coordinates, and zeros elsewhere.
    ///
    /// # Errors
    /// [`Error::Length`] for a length other than p.
    pub fn embed(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        self.domain.check_length("vector", v.dims()[0])?;
        let Domain { device, dtype, .. } = &self.domain;
        let zeros = |length: usize| Tensor::zeros([length], (device, *dtype));
        let mut parts = Vec::with_capacity(2 * self.ranges.len() + 1);
        let (mut taken, mut end) = (0, 0);
        for range in &self.ranges {
            if range.start > end {
                parts.push(zeros(range.start - end));
            }
            parts.push(v.clone().narrow(0, taken, range.len()));
            taken += range.len();
            end = range.end;
        }
        let rest = self.operator.dim() - end;
        if rest > 0 {
            parts.push(zeros(rest));
        }
        Ok(Tensor::cat(parts, 0))
    }

    /// Returns `Sᵀv`, `[p]`: the chosen coordinates of a vector `[P]`.
    ///
    /// # Errors
    /// [`Error::Length`] for a length other than P.
    pub fn extract(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        self.operator.domain().check_length("vector", v.dims()[0])?;
        let part = |range: &Range<usize>| v.clone().narrow(0, range.start, range.len());
        Ok(Tensor::cat(self.ranges.iter().map(part).collect(), 0))
    }
}

impl<A: LinearOperator> LinearOperator for Restricted<A> {
    fn domain(&self) -> &Domain {
        &self.domain
    }

    fn relative_error(&self) -> f64 {
        self.operator.relative_error()
    }

    fn apply(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        self.extract(&self.operator.apply(&self.embed(v)?)?)
    }

    fn apply_many(&self, vectors: &[Tensor<1>]) -> Result<Vec<Tensor<1>>, Error> {
        let embedded = self.embedded(vectors)?;
        let products = self.operator.apply_many(&embedded)?;
        products
            .iter()
            .map(|product| self.extract(product))
            .collect()
    }

    fn quadratic_form(&self, v: &Tensor<1>) -> Result<f64, Error> {
        self.operator.quadratic_form(&self.embed(v)?)
    }

    fn quadratic_forms(&self, vectors: &[Tensor<1>]) -> Result<Vec<f64>, Error> {
        self.operator.quadratic_forms(&self.embedded(vectors)?)
    }
}

impl<A: LinearOperator> Restricted<A> {
    fn embedded(&self, vectors: &[Tensor<1>]) -> Result<Vec<Tensor<1>>, Error> {
        vectors.iter().map(|v| self.embed(v)).collect()
    }
}

/// Returns the diagonal blocks of an operator that belong to single parameter tensors, each with
/// the parameter's path, in the order of the space.
///
/// # Errors
/// [`Error::Length`] for a space of another dimension than the operator's.
pub fn by_parameter<'a, A: LinearOperator>(
    op: &'a A,
    space: &ParameterSpace,
) -> Result<Vec<(String, Restricted<&'a A>)>, Error> {
    let blocks = space.blocks.iter();
    named(
        op,
        space,
        blocks.map(|block| (block.path.clone(), block.range())),
    )
}

/// Returns the diagonal blocks of an operator that belong to layers, each with the layer's path: of
/// `conv1.weight` and `conv1.bias` it is `conv1`. In the order of the space; a parameter without a
/// layer has its own path.
///
/// # Errors
/// [`Error::Length`] for a space of another dimension than the operator's.
pub fn by_layer<'a, A: LinearOperator>(
    op: &'a A,
    space: &ParameterSpace,
) -> Result<Vec<(String, Restricted<&'a A>)>, Error> {
    let blocks = space.blocks.iter();
    let layer = |path: &str| {
        path.rsplit_once('.')
            .map_or(path, |(layer, _)| layer)
            .to_owned()
    };
    named(
        op,
        space,
        blocks.map(|block| (layer(&block.path), block.range())),
    )
}

/// Returns the restrictions to the ranges of each name, in the order in which the names come first.
fn named<'a, A: LinearOperator>(
    op: &'a A,
    space: &ParameterSpace,
    ranges: impl Iterator<Item = (String, Range<usize>)>,
) -> Result<Vec<(String, Restricted<&'a A>)>, Error> {
    op.domain().check_length("parameter space", space.dim())?;
    let mut groups: Vec<(String, Vec<Range<usize>>)> = Vec::new();
    for (name, range) in ranges.filter(|(_, range)| !range.is_empty()) {
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, ranges)) => ranges.push(range),
            None => groups.push((name, vec![range])),
        }
    }
    let groups = groups.into_iter();
    groups
        .map(|(name, ranges)| Ok((name, Restricted::to_ranges(op, ranges)?)))
        .collect()
}
