//! Entries of tensors that are permuted along their axes.

use derivatives::AxisStructure;

/// Returns the entries of a tensor, row-major, after its axes were permuted.
pub(super) fn permuted(
    values: &[f64],
    axes: &[AxisStructure],
    permutations: &[Vec<usize>],
) -> Vec<f64> {
    if axes.iter().all(|axis| axis.groups().is_empty()) {
        return values.to_vec();
    }
    let mut source = vec![0];
    for axis in axes {
        let along = axis.source(permutations);
        let len = along.len();
        source = source
            .iter()
            .flat_map(|&before| along.iter().map(move |&entry| before * len + entry))
            .collect();
    }
    source.into_iter().map(|entry| values[entry]).collect()
}

/// Returns the entries that belong to each unit, `[units, entries of a unit]`, row-major: those at
/// `positions` along `axis` of a tensor of this shape.
pub(super) fn rows_of_units(
    values: &[f64],
    shape: &[usize],
    axis: usize,
    positions: &[Vec<usize>],
) -> Vec<f64> {
    let len = shape[axis];
    let inner: usize = shape[axis + 1..].iter().product();
    let outer: usize = shape[..axis].iter().product();
    let mut rows = Vec::with_capacity(values.len());
    for unit in positions {
        for block in 0..outer {
            for &position in unit {
                let start = (block * len + position) * inner;
                rows.extend_from_slice(&values[start..start + inner]);
            }
        }
    }
    rows
}

/// Returns the permutation that first does `first` and then `second`:
/// `new[i] = old[first[second[i]]]`.
pub(super) fn composed(first: &[usize], second: &[usize]) -> Vec<usize> {
    second.iter().map(|&unit| first[unit]).collect()
}

/// Returns the permutation that leaves all in place.
pub(super) fn identity(len: usize) -> Vec<usize> {
    (0..len).collect()
}
