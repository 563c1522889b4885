//! Training with every instrument at once is training without any.

use burn::module::{Module, ModuleVisitor, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Distribution, Tensor, TensorData, activation::relu};
use landscape::slice::{Buffers, linspace};
use landscape::{Batch, Grid, ParameterSpace, Risk};
use probes::instrument::{
    Activations, AscentSharpness, BatchNormGap, GradientHistogram, GradientNoise, GradientNorm,
    GradientsAndWeights, HessianDensity, HessianTrace, Interpolation, LayerCurvature,
    LineDirection, LossLine, LossSurface, MeanLoss, OptimiserSettings, SharpnessSuite,
    StabilityMonitor, Suffixed, SurfaceScale, TopEigenvalues, Trajectory, Updates, WeightSpectra,
};
use probes::sink::Memory;
use probes::{Budget, Probes, Schedule};

/// Updates of a training.
const STEPS: u64 = 6;

/// Returns probes of every kind over `risk`, each due every second step, for a model
/// that Adam trains.
pub(crate) fn every<M, B>(probes: Probes<M>, risk: &Risk<M, B>) -> Probes<M>
where
    M: Module + 'static,
    B: Batch + Send + Sync + 'static,
{
    let due = || Schedule::every(2);
    let adam = OptimiserSettings::try_from(&AdamConfig::new()).expect("settings of Adam");
    let line = LossLine::of(risk, "loss", linspace(-0.5..=0.5, 3));
    let surface = LossSurface::of(risk, Grid::square(-0.5..=0.5, 3));
    let recomputed = Interpolation::of(risk, "loss")
        .with_points(3)
        .with_buffers(Buffers::Recompute(risk.clone()));
    probes
        .with(due(), MeanLoss::of(risk, "loss/mean"))
        .with(due(), GradientNorm::of(risk).with_histograms())
        .with(due(), GradientNoise::of(risk).with_batch_size(8))
        .with(due(), GradientHistogram::of(risk))
        .with(due(), GradientsAndWeights::of(risk))
        .with(due(), TopEigenvalues::of(risk, 2).with_smallest())
        .with(due(), HessianTrace::of(risk))
        .with(due(), HessianDensity::of(risk))
        .with(due(), AscentSharpness::of(risk, 0.05))
        .with(due(), line.along(LineDirection::TopEigenvector { seed: 3 }))
        .with(
            due(),
            surface
                .with_fixed_directions()
                .with_scale(SurfaceScale::First),
        )
        .with(due(), LayerCurvature::of(risk))
        .with(due(), SharpnessSuite::of(risk).without_sam())
        .with(due(), StabilityMonitor::of(risk, adam))
        .with(due(), Trajectory::of(risk).with_points(5))
        .with(due(), Interpolation::of(risk, "loss").with_points(3))
        .with(due(), Suffixed::new(recomputed, "_recomputed"))
        .with(due(), Activations::of(risk))
        .with(due(), BatchNormGap::of(risk))
        .with(due(), WeightSpectra::new())
        .with(due(), Updates::new())
}

/// A network with its loss on a batch.
trait Net: Module + 'static {
    fn made(device: &Device) -> Self;
    fn outputs(&self, x: Tensor<2>) -> Tensor<2>;

    fn loss(&self, (x, y): &Pair) -> Tensor<1> {
        (self.outputs(x.clone()) - y.clone()).powi_scalar(2).mean()
    }
}

type Pair = (Tensor<2>, Tensor<2>);

/// A perceptron with dropout.
#[derive(Module, Debug)]
struct Mlp {
    first: Linear,
    dropout: Dropout,
    last: Linear,
}

impl Net for Mlp {
    fn made(device: &Device) -> Self {
        Self {
            first: LinearConfig::new(16, 6).init(device),
            dropout: DropoutConfig::new(0.3).init(),
            last: LinearConfig::new(6, 1).init(device),
        }
    }

    fn outputs(&self, x: Tensor<2>) -> Tensor<2> {
        let hidden = relu(self.first.forward(x));
        self.last.forward(self.dropout.forward(hidden))
    }
}

/// A convolutional network with batch normalisation.
#[derive(Module, Debug)]
struct Cnn {
    first: Conv2d,
    norm: BatchNorm,
    dropout: Dropout,
    last: Linear,
}

impl Net for Cnn {
    fn made(device: &Device) -> Self {
        Self {
            first: Conv2dConfig::new([1, 2], [3, 3]).init(device),
            norm: BatchNormConfig::new(2).init(device),
            dropout: DropoutConfig::new(0.3).init(),
            last: LinearConfig::new(8, 1).init(device),
        }
    }

