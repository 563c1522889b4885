//! Weight matching: permutations of one model's units that bring its weights near another's.
//!
//! With A and B the weights of two models and π a permutation for each group of units, the distance
//! `‖A − π(B)‖²` is smallest where `⟨A, π(B)⟩` is largest. With all groups but one held this is a
//! linear assignment problem in that one, `max Σᵢ C[i, π(i)]`, where `C[i, j]` is the inner product
//! of what belongs to unit i in A and to unit j in B; groups are taken in turn until none changes
//! (Ainsworth et al. 2023, algorithm 1). It ends at a local optimum: the whole problem is NP-hard.
//!
//! Where one tensor has a group along two axes (a recurrent weight, a linear layer within a
//! residual stream) the sum is quadratic in the permutation; C is then its linear part around the
//! permutation that there is, and a step that does not raise the inner product is not taken, so
//! that it rises with every step and the descent ends.

use derivatives::AxisStructure;
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, Par};

use super::assignment::assignment;
use super::place::{composed, permuted, rows_of_units};

/// A trainable tensor of both models.
#[derive(Debug)]
pub(super) struct Pair<'t> {
    pub(super) a: &'t [f64],
    pub(super) b: &'t [f64],
    pub(super) shape: &'t [usize],
    pub(super) axes: &'t [AxisStructure],
}

/// The trainable tensors of both models, and where each group stands in them.
#[derive(Debug)]
pub(super) struct Pairs<'t> {
    pairs: Vec<Pair<'t>>,
    /// For each group the numbers of the pairs in which it stands.
    uses: Vec<Vec<usize>>,
    /// For each pair the groups that stand in it, each as often as it does.
    groups: Vec<Vec<usize>>,
    units: Vec<usize>,
}

/// A permutation for each group, and the second model permuted by them.
#[derive(Debug, Clone)]
pub(super) struct Matched {
    pub(super) permutations: Vec<Vec<usize>>,
    /// Entries of each pair's b, permuted.
    current: Vec<Vec<f64>>,
}

/// The result of a descent.
#[derive(Debug, Clone)]
pub(super) struct Descent {
    pub(super) matched: Matched,
    pub(super) inner_product: f64,
    pub(super) sweeps: usize,
    pub(super) converged: bool,
}

impl<'t> Pairs<'t> {
    pub(super) fn new(pairs: Vec<Pair<'t>>, units: Vec<usize>) -> Self {
        let groups: Vec<Vec<usize>> = pairs
            .iter()
            .map(|pair| pair.axes.iter().flat_map(AxisStructure::groups).collect())
            .collect();
        let uses = (0..units.len())
            .map(|group| {
                let using = groups.iter().enumerate();
                let using = using.filter(|(_, groups)| groups.contains(&group));
                using.map(|(pair, _)| pair).collect()
            })
            .collect();
        Self {
            pairs,
            uses,
            groups,
            units,
        }
    }

    /// Returns b permuted by these permutations.
    pub(super) fn at(&self, permutations: Vec<Vec<usize>>) -> Matched {
        let current = self.pairs.iter();
        Matched {
            current: current
                .map(|pair| permuted(pair.b, pair.axes, &permutations))
                .collect(),
            permutations,
        }
    }

    /// Returns `⟨A, π(B)⟩` over these pairs.
    fn inner_product(&self, matched: &Matched, pairs: &[usize]) -> f64 {
        pairs
            .iter()
            .map(|&pair| dot(self.pairs[pair].a, &matched.current[pair]))
            .sum()
    }

    /// Returns `⟨A, π(B)⟩`.
    pub(super) fn total(&self, matched: &Matched) -> f64 {
        let all: Vec<usize> = (0..self.pairs.len()).collect();
        self.inner_product(matched, &all)
    }

    /// Returns `‖A − π(B)‖²`.
    pub(super) fn squared_distance(&self, matched: &Matched) -> f64 {
        let pairs = self.pairs.iter().zip(&matched.current);
        pairs
            .map(|(pair, current)| {
                let entries = pair.a.iter().zip(current);
                entries.map(|(a, b)| (a - b) * (a - b)).sum::<f64>()
            })
            .sum()
    }

