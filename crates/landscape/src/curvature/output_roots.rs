//! Square roots of a loss's Hessian in the outputs.
//!
//! Each symmetric block is `H_n = Σ_c ± s_c s_cᵀ`: with the columns of a pivoted Cholesky
//! factor where it is positive semidefinite, else with `s_c = √|λ_c| v_c` of its eigenpairs. For
//! the cross entropy of a softmax they span the same as `√p_c (e_c − p)`, one fewer; the signs are
//! minus only where the loss is not convex in the outputs.

use derivatives::OutputCurvature;

use crate::error::Error;
use crate::operator::SymmetricMatrix;
use crate::vector::largest_magnitude;

/// The columns `s_c` of all blocks, those with a plus and those with a minus.
#[derive(Debug)]
pub(super) struct OutputRoots {
    curvature: OutputCurvature,
    /// For each block in order.
    blocks: Vec<[Vec<Vec<f64>>; 2]>,
}

impl OutputRoots {
    /// Decomposes each block; what is below its rounding counts as zero. `roundoff` is that of the
    /// numbers of the blocks.
    pub(super) fn of(curvature: OutputCurvature, roundoff: f64) -> Result<Self, Error> {
        let size = curvature.size;
        let blocks = curvature
            .values
            .chunks_exact(size * size)
            .map(|block| columns(block, size, roundoff))
            .collect::<Result<_, _>>()?;
        Ok(Self { curvature, blocks })
    }

    /// Returns vectors of the outputs, row-major, each with its sign: the sum over them of sign
    /// times `Σₙ (Jₙᵀ uₙ)²` is the diagonal of `Jᵀ H_f J`. One vector has a column of one block
    /// of each row.
    pub(super) fn vectors(&self) -> impl Iterator<Item = (f64, Vec<f64>)> + '_ {
        let positions = self.curvature.positions;
        let signs = [(0, 1.0), (1, -1.0)].into_iter();
        signs.flat_map(move |(side, sign)| {
            (0..positions).flat_map(move |position| {
                let of_rows = self.blocks.iter().skip(position).step_by(positions);
                let count = of_rows.map(|block| block[side].len()).max().unwrap_or(0);
                (0..count).map(move |column| (sign, self.vector(side, position, column)))
            })
        })
    }

    fn vector(&self, side: usize, position: usize, column: usize) -> Vec<f64> {
        let OutputCurvature {
            rows,
            positions,
            size,
            places,
            ..
        } = &self.curvature;
        let row = positions * size;
        let places = &places[position * size..(position + 1) * size];
        let mut vector = vec![0.0; rows * row];
        for n in 0..*rows {
            let block = &self.blocks[n * positions + position][side];
            if let Some(column) = block.get(column) {
                for (place, entry) in places.iter().zip(column) {
                    vector[n * row + place] = *entry;
                }
            }
        }
        vector
    }
}

/// Returns the columns of a block with a plus and with a minus, the longest first.
fn columns(block: &[f64], size: usize, roundoff: f64) -> Result<[Vec<Vec<f64>>; 2], Error> {
    if block.iter().any(|entry| !entry.is_finite()) {
        return Err(Error::NonFiniteVector {
            what: "loss's Hessian in the outputs",
        });
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "outputs are far fewer than 2^53"
    )]
    let roundoff = roundoff * size as f64;
    // The entries have been rounded more than once.
    if let Some(columns) = semidefinite(block, size, 4.0 * roundoff) {
        return Ok([columns, Vec::new()]);
    }
    let mut sides = [Vec::new(), Vec::new()];
    let eigen = SymmetricMatrix::from_rows(block.to_vec(), size)?.eigen()?;
    let zero = largest_magnitude(&eigen.values) * roundoff;
    let pairs = eigen.values.iter().zip(&eigen.vectors);
    let mut pairs: Vec<_> = pairs.filter(|(value, _)| value.abs() > zero).collect();
    pairs.sort_by(|(a, _), (b, _)| b.abs().total_cmp(&a.abs()));
    for (value, vector) in pairs {
        let length = value.abs().sqrt();
        let column = vector.iter().map(|entry| entry * length).collect();
        sides[usize::from(*value < 0.0)].push(column);
    }
    Ok(sides)
}

