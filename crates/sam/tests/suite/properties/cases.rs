//! A network, an optimiser, a type and batches, drawn at random.

use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{
    AdaGradConfig, AdamConfig, AdamWConfig, LionConfig, ModuleOptimizer, RmsPropConfig, SgdConfig,
};
use burn::tensor::DType;
use proptest::prelude::*;

use crate::properties::nets::{Batch, Net};

/// What a training depends on beside its method.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    widths: Vec<usize>,
    is_tanh: bool,
    seed: u64,
    optimiser: Optimiser,
    pub(crate) dtype: DType,
    pub(crate) examples: usize,
}

#[derive(Debug, Clone, Copy)]
enum Optimiser {
    Sgd,
    SgdWithMomentum,
    Adam,
    AdamW,
    RmsProp,
    AdaGrad,
    Lion,
}

/// One to three layers, and one to nine examples.
pub(crate) fn cases() -> impl Strategy<Value = Case> {
    let optimiser = prop_oneof![
        Just(Optimiser::Sgd),
        Just(Optimiser::SgdWithMomentum),
        Just(Optimiser::Adam),
        Just(Optimiser::AdamW),
        Just(Optimiser::RmsProp),
        Just(Optimiser::AdaGrad),
        Just(Optimiser::Lion),
    ];
    let dtype = prop_oneof![Just(DType::F32), Just(DType::F64)];
    let widths = prop::collection::vec(1_usize..7, 2..=4);
    let others = (any::<bool>(), 0_u64..1_000_000, 1_usize..10);
    (widths, optimiser, dtype, others).prop_map(
        |(widths, optimiser, dtype, (is_tanh, seed, examples))| Case {
            widths,
            is_tanh,
            seed,
            optimiser,
            dtype,
            examples,
        },
    )
}

impl Case {
    pub(crate) fn model(&self) -> Net {
        self.model_from(self.seed)
    }

    /// The network with other weights and other identifiers.
    pub(crate) fn another_model(&self) -> Net {
        self.model_from(self.seed + 1)
    }

    fn model_from(&self, seed: u64) -> Net {
        Net::new(seed, &self.widths, self.is_tanh, self.dtype)
    }

    pub(crate) fn layers(&self) -> usize {
        self.widths.len() - 1
    }

    /// The batch of a step.
    pub(crate) fn batch(&self, step: usize) -> Batch {
        let ends = [self.widths[0], self.widths[self.widths.len() - 1]];
        let seed = self.seed.wrapping_mul(1000) + 100 + step as u64;
        Batch::new(seed, self.examples, ends, self.dtype)
    }

    /// The case in float64 with an optimiser that remembers nothing: Burn loads what an optimiser
    /// remembers in the default type of its device, which is float32 here. `resumed_float64.rs` has
    /// another.
    pub(crate) fn that_can_be_loaded(mut self) -> Self {
        if self.dtype == DType::F64 {
            self.optimiser = Optimiser::Sgd;
        }
        self
    }

    pub(crate) fn optimiser(&self) -> ModuleOptimizer {
        match self.optimiser {
            Optimiser::Sgd => SgdConfig::new().init(),
            Optimiser::SgdWithMomentum => SgdConfig::new()
                .with_momentum(Some(MomentumConfig::new()))
                .with_weight_decay(Some(WeightDecayConfig::new(0.01)))
                .init(),
            Optimiser::Adam => AdamConfig::new().init(),
            Optimiser::AdamW => AdamWConfig::new().init(),
            Optimiser::RmsProp => RmsPropConfig::new().init(),
            Optimiser::AdaGrad => AdaGradConfig::new().init(),
            Optimiser::Lion => LionConfig::new().init(),
        }
    }

    /// Small enough that no training diverges, and another in each step.
    pub(crate) fn learning_rate(step: usize) -> f64 {
        0.01 / (1.0 + step as f64 / 4.0)
    }
}
