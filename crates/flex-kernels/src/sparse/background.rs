//! The number that most entries of a column are.

use crate::real::Real;

/// Returns for each column of a matrix, given row by row, the number that more than half of its
/// entries are, zero where there is none, and how many entries of the matrix are others. Where
/// more than half of all entries are zero, it is zero for every column.
///
/// A majority is found in one pass (Boyer and Moore 1981): each entry that differs cancels one
/// that agrees, and only what more than half of them are is left for sure.
pub(super) fn background<E: Real>(x: &[E], columns: usize) -> (Vec<E>, usize) {
    let zeros = count(x, columns, &vec![E::default(); columns]);
    let all_zeros: usize = zeros.iter().sum();
    if 2 * all_zeros > x.len() {
        return (vec![E::default(); columns], x.len() - all_zeros);
    }
    let mut numbers = majorities(x, columns);
    let mut equal = count(x, columns, &numbers);
    let rows = x.len() / columns;
    for ((number, equal), zeros) in numbers.iter_mut().zip(&mut equal).zip(zeros) {
        if 2 * *equal <= rows || !number.is_finite() {
            (*number, *equal) = (E::default(), zeros);
        }
    }
    let others = x.len() - equal.iter().sum::<usize>();
    (numbers, others)
}

/// Returns for each column the one number that more than half of its entries can be.
fn majorities<E: Real>(x: &[E], columns: usize) -> Vec<E> {
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
    candidates
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
