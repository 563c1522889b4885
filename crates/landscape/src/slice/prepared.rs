//! Quantities at any points of a line or a plane.

use std::fmt;
use std::ops::{ControlFlow, RangeInclusive};

use burn::module::Module;
use burn::tensor::Tensor;
use derivatives::Slopes;

use super::models::Models;
use super::source::{Source, numbers_of_slopes};
use super::{Buffers, Evaluation, Quantity, directions, extent};
use crate::batch::Batch;
use crate::error::Error;

/// Several quantities on the line (D = 1) or the plane (D = 2) through a model, at any points.
///
/// How a quantity is evaluated is decided once for a stated extent, −1 to 1 in each coordinate
/// unless [`within`](Self::within) says otherwise. So a value depends on the model, the
/// directions, the quantities, the extent and the point alone, bit for bit: not on which other
/// points are asked for, in which order, or on the number of cores. A slice that was interrupted
/// goes on where it stopped.
///
/// Quantities of the same batches, a loss and `Risk::mean(loss.batches().clone(), accuracy)`, are
/// recorded together where both are captured and cut into the same parts: the products of the
/// first layers, the forward pass to the outputs and whatever else their closures do alike are
/// computed once. Quantities of other batches, streamed batches and quantities that cannot be
/// captured share nothing; between models with [`Buffers::Recompute`] all share the statistics.
/// Where the captured outputs of two classes are equal but for rounding, an accuracy may differ
/// from that of the model's own forward pass by that example.
///
/// Cost, once, at the first value: recording the batches, some ten forward passes of the first
/// batch and two to four of each other, for each quantity. Memory in vectors of P: D directions,
/// and for each quantity three (the point, the model at it, the recording's copy, which parts of
/// one shape share); one more while a part is recorded. What [`plane`](super::plane()) says is kept
/// of the data comes on top.
///
/// ```
/// use std::ops::ControlFlow;
///
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::{Device, Tensor};
/// use landscape::slice::{Quantity, Slice};
/// use landscape::{ParameterSpace, Risk, random_directions};
///
/// let device = Device::flex();
/// let model = LinearConfig::new(2, 1).init(&device);
/// let loss = |model: &Linear, x: &Tensor<2>| model.forward(x.clone()).square().mean();
/// let train = Risk::mean(Tensor::<2>::ones([4, 2], &device), loss);
/// let test = Risk::mean(Tensor::<2>::zeros([2, 2], &device), loss);
/// let space = ParameterSpace::of(&model)?;
/// let [first, second] = random_directions(&space, 7);
/// let quantities = [
///     Quantity::of("training loss", &train),
///     Quantity::of("test loss", &test),
/// ];
/// let slice = Slice::along(&model, [&first, &second], quantities)?;
/// let slice = slice.within([-2.0..=2.0, 0.0..=1.0])?;
/// let values =
///     slice.values(
///         &[[0.0, 0.0], [-1.5, 0.25]],
///         |_, _| ControlFlow::Continue(()),
///     )?;
/// assert!((values[0][0] - train.value(&model)?).abs() < 1e-6);
/// assert!((values[0][1] - test.value(&model)?).abs() < 1e-6);
/// # Ok::<(), landscape::Error>(())
/// ```
pub struct Slice<M, const D: usize> {
    names: Vec<String>,
    extent: [(f64, f64); D],
    way: Way<M>,
}

/// Sources of values, each with the positions of its quantities.
type Sources = Vec<(Vec<usize>, Box<dyn Source>)>;

/// The way to a point.
enum Way<M> {
    /// The parameters move along directions.
    Directions(Sources),
    /// Each point is a model of its own.
    Models {
        models: Box<Models<M>>,
        quantities: Vec<Quantity<M>>,
        because: String,
    },
}

impl<M, const D: usize> fmt::Debug for Slice<M, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slice")
            .field("names", &self.names)
            .field("extent", &self.extent)
            .finish_non_exhaustive()
    }
}