    /// Returns `C[i, j]` of a group over these pairs, row-major.
    fn gains(&self, matched: &Matched, group: usize, pairs: &[usize]) -> Vec<f64> {
        let units = self.units[group];
        let mut sum = Mat::<f64>::zeros(units, units);
        for &number in pairs {
            let pair = &self.pairs[number];
            for (axis, structure) in pair.axes.iter().enumerate() {
                for positions in structure.positions(group) {
                    let rows = |values: &[f64]| rows_of_units(values, pair.shape, axis, &positions);
                    let (a, b) = (rows(pair.a), rows(&matched.current[number]));
                    let entries = a.len() / units;
                    matmul(
                        sum.as_mut(),
                        Accum::Add,
                        MatRef::from_row_major_slice(&a, units, entries),
                        MatRef::from_row_major_slice(&b, units, entries).transpose(),
                        1.0,
                        Par::Seq,
                    );
                }
            }
        }
        (0..units)
            .flat_map(|i| (0..units).map(move |j| (i, j)))
            .map(|(i, j)| sum[(i, j)])
            .collect()
    }

    /// Permutes the units of a group further, by a permutation of the permuted model.
    fn apply(&self, matched: &mut Matched, group: usize, further: &[usize]) {
        let permutation = &mut matched.permutations[group];
        *permutation = composed(permutation, further);
        for &pair in &self.uses[group] {
            let of = &self.pairs[pair];
            matched.current[pair] = permuted(of.b, of.axes, &matched.permutations);
        }
    }

    /// Matches one group with all others held, and returns whether that raised the inner product
    /// by more than rounding; otherwise nothing changes.
    fn improve(&self, matched: &mut Matched, group: usize) -> bool {
        let pairs = &self.uses[group];
        let further = assignment(&self.gains(matched, group, pairs), self.units[group]);
        if further.iter().copied().eq(0..further.len()) {
            return false;
        }
        let before = self.inner_product(matched, pairs);
        let permutation = matched.permutations[group].clone();
        let current: Vec<Vec<f64>> = pairs
            .iter()
            .map(|&pair| matched.current[pair].clone())
            .collect();
        self.apply(matched, group, &further);
        let size: f64 = pairs
            .iter()
            .map(|&pair| {
                let pair = &self.pairs[pair];
                (dot(pair.a, pair.a) * dot(pair.b, pair.b)).sqrt()
            })
            .sum();
        // Sums of products in another order differ by some unit roundoffs of their size; a step
        // that gains less could be undone by the next for ever.
        if self.inner_product(matched, pairs) - before > 1e-13 * size {
            return true;
        }
        matched.permutations[group] = permutation;
        for (&pair, current) in pairs.iter().zip(current) {
            matched.current[pair] = current;
        }
        false
    }

    /// Takes the groups in turn, in the order that `order` gives for each sweep, until none
    /// changes.
    pub(super) fn descend(
        &self,
        mut matched: Matched,
        most: usize,
        order: impl Fn(usize) -> Vec<usize>,
    ) -> Descent {
        let (mut sweeps, mut converged) = (0, false);
        while sweeps < most && !converged {
            converged = true;
            for group in order(sweeps) {
                converged &= !self.improve(&mut matched, group);
            }
            sweeps += 1;
        }
        Descent {
            inner_product: self.total(&matched),
            matched,
            sweeps,
            converged,
        }
    }

    /// Returns permutations found from the fixed axes on: each time the group is matched of whose
    /// weights most entries have all their other axes fixed or matched, by those weights alone.
    ///
    /// The first layer is matched by its inputs, the next by the units of the first, and so on.
    /// Where b is a permuted copy of a, this finds the permutation as long as the units of a layer
    /// differ in their inputs.
    pub(super) fn propagated(&self, identities: Vec<Vec<usize>>) -> Matched {
        let mut matched = self.at(identities);
        let mut is_matched = vec![false; self.units.len()];
        for _ in 0..self.units.len() {
            let settled = |group: usize| -> Vec<usize> {
                let is_settled = |&&pair: &&usize| {
                    let groups = &self.groups[pair];
                    let own = groups.iter().filter(|&&other| other == group).count();
                    let others = groups.iter().filter(|&&other| other != group);
                    own == 1 && others.into_iter().all(|&other| is_matched[other])
                };
                self.uses[group]
                    .iter()
                    .filter(is_settled)
                    .copied()
                    .collect()
            };
            let evidence = |group: usize| -> usize {
                let entries: usize = settled(group)
                    .iter()
                    .map(|&pair| self.pairs[pair].a.len())
                    .sum();
                entries / self.units[group]
            };
            let open = (0..self.units.len()).filter(|&group| !is_matched[group]);
            // The first of those with most entries for each unit.
            let Some(group) = open.max_by_key(|&group| (evidence(group), usize::MAX - group))
            else {
                break;
            };
            let pairs = match settled(group) {
                none if none.is_empty() => self.uses[group].clone(),
                settled => settled,
            };
            let further = assignment(&self.gains(&matched, group, &pairs), self.units[group]);
            self.apply(&mut matched, group, &further);
            is_matched[group] = true;
        }
        matched
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
