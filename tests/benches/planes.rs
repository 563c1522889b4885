//! The loss on a plane, and one value of the same risk: compare the medians of one run.
//!
//! `cargo bench -p tests --bench planes`

use burn::tensor::Device;
use datasets::{Digits, ImageDataset, MnistSubset, batch};
use divan::Bencher;
use landscape::{Grid, Objective, Risk, plane, random_directions};
use models::{Classifier, CnnConfig, MlpConfig};
use tests::{ImageBatch, image_loss};

fn main() {
    divan::main();
}

fn batches(data: &ImageDataset, examples: usize, size: usize) -> Vec<ImageBatch> {
    let indices: Vec<usize> = (0..examples).collect();
    indices
        .chunks(size)
        .map(|chunk| batch(data, chunk, &Device::flex()).into_pair())
        .collect()
}

fn digits(size: usize) -> Vec<ImageBatch> {
    let data = Digits::load().expect("the bundled digits").images;
    batches(&data, data.len(), size)
}

fn mnist(examples: usize, size: usize) -> Vec<ImageBatch> {
    let data = MnistSubset::load().expect("the bundled subset").train;
    assert!(data.len() >= examples, "{} images", data.len());
    batches(&data, examples, size)
}

fn bench<M: Classifier + Sync + 'static>(
    bencher: Bencher<'_, '_>,
    model: &M,
    data: Vec<ImageBatch>,
    side: usize,
) {
    let risk = Risk::mean(data, image_loss);
    let space = Objective::at(model, &risk).expect("a measurable model");
    let space = space.space();
    let [first, second] = random_directions(space, 1).map(|direction| direction * 0.01);
    let grid = Grid::square(-1.0..=1.0, side);
    bencher.bench_local(|| plane(model, &risk, [&first, &second], &grid).expect("a plane"));
}

/// 64-32-16-10, all 1,797 digits, 441 points.
#[divan::bench(args = [256, 1797], sample_count = 7)]
fn digits_mlp(bencher: Bencher<'_, '_>, size: usize) {
    let model = MlpConfig::new(vec![64, 32, 16, 10])
        .init_seeded(1, &Device::flex())
        .expect("a network");
    bench(bencher, &model, digits(size), 21);
}

/// 784-128-64-10, 4,096 images, 121 points.
#[divan::bench(args = [256, 512], sample_count = 5)]
fn mnist_mlp(bencher: Bencher<'_, '_>, size: usize) {
    let model = MlpConfig::new(vec![784, 128, 64, 10])
        .init_seeded(1, &Device::flex())
        .expect("a network");
    bench(bencher, &model, mnist(4096, size), 11);
}

/// 8 and 16 channels, 1,024 images, 121 points.
#[divan::bench(args = [8, 16, 32, 128], sample_count = 3)]
fn mnist_cnn(bencher: Bencher<'_, '_>, size: usize) {
    let model = CnnConfig::new(28)
        .init_seeded(1, &Device::flex())
        .expect("a network");
    bench(bencher, &model, mnist(1024, size), 11);
}
