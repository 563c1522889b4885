//! Running statistics under each of the three rules.

use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig, Linear};
use burn::optim::SgdConfig;
use burn::tensor::{DType, Device, Tensor};
use proptest::prelude::*;
use sam::{AnyMethod, BatchNormStatistics, Rows};

use crate::methods::{MICRO_BATCH, Settings, every_method};
use crate::properties::nets::{Batch, Numbers, flat};

const EXAMPLES: usize = 6;

/// Batch normalisation between two layers.
#[derive(Module, Debug)]
struct Normalised {
    hidden: Linear,
    norm: BatchNorm,
    out: Linear,
}

impl Normalised {
    fn new(seed: u64) -> Self {
        let mut numbers = Numbers::new(seed, DType::F32);
        Self {
            hidden: numbers.linear(3, 4),
            norm: BatchNormConfig::new(4).init(&Device::flex().autodiff()),
            out: numbers.linear(4, 2),
        }
    }

    fn losses(&self, batch: &Batch, rows: Rows<'_>) -> Tensor<1> {
        let inputs = self.hidden.forward(rows.of(&batch.inputs));
        let hidden = self.norm.forward(inputs).tanh();
        let error = self.out.forward(hidden) - rows.of(&batch.targets);
        let [examples, _] = error.dims();
        error.square().sum_dim(1).reshape([examples])
    }

    /// Running mean and variance after all pending updates.
    fn statistics(&self) -> Vec<u64> {
        let read = |tensor: Tensor<1>| tensor.inner().to_data().iter::<f64>().collect::<Vec<_>>();
        let states = [&self.norm.running_mean, &self.norm.running_var];
        let values = states
            .into_iter()
            .flat_map(|state| read(state.value_sync()));
        values.map(f64::to_bits).collect()
    }

    /// A model that shares nothing with this one.
    fn apart(&self) -> Self {
        self.valid().train()
    }

    /// A forward pass up to the normalisation.
    fn pass(&self, batch: &Batch) {
        let _ = self.norm.forward(self.hidden.forward(batch.inputs.clone()));
    }
}

fn batch(seed: u64) -> Batch {
    Batch::new(seed, EXAMPLES, [3, 2], DType::F32)
}

/// The statistics after a step are those of one pass over the batch, at the old weights or at the
/// new ones.
fn follows(name: &str, mut method: AnyMethod, rule: BatchNormStatistics, seed: u64) {
    let mut model = Normalised::new(seed);
    let mut optim = SgdConfig::new().init();
    for number in 0..3 {
        let batch = batch(seed + 10 + number);
        let mut alone = model.apart();
        let step = method.step_examples(&mut optim, 0.05, model, EXAMPLES, |m, rows| {
            m.losses(&batch, rows)
        });
        model = step.expect("everything is finite").model;
        if rule == BatchNormStatistics::Recomputed {
            alone.hidden = model.hidden.clone();
            alone.pass(&batch);
        } else if name == "m-SAM" {
            // Its first pass is one for each micro-batch.
            for start in (0..EXAMPLES).step_by(MICRO_BATCH) {
                alone.pass(&batch.part(start, MICRO_BATCH));
            }
        } else {
            alone.pass(&batch);
        }
        assert_eq!(
            model.statistics(),
            alone.statistics(),
            "{name}, {rule:?}, step {number}"
        );
    }
}

/// A step that is refused in any of its passes leaves the statistics as they were.
fn stays(name: &str, mut method: AnyMethod, pass: usize, seed: u64) {
    let model = Normalised::new(seed);
    let mut optim = SgdConfig::new().init();
    let batch = batch(seed + 1);
    model.pass(&batch);
    let statistics = model.statistics();
    let mut passes = 0;
    let refused = method.step_examples(&mut optim, 0.05, model, EXAMPLES, |m, rows| {
        let is_poisoned = passes == pass;
        passes += 1;
        m.losses(&batch, rows) * if is_poisoned { f64::NAN } else { 1.0 }
    });
    let model = refused.expect_err("a NaN is refused").model;
    assert_eq!(model.statistics(), statistics, "{name}");
    assert!(flat(&model).iter().all(|w| w.is_finite()), "{name}");
}

const RULES: [BatchNormStatistics; 3] = [
    BatchNormStatistics::FirstPass,
    BatchNormStatistics::BothPasses,
    BatchNormStatistics::Recomputed,
];

proptest! {
    #![proptest_config(crate::properties::config())]

    #[test]
    fn statistics_are_those_of_one_pass_at_the_old_weights_or_at_the_new(seed in 0_u64..100_000) {
        for rule in [BatchNormStatistics::FirstPass, BatchNormStatistics::Recomputed] {
            let settings = Settings { batch_norm: rule, ..Settings::of_radius(0.1) };
            for (name, method) in every_method(&settings) { follows(name, method, rule, seed); }
        }
    }

    #[test]
    fn statistics_survive_a_step_that_is_refused(seed in 0_u64..100_000, pass in 0_usize..2) {
        for batch_norm in RULES {
            let settings = Settings { batch_norm, ..Settings::of_radius(0.1) };
            for (name, method) in every_method(&settings) { stays(name, method, pass, seed); }
        }
    }
}
