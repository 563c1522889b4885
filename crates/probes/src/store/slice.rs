//! Measuring a slice into its store.

use std::ops::ControlFlow;

use burn::module::Module;
use landscape::slice::Slice;

use super::{MeasureConfig, Measured, Progress, SliceStore, measure_with};
use crate::Error;

/// Measures the points that a store has not, chunk by chunk, and records each when it is finished.
///
/// The store is of this slice: its identity is that of
/// [`Identity::of_slice`](super::Identity::of_slice).
/// `progress` is told before the first chunk and after each one, and may cancel. After a kill or a
/// full disk the same call goes on where the file ends, and the result has the bits of a
/// measurement that was never interrupted.
///
/// Cost: a forward pass for each point that is missing and for each quantity, or less; see
/// [`Slice`]. After a kill, at most one chunk is evaluated again.
///
/// # Errors
/// [`Error::Slice`] for a store of other quantities or another way of evaluation, and a chunk of 0
/// points; [`Error::Unwritten`] when the file cannot be written; and the errors of
/// [`Slice::values`]. What was recorded before stays.
///
/// # Examples
/// ```
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::{Device, Tensor};
/// use landscape::slice::{Quantity, Slice};
/// use landscape::{Grid, ParameterSpace, Risk, random_directions};
/// use probes::store::{Identity, MeasureConfig, SliceStore, checksum, measure_into};
/// use std::ops::ControlFlow;
///
/// let model = LinearConfig::new(2, 1).init(&Device::flex());
/// let data = Tensor::<2>::ones([4, 2], &Device::flex());
/// let risk = Risk::mean(data.clone(), |model: &Linear, x: &Tensor<2>| {
///     model.forward(x.clone()).square().mean()
/// });
/// let [first, second] = random_directions(&ParameterSpace::of(&model)?, 7);
/// let slice = Slice::along(&model, [&first, &second], [Quantity::of("loss", &risk)])?;
/// let identity = Identity {
///     model: checksum::of_model(&model),
///     directions: checksum::of_directions(&[&first, &second]),
///     data: checksum::of_batches(&[data]),
///     normalisation: "none".into(),
///     ..Identity::of_slice(&slice, Grid::square(-1.0..=1.0, 3))
/// };
/// let folder = tempfile::tempdir()?;
/// let mut store =
///     SliceStore::open_or_create(folder.path().join("plane.slice"), &identity)?;
/// let go_on = |_| ControlFlow::Continue(());
/// measure_into(&slice, &mut store, &MeasureConfig::new(), go_on)?;
/// assert!(store.is_complete());
/// assert!((store.value(4).unwrap()[0] - risk.value(&model)?).abs() < 1e-6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn measure_into<M: Module + 'static, const D: usize>(
    slice: &Slice<M, D>,
    store: &mut SliceStore<D>,
    config: &MeasureConfig,
    progress: impl FnMut(Progress) -> ControlFlow<()>,
) -> Result<Measured, Error> {
    measure_points(slice, store, None, config, progress)
}

/// Measures those of the wanted points that a store has not, as [`measure_into`] does all: what a
/// refinement asks for on its fine grid.
///
/// # Errors
/// As [`measure_into`], and [`Error::Slice`] for an index that the slice has not.
pub fn measure_wanted<M: Module + 'static, const D: usize>(
    slice: &Slice<M, D>,
    store: &mut SliceStore<D>,
    wanted: &[usize],
    config: &MeasureConfig,
    progress: impl FnMut(Progress) -> ControlFlow<()>,
) -> Result<Measured, Error> {
    measure_points(slice, store, Some(wanted), config, progress)
}

fn measure_points<M: Module + 'static, const D: usize>(
    slice: &Slice<M, D>,
    store: &mut SliceStore<D>,
    wanted: Option<&[usize]>,
    config: &MeasureConfig,
    progress: impl FnMut(Progress) -> ControlFlow<()>,
) -> Result<Measured, Error> {
    let identity = store.identity();
    let pairs = [
        (
            "a quantity of the store",
            identity.quantities.join(", "),
            slice.names().join(", "),
        ),
        (
            "the way of evaluation of the store",
            identity.evaluation.clone(),
            evaluation(slice),
        ),
    ];
    for (name, stored, own) in pairs {
        if stored != own {
            return Err(Error::Slice {
                name,
                value: format!("{stored:?} where the slice has {own:?}"),
                allowed: "the slice's: make the store with `Identity::of_slice`",
            });
        }
    }
    measure_with(store, wanted, config, progress, |points, each| {
        match slice.values(points, |index, values| each(index, values)) {
            // By the store, whose failure is told in its place.
            Ok(_) | Err(landscape::Error::Cancelled { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    })
}

/// Returns the way of evaluation of a slice in words, with its extent, on which it depends.
pub(super) fn evaluation<M: Module + 'static, const D: usize>(slice: &Slice<M, D>) -> String {
    let mut ways: Vec<(String, Vec<&str>)> = Vec::new();
    for (name, way) in slice.names().iter().zip(slice.evaluations()) {
        let way = way.to_string();
        match ways.iter_mut().find(|(other, _)| *other == way) {
            Some((_, names)) => names.push(name),
            None => ways.push((way, vec![name])),
        }
    }
    let ways: Vec<String> = ways
        .into_iter()
        .map(|(way, names)| format!("{} by {way}", names.join(", ")))
        .collect();
    let ranges = slice.extent();
    let ranges: Vec<String> = ranges
        .iter()
        .map(|range| format!("{:?} to {:?}", range.start(), range.end()))
        .collect();
    format!("{}; prepared for {}", ways.join("; "), ranges.join(" and "))
}
