//! Time of the spectral algorithms beside the products: a diagonal operator costs next to nothing.

use burn::tensor::{DType, Device, Tensor};
use divan::Bencher;
use landscape::Error;
use landscape::operator::{Domain, LinearOperator};
use landscape::spectrum::{Lanczos, TraceConfig, Tridiagonal, hutchinson_trace};

fn main() {
    divan::main();
}

struct Diagonal {
    domain: Domain,
    values: Tensor<1>,
}

impl Diagonal {
    fn new(dim: usize, dtype: DType) -> Self {
        let domain = Domain {
            dim,
            dtype,
            device: Device::flex(),
        };
        let values: Vec<f64> = (1..=dim).map(|i| 1.0 / i as f64).collect();
        let values = domain.upload(&values).expect("the length is right");
        Self { domain, values }
    }
}

impl LinearOperator for Diagonal {
    fn domain(&self) -> &Domain {
        &self.domain
    }

    fn apply(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        Ok(v.clone() * self.values.clone())
    }
}

fn steps(bencher: Bencher, op: &Diagonal, steps: usize) {
    bencher.bench_local(|| {
        let mut run = Lanczos::new(op, 1)?;
        run.extend(op, steps)?;
        Ok::<_, Error>(run)
    });
}

/// Thirty steps in f64: almost all of it is reorthogonalisation and the way to the host and back.
#[divan::bench(args = [10_000, 100_000, 1_000_000], sample_count = 5)]
fn lanczos_30_steps_f64(bencher: Bencher, dim: usize) {
    steps(bencher, &Diagonal::new(dim, DType::F64), 30);
}

#[divan::bench(args = [10_000, 100_000, 1_000_000], sample_count = 5)]
fn lanczos_30_steps_f32(bencher: Bencher, dim: usize) {
    steps(bencher, &Diagonal::new(dim, DType::F32), 30);
}

/// Reorthogonalisation grows with the square of the steps.
#[divan::bench(args = [10, 20, 40, 80], sample_count = 5)]
fn lanczos_steps_at_100_000(bencher: Bencher, count: usize) {
    steps(bencher, &Diagonal::new(100_000, DType::F64), count);
}

/// The products alone, with upload and download.
#[divan::bench(args = [10_000, 100_000, 1_000_000], sample_count = 5)]
fn thirty_products_f64(bencher: Bencher, dim: usize) {
    let op = Diagonal::new(dim, DType::F64);
    let v = vec![1.0; dim];
    bencher.bench_local(|| {
        (0..30).try_fold(0.0, |sum, _| {
            let product = op.apply(&op.domain.upload(&v)?)?;
            Ok::<_, Error>(sum + landscape::download(&product)[0])
        })
    });
}

#[divan::bench(args = [10_000, 100_000], sample_count = 5)]
fn trace_16_probes_f64(bencher: Bencher, dim: usize) {
    let op = Diagonal::new(dim, DType::F64);
    bencher.bench_local(|| hutchinson_trace(&op, &TraceConfig::new()));
}

#[divan::bench(args = [30, 100, 300], sample_count = 20)]
fn tridiagonal_eigen(bencher: Bencher, dim: usize) {
    let matrix = Tridiagonal {
        alpha: vec![2.0; dim],
        beta: vec![-1.0; dim - 1],
    };
    bencher.bench_local(|| matrix.eigen());
}
