//! Measuring never changes training.

use burn::module::{Module, ModuleVisitor, Param};
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Tensor, TensorData, activation::relu};
use landscape::{Grid, ParameterSpace, Reduction, Risk, TraceConfig};
use probes::instrument::{
    Accuracy, Activations, AscentSharpness, BatchNormGap, GradientNorm, HessianDensity,
    HessianTrace, LineDirection, LossLine, LossSurface, MeanLoss, Optimiser, TopEigenvalues,
    Updates, WeightSpectra,
};
use probes::instrument::{
    GradientHistogram, GradientNoise, GradientsAndWeights, TakeuchiCriterion,
};
use probes::sink::Memory;
use probes::{
    Analyze, AnalyzeConfig, Budget, Depth, Error, LearningRateConfig, Probes, RangeTest, Schedule,
};

type Pair = (Tensor<2>, Tensor<2>);

#[derive(Module, Debug)]
struct Net {
    first: Linear,
    norm: BatchNorm,
    dropout: Dropout,
    last: Linear,
}

impl Net {
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let hidden = relu(self.norm.forward(self.first.forward(x)));
        self.last.forward(self.dropout.forward(hidden))
    }
}

fn loss(net: &Net, (x, y): &Pair) -> Tensor<1> {
    (net.forward(x.clone()) - y.clone()).powi_scalar(2).mean()
}

/// The bits of every float tensor, running statistics included.
#[derive(Default)]
struct Bits(Vec<u64>);

impl ModuleVisitor for Bits {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0
            .extend(param.val().into_data().iter::<f64>().map(f64::to_bits));
    }
}

fn data(device: &Device) -> Pair {
    let x: Vec<f32> = (0..24).map(|i| (i as f32 * 0.7).sin()).collect();
    let y: Vec<f32> = (0..8).map(|i| (i as f32).cos()).collect();
    (
        Tensor::from_data(TensorData::new(x, [8, 3]), device),
        Tensor::from_data(TensorData::new(y, [8, 1]), device),
    )
}

/// Ten steps of training from the same seed; the losses and the final bits.
fn train(mut probes: Probes<Net>) -> Result<(Vec<u64>, Vec<u64>), Error> {
    let device = Device::flex().autodiff();
    device.seed(11);
    let mut net = Net {
        first: LinearConfig::new(3, 5).init(&device),
        norm: BatchNormConfig::new(5).init(&device),
        dropout: DropoutConfig::new(0.3).init(),
        last: LinearConfig::new(5, 1).init(&device),
    };
    // Burn draws initial weights when they are first used. Drawing them all here keeps their order
    // from depending on who looks first.
    ParameterSpace::of(&net)?;
    let mut optim = SgdConfig::new()
        .with_momentum(Some(MomentumConfig::new()))
        .init();
    let batch = data(&device);
    let mut losses = Vec::new();
    for step in 0..10 {
        let observation = probes.observe(step, &net)?;
        assert!(observation.failed.is_empty(), "{:?}", observation.failed);
        let value = loss(&net, &batch);
        losses.extend(value.to_data().iter::<f64>().map(f64::to_bits));
        let gradients = GradientsParams::from_grads(value.backward(), &net);
        net = optim.step(0.05, net, gradients);
    }
    let mut bits = Bits::default();
    // `valid` writes the running statistics that are still pending.
    net.valid().visit(&mut bits);
    probes.finish().delivered()?;
    Ok((losses, bits.0))
}