    fn outputs(&self, x: Tensor<2>) -> Tensor<2> {
        let [examples, _] = x.dims();
        let hidden = self.first.forward(x.reshape([examples, 1, 4, 4]));
        let hidden = relu(self.norm.forward(hidden));
        let hidden = self.dropout.forward(hidden.reshape([examples, 8]));
        self.last.forward(hidden)
    }
}

fn data(device: &Device) -> Pair {
    let x: Vec<f32> = (0..128).map(|i| (i as f32 * 0.7).sin()).collect();
    let y: Vec<f32> = (0..8).map(|i| (i as f32).cos()).collect();
    (
        Tensor::from_data(TensorData::new(x, [8, 16]), device),
        Tensor::from_data(TensorData::new(y, [8, 1]), device),
    )
}

/// The bits of every float tensor, running statistics included.
#[derive(Default)]
struct Bits(Vec<u64>);

impl ModuleVisitor for Bits {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let data = param.val().into_data();
        self.0.extend(data.iter::<f64>().map(f64::to_bits));
    }
}

/// Returns the bits of the losses, of the last weights and statistics, and of what the device's
/// generator draws next.
fn train<N: Net>(mut probes: Probes<N>, fails: bool) -> [Vec<u64>; 3] {
    let device = Device::flex().autodiff();
    device.seed(11);
    let mut net = N::made(&device);
    // Burn draws initial weights when they are first used: here, whoever looks first.
    ParameterSpace::of(&net).expect("a network");
    let mut optimiser = AdamConfig::new().init();
    let batch = data(&device);
    let mut losses = Vec::new();
    for step in 0..=STEPS {
        probes.set_learning_rate(0.01);
        let found = probes.observe_with(step, &net, &optimiser).expect("a step");
        assert!(fails || found.failed.is_empty(), "{:?}", found.failed);
        if step == STEPS {
            break;
        }
        let value = net.loss(&batch);
        losses.extend(value.to_data().iter::<f64>().map(f64::to_bits));
        let gradients = GradientsParams::from_grads(value.backward(), &net);
        net = optimiser.step(0.01, net, gradients);
    }
    let mut bits = Bits::default();
    // `valid` writes the running statistics that are still pending.
    net.valid().visit(&mut bits);
    let summary = probes.finish();
    assert!(fails || summary.failed == 0, "{summary}");
    let drawn = Tensor::<1>::random([8], Distribution::Default, &device);
    let drawn = drawn.into_data().iter::<f64>().map(f64::to_bits).collect();
    [losses, bits.0, drawn]
}

/// Trains with every instrument in the training's thread, in one of its own, and under a budget of
/// 5 %, and without any.
fn assert_unchanged<N: Net>() {
    let _alone = crate::drawing();
    let risk = Risk::mean([data(&Device::flex())], N::loss);
    let all = |probes: Probes<N>, memory: &Memory| {
        let probes = every(probes.with_total_steps(STEPS), &risk);
        probes
            .without_cost_records()
            .with_sink(memory.clone())
            .with_handler(|_| ())
    };
    let bare = train(Probes::<N>::unlimited(), false);
    let memory = Memory::new();
    assert_eq!(train(all(Probes::unlimited(), &memory), false), bare);
    // All of them have measured.
    let steps = |tag: &str| -> Vec<u64> {
        let scalars = memory.scalars(tag).into_iter();
        scalars.map(|(step, _)| step).collect()
    };
    for tag in [
        "gradient/norm",
        "gradient/noise_scale",
        "curvature/lambda_1",
        "curvature/trace",
        "curvature/trace/first",
        "curvature/lambda_1/last",
        "sharpness/sam",
        "sharpness/worst_ball",
        "parameters/norm",
    ] {
        assert_eq!(steps(tag), [0, 2, 4, 6], "{tag}");
    }
    // Adam has second moments from its first step on.
    assert_eq!(steps("stability/sharpness_ratio"), [2, 4, 6]);
    assert_eq!(steps("landscape/barrier_from_start"), [2, 4, 6]);
    assert_eq!(steps("landscape/barrier_from_last_recomputed"), [2, 4, 6]);
    assert_eq!(steps("trajectory/explained_1"), [6]);

    let beside = Memory::new();
    let probes = all(Probes::unlimited(), &beside).in_background();
    assert_eq!(train(probes, false), bare);
    assert_eq!(beside.records(), memory.records());
    // Under a limit what is measured depends on the clock; the training does not.
    let limited = Probes::new().with_budget(Budget::fraction(0.05));
    assert_eq!(train(all(limited, &Memory::new()), true), bare);
}

#[test]
fn perceptron_with_dropout_is_trained_to_the_same_bits() {
    assert_unchanged::<Mlp>();
}

#[test]
fn convolutional_network_with_batch_norm_is_trained_to_the_same_bits() {
    assert_unchanged::<Cnn>();
}
