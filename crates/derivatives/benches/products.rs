//! A gradient by Burn beside value, gradient and products of a captured loss, f32 on flex.
#![allow(missing_docs, reason = "divan names benchmarks by their functions")]

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::optim::GradientsParams;
use burn::tensor::activation::{log_softmax, relu};
use burn::tensor::{Device, Int, Tensor, TensorData};
use derivatives::{Capture, CapturedLoss, Linearized, ProgramCache, Workers};
use divan::Bencher;

fn main() {
    divan::main();
}

/// The digits: 1,797 examples, 64-128-64-10.
const EXAMPLES: usize = 1797;

#[derive(Module, Debug)]
struct Mlp {
    first: Linear,
    second: Linear,
    third: Linear,
}

impl Mlp {
    fn new(device: &Device) -> Self {
        let layer = |inputs, outputs| LinearConfig::new(inputs, outputs).init(device);
        Self {
            first: layer(64, 128),
            second: layer(128, 64),
            third: layer(64, 10),
        }
    }

    fn loss(&self, images: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
        let [examples, _] = images.dims();
        let hidden = relu(self.first.forward(images));
        let logits = self.third.forward(relu(self.second.forward(hidden)));
        log_softmax(logits, 1)
            .gather(1, labels.reshape([examples, 1]))
            .neg()
            .mean()
    }
}

fn images(examples: usize, device: &Device) -> Tensor<2> {
    let values: Vec<f32> = (0..examples * 64)
        .map(|i| ((i * 2_654_435_761) % 1009) as f32 / 1009.0)
        .collect();
    Tensor::from_data(TensorData::new(values, [examples, 64]), device)
}

fn labels(examples: usize, device: &Device) -> Tensor<1, Int> {
    let values: Vec<i64> = (0..examples).map(|i| (i * 7 % 10) as i64).collect();
    Tensor::from_data(TensorData::new(values, [examples]), device)
}

fn captured(model: &Mlp, examples: usize) -> CapturedLoss {
    let device = Device::flex();
    let (x, y) = (images(examples, &device), labels(examples, &device));
    Capture::of(model)
        .loss(|model: &Mlp, device| model.loss(x.to_device(device), y.to_device(device)))
        .expect("the loss can be captured")
}

fn tangent(loss: &CapturedLoss) -> Tensor<1> {
    loss.origin().sin()
}

#[divan::bench]
fn gradient_by_burn(bencher: Bencher) {
    let device = Device::flex().autodiff();
    let model = Mlp::new(&device);
    let (x, y) = (images(EXAMPLES, &device), labels(EXAMPLES, &device));
    bencher.bench_local(|| {
        let loss = model.loss(x.clone(), y.clone());
        GradientsParams::from_grads(loss.backward(), &model)
    });
}

#[divan::bench]
fn gradient(bencher: Bencher) {
    let loss = captured(&Mlp::new(&Device::flex()), EXAMPLES);
    let theta = loss.origin();
    bencher.bench_local(|| loss.gradient(&theta));
}

#[divan::bench]
fn product_at_a_new_point(bencher: Bencher) {
    let loss = captured(&Mlp::new(&Device::flex()), EXAMPLES);
    let (theta, v) = (loss.origin(), tangent(&loss));
    bencher.bench_local(|| loss.hessian_vector(&theta, &v));
}

#[divan::bench]
fn product_linearized(bencher: Bencher) {
    let loss = captured(&Mlp::new(&Device::flex()), EXAMPLES);
    let v = tangent(&loss);
    let linearized = loss.linearize(&loss.origin()).expect("a linearisation");
    bencher.bench_local(|| linearized.hessian_vector(&v));
}

#[divan::bench]
fn quadratic_form_linearized(bencher: Bencher) {
    let loss = captured(&Mlp::new(&Device::flex()), EXAMPLES);
    let v = tangent(&loss);
    let linearized = loss.linearize(&loss.origin()).expect("a linearisation");
    bencher.bench_local(|| linearized.quadratic_form(&v));
}

#[divan::bench]
fn quadratic_form(bencher: Bencher) {
    let loss = captured(&Mlp::new(&Device::flex()), EXAMPLES);
    let (theta, v) = (loss.origin(), tangent(&loss));
    bencher.bench_local(|| loss.quadratic_form(&theta, &v));
}

/// Eight batches of 225 examples, a worker for each core.
#[divan::bench]
fn product_linearized_by_workers(bencher: Bencher) {
    let model = Mlp::new(&Device::flex());
    let losses: Vec<CapturedLoss> = (0..8).map(|_| captured(&model, 225)).collect();
    let theta = losses[0].origin();
    let v = tangent(&losses[0]);
    let linearized: Vec<Linearized> = losses
        .iter()
        .map(|loss| loss.linearize(&theta).expect("a linearisation"))
        .collect();
    let workers = Workers::default();
    bencher.bench_local(|| workers.map(&linearized, |loss| loss.hessian_vector(&v)));
}

/// 64 batches captured, and the programs of their products made.
fn transformed(model: &Mlp, programs: Option<&ProgramCache>) -> usize {
    let batches = (0..64).map(|_| {
        let loss = captured(model, 16);
        let loss = match programs {
            Some(programs) => programs.share(loss),
            None => loss,
        };
        let point = loss.linearize(&loss.origin()).expect("a linearisation");
        point.hessian_bytes()
    });
    batches.sum()
}

#[divan::bench]
fn capture_64_batches_each_with_its_programs(bencher: Bencher) {
    let model = Mlp::new(&Device::flex());
    bencher.bench_local(|| transformed(&model, None));
}

#[divan::bench]
fn capture_64_batches_that_share_programs(bencher: Bencher) {
    let model = Mlp::new(&Device::flex());
    bencher.bench_local(|| transformed(&model, Some(&ProgramCache::default())));
}

#[divan::bench]
fn capture(bencher: Bencher) {
    let model = Mlp::new(&Device::flex());
    bencher.bench_local(|| captured(&model, EXAMPLES));
}
