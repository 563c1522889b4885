//! The permutations of hidden units that leave a captured loss as it is, found in its graph.
//!
//! Every axis of every value is a row-major product of factors, and every factor stands for a
//! permutation that is not known yet. Each primitive says which factors have to be permuted alike
//! so that permuted inputs give the permuted value: entry by entry operations and summed axes of
//! products join factors, a sum over an axis asks nothing, windows, cumulative sums and picked
//! positions allow only the identity. A reshape splits factors (`C H W` entries after a flatten are
//! `C` blocks), and joined or cut axes are sums of parts. What is not known to commute with a
//! permutation is fixed, and so are captured data, the marked outputs and all that is joined to
//! them. The factors that are left free are the groups: permuting the entries of all of a group's
//! places by one permutation changes neither the loss nor the outputs, for all values of the
//! parameters, up to the rounding of sums in another order.
//!
//! The rules are sufficient and not necessary: a symmetry may be missed. Channels of a group
//! normalisation and features of attention heads come out as products, blocks times entries of
//! a block, of which blocks are permuted whole and entries alike in all blocks; their symmetries
//! within single blocks are missed.
//!
//! Cost: one pass over the graph; no tensor is touched.

mod axes;
mod rules;

use crate::CapturedLoss;
use crate::graph::{NodeId, Recorded};

/// The permutations under which a loss and its marked outputs do not change; see
/// [`CapturedLoss::axis_symmetries`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AxisSymmetries {
    /// Number of units that each group permutes, by the group's number.
    pub groups: Vec<usize>,
    /// Structure of each axis of each captured parameter, in the order of capture.
    pub parameters: Vec<Vec<AxisStructure>>,
}

/// The way in which the entries of an axis are permuted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AxisStructure {
    /// So many entries that stay in place.
    Fixed(usize),
    /// The units of the group with this number.
    Group {
        /// Number of the group.
        group: usize,
        /// Number of its units.
        len: usize,
    },
    /// Row-major products: the first factor is the outermost, each permuted as it says.
    Product(Vec<Self>),
    /// Parts that stand one after the other, each permuted as it says.
    Sum(Vec<Self>),
}

impl AxisStructure {
    /// Returns the number of entries.
    #[must_use]
    pub fn entries(&self) -> usize {
        match self {
            Self::Fixed(len) | Self::Group { len, .. } => *len,
            Self::Product(factors) => factors.iter().map(Self::entries).product(),
            Self::Sum(parts) => parts.iter().map(Self::entries).sum(),
        }
    }

    /// Returns for each entry of the permuted axis the entry of the axis that comes to stand there,
    /// `new[k] = old[source[k]]`, for one permutation for each group.
    ///
    /// # Panics
    /// If a group has no permutation, or one of another length.
    #[must_use]
    pub fn source(&self, permutations: &[Vec<usize>]) -> Vec<usize> {
        match self {
            Self::Fixed(len) => (0..*len).collect(),
            Self::Group { group, len } => {
                let permutation = permutations[*group].clone();
                assert_eq!(permutation.len(), *len, "entries of the permutation");
                permutation
            }
            Self::Product(factors) => factors.iter().fold(vec![0], |outer, factor| {
                let inner = factor.source(permutations);
                let len = inner.len();
                outer
                    .iter()
                    .flat_map(|block| inner.iter().map(move |entry| block * len + entry))
                    .collect()
            }),
            Self::Sum(parts) => {
                let mut source = Vec::with_capacity(self.entries());
                for part in parts {
                    let start = source.len();
                    source.extend(part.source(permutations).iter().map(|entry| start + entry));
                }
                source
            }
        }
    }

    /// Returns the entries that belong to each unit of `group`, once for each place at which the
    /// group stands in the axis: `positions[place][unit]`.
    #[must_use]
    pub fn positions(&self, group: usize) -> Vec<Vec<Vec<usize>>> {
        match self {
            Self::Group { group: own, len } if *own == group => {
                vec![(0..*len).map(|unit| vec![unit]).collect()]
            }
            Self::Fixed(_) | Self::Group { .. } => Vec::new(),
            Self::Product(factors) => {
                let lens: Vec<usize> = factors.iter().map(Self::entries).collect();
                let mut all = Vec::new();
                for (number, factor) in factors.iter().enumerate() {
                    let outer: usize = lens[..number].iter().product();
                    let inner: usize = lens[number + 1..].iter().product();
                    let own = lens[number];
                    let spread = |entry: usize| {
                        (0..outer).flat_map(move |block| {
                            let start = (block * own + entry) * inner;
                            start..start + inner
                        })
                    };
                    for place in factor.positions(group) {
                        let units = place.into_iter();
                        let units = units.map(|entries| entries.into_iter().flat_map(spread));
                        all.push(units.map(Iterator::collect).collect());
                    }
                }
                all
            }
            Self::Sum(parts) => {
                let mut start = 0;
                let mut all = Vec::new();
                for part in parts {
                    for mut place in part.positions(group) {
                        for entry in place.iter_mut().flatten() {
                            *entry += start;
                        }
                        all.push(place);
                    }
                    start += part.entries();
                }
                all
            }
        }
    }

