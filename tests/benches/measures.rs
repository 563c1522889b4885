//! The cost of measuring and of SAM, next to a gradient on the same data: compare the medians of
//! one run.
//!
//! `cargo bench -p tests --bench measures`

use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::Device;
use datasets::{Digits, ImageDataset, MnistSubset, batch};
use divan::{Bencher, black_box};
use landscape::{Hessian, LinearOperator, Objective, Risk};
use models::{Classifier, Cnn, CnnConfig, Mlp, MlpConfig};
use sam::SamConfig;
use tests::{ImageBatch, image_loss};

fn main() {
    divan::main();
}

/// A network with its data.
trait Subject: Classifier + Sync + 'static {
    fn network(device: &Device) -> Self;
    fn data() -> (ImageDataset, usize);

    fn batch(examples: usize) -> ImageBatch {
        let indices: Vec<usize> = (0..examples).collect();
        batch(&Self::data().0, &indices, &Device::flex().autodiff()).into_pair()
    }

    fn risk() -> Risk<Self, ImageBatch> {
        Risk::mean([Self::batch(Self::data().1)], image_loss)
    }
}

/// 64-128-64-10, all 1,797 digits.
impl Subject for Mlp {
    fn network(device: &Device) -> Self {
        MlpConfig::new(vec![64, 128, 64, 10])
            .init_seeded(1, device)
            .expect("a network")
    }

    fn data() -> (ImageDataset, usize) {
        let data = Digits::load().expect("the bundled digits").images;
        let examples = data.len();
        (data, examples)
    }
}

/// 8 and 16 channels, 512 images of MNIST.
impl Subject for Cnn {
    fn network(device: &Device) -> Self {
        CnnConfig::new(28)
            .init_seeded(1, device)
            .expect("a network")
    }

    fn data() -> (ImageDataset, usize) {
        (MnistSubset::load().expect("the bundled subset").train, 512)
    }
}

#[divan::bench(types = [Mlp, Cnn])]
fn value<M: Subject>(bencher: Bencher<'_, '_>) {
    let model = M::network(&Device::flex().autodiff());
    let objective = Objective::at(&model, &M::risk()).expect("a measurable model");
    bencher.bench_local(|| objective.value_here().expect("a value"));
}

#[divan::bench(types = [Mlp, Cnn])]
fn gradient<M: Subject>(bencher: Bencher<'_, '_>) {
    let model = M::network(&Device::flex().autodiff());
    let objective = Objective::at(&model, &M::risk()).expect("a measurable model");
    bencher.bench_local(|| objective.gradient_here().expect("a gradient"));
}

#[divan::bench(types = [Mlp, Cnn])]
fn hessian_product<M: Subject>(bencher: Bencher<'_, '_>) {
    let model = M::network(&Device::flex().autodiff());
    let hessian = Hessian::at(&model, &M::risk()).expect("a measurable model");
    let ones = vec![1.0; hessian.dim()];
    let v = hessian.domain().upload(&ones).expect("P entries");
    bencher.bench_local(|| hessian.apply(black_box(&v)).expect("a product"));
}

#[divan::bench(types = [Mlp, Cnn])]
fn base_step<M: Subject>(bencher: Bencher<'_, '_>) {
    let model = M::network(&Device::flex().autodiff());
    let batch = M::batch(64);
    let mut optimiser = SgdConfig::new().init();
    bencher.bench_local(|| {
        let model = model.clone();
        let gradients = GradientsParams::from_grads(image_loss(&model, &batch).backward(), &model);
        optimiser.step(0.1, model, gradients)
    });
}

#[divan::bench(types = [Mlp, Cnn])]
fn sam_step<M: Subject>(bencher: Bencher<'_, '_>) {
    let model = M::network(&Device::flex().autodiff());
    let batch = M::batch(64);
    let mut optimiser = SgdConfig::new().init();
    let mut sam = SamConfig::new().init().expect("a method");
    bencher.bench_local(|| {
        sam.step(&mut optimiser, 0.1, model.clone(), |m| {
            image_loss(m, &batch)
        })
        .expect("a step")
    });
}
