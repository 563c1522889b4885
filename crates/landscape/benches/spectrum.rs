//! Time and memory of the spectral algorithms beside the products: a diagonal operator costs next
//! to nothing. Allocations are those of the calling thread.

use burn::tensor::{DType, Device, Tensor};
use divan::Bencher;
use landscape::Error;
use landscape::operator::{Domain, LinearOperator};
use landscape::spectrum::{
    BasisStorage, Lanczos, LanczosConfig, TraceConfig, Tridiagonal, hutchinson_trace,
    top_eigenpairs,
};

#[global_allocator]
static ALLOCATIONS: divan::AllocProfiler = divan::AllocProfiler::system();

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

fn stored(bencher: Bencher, dim: usize, storage: BasisStorage) {
    let op = Diagonal::new(dim, DType::F32);
    bencher.bench_local(|| {
        let mut run = Lanczos::stored(&op, 1, storage)?;
        run.extend(&op, 30)?;
        Ok::<_, Error>(run)
    });
}

/// Thirty steps for products in f32, with the basis in f64, in f32, and on the device.
#[divan::bench(args = [100_000, 1_000_000], sample_count = 5)]
fn basis_in_host_f64(bencher: Bencher, dim: usize) {
    stored(bencher, dim, BasisStorage::HostF64);
}

#[divan::bench(args = [100_000, 1_000_000], sample_count = 5)]
fn basis_in_host_f32(bencher: Bencher, dim: usize) {
    stored(bencher, dim, BasisStorage::HostF32);
}

#[divan::bench(args = [100_000, 1_000_000], sample_count = 5)]
fn basis_on_the_device(bencher: Bencher, dim: usize) {
    stored(bencher, dim, BasisStorage::Device);
}

/// A hundred steps without convergence: all vectors kept, or so many.
#[divan::bench(args = [0, 40, 20, 10], sample_count = 3)]
fn hundred_steps_at_100_000_keeping(bencher: Bencher, vectors: usize) {
    let op = Diagonal::new(100_000, DType::F64);
    let config = LanczosConfig::new()
        .with_tolerance(1e-15)
        .with_max_vectors((vectors > 0).then_some(vectors));
    bencher.bench_local(|| top_eigenpairs(&op, 3, &config));
}

/// A hundred products in blocks of so many.
#[divan::bench(args = [1, 2, 5, 10], sample_count = 3)]
fn hundred_products_at_100_000_in_blocks_of(bencher: Bencher, block: usize) {
    let op = Diagonal::new(100_000, DType::F64);
    let config = LanczosConfig::new()
        .with_tolerance(1e-15)
        .with_block_size(block);
    bencher.bench_local(|| top_eigenpairs(&op, 3, &config));
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
