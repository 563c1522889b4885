//! Orthonormal bases on the host.

use crate::vector::{add_scaled, dot};

/// Coordinates worked on at a time: 8 KiB of each basis vector, so that the blocks of a hundred
/// vectors fit the second-level cache between the two uses of a sweep.
const BLOCK: usize = 1024;

/// Orthonormal vectors of one length.
#[derive(Debug, Clone, Default)]
pub(super) struct Basis {
    vectors: Vec<Vec<f64>>,
}

impl Basis {
    pub(super) const fn len(&self) -> usize {
        self.vectors.len()
    }

    pub(super) fn push(&mut self, vector: Vec<f64>) {
        self.vectors.push(vector);
    }

    /// Removes from `w` its part in the span of the basis, and returns the coefficients of that
    /// part.
    ///
    /// Classical Gram-Schmidt done twice: after the second pass the rest is orthogonal to the
    /// basis to rounding level unless the first pass has left nothing but rounding (Giraud,
    /// Langou and Rozloznik 2005, "twice is enough"). The subtraction of the first pass and the
    /// inner products of the second share one sweep over the basis, so it is read three times.
    pub(super) fn orthogonalize(&self, w: &mut [f64]) -> Vec<f64> {
        let mut first = vec![0.0; self.len()];
        for (index, block) in w.chunks(BLOCK).enumerate() {
            self.add_products(index, block, &mut first);
        }
        let mut second = vec![0.0; self.len()];
        for (index, block) in w.chunks_mut(BLOCK).enumerate() {
            self.subtract(index, block, &first);
            self.add_products(index, block, &mut second);
        }
        for (index, block) in w.chunks_mut(BLOCK).enumerate() {
            self.subtract(index, block, &second);
        }
        first.iter().zip(&second).map(|(a, b)| a + b).collect()
    }

    /// Returns the combination with the given coefficients, one for each vector.
    pub(super) fn combine(&self, coefficients: &[f64]) -> Vec<f64> {
        let mut sum = vec![0.0; self.vectors.first().map_or(0, Vec::len)];
        for (index, block) in sum.chunks_mut(BLOCK).enumerate() {
            for (vector, coefficient) in self.vectors.iter().zip(coefficients) {
                add_scaled(block, *coefficient, part(vector, index, block.len()));
            }
        }
        sum
    }

    fn add_products(&self, index: usize, block: &[f64], sums: &mut [f64]) {
        for (sum, vector) in sums.iter_mut().zip(&self.vectors) {
            *sum += dot(part(vector, index, block.len()), block);
        }
    }

    fn subtract(&self, index: usize, block: &mut [f64], coefficients: &[f64]) {
        for (vector, coefficient) in self.vectors.iter().zip(coefficients) {
            add_scaled(block, -coefficient, part(vector, index, block.len()));
        }
    }
}

/// Returns the coordinates of `vector` that belong to block `index`.
fn part(vector: &[f64], index: usize, length: usize) -> &[f64] {
    &vector[index * BLOCK..][..length]
}
