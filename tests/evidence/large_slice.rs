//! Memory of a plane and of a trajectory's principal plane over a network of a million parameters.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Result, ensure};
use burn::tensor::{Device, Tensor, TensorData};
use landscape::trajectory::{
    PrincipalConfig, path_measures, principal_plane, project, true_and_projected,
};
use landscape::{Error, Grid, ParameterSpace, Risk, filter_normalize, plane, random_directions};
use models::{Mlp, MlpConfig};
use tests::{ImageBatch, image_loss};

use crate::memory::{self, MIB};
use crate::table::{Row, Table};

/// Bytes beside the vectors: what the allocator keeps of freed memory, the data and its
/// activations, the stacks of threads.
const BESIDE: f64 = 64.0 * MIB;

/// Vectors of P numbers, counted in f64, of a checkpoint in f32 while it is read: the bytes of its
/// file, its numbers, its tensors and its flat copy, half a vector each, twice for conversions.
const READING: usize = 4;

/// Measures the memory of each, over what the process had with the model alone.
pub(crate) fn run(small: bool) -> Result<Table> {
    let (hidden, checkpoints, points) = if small { (100, 20, 5) } else { (680, 50, 21) };
    let device = Device::flex();
    let config = MlpConfig::new(vec![784, hidden, hidden, 10]);
    let model = config.init_seeded(1, &device)?;
    let space = ParameterSpace::of(&model)?;
    let parameters = space.dim();
    let mut meter = Meter::new(parameters)?;
    let folder = tempfile::tempdir()?;
    write(&space, &model, checkpoints, folder.path())?;
    let risk = Risk::mean([images(&device)], image_loss);
    let load = |number: usize| read(&space, &model, folder.path(), number);

    let path = meter.measure("path measures", checkpoints, 4 + READING, || {
        Ok(path_measures(checkpoints, load)?)
    })?;
    ensure!(path.steps.len() + 1 == checkpoints, "a step is missing");
    let principal = |count: usize, vectors: usize| {
        let config = PrincipalConfig::new().with_max_vectors(vectors);
        principal_plane(count, load, &config)
    };
    let half = checkpoints / 2;
    for (count, vectors) in [(checkpoints, 5), (half, 12), (checkpoints, 12)] {
        let name = format!("principal plane, {vectors} vectors allowed");
        meter.measure(&name, count, vectors + READING, || {
            Ok(principal(count, vectors)?)
        })?;
    }
    let found = principal(checkpoints, 12)?;
    let origin = space.unflatten(&model, &found.origin)?;
    let directions = [&found.directions[0].vector, &found.directions[1].vector];
    let projections = meter.measure("projection", checkpoints, 5 + READING, || {
        Ok(project(&origin, directions, checkpoints, load)?)
    })?;
    for (again, at) in projections.iter().zip(&found.checkpoints) {
        let apart = (again.out_of_plane - at.out_of_plane).abs();
        // Directions and origin are rounded to f32.
        ensure!(
            apart < 1e-4 * (1.0 + at.distance),
            "{again:?} is not {at:?}"
        );
    }
    let measure = |model: &Mlp| risk.value(model);
    meter.measure("true and projected loss", checkpoints, 7 + READING, || {
        Ok(true_and_projected(
            &origin,
            directions,
            &projections,
            load,
            measure,
        )?)
    })?;
    let [first, second] = random_directions(&space, 3);
    let first = filter_normalize(&space, &model, first)?;
    let second = filter_normalize(&space, &model, second)?;
    let grid = Grid::square(-1.0..=1.0, points);
    let name = format!("plane of {points} x {points} points");
    let surface = meter.measure(&name, 0, 12, || {
        Ok(plane(&model, &risk, [&first, &second], &grid)?)
    })?;
    ensure!(surface.loss.len() == points * points, "a point is missing");

    Ok(Table {
        setting: format!(
            "MLP 784-{hidden}-{hidden}-10, {parameters} parameters in f32; {checkpoints} checkpoints in files, on a spiral with noise; \
             128 images. A vector is P numbers in f64, {:.1} MiB. Stated: vectors that the measure may hold, {READING} of them those \
             of the checkpoint that is being read. Measured: the peak of resident memory over that of the process with the model alone, so that what the allocator keeps of \
             writing the checkpoints and of earlier measures counts too. The \
             command fails where it is over the vectors stated and {:.0} MiB.",
            to_float(parameters) * 8.0 / MIB,
            BESIDE / MIB,
        ),
        columns: [
            "measure",
            "checkpoints",
            "vectors stated",
            "MiB measured",
            "vectors measured",
            "seconds",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: meter.rows,
    })
}

/// Returns 128 images of stripes with labels. Made here: loading a data set leaves the process with
/// freed memory, in which what is measured would hide.
fn images(device: &Device) -> ImageBatch {
    let pixels = (0..128_u16).flat_map(|image| {
        let width = 0.05 * f32::from(image % 10 + 1);
        (0..784_u16).map(move |pixel| (width * f32::from(pixel) + f32::from(image)).sin())
    });
    let pixels = TensorData::new(pixels.collect::<Vec<f32>>(), [128, 1, 28, 28]);
    let labels: Vec<i32> = (0..128).map(|image| image % 10).collect();
    let labels = TensorData::new(labels, [128]);
    (
        Tensor::from_data(pixels, device),
        Tensor::from_data(labels, device),
    )
}

/// Writes checkpoints on a spiral with a drift and noise, in f32.
fn write(space: &ParameterSpace, model: &Mlp, count: usize, folder: &Path) -> Result<()> {
    let origin = space.flatten(model)?;
    let [first, second] = random_directions(space, 1);
    let mut angle = 0.0_f64;
    for number in 0..count {
        let size = 0.02 * (-0.1 * angle).exp();
        let [noise, _] = random_directions(space, 100 + u64::try_from(number)?);
        let theta = origin.clone()
            + first.clone().mul_scalar(size * angle.cos())
            + second.clone().mul_scalar(size * angle.sin())
            + noise.mul_scalar(0.001);
        angle += 0.3;
        let entries: Vec<f32> = theta.to_data().iter::<f32>().collect();
        let bytes: Vec<u8> = entries.into_iter().flat_map(f32::to_le_bytes).collect();
        fs::write(file(folder, number), bytes)?;
    }
    Ok(())
}

fn file(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("{number}.f32"))
}

