//! The groups of hidden units of a model that may be permuted.

use std::collections::HashMap;

use burn::module::Module;
use derivatives::AxisStructure;

use super::check::Recording;
use super::place::{identity, permuted};
use super::tensors::{FloatTensor, float_tensors, in_order_of};
use crate::batch::Batch;
use crate::error::Error;
use crate::parameters::{copy, put};
use crate::risk::Risk;
use crate::vector::random::{Purpose, shuffled};

/// The permutation symmetries of a model; see [`symmetries`].
#[derive(Debug, Clone)]
pub struct Symmetries {
    /// The groups of units, in the order in which their first tensors are visited.
    pub groups: Vec<Group>,
    /// Groups that the graph shows and the numbers did not confirm: they are left as they are.
    pub refused: Vec<Refused>,
    /// The tensors of the model, without their entries.
    tensors: Vec<FloatTensor>,
    /// For each of them the structure of each axis.
    pub(super) axes: Vec<Vec<AxisStructure>>,
}

/// A group of hidden units, which may be permuted among themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Path and axis of the first tensor that has the units, such as `conv1.weight axis 0`, and
    /// which of its entries they are where they are not all, each for itself.
    pub name: String,
    /// Number of units.
    pub units: usize,
    /// All axes along which the units stand.
    pub places: Vec<Place>,
}

/// An axis of a tensor along which the units of a group stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Path of the tensor in the module.
    pub path: String,
    /// The axis.
    pub axis: usize,
    /// Entries of the axis that belong to each unit: more than one where channels were flattened.
    pub entries: usize,
    /// Whether the tensor is a trainable parameter; otherwise it is a buffer or frozen.
    pub trainable: bool,
}

/// A group that is not used, because permuting it changed what the model computes.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// The group.
    pub group: Group,
    /// Largest difference of outputs, relative to the largest output, or of losses.
    pub difference: f64,
}

/// Returns the groups of hidden units of `model` that may be permuted without changing its outputs
/// and its loss, derived from the graph of the loss on the first batch of `risk` and confirmed on
/// it.
///
/// The graph is captured with BatchNorm's running statistics, whatever the risk says, so that
/// these are permuted along. What [`Risk::of`] tells apart as outputs stays in order; for a
/// [`Risk::mean`] only the loss is seen. Every group is then permuted at random at a point beside
/// the model's parameters, at which no two units are alike; a group that changes outputs or
/// loss by more than rounding is put into [`refused`](Symmetries::refused) and not used. The
/// symmetries hold for all models of the architecture.
///
/// Cost: a capture of the first batch, and two forward passes over it for each group and two more;
/// memory of five vectors of all float tensors.
///
/// ```
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::{Device, Tensor, activation::relu};
/// use landscape::{Reduction, Risk, alignment::symmetries};
///
/// let device = Device::flex();
/// let model =
///     [(2, 3), (3, 1)].map(|(from, to)| LinearConfig::new(from, to).init(&device));
/// let risk = Risk::of(
///     Tensor::<2>::ones([4, 2], &device),
///     |[first, second]: &[Linear; 2], x: &Tensor<2>| {
///         second.forward(relu(first.forward(x.clone())))
///     },
///     |outputs: Tensor<2>, _: &Tensor<2>| outputs.square().mean(),
///     Reduction::Mean,
/// );
/// let found = symmetries(&model, &risk)?;
/// assert_eq!(found.groups.len(), 1);
/// assert_eq!(found.groups[0].name, "0.weight axis 1");
/// assert_eq!(found.groups[0].units, 3);
/// let places = found.groups[0].places.iter();
/// let places: Vec<_> = places
///     .map(|place| (place.path.as_str(), place.axis))
///     .collect();
/// assert_eq!(places, [("0.weight", 1), ("0.bias", 0), ("1.weight", 0)]);
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// # Errors
/// A model that cannot be measured or whose loss cannot be captured, float tensors of several
/// types, no data.
pub fn symmetries<M: Module, B: Batch>(model: &M, risk: &Risk<M, B>) -> Result<Symmetries, Error> {
    let tensors = float_tensors(model)?;
    let recording = Recording::of(model, risk, &tensors)?;
    let found = recording.loss.axis_symmetries();
    let mut symmetries = Symmetries::new(tensors, found.parameters, &found.groups);
    let point = recording.point_beside(&symmetries.tensors);
    let mut unconfirmed = Vec::new();
    let reference = recording.evaluate(&point)?;
    for (number, group) in symmetries.groups.iter().enumerate() {
        let mut permutations = symmetries.identities();
        let stream = Purpose::Units.stream(number as u64);
        permutations[number] = moved(shuffled(0, stream, group.units));
        let permuted = symmetries.permuted(&point, &permutations);
        let computed = recording.evaluate(&permuted)?;
        let difference = computed.difference(&reference, reference.scale());
        // NaN is no confirmation.
        let is_confirmed = difference <= recording.allowed();
        if !is_confirmed {
            unconfirmed.push((number, difference));
        }
    }
    symmetries.refuse(&unconfirmed);
    for tensor in &mut symmetries.tensors {
        tensor.values = Vec::new();
    }
    Ok(symmetries)
}

/// Returns a permutation that is not the identity in place of one that is.
fn moved(mut permutation: Vec<usize>) -> Vec<usize> {
    if permutation.iter().copied().eq(0..permutation.len()) {
        permutation.rotate_left(1);
    }
    permutation
}

impl Symmetries {
    fn new(tensors: Vec<FloatTensor>, axes: Vec<Vec<AxisStructure>>, units: &[usize]) -> Self {
        let groups = units
            .iter()
            .enumerate()
            .map(|(number, &units)| group(number, units, &tensors, &axes))
            .collect();
        Self {
            groups,
            refused: Vec::new(),
            tensors,
            axes,
        }
    }

