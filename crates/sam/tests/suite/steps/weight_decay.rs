//! Weight decay belongs to the base optimiser.

use burn::module::{Module, Param};
use burn::optim::SgdConfig;
use burn::optim::decay::WeightDecayConfig;
use burn::tensor::{DType, Device, Tensor};
use sam::SamConfig;

use crate::steps::nets::flat;

#[derive(Module, Debug)]
struct Point {
    w: Param<Tensor<1>>,
}

#[test]
fn weight_decay_is_evaluated_at_the_weights_not_at_the_peak() {
    // L(w) = |w|^2 / 2 at (3, 4): the gradient at the peak is 1.1 w for rho = 0.5, and the decay
    // adds 0.25 w, not 0.275 w. 0.25 is exact in float32, which Burn keeps it in.
    let device = Device::flex().autodiff();
    let point = Point {
        w: Param::from_tensor(Tensor::from_data([3.0, 4.0], (&device, DType::F64))),
    };
    let decay = Some(WeightDecayConfig::new(0.25));
    let mut optim = SgdConfig::new().with_weight_decay(decay).init();
    let loss = |p: &Point| p.w.val().square().sum() / 2.0;
    let step = SamConfig::new()
        .with_rho(0.5)
        .init()
        .expect("settings in range")
        .step(&mut optim, 0.1, point, loss)
        .unwrap();
    for (w, start) in flat(&step.model).iter().zip([3.0, 4.0]) {
        let expected = start * (1.0 - 0.1 * (1.1 + 0.25));
        assert!((w - expected).abs() < 1e-14, "{w} instead of {expected}");
    }
}
