//! A radius that follows the learning rate is one step behind in a learner.

use burn::optim::SgdConfig;
use burn::tensor::{DType, Device};
use sam::{RhoSchedule, SamConfig};

use crate::learner::model::{Trained, Training, all_bits, rows, schedule};
use crate::steps::nets::Normalised;

#[test]
fn radius_follows_the_learning_rate_of_the_step_before() {
    let (device, dtype) = (Device::flex().autodiff(), DType::F64);
    let directory = tempfile::tempdir().expect("a folder");
    let training = Training::new(rows(44), dtype, directory.path());
    let config = SamConfig::new()
        .with_rho(0.2)
        .with_schedule(RhoSchedule::Proportional { lr_max: 0.1 });
    let net = || Normalised::new(1, &device, dtype);
    let trained = Trained::new(config.init().expect("settings in range"), net());
    let learnt = training.run(trained, SgdConfig::new().init(), schedule());

    let mut sam = config.init().expect("settings in range");
    let (mut optim, mut model) = (SgdConfig::new().init(), net());
    let (mut schedule, mut radii) = (schedule(), Vec::new());
    for _ in 0..training.epochs {
        for batch in training.batches(&device) {
            // The first step has seen no learning rate yet, and takes rho as it is.
            let descent = sam.gradient(&model, |m| m.loss(&batch)).expect("finite");
            radii.push(descent.measured.rho);
            let lr = schedule.step();
            sam.at_learning_rate(lr.base());
            model = optim.step(lr, model, descent.gradients);
        }
    }
    assert_eq!(all_bits(&learnt.net), all_bits(&model));
    let said = learnt.said().into_iter();
    let said: Vec<f64> = said.map(|said| said.expect("finite").rho).collect();
    assert_eq!(said, radii);
    // rho lr / lr_max with the rates 0.1, 0.1 - 0.09/40, ..., of the step before.
    assert_eq!(said[0], 0.2);
    for (step, rho) in said.iter().enumerate().skip(1) {
        let lr = 0.1 - 0.09 / 40.0 * (step - 1) as f64;
        assert!((rho - 2.0 * lr).abs() < 1e-12, "step {step}: {rho}");
    }
}
