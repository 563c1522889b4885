//! Measuring what is missing in a store.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use burn::config::Config;

use super::SliceStore;
use crate::Error;

/// Time after which records are made safe from a power failure too: what such a failure costs, in
/// measuring time. Each synchronisation takes some milliseconds.
const BETWEEN_SYNCS: Duration = Duration::from_secs(1);

/// Settings of [`measure_into`](super::measure_into) and [`measure_with`].
#[derive(Config, Debug, PartialEq)]
pub struct MeasureConfig {
    /// Points that are computed together, at least 1: what a kill costs at most, and how often the
    /// callback is asked. Chunks of 64 keep the cores busy; larger ones gain little.
    #[config(default = 64)]
    pub chunk: usize,
}

/// The progress of a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Points that are recorded, those of earlier runs included.
    pub recorded: usize,
    /// Points of the slice.
    pub points: usize,
    /// Points that this call was asked for and that are recorded by now, those of earlier runs
    /// included.
    pub done: usize,
    /// Points that this call was asked for.
    pub wanted: usize,
}

/// The outcome of a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// Points that were measured by this call.
    pub measured: usize,
    /// Points that were wanted and were recorded before.
    pub found: usize,
    /// Points that were wanted and are still missing, because the callback cancelled.
    pub missing: usize,
}

/// Measures the wanted points that a store has not, chunk by chunk, with any evaluation; what
/// [`measure_into`](super::measure_into) does with a slice.
///
/// `wanted` are indices of points, all of them if it is `None`; a refinement names some. `evaluate`
/// is given the coordinates of a chunk and a function that takes each finished point's position in
/// the chunk and its values, one for each quantity, in any order. Each is in the file when that
/// function returns. `progress` is told before the first chunk and after each one, and may cancel.
///
/// A value must depend on its point alone, and not on the chunk that it is in: then a measurement
/// that was interrupted ends with the bits of one that was not.
///
/// Cost: an evaluation for each point that is missing. After a kill, at most one chunk is
/// evaluated again.
///
/// # Errors
/// [`Error::Slice`] for a chunk of 0 points, an index that the slice has not, or points that
/// `evaluate` leaves out; [`Error::Unwritten`] when the file cannot be written; and the errors of
/// `evaluate`. What was recorded before stays.
///
/// # Examples
/// ```
/// use probes::export::Column;
/// use probes::store::{Identity, MeasureConfig, SliceStore, measure_with};
/// use std::ops::ControlFlow;
///
/// let folder = tempfile::tempdir()?;
/// let identity = Identity::on([Column::new("t", vec![0.0, 0.5, 1.0])], ["loss"]);
/// let mut store =
///     SliceStore::open_or_create(folder.path().join("path.slice"), &identity)?;
/// let go_on = |_| ControlFlow::Continue(());
/// let done = measure_with(
///     &mut store,
///     None,
///     &MeasureConfig::new(),
///     go_on,
///     |points, each| {
///         for (position, [t]) in points.iter().enumerate() {
///             if each(position, &[t * t]).is_break() {
///                 break;
///             }
///         }
///         Ok::<(), probes::Error>(())
///     },
/// )?;
/// assert_eq!((done.measured, done.missing), (3, 0));
/// assert_eq!(store.value(1), Some(&[0.25][..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn measure_with<const D: usize, E>(
    store: &mut SliceStore<D>,
    wanted: Option<&[usize]>,
    config: &MeasureConfig,
    mut progress: impl FnMut(Progress) -> ControlFlow<()>,
    mut evaluate: impl FnMut(
        &[[f64; D]],
        &mut dyn FnMut(usize, &[f64]) -> ControlFlow<()>,
    ) -> Result<(), E>,
) -> Result<Measured, Error>
where
    Error: From<E>,
{
    if config.chunk == 0 {
        return Err(Error::Slice {
            name: "the number of points in a chunk",
            value: "0".to_owned(),
            allowed: "1 at least",
        });
    }
    let points = store.recorded().len();
    let (todo, count) = todo(store, wanted)?;
    let mut measured = Measured {
        measured: 0,
        found: count - todo.len(),
        missing: todo.len(),
    };
    let before = points - store.missing().len();
    let mut report = |measured: &Measured| {
        progress(Progress {
            recorded: before + measured.measured,
            points,
            done: measured.found + measured.measured,
            wanted: count,
        })
    };
    let mut synced = Instant::now();
    for chunk in todo.chunks(config.chunk) {
        if report(&measured).is_break() {
            store.sync()?;
            return Ok(measured);
        }
        let coordinates: Vec<[f64; D]> = chunk
            .iter()
            .map(|&index| store.identity().point(index))
            .collect();
        let mut failure = None;
        let mut taken = vec![false; chunk.len()];
        let evaluated = evaluate(&coordinates, &mut |position, values| {
            let added = match chunk.get(position) {
                Some(&index) => store.add(index, values),
                None => Err(left_out(format!(
                    "{position} of a chunk of {}",
                    chunk.len()
                ))),
            };
            match added {
                Ok(()) => {
                    taken[position] = true;
                    ControlFlow::Continue(())
                }
                Err(error) => {
                    failure = Some(error);
                    ControlFlow::Break(())
                }
            }
        });
        let count = taken.iter().filter(|taken| **taken).count();
        measured.measured += count;
        measured.missing -= count;
        // The failure of the file is the cause, and what the evaluation says of it the effect.
        if let Some(failure) = failure {
            return Err(failure);
        }
        evaluated?;
        if count < chunk.len() {
            return Err(left_out(format!("{count} of a chunk of {}", chunk.len())));
        }
        if synced.elapsed() >= BETWEEN_SYNCS {
            store.sync()?;
            synced = Instant::now();
        }
    }
    store.sync()?;
    // All is done, so that there is nothing left to cancel.
    let _ = report(&measured);
    Ok(measured)
}

/// Returns the wanted points that are missing, in ascending order, and how many are wanted.
fn todo<const D: usize>(
    store: &SliceStore<D>,
    wanted: Option<&[usize]>,
) -> Result<(Vec<usize>, usize), Error> {
    let points = store.recorded().len();
    let Some(wanted) = wanted else {
        return Ok((store.missing(), points));
    };
    let mut wanted = wanted.to_vec();
    wanted.sort_unstable();
    wanted.dedup();
    if let Some(index) = wanted.last().filter(|index| **index >= points) {
        return Err(Error::Slice {
            name: "a wanted point's index",
            value: format!("{index} of {points}"),
            allowed: "below the number of points",
        });
    }
    let count = wanted.len();
    wanted.retain(|&index| !store.recorded()[index]);
    Ok((wanted, count))
}

fn left_out(value: String) -> Error {
    Error::Slice {
        name: "the number of points that the evaluation gave",
        value,
        allowed: "all of the chunk's",
    }
}
