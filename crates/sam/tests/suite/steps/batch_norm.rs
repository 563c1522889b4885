//! What a step does to running statistics.

use burn::module::{Flag, Module, ModuleMapper, Param};
use burn::optim::SgdConfig;
use burn::tensor::Device;
use sam::{BatchNormStatistics, SamConfig};

use crate::steps::nets::{Batch, DTYPES, Normalised, bits, flat, gradients};

#[test]
fn statistics_after_a_step_are_those_of_the_first_pass_alone() {
    let device = Device::flex().autodiff();
    for dtype in DTYPES {
        let mut sam = SamConfig::new()
            .with_rho(0.5)
            .init()
            .expect("settings in range");
        let mut model = Normalised::new(1, &device, dtype);
        let mut optim = SgdConfig::new().init();
        for step in 0..3 {
            let batch = Batch::new(10 + step, &device, dtype);
            // What one forward pass would leave behind, found on a model that shares nothing.
            let alone = model.valid().train();
            let _ = alone.loss(&batch);
            model = sam
                .step(&mut optim, 0.1, model, |m| m.loss(&batch))
                .unwrap()
                .model;
            assert_eq!(
                model.statistics(),
                alone.statistics(),
                "{dtype:?} step {step}"
            );
        }
    }
}

#[test]
fn statistics_of_both_passes_are_those_of_two_forward_passes() {
    let device = Device::flex().autodiff();
    for dtype in DTYPES {
        let config = SamConfig::new().with_rho(0.5);
        let mut sam = config
            .clone()
            .with_batch_norm(BatchNormStatistics::BothPasses)
            .init()
            .expect("settings in range");
        let model = Normalised::new(1, &device, dtype);
        let batch = Batch::new(10, &device, dtype);

        // By hand: a pass at w and one at the peak on the same statistics.
        let by_hand = model.valid().train();
        let g = gradients(&by_hand, by_hand.loss(&batch));
        let once = by_hand.statistics();
        let peak = sam.ascend(&by_hand, &g).expect("a peak");
        let _ = peak.loss(&batch);

        let mut optim = SgdConfig::new().init();
        let model = sam
            .step(&mut optim, 0.1, model, |m| m.loss(&batch))
            .unwrap()
            .model;
        assert_eq!(model.statistics(), by_hand.statistics());
        assert_ne!(model.statistics(), once, "the second pass moves them");
    }
}

#[test]
fn policy_does_not_change_the_weights() {
    // In training both passes normalise by the batch: the running statistics enter nowhere.
    let device = Device::flex().autodiff();
    for dtype in DTYPES {
        let train = |policy| {
            let mut sam = SamConfig::new()
                .with_rho(0.5)
                .with_batch_norm(policy)
                .init()
                .expect("settings in range");
            let mut optim = SgdConfig::new().init();
            let mut model = Normalised::new(1, &device, dtype);
            for step in 0..5 {
                let batch = Batch::new(10 + step, &device, dtype);
                model = sam
                    .step(&mut optim, 0.1, model, |m| m.loss(&batch))
                    .unwrap()
                    .model;
            }
            [model.hidden, model.out]
                .iter()
                .flat_map(|l| bits(&flat(l)))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            train(BatchNormStatistics::FirstPass),
            train(BatchNormStatistics::BothPasses)
        );
    }
}

#[test]
fn ascending_leaves_the_live_statistics_and_flags_alone() {
    let device = Device::flex().autodiff();
    for dtype in DTYPES {
        let (model, batch) = (
            Normalised::new(1, &device, dtype),
            Batch::new(2, &device, dtype),
        );
        let g = gradients(&model, model.loss(&batch));
        let before = model.statistics();
        let peak = SamConfig::new()
            .init()
            .expect("settings in range")
            .ascend(&model, &g)
            .expect("a peak");
        assert!(peak.norm.training.is_enabled());
        assert_eq!(
            peak.statistics(),
            before,
            "the peak starts from the live statistics"
        );
        let _ = peak.loss(&batch);
        assert_ne!(peak.statistics(), before);
        assert_eq!(model.statistics(), before);
    }
}

/// Turns training behaviour off for now, without changing what `train` restores.
struct FlagsOff;

impl ModuleMapper for FlagsOff {
    fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
        flag.map(|value| value.with(false))
    }
}

#[test]
fn layer_that_uses_its_stored_statistics_uses_them_at_the_peak_too() {
    let device = Device::flex().autodiff();
    for dtype in DTYPES {
        let model = Normalised::new(1, &device, dtype).map(&mut FlagsOff);
        let batch = Batch::new(2, &device, dtype);
        let before = model.statistics();
        let g = gradients(&model, model.loss(&batch));
        let peak = SamConfig::new()
            .init()
            .expect("settings in range")
            .ascend(&model, &g)
            .expect("a peak");
        assert!(!peak.norm.training.is_enabled());
        let _ = peak.loss(&batch);
        assert_eq!(peak.statistics(), before);
        assert_eq!(model.statistics(), before);
    }
}