    /// Leaves groups out, each with the difference that it made.
    fn refuse(&mut self, unconfirmed: &[(usize, f64)]) {
        let mut numbers = Vec::with_capacity(self.groups.len());
        let mut kept = Vec::new();
        for (number, group) in std::mem::take(&mut self.groups).into_iter().enumerate() {
            match unconfirmed.iter().find(|&&(refused, _)| refused == number) {
                Some(&(_, difference)) => {
                    self.refused.push(Refused { group, difference });
                    numbers.push(None);
                }
                None => {
                    numbers.push(Some(kept.len()));
                    kept.push(group);
                }
            }
        }
        self.groups = kept;
        for axis in self.axes.iter_mut().flatten() {
            renumber(axis, &numbers);
        }
    }

    /// Returns permutations that leave all in place, one for each group.
    #[must_use]
    pub fn identities(&self) -> Vec<Vec<usize>> {
        self.groups
            .iter()
            .map(|group| identity(group.units))
            .collect()
    }

    /// Returns `model`, of the architecture whose symmetries these are, with its units permuted:
    /// unit i of a group is unit `permutations[group][i]` of `model`. Buffers are permuted too;
    /// ids, flags and all else are as before. Nothing is computed, so that entries keep their
    /// bits.
    ///
    /// # Errors
    /// A model of another architecture; permutations that are not one for each group, each of its
    /// units.
    pub fn permute<M: Module>(&self, model: &M, permutations: &[Vec<usize>]) -> Result<M, Error> {
        self.check(permutations)?;
        let tensors = in_order_of(&self.tensors, &float_tensors(model)?)?;
        Ok(self.permuted_model(model, &tensors, permutations))
    }

    /// Returns the model with its tensors, which are in order, permuted.
    pub(super) fn permuted_model<M: Module>(
        &self,
        model: &M,
        tensors: &[FloatTensor],
        permutations: &[Vec<usize>],
    ) -> M {
        let values: HashMap<_, _> = tensors
            .iter()
            .zip(&self.axes)
            .map(|(tensor, axes)| (tensor.id, permuted(&tensor.values, axes, permutations)))
            .collect();
        put(copy(model), &values)
    }

    /// Returns the entries of all tensors, one after the other, permuted.
    fn permuted(&self, point: &[f64], permutations: &[Vec<usize>]) -> Vec<f64> {
        let mut rest = point;
        let mut all = Vec::with_capacity(point.len());
        for (tensor, axes) in self.tensors.iter().zip(&self.axes) {
            let (values, others) = rest.split_at(tensor.shape.iter().product());
            all.extend(permuted(values, axes, permutations));
            rest = others;
        }
        all
    }

    fn check(&self, permutations: &[Vec<usize>]) -> Result<(), Error> {
        let fits = permutations.len() == self.groups.len()
            && permutations
                .iter()
                .zip(&self.groups)
                .all(|(permutation, group)| {
                    let mut sorted = permutation.clone();
                    sorted.sort_unstable();
                    sorted.into_iter().eq(0..group.units)
                });
        if fits {
            return Ok(());
        }
        let units = |units: Vec<String>| format!("[{}]", units.join(", "));
        let of_groups = self.groups.iter().map(|group| group.units.to_string());
        let given = permutations.iter().map(|given| given.len().to_string());
        Err(Error::Setting {
            name: "permutations",
            value: format!(
                "{} lists of {} for groups of {} units",
                permutations.len(),
                units(given.collect()),
                units(of_groups.collect()),
            ),
            allowed: "one for each group, with each of its units once",
        })
    }
}

fn group(
    number: usize,
    units: usize,
    tensors: &[FloatTensor],
    axes: &[Vec<AxisStructure>],
) -> Group {
    let mut name = None;
    let mut places = Vec::new();
    for (tensor, axes) in tensors.iter().zip(axes) {
        for (axis, structure) in axes.iter().enumerate() {
            for positions in structure.positions(number) {
                let path = tensor.paths[0].clone();
                name.get_or_insert_with(|| format!("{path} axis {axis}{}", share(&positions)));
                places.push(Place {
                    path,
                    axis,
                    entries: positions[0].len(),
                    trainable: tensor.trainable,
                });
            }
        }
    }
    Group {
        name: name.expect("a group was found in an axis"),
        units,
        places,
    }
}

/// Returns which entries of an axis units are, where they are not one entry each from the first on.
fn share(positions: &[Vec<usize>]) -> String {
    let first = |unit: usize| positions.get(unit).and_then(|of| of.first()).copied();
    let (Some(start), Some(second)) = (first(0), first(1)) else {
        return String::new();
    };
    let (entries, block) = (positions[0].len(), second - start);
    match (entries, block, start) {
        (1, 1, 0) => String::new(),
        (1, 1, start) => format!(" from entry {start}"),
        (_, 1, _) => format!(" alike in {entries} blocks"),
        (_, block, _) => format!(" in blocks of {block}"),
    }
}

/// Gives groups their new numbers; one without stays in place.
fn renumber(axis: &mut AxisStructure, numbers: &[Option<usize>]) {
    match axis {
        AxisStructure::Fixed(_) => {}
        AxisStructure::Group { group, len } => {
            *axis = match numbers[*group] {
                Some(group) => AxisStructure::Group { group, len: *len },
                None => AxisStructure::Fixed(*len),
            };
        }
        AxisStructure::Product(parts) | AxisStructure::Sum(parts) => {
            for part in parts {
                renumber(part, numbers);
            }
        }
    }
}