    /// Returns the numbers of the groups that stand in the axis, each as often as it stands there.
    #[must_use]
    pub fn groups(&self) -> Vec<usize> {
        match self {
            Self::Fixed(_) => Vec::new(),
            Self::Group { group, .. } => vec![*group],
            Self::Product(parts) | Self::Sum(parts) => {
                parts.iter().flat_map(Self::groups).collect()
            }
        }
    }
}

impl CapturedLoss {
    /// Returns the permutations of the parameters' entries under which neither the loss nor the
    /// marked outputs change, for all values of the parameters.
    ///
    /// Capture the loss with respect to all float tensors of the model
    /// ([`Capture::with_parameters`](crate::Capture::with_parameters)), running statistics
    /// included: a tensor that is not captured is data, and fixes what it touches.
    ///
    /// It is derived from the graph by rules that are sufficient and not necessary, and for the
    /// shapes of the captured batch: check a group numerically before it is relied on. Cost: one
    /// pass over the graph.
    ///
    /// ```
    /// use burn::nn::{Linear, LinearConfig};
    /// use burn::tensor::{Device, Tensor, activation::relu};
    /// use derivatives::Capture;
    ///
    /// let device = Device::flex();
    /// let model =
    ///     [(2, 3), (3, 1)].map(|(from, to)| LinearConfig::new(from, to).init(&device));
    /// let x = Tensor::<2>::ones([4, 2], &device);
    /// let loss = Capture::of(&model).outputs_and_loss(
    ///     |[first, second]: &[Linear; 2], device| {
    ///         second.forward(relu(first.forward(x.to_device(device))))
    ///     },
    ///     |outputs, _| outputs.square().mean(),
    /// )?;
    /// // The three hidden units: columns of the first weight and its bias, rows of the second.
    /// let symmetries = loss.axis_symmetries();
    /// assert_eq!(symmetries.groups, [3]);
    /// let places: Vec<usize> = symmetries
    ///     .parameters
    ///     .iter()
    ///     .flatten()
    ///     .map(|axis| axis.groups().len())
    ///     .collect();
    /// assert_eq!(places, [0, 1, 1, 1, 0, 0]);
    /// # Ok::<(), derivatives::Error>(())
    /// ```
    #[must_use]
    pub fn axis_symmetries(&self) -> AxisSymmetries {
        self.programs().recorded().axis_symmetries()
    }
}

impl Recorded {
    fn axis_symmetries(&self) -> AxisSymmetries {
        let mut targets = vec![self.loss];
        targets.extend(self.outputs);
        let ancestors = self.graph.ancestors(&targets);
        let mut found = rules::Found::none(&self.graph, &ancestors);
        // Where an axis has no entry there is nothing that could be looked at.
        let is_empty = |&id: &NodeId| self.graph.shape(id).contains(&0);
        if !ancestors.iter().any(is_empty) {
            for &id in &ancestors {
                found.through(&self.graph, id);
            }
            for &target in &targets {
                found.fix(target);
            }
        }
        let mut groups = Vec::new();
        let parameters = self.parameters.iter().map(|&parameter| {
            let shape = self.graph.shape(parameter);
            found.structures(parameter, shape, &mut groups)
        });
        let parameters = parameters.collect();
        AxisSymmetries {
            groups: groups.iter().map(|&(_, len)| len).collect(),
            parameters,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two blocks, each of three units of group 0 in pairs, after one fixed entry.
    fn structure() -> AxisStructure {
        let units = AxisStructure::Group { group: 0, len: 3 };
        let product = AxisStructure::Product(vec![
            AxisStructure::Fixed(2),
            units,
            AxisStructure::Fixed(2),
        ]);
        AxisStructure::Sum(vec![AxisStructure::Fixed(1), product])
    }

    #[test]
    fn blocks_move_whole_and_alike() {
        let axis = structure();
        assert_eq!(axis.entries(), 13);
        let source = axis.source(&[vec![2, 0, 1]]);
        assert_eq!(source, [0, 5, 6, 1, 2, 3, 4, 11, 12, 7, 8, 9, 10]);
    }

    #[test]
    fn the_entries_of_a_unit_are_where_its_permutation_takes_them_from() {
        let axis = structure();
        let positions = axis.positions(0);
        assert_eq!(positions, [[[1, 2, 7, 8], [3, 4, 9, 10], [5, 6, 11, 12]]]);
        let permutation = vec![2, 0, 1];
        let source = axis.source(std::slice::from_ref(&permutation));
        for (unit, entries) in positions[0].iter().enumerate() {
            let from: Vec<usize> = entries.iter().map(|&entry| source[entry]).collect();
            assert_eq!(from, positions[0][permutation[unit]]);
        }
        assert!(axis.positions(1).is_empty());
    }
}
