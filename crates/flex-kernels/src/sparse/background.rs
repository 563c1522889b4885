//! The number that most entries of a column are.

use crate::real::Real;

/// Returns for each column of a matrix, given row by row, the number that more than half of its
/// entries are, zero where there is none, and how many entries of the matrix are others.
///
/// A majority is found in one pass (Boyer and Moore 1981): each entry that differs cancels one
/// that agrees, and only what more than half of them are is left for sure.
pub(super) fn background<E: Real>(x: &[E], columns: usize) -> (Vec<E>, usize) {
    let mut candidates = vec![E::default(); columns];
    let mut votes = vec![0_u32; columns];
    for row in x.chunks_exact(columns) {
        for ((&x, candidate), votes) in row.iter().zip(&mut candidates).zip(&mut votes) {
            if *votes == 0 {
                *candidate = x;
            }
            if x == *candidate {
                *votes += 1;
            } else {
                *votes = votes.saturating_sub(1);
            }
        }
    }
    let rows = x.len() / columns;
    let mut equal = count(x, columns, &candidates);
    for (candidate, &mut equal) in candidates.iter_mut().zip(&mut equal) {
        let is_finite = *candidate - *candidate == E::default();
        if 2 * equal <= rows || !is_finite {
            *candidate = E::default();
        }
    }
    equal = count(x, columns, &candidates);
    let others = x.len() - equal.iter().sum::<usize>();
    (candidates, others)
}

/// Returns how many entries of each column are the number given for it.
fn count<E: Real>(x: &[E], columns: usize, numbers: &[E]) -> Vec<usize> {
    let mut equal = vec![0; columns];
    for row in x.chunks_exact(columns) {
        for ((x, number), equal) in row.iter().zip(numbers).zip(&mut equal) {
            *equal += usize::from(x == number);
        }
    }
    equal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn background_is_what_more_than_half_of_a_column_are() {
        let x = [
            [0.0, 7.0, 1.0, f32::INFINITY, f32::NAN],
            [0.0, 7.0, 2.0, f32::INFINITY, f32::NAN],
            [5.0, 7.0, 3.0, f32::INFINITY, 1.0],
            [0.0, -7.0, 0.0, f32::INFINITY, 0.0],
        ];
        let (background, others) = background(x.as_flattened(), 5);
        assert_eq!(background, [0.0, 7.0, 0.0, 0.0, 0.0]);
        assert_eq!(others, 1 + 1 + 3 + 4 + 3);
    }
}
