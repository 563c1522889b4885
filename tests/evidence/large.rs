//! Time and memory of the spectral measures on a network of ten million parameters.

use std::time::Instant;

use anyhow::{Result, ensure};
use burn::module::Module;
use burn::tensor::Device;
use datasets::{MnistSubset, batch, epoch_order};
use landscape::spectrum::BasisStorage;
use landscape::{
    DensityConfig, Hessian, LanczosConfig, Risk, TraceConfig, hutchinson_trace, spectral_density,
    top_eigenpairs,
};
use models::MlpConfig;
use tests::image_loss;

use crate::memory::{self, MIB};
use crate::table::{Row, Table};
use crate::training::{base, descended, first};

/// The most resident memory that the process may have had.
const LIMIT: f64 = 6.0 * 1024.0;

/// Vectors that the restarted run for the eigenvalues keeps, and Lanczos steps for the density.
const VECTORS: usize = 20;
const STEPS: usize = 40;

/// Largest eigenvalues, trace and density of a short training's end.
pub(crate) fn run(small: bool) -> Result<Table> {
    let (hidden, examples) = if small { (64, 256) } else { (2790, 512) };
    let device = Device::flex().autodiff();
    let images = MnistSubset::load()?;
    let config = MlpConfig::new(vec![784, hidden, hidden, 10]);
    let mut model = config.init_seeded(1, &device)?;
    let mut optimiser = base();
    for indices in epoch_order(1, 0, images.train.len()).chunks(64).take(20) {
        let batch = batch(&images.train, indices, &device).into_pair();
        model = descended(&mut optimiser, 0.05, model, &batch);
    }
    let parameters = model.num_params();
    let risk = Risk::mean([first(&images.train, examples, &device)], image_loss);

    let mut rows = Vec::new();
    let hessian = Hessian::at(&model, &risk)?;

    let measured = Measured::begin();
    let lanczos = LanczosConfig::new()
        .with_tolerance(1e-3)
        .with_max_steps(300)
        .with_max_vectors(Some(VECTORS))
        .with_basis(BasisStorage::HostF32);
    let pairs = top_eigenpairs(&hessian, 5, &lanczos)?;
    let cost = measured.end(pairs[0].steps + pairs.len() + 1, VECTORS)?;
    for (k, pair) in pairs.iter().enumerate() {
        ensure!(pair.converged, "eigenvalue {k} has not converged");
        let name = format!("λ_{}, residual over λ_1", k + 1);
        rows.push(cost.row(name, pair.value, pair.residual / pairs[0].value));
    }

    let measured = Measured::begin();
    let trace = TraceConfig::new()
        .with_relative_error(0.05)
        .with_max_probes(1000);
    let trace = hutchinson_trace(&hessian, &trace)?;
    let error = trace.estimate.standard_error / trace.estimate.mean.abs();
    ensure!(error <= 0.05, "the trace is known to {error} only");
    let cost = measured.end(trace.products, 0)?;
    let name = "trace, standard error over trace".to_owned();
    rows.push(cost.row(name, trace.estimate.mean, error));

    let measured = Measured::begin();
    let density = DensityConfig::new()
        .with_starts(2)
        .with_steps(STEPS)
        .with_basis(BasisStorage::HostF32);
    let density = spectral_density(&hessian, &density)?;
    let below = density.mass_below(0.0);
    let cost = measured.end(density.products + 1, STEPS + 1)?;
    let name = "density: share below 0, rounding of zeros included; standard error".to_owned();
    rows.push(cost.row(name, below.mean, below.standard_error));

    Ok(Table {
        setting: format!(
            "MLP 784-{hidden}-{hidden}-10, {parameters} parameters in f32, after 20 steps of SGD; Hessian of the mean loss over \
             {examples} images of MNIST, exact products. Bases on the host in f32; eigenvalues by thick restart with {VECTORS} \
             vectors; density from 2 starts of {STEPS} steps. Peak resident memory of the process, model and data included."
        ),
        columns: [
            "measure",
            "value",
            "error",
            "products",
            "vectors kept",
            "seconds",
            "peak MiB",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows,
    })
}

/// A measurement that is under way.
struct Measured {
    began: Instant,
}

/// The cost of a measurement.
struct Cost {
    figures: [f64; 4],
}

impl Measured {
    fn begin() -> Self {
        memory::begin_peak();
        Self {
            began: Instant::now(),
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "some hundred")]
    fn end(self, products: usize, vectors: usize) -> Result<Cost> {
        let seconds = self.began.elapsed().as_secs_f64();
        let peak = memory::peak()? / MIB;
        ensure!(peak < LIMIT, "a peak of {peak} MiB is over 6 GiB");
        Ok(Cost {
            figures: [products as f64, vectors as f64, seconds, peak],
        })
    }
}

impl Cost {
    fn row(&self, name: String, value: f64, error: f64) -> Row {
        Row::of(name, [value, error].into_iter().chain(self.figures))
    }
}