impl<M: Module + 'static, const D: usize> Slice<M, D> {
    /// Makes the slice `θ + Σᵢ aᵢ dᵢ` through a model along directions of shape `[P]`. Buffers do
    /// not move.
    ///
    /// # Errors
    /// No quantity, a direction of another length than P, zero or not finite, parallel directions,
    /// and a risk that cannot be evaluated.
    pub fn along(
        model: &M,
        directions: [&Tensor<1>; D],
        quantities: impl IntoIterator<Item = Quantity<M>>,
    ) -> Result<Self, Error> {
        let quantities = some(quantities)?;
        let directions = directions::spanning(model, &directions)?;
        let sources = sources(model, &quantities, &directions)?;
        Ok(Self::new(&quantities, Way::Directions(sources)))
    }

    /// Makes the slice through D + 1 models, at `(1 − Σᵢ aᵢ) m₀ + Σᵢ aᵢ mᵢ`; `buffers` says what
    /// becomes of the tensors that are no parameters.
    ///
    /// # Errors
    /// Another number of models, and as [`line_between`](super::line_between).
    pub fn between<B: Batch + 'static>(
        models: &[&M],
        buffers: &Buffers<M, B>,
        quantities: impl IntoIterator<Item = Quantity<M>>,
    ) -> Result<Self, Error> {
        let quantities = some(quantities)?;
        if models.len() != D + 1 {
            return Err(Error::Setting {
                name: "number of models",
                value: models.len().to_string(),
                allowed: "2 for a line, 3 for a plane",
            });
        }
        let found = Models::new(models, buffers, &quantities)?;
        let Some(because) = found.moving() else {
            let directions = found.directions()?;
            if D > 1 {
                directions::spanning(models[0], &directions.iter().collect::<Vec<_>>())?;
            }
            let sources = sources(models[0], &quantities, &directions)?;
            return Ok(Self::new(&quantities, Way::Directions(sources)));
        };
        let names = quantities.clone();
        let way = Way::Models {
            models: Box::new(found),
            quantities,
            because,
        };
        Ok(Self::new(&names, way))
    }

    fn new(quantities: &[Quantity<M>], way: Way<M>) -> Self {
        Self {
            names: quantities.iter().map(|q| q.name().to_owned()).collect(),
            extent: [(-1.0, 1.0); D],
            way,
        }
    }

    /// Returns the slice with the range stated within which each coordinate lies.
    ///
    /// # Errors
    /// A range that is empty, reversed or not finite.
    pub fn within(mut self, extent: [RangeInclusive<f64>; D]) -> Result<Self, Error> {
        self.extent = extent::checked(extent)?;
        if let Way::Directions(sources) = &mut self.way {
            for (_, source) in sources {
                source.within(&self.extent);
            }
        }
        Ok(self)
    }

    /// Returns the names of the quantities, in their order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Returns the range of each coordinate.
    #[must_use]
    pub fn extent(&self) -> [RangeInclusive<f64>; D] {
        self.extent.map(|(low, high)| low..=high)
    }

    /// Returns how each quantity is evaluated.
    #[must_use]
    pub fn evaluations(&self) -> Vec<Evaluation> {
        match &self.way {
            Way::Directions(sources) => {
                let mut all = Vec::with_capacity(self.names.len());
                for (positions, source) in sources {
                    all.extend(positions.iter().copied().zip(source.evaluations()));
                }
                all.sort_by_key(|&(position, _)| position);
                all.into_iter().map(|(_, evaluation)| evaluation).collect()
            }
            Way::Models { because, .. } => {
                let because = because.clone();
                vec![Evaluation::Model { because }; self.names.len()]
            }
        }
    }

    /// Returns the values of all quantities at each point, NaN and infinities as they are. Each
    /// finished point is handed to `each` with its index, and `each` may cancel.
    ///
    /// Cost for each point: at most one forward pass over the data of each quantity, as
    /// [`plane`](super::plane()) says; where each point is a model of its own one, and with
    /// [`Buffers::Recompute`] one more in training mode over the data of the statistics.
    ///
    /// # Errors
    /// No point, one outside of the extent or not finite, a risk that cannot be evaluated, and
    /// [`Error::Cancelled`].
    pub fn values(
        &self,
        points: &[[f64; D]],
        mut each: impl FnMut(usize, &[f64]) -> ControlFlow<()>,
    ) -> Result<Vec<Vec<f64>>, Error> {
        self.check(points)?;
        let mut done: Vec<Vec<f64>> = Vec::with_capacity(points.len());
        while done.len() < points.len() {
            let rest = &points[done.len()..];
            let block = &rest[..self.block().min(rest.len())];
            for values in self.at(block)? {
                let stop = each(done.len(), &values).is_break();
                done.push(values);
                if stop {
                    return Err(Error::Cancelled { done: done.len() });
                }
            }
        }
        Ok(done)
    }

    /// Returns the values and in-plane slopes of all quantities at each point, in their order.
    ///
    /// Where a quantity is captured they are forward derivatives on the slice, exact up to
    /// rounding, on a plane with the mixed one; where it is not, Burn's gradient, without. At a
    /// kink the derivative is the one that Burn takes. An accuracy is flat: its slopes are zero.
    ///
    /// Cost for each point: D + 1 forward passes, on a plane one more, less the first layers;
    /// without capture one gradient. Once: recording the batches, as for values. Memory: about
    /// D + 1 times what values keep.
    ///
    /// # Errors
    /// As [`values`](Self::values), and points that are models of their own.
    pub fn slopes(&self, points: &[[f64; D]]) -> Result<Vec<Vec<Slopes<D>>>, Error> {
        self.check(points)?;
        let Way::Directions(sources) = &self.way else {
            return Err(Error::Setting {
                name: "slice with slopes",
                value: "one along which buffers move".to_owned(),
                allowed: "one along which parameters alone move",
            });
        };
        let numbers = gathered(sources, points.len(), numbers_of_slopes(D), |source| {
            source.slopes(points.as_flattened())
        })?;
        let slopes = |numbers: &[f64]| Slopes {
            value: numbers[0],
            slope: std::array::from_fn(|i| numbers[1 + i]),
            mixed: numbers
                .get(1 + D)
                .copied()
                .filter(|mixed| D > 1 && !mixed.is_nan()),
        };
        let of_point = |numbers: Vec<f64>| {
            let each = numbers.chunks(numbers_of_slopes(D));
            each.map(slopes).collect()
        };
        Ok(numbers.into_iter().map(of_point).collect())
    }

    fn check(&self, points: &[[f64; D]]) -> Result<(), Error> {
        extent::check_points(points)?;
        extent::check_within(points, &self.extent)
    }

    /// Returns how many points are done at once.
    fn block(&self) -> usize {
        match &self.way {
            Way::Directions(sources) => {
                let blocks = sources.iter().map(|(_, source)| source.block());
                blocks.max().unwrap_or(1)
            }
            Way::Models { .. } => 1,
        }
    }

    /// Returns the values of all quantities at some points.
    fn at(&self, points: &[[f64; D]]) -> Result<Vec<Vec<f64>>, Error> {
        match &self.way {
            Way::Directions(sources) => gathered(sources, points.len(), 1, |source| {
                source.values(points.as_flattened())
            }),
            Way::Models {
                models, quantities, ..
            } => points
                .iter()
                .map(|point| {
                    let model = models.at(point)?;
                    quantities.iter().map(|q| q.value(&model)).collect()
                })
                .collect(),
        }
    }
}

