//! The evaluation of a slice into its store: what is there already is not computed again.

use std::ops::{ControlFlow, RangeInclusive};
use std::path::Path;

use anyhow::{anyhow, bail};
use landscape::Grid;
use landscape::slice::{RefineConfig, Refined, linspace, refine_with};
use probes::store::{Identity, MeasureConfig, SliceStore, measure_with};

use super::sampled::Sampled;
use crate::config::reach::Reach;
use crate::engine::slices::Sliced;
use crate::engine::watch::{Watch, timed};
use crate::failure::usage;

/// Returns the coordinates of a grid. What rounding leaves of zero is zero, so that the point of a
/// model is that model.
pub(super) fn grid<const D: usize>(reach: &[Reach; D], points: &[usize]) -> [Vec<f64>; D] {
    std::array::from_fn(|axis| {
        let range = reach[axis].range();
        let rounding = 1e-12 * (range.end() - range.start());
        let coordinate = |x: f64| if x.abs() < rounding { 0.0 } else { x };
        let coordinates = linspace(range, points[axis]).into_iter();
        coordinates.map(coordinate).collect()
    })
}

/// Returns the coordinates of a plane around some points of it, with a margin that is a multiple of
/// their extent.
pub(crate) fn around(drawn: &[[f64; 2]], margin: f64, points: [usize; 2]) -> [Vec<f64>; 2] {
    std::array::from_fn(|axis| {
        let along = drawn.iter().map(|at| at[axis]);
        let low = along.clone().fold(f64::INFINITY, f64::min);
        let high = along.fold(f64::NEG_INFINITY, f64::max);
        let margin = margin * (high - low);
        linspace(low - margin..=high + margin, points[axis])
    })
}

/// Returns the ranges of coordinates.
pub(crate) fn extent<const D: usize>(axes: &[Vec<f64>; D]) -> [RangeInclusive<f64>; D] {
    axes.each_ref().map(|axis| axis[0]..=axis[axis.len() - 1])
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
        Err(error @ probes::Error::AnotherSlice { .. }) => Err(usage(format!("{error}; {remedy}"))),
        Err(error @ probes::Error::Damaged { .. }) => Err(anyhow!("{error}; {remedy}")),
        Err(error) => Err(of_store(&error)),
    }
}

/// Evaluates the points of a grid that are not in the store, and puts each there as it is finished.
///
/// With `refine`, a share of the range of the first quantity, only points that its picture needs to
/// that error are evaluated; the others are interpolated.
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
    let stored = points.len() - store.missing().len();
    let (done, seconds) = timed(|| match refine {
        Some(accuracy) => refined(slice, accuracy, &axes, store, watch).map(Some),
        None => {
            let all: Vec<usize> = (0..points.len()).collect();
            let done = measured(slice, &all, store, watch, stored);
            done.map(|()| None)
        }
    });
    let refined = done?;
    store.sync().map_err(|error| of_store(&error))?;
    let columns = slice.columns();
    let value = |index: usize, column: usize| {
        let values = store.value(index);
        values.map_or(f64::NAN, |values| values[column])
    };
    let column = |column: usize| match &refined {
        Some(refined) => refined[column].values.clone(),
        None => (0..points.len())
            .map(|index| value(index, column))
            .collect(),
    };
    let error = refined.as_ref().map(|refined| {
        let shares = refined.iter().map(|refined| {
            let [low, high] = refined.range;
            refined.error / (high - low)
        });
        shares.fold(0.0, f64::max)
    });
    Ok(Sampled {
        values: (0..columns.len()).map(column).collect(),
        columns: columns.to_vec(),
        axes,
        directions: slice.directions(),
        evaluation: slice.evaluation(),
        evaluated: points.len() - store.missing().len(),
        stored,
        recorded: refined.is_some().then(|| store.recorded().to_vec()),
        error,
        seconds,
    })
}

/// Returns the error of a store, whose sentence has its causes in it.
fn of_store(error: &probes::Error) -> anyhow::Error {
    anyhow!("{error}")
}

/// Evaluates those of some points that are not in the store. `before` were there when the work
/// began.
fn measured<const D: usize>(
    slice: &dyn Sliced<D>,
    wanted: &[usize],
    store: &mut SliceStore<D>,
    watch: &Watch,
    before: usize,
) -> anyhow::Result<()> {
    let of = wanted.len();
    let _ = watch.goes_on(before, Some(of), "points");
    let mut done = before;
    let mut failed: Option<landscape::Error> = None;
    let measured = measure_with(
        store,
        Some(wanted),
        &MeasureConfig::new(),
        |_| match watch.stops() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        },
        |chunk: &[[f64; D]], each| {
            let found = slice.values(chunk, &mut |position, values| {
                if each(position, values).is_break() {
                    return ControlFlow::Break(());
                }
                done += 1;
                watch.goes_on(done, Some(of), "points")
            });
            match found {
                Ok(()) | Err(landscape::Error::Cancelled { .. }) => Ok(()),
                Err(error) => {
                    failed = Some(error);
                    Err(probes::Error::from(landscape::Error::Cancelled { done }))
                }
            }
        },
    );
    if let Some(error) = failed {
        return Err(error.into());
    }
    if watch.stops() {
        bail!("stopped");
    }
    measured.map(|_| ()).map_err(|error| of_store(&error))
}

/// Evaluates the points that the pictures of all quantities need.
fn refined<const D: usize>(
    slice: &dyn Sliced<D>,
    accuracy: f64,
    axes: &[Vec<f64>; D],
    store: &mut SliceStore<D>,
    watch: &Watch,
) -> anyhow::Result<Vec<Refined>> {
    let grid = Grid {
        a: axes[0].clone(),
        b: axes[D - 1].clone(),
    };
    let mut pictures = Vec::new();
    for quantity in 0..slice.columns().len() {
        let config = RefineConfig::new().with_accuracy(accuracy);
        let mut failed = None;
        let found = refine_with(&grid, &config, |wanted: &[usize]| {
            let values = |store: &SliceStore<D>| -> Vec<f64> {
                let value = |index: &usize| store.value(*index).map_or(f64::NAN, |v| v[quantity]);
                wanted.iter().map(value).collect()
            };
            let missing: Vec<usize> = wanted
                .iter()
                .copied()
                .filter(|index| store.value(*index).is_none())
                .collect();
            let done = match missing.as_slice() {
                [] => Ok(()),
                missing => measured(slice, missing, store, watch, 0),
            };
            if let Err(error) = done {
                failed = Some(error);
                return Err(landscape::Error::Cancelled { done: 0 });
            }
            Ok(values(store))
        });
        match (failed, found) {
            (Some(error), _) => return Err(error),
            (None, found) => pictures.push(found?),
        }
    }
    Ok(pictures)
}