#[test]
fn training_is_bit_identical_with_every_probe_at_every_step() {
    let _alone = crate::drawing();
    let risk = Risk::mean([data(&Device::flex())], loss);
    let of_outputs = Risk::of(
        [data(&Device::flex())],
        |net: &Net, (x, _): &Pair| net.forward(x.clone()),
        |outputs: Tensor<2>, (_, y): &Pair| (outputs - y.clone()).powi_scalar(2).mean(),
        Reduction::Mean,
    );
    let every = || Schedule::every(1);
    let memory = Memory::new();
    let count = |net: &Net, (x, y): &Pair| {
        let close = (net.forward(x.clone()) - y.clone())
            .abs()
            .lower_scalar(0.5)
            .int()
            .sum()
            .into_data()
            .iter::<i64>()
            .sum::<i64>();
        (usize::try_from(close).unwrap(), 8)
    };
    let all = |memory: &Memory| {
        Probes::unlimited()
            .with(every(), MeanLoss::of(&risk, "loss/train"))
            .with(
                every(),
                Accuracy::of([data(&Device::flex())], count, "accuracy/train"),
            )
            .with(every(), GradientNorm::of(&risk).with_histograms())
            .with(
                every(),
                TopEigenvalues::of(&risk, 2)
                    .with_optimiser(Optimiser::Sam {
                        rho: 0.05,
                        momentum: 0.0,
                        dampening: 0.0,
                    })
                    .with_learning_rate(0.05),
            )
            .with(
                every(),
                HessianTrace::of(&risk).with_config(TraceConfig::new().with_max_probes(20)),
            )
            .with(every(), HessianDensity::of(&risk))
            .with(every(), AscentSharpness::of(&risk, 0.05))
            .with(
                every(),
                LossLine::of(&risk, "train", vec![-0.5, 0.0, 0.5])
                    .along(LineDirection::TopEigenvector { seed: 3 }),
            )
            .with(
                Schedule::at([0, 9]),
                LossSurface::of(&risk, Grid::square(-0.5..=0.5, 3)),
            )
            .with(every(), GradientNoise::of(&risk).with_learning_rate(0.05))
            .with(every(), GradientHistogram::of(&risk))
            .with(Schedule::at([0, 9]), GradientsAndWeights::of(&risk))
            .with(every(), TakeuchiCriterion::of(&of_outputs))
            .with(every(), Activations::of(&risk))
            .with(every(), BatchNormGap::of(&risk))
            .with(every(), WeightSpectra::new())
            .with(every(), Updates::new().with_layers())
            .with(
                Schedule::at([0, 5]),
                RangeTest::of(&risk, &SgdConfig::new().init())
                    .with_config(LearningRateConfig::new().with_steps(10)),
            )
            .without_cost_records()
            .with_sink(memory.clone())
    };
    let bare = train(Probes::unlimited()).unwrap();
    assert_eq!(train(all(&memory)).unwrap(), bare);
    assert_eq!(memory.scalars("curvature/lambda_1").len(), 10);
    for (tag, count) in [
        ("gradient/noise_scale", 10),
        ("gradient/cabs_batch_size", 10),
        ("curvature/tic_trace", 10),
        ("activation/layer_1_relu/dead_share", 10),
        ("batch_norm/loss_gap", 10),
        ("weights/first/spectral_norm", 10),
        ("parameters/distance_from_start", 10),
        ("parameters/update_norm/norm/gamma", 9),
    ] {
        assert_eq!(memory.scalars(tag).len(), count, "{tag}");
    }
    // In a thread of its own the records are the same to the last bit, and so is the training.
    let beside = Memory::new();
    assert_eq!(train(all(&beside).in_background()).unwrap(), bare);
    assert_eq!(beside.records(), memory.records());
    // An analysis says how long it took, so its records are not compared.
    let analysis = Analyze::of(&risk, AnalyzeConfig::of(Depth::Quick).without_limit());
    let analysed = Memory::new();
    let probes = Probes::unlimited().with(Schedule::at([2, 9]), analysis);
    assert_eq!(train(probes.with_sink(analysed.clone())).unwrap(), bare);
    assert_eq!(analysed.scalars("curvature/lambda_1").len(), 2);
    // Under a limit what is measured depends on the clock; the training does not.
    let limited = |share| {
        let probes = Probes::new()
            .with_budget(Budget::fraction(share))
            .with_total_steps(10);
        probes
            .with(every(), GradientNorm::of(&risk))
            .with(every(), TopEigenvalues::of(&risk, 1))
            .with(every(), HessianTrace::of(&risk))
            .with(Schedule::at_end(), HessianDensity::of(&risk))
    };
    for share in [0.01, 0.5, 0.99] {
        assert_eq!(train(limited(share)).unwrap(), bare);
        assert_eq!(train(limited(share).in_background()).unwrap(), bare);
    }
}