/// Checks that there is a quantity at a position.
///
/// # Errors
/// [`Error::Setting`].
pub(super) fn check_quantity(position: usize, quantities: usize) -> Result<(), Error> {
    if position < quantities {
        return Ok(());
    }
    Err(Error::Setting {
        name: "position of the quantity",
        value: format!("{position} where there are {quantities}"),
        allowed: "below the number of quantities",
    })
}

/// Returns the quantities on directions, those of the same data together.
fn sources<M: Module + 'static>(
    model: &M,
    quantities: &[Quantity<M>],
    directions: &[Tensor<1>],
) -> Result<Sources, Error> {
    let mut positions: Vec<Vec<usize>> = Vec::new();
    for (index, quantity) in quantities.iter().enumerate() {
        let shares = |of: &&mut Vec<usize>| quantities[of[0]].risk().shares_data(quantity.risk());
        match positions.iter_mut().find(shares) {
            Some(together) => together.push(index),
            None => positions.push(vec![index]),
        }
    }
    let source = |positions: Vec<usize>| {
        let risks: Vec<_> = positions.iter().map(|&i| quantities[i].risk()).collect();
        let source = risks[0].on_slice(&risks[1..], model, directions)?;
        Ok((positions, source))
    };
    positions.into_iter().map(source).collect()
}

/// Returns for each of `points` points what the sources give, `each` numbers for a quantity, in
/// the order of the quantities.
fn gathered(
    sources: &[(Vec<usize>, Box<dyn Source>)],
    points: usize,
    each: usize,
    ask: impl Fn(&dyn Source) -> Result<Vec<Vec<f64>>, Error>,
) -> Result<Vec<Vec<f64>>, Error> {
    let count: usize = sources.iter().map(|(positions, _)| positions.len()).sum();
    let mut all = vec![vec![0.0; count * each]; points];
    for (positions, source) in sources {
        for (gathered, numbers) in all.iter_mut().zip(ask(&**source)?) {
            for (&position, numbers) in positions.iter().zip(numbers.chunks(each)) {
                gathered[position * each..][..each].copy_from_slice(numbers);
            }
        }
    }
    Ok(all)
}

/// Returns the quantities, if there are any.
fn some<M>(quantities: impl IntoIterator<Item = Quantity<M>>) -> Result<Vec<Quantity<M>>, Error> {
    let quantities: Vec<_> = quantities.into_iter().collect();
    if quantities.is_empty() {
        return Err(Error::Setting {
            name: "number of quantities",
            value: "0".to_owned(),
            allowed: "at least 1",
        });
    }
    Ok(quantities)
}
