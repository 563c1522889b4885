//! The linear assignment problem.
//!
//! For a matrix C `[n, n]` the permutation π that maximises `Σᵢ C[i, π(i)]`, by shortest augmenting
//! paths with dual prices: row after row is added, and the cheapest way to give it a column is
//! found as Dijkstra's algorithm finds it on the reduced costs. Exact up to rounding; `O(n³)`
//! operations, `O(n)` numbers beside the matrix.
//!
//! It is written here because it is one function: the crates that have it bring a matrix type or a
//! graph library along, or want integers.
//!
//! # References
//! Jonker, Volgenant 1987, "A shortest augmenting path algorithm for dense and sparse linear
//! assignment problems"; Burkard, Dell'Amico, Martello 2009, "Assignment Problems", section 4.4.

/// Returns the column of each row in an assignment of largest sum; `gains` is `[n, n]`, row-major,
/// finite. Of several such assignments it is always the same one.
pub(super) fn assignment(gains: &[f64], n: usize) -> Vec<usize> {
    assert_eq!(gains.len(), n * n, "entries of a square matrix");
    // Column n stands for the row that is being added.
    let mut row_of = vec![None; n + 1];
    let mut price_of_row = vec![0.0; n];
    let mut price_of_column = vec![0.0; n + 1];
    for row in 0..n {
        let mut column = n;
        row_of[n] = Some(row);
        let mut distance = vec![f64::INFINITY; n];
        let mut before = vec![n; n];
        let mut done = vec![false; n + 1];
        while let Some(at) = row_of[column] {
            done[column] = true;
            let (mut nearest, mut step) = (n, f64::INFINITY);
            let gains = &gains[at * n..(at + 1) * n];
            for next in 0..n {
                if done[next] {
                    continue;
                }
                let reduced = -gains[next] - price_of_row[at] - price_of_column[next];
                if reduced < distance[next] {
                    distance[next] = reduced;
                    before[next] = column;
                }
                if distance[next] < step || nearest == n {
                    step = distance[next];
                    nearest = next;
                }
            }
            for other in 0..=n {
                if done[other] {
                    let row = row_of[other].expect("a column that is done has a row");
                    price_of_row[row] += step;
                    price_of_column[other] -= step;
                } else if other < n {
                    distance[other] -= step;
                }
            }
            column = nearest;
        }
        // Each column on the way takes the row of the one before it.
        while column != n {
            row_of[column] = row_of[before[column]];
            column = before[column];
        }
    }
    let mut assigned = vec![0; n];
    for (column, row) in row_of[..n].iter().enumerate() {
        assigned[row.expect("every column has a row")] = column;
    }
    assigned
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vector::random::{Purpose, normal, shuffled};

    fn sum(gains: &[f64], assigned: &[usize]) -> f64 {
        let n = assigned.len();
        let entries = assigned.iter().enumerate();
        entries.map(|(row, &column)| gains[row * n + column]).sum()
    }

    fn permutations(n: usize) -> Vec<Vec<usize>> {
        if n == 0 {
            return vec![Vec::new()];
        }
        let mut all = Vec::new();
        for shorter in permutations(n - 1) {
            for place in 0..n {
                let mut longer = shorter.clone();
                longer.insert(place, n - 1);
                all.push(longer);
            }
        }
        all
    }

    #[test]
    fn the_sum_is_the_largest_of_all_permutations() {
        for case in 0..200 {
            let n = 1 + usize::try_from(case % 7).expect("small");
            let mut gains = normal(case, Purpose::Units.stream(0), n * n);
            if case % 3 == 0 {
                // Many equal entries, zeros and whole numbers.
                gains.iter_mut().for_each(|gain| *gain = gain.round());
            }
            let found = assignment(&gains, n);
            let best = permutations(n)
                .iter()
                .map(|assigned| sum(&gains, assigned))
                .fold(f64::NEG_INFINITY, f64::max);
            let mut columns = found.clone();
            columns.sort_unstable();
            assert!(columns.into_iter().eq(0..n), "a permutation");
            // Rounding of sums of at most seven numbers of size three.
            assert!((sum(&gains, &found) - best).abs() < 1e-12, "case {case}");
        }
    }

    #[test]
    fn a_hidden_permutation_of_many_units_is_found() {
        let n = 120;
        let hidden = shuffled(5, Purpose::Units.stream(0), n);
        let mut gains = normal(5, Purpose::Units.stream(1), n * n);
        for (row, &column) in hidden.iter().enumerate() {
            gains[row * n + column] += 100.0;
        }
        assert_eq!(assignment(&gains, n), hidden);
    }

    #[test]
    fn equal_gains_keep_every_unit_in_place() {
        assert_eq!(assignment(&[1.0; 16], 4), [0, 1, 2, 3]);
        assert_eq!(assignment(&[], 0), Vec::<usize>::new());
    }
}
