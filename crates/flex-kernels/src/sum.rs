//! Sums of a block of entries, in as many sums side by side as vector registers have entries.
//!
//! Two orders of summation, each of which stands in the figures of its caller: the order is part of
//! the last bits of a result.

use crate::real::Real;

/// Sums side by side.
const LANES: usize = 16;

/// Returns the sum of a block in one row of sums side by side.
#[inline(always)]
pub(crate) fn sum_of<E: Real>(block: &[E]) -> f64 {
    let mut sums = [E::default(); LANES];
    let mut rows = block.chunks_exact(LANES);
    for row in &mut rows {
        for (sum, &entry) in sums.iter_mut().zip(row) {
            *sum += entry;
        }
    }
    let entries = sums.iter().chain(rows.remainder());
    entries.map(|&entry| entry.into()).sum()
}

/// Returns the sum of a term for each pair of entries of two blocks, in two rows of sums side by
/// side, so that no sum waits for the one before.
#[inline(always)]
pub(crate) fn sum_of_terms<E: Real>(x: &[E], y: &[E], term: impl Fn(E, E) -> E) -> f64 {
    let [mut even, mut odd] = [[E::default(); LANES]; 2];
    let (mut xs, mut ys) = (x.chunks_exact(2 * LANES), y.chunks_exact(2 * LANES));
    for (x, y) in (&mut xs).zip(&mut ys) {
        let ((x_even, x_odd), (y_even, y_odd)) = (x.split_at(LANES), y.split_at(LANES));
        for (sum, (&x, &y)) in even.iter_mut().zip(x_even.iter().zip(y_even)) {
            *sum += term(x, y);
        }
        for (sum, (&x, &y)) in odd.iter_mut().zip(x_odd.iter().zip(y_odd)) {
            *sum += term(x, y);
        }
    }
    let rest = xs.remainder().iter().zip(ys.remainder());
    for (lane, (&x, &y)) in rest.enumerate() {
        even[lane % LANES] += term(x, y);
    }
    even.into_iter().chain(odd).map(Into::into).sum()
}