fn read(space: &ParameterSpace, model: &Mlp, folder: &Path, number: usize) -> Result<Mlp, Error> {
    let path = file(folder, number);
    let bytes = fs::read(&path).map_err(|error| Error::Checkpoint {
        index: number,
        reason: format!("{}: {error}", path.display()),
    })?;
    let (words, _) = bytes.as_chunks::<4>();
    let entries: Vec<f32> = words.iter().copied().map(f32::from_le_bytes).collect();
    let data = TensorData::new(entries, [space.dim()]);
    space.unflatten(model, &Tensor::from_data(data, &space.domain.device))
}

/// Measures of memory over a common start.
struct Meter {
    parameters: usize,
    start: f64,
    rows: Vec<Row>,
}

impl Meter {
    fn new(parameters: usize) -> Result<Self> {
        Ok(Self {
            parameters,
            start: memory::resident()?,
            rows: Vec::new(),
        })
    }

    fn measure<T>(
        &mut self,
        name: &str,
        checkpoints: usize,
        vectors: usize,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        memory::begin_peak();
        let began = Instant::now();
        let found = work()?;
        let seconds = began.elapsed().as_secs_f64();
        let bytes = memory::peak()? - self.start;
        let vector = 8.0 * to_float(self.parameters);
        let allowed = to_float(vectors) * vector + BESIDE;
        ensure!(
            bytes <= allowed,
            "{name} took {:.0} MiB where {:.0} are allowed",
            bytes / MIB,
            allowed / MIB
        );
        let figures = [
            to_float(checkpoints),
            to_float(vectors),
            bytes / MIB,
            bytes / vector,
            seconds,
        ];
        self.rows.push(Row::of(name, figures));
        Ok(found)
    }
}

#[allow(clippy::cast_precision_loss, reason = "far below 2⁵³")]
fn to_float(number: usize) -> f64 {
    number as f64
}