/// Returns the columns of a Cholesky factor with the largest diagonal entry first in each step;
/// `None` if more than rounding is left when no diagonal entry is positive.
///
/// Higham 2002, "Accuracy and Stability of Numerical Algorithms", section 10.3.
fn semidefinite(block: &[f64], size: usize, roundoff: f64) -> Option<Vec<Vec<f64>>> {
    let mut left = block.to_vec();
    let zero = largest_magnitude(block) * roundoff;
    let mut columns = Vec::with_capacity(size);
    while columns.len() < size {
        let by_entry =
            |&a: &usize, &b: &usize| left[a * (size + 1)].total_cmp(&left[b * (size + 1)]);
        let pivot = (0..size).max_by(by_entry)?;
        let entry = left[pivot * (size + 1)];
        if entry <= zero {
            break;
        }
        let root = entry.sqrt();
        let row = &left[pivot * size..(pivot + 1) * size];
        let column: Vec<f64> = row.iter().map(|x| x / root).collect();
        for (row, a) in left.chunks_exact_mut(size).zip(&column) {
            for (x, b) in row.iter_mut().zip(&column) {
                *x -= a * b;
            }
        }
        columns.push(column);
    }
    (largest_magnitude(&left) <= zero).then_some(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_columns_give_the_blocks_back() {
        let (rows, positions, size) = (2, 2, 2);
        let curvature = OutputCurvature {
            rows,
            positions,
            size,
            places: vec![0, 2, 1, 3],
            // Indefinite, of rank one, zero, and negative.
            values: vec![
                1.0, 2.0, 2.0, 1.0, 4.0, 2.0, 2.0, 1.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.5, 0.5, -3.0,
            ],
        };
        let roots = OutputRoots::of(curvature.clone(), f64::EPSILON / 2.0).unwrap();
        let mut found = [[0.0; 16]; 2];
        for (sign, vector) in roots.vectors() {
            for (n, found) in found.iter_mut().enumerate() {
                for (a, b) in (0..16).map(|entry| (entry / 4, entry % 4)) {
                    found[4 * a + b] += sign * vector[4 * n + a] * vector[4 * n + b];
                }
            }
        }
        let mut expected = [[0.0; 16]; 2];
        for (block, values) in curvature.values.chunks(4).enumerate() {
            let (n, places) = (block / 2, &curvature.places[2 * (block % 2)..][..2]);
            for (entry, value) in values.iter().enumerate() {
                expected[n][4 * places[entry / 2] + places[entry % 2]] = *value;
            }
        }
        for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
            assert!((found - expected).abs() < 1e-14, "{found} {expected}");
        }
        // With a plus one at each position: of the indefinite block, and of that of rank one. With
        // a minus one at the first position, and both of the negative block at the second.
        assert_eq!(roots.vectors().count(), 5);
    }

    #[test]
    fn softmax_has_a_column_fewer_than_classes() {
        let p = [0.5, 0.2, 0.1, 0.1, 0.05, 0.03, 0.015, 0.004, 0.0009, 0.0001];
        let entry = |i: usize, j: usize| f64::from(u8::from(i == j)) * p[i] - p[i] * p[j];
        let block: Vec<f64> = (0..100).map(|at| entry(at / 10, at % 10)).collect();
        let columns = semidefinite(&block, 10, 10.0 * f64::EPSILON / 2.0).expect("convex");
        assert_eq!(columns.len(), 9);
        for (at, expected) in block.iter().enumerate() {
            let found: f64 = columns.iter().map(|s| s[at / 10] * s[at % 10]).sum();
            assert!((found - expected).abs() < 2e-16, "{at}: {found} {expected}");
        }
    }
}
