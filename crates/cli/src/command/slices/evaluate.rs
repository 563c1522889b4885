//! The evaluation of a slice into its store: what is there already is not computed again.

use std::ops::ControlFlow;
use std::path::Path;

use landscape::slice::linspace;
use probes::store::{Identity, SliceStore};

use super::sampled::Sampled;
use crate::config::reach::Reach;
use crate::engine::slices::Sliced;
use crate::engine::watch::{Watch, timed};
use crate::failure::usage;

/// Returns the coordinates of a grid.
pub(super) fn grid<const D: usize>(reach: Reach, points: &[usize]) -> [Vec<f64>; D] {
    std::array::from_fn(|axis| linspace(reach.range(), points[axis]))
}

/// Opens the store of a slice, or begins it.
///
/// # Errors
/// A usage error for the store of another slice, which says what differs and what to do; a failure
/// for one that is damaged, and of the disk.
pub(crate) fn open<const D: usize>(
    path: &Path,
    identity: &Identity<D>,
) -> anyhow::Result<SliceStore<D>> {
    let remedy = "--overwrite begins anew, --output DIR writes elsewhere";
    match SliceStore::open_or_create(path, identity) {
        Ok(store) => Ok(store),
        Err(error @ probes::Error::AnotherSlice { .. }) => {
            Err(usage(format!("{error}; {remedy}")))
        }
        Err(error @ probes::Error::Damaged { .. }) => Err(anyhow::Error::new(error).context(remedy)),
        Err(error) => Err(error.into()),
    }
}

/// Evaluates the points of a grid that are not in the store, and puts each there as it is finished.
///
/// # Errors
/// When a point cannot be evaluated or stored, and when somebody stops it; what is stored stays.
pub(crate) fn evaluate<const D: usize>(
    slice: &dyn Sliced<D>,
    refine: Option<f64>,
    axes: [Vec<f64>; D],
    store: &mut SliceStore<D>,
    watch: &Watch,
) -> anyhow::Result<Sampled<D>> {
    let points = Sampled::points_of(&axes);
    let missing = store.missing();
    let stored = points.len() - missing.len();
    let (done, seconds) = timed(|| {
        let wanted: Vec<[f64; D]> = missing.iter().map(|&index| points[index]).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let of = points.len();
        let _ = watch.goes_on(stored, Some(of), "points");
        let mut refused = None;
        let found = slice.values(&wanted, &mut |index, values| {
            if let Err(error) = store.add(missing[index], values) {
                refused = Some(error);
                return ControlFlow::Break(());
            }
            watch.goes_on(stored + index + 1, Some(of), "points")
        });
        match refused {
            Some(error) => Err(anyhow::Error::new(error)),
            None => found.map_err(anyhow::Error::new),
        }
    });
    done?;
    store.sync()?;
    let columns = slice.columns();
    let value = |index: usize, column: usize| {
        let values = store.value(index);
        values.map_or(f64::NAN, |values| values[column])
    };
    let _ = refine;
    Ok(Sampled {
        values: (0..columns.len())
            .map(|column| (0..points.len()).map(|index| value(index, column)).collect())
            .collect(),
        columns: columns.to_vec(),
        axes,
        directions: slice.directions(),
        evaluation: slice.evaluation(),
        evaluated: points.len(),
        stored,
        recorded: None,
        error: None,
        seconds,
    })
}
