//! Seeded weights are the ones that an independent program draws, and nothing else is drawn.
//!
//! The expected values are printed by `fixtures/generate.py`, which shares no code with the crate.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use burn::module::Param;
use burn::nn::Linear;
use burn::tensor::{DType, Device, Tensor};
use models::{CnnConfig, MlpConfig, ResidualMlpConfig};

fn values<const D: usize>(param: &Param<Tensor<D>>) -> Vec<f64> {
    param.val().into_data().iter::<f64>().collect()
}

/// First value, last value and sum. The values are the same f64 numbers; only their sum is rounded
/// in another order, by far less than 1e-14 for a hundred numbers below 1.
#[track_caller]
fn assert_drawn<const D: usize>(param: &Param<Tensor<D>>, first: f64, last: f64, sum: f64) {
    let values = values(param);
    // The bound divides by the root and the reference program divides the product, which may differ
    // by one rounding.
    assert!(
        (values[0] - first).abs() < 1e-16,
        "first {} instead of {first}",
        values[0]
    );
    assert!(
        (values[values.len() - 1] - last).abs() < 1e-16,
        "last {} instead of {last}",
        values[values.len() - 1]
    );
    let found: f64 = values.iter().sum();
    assert!((found - sum).abs() < 1e-14, "sum {found} instead of {sum}");
    assert!(param.val().is_require_grad() || !param.val().device().is_autodiff());
}

fn bias(layer: &Linear) -> &Param<Tensor<1>> {
    layer.bias.as_ref().unwrap()
}

#[test]
fn mlp_weights_are_those_of_the_reference_program() {
    let device = Device::flex();
    let model = MlpConfig::new(vec![6, 4, 3])
        .init_seeded(7, (&device, DType::F64))
        .unwrap();
    let [first, second] = &model.layers[..] else {
        panic!("two layers")
    };
    assert_eq!(
        (first.weight.dims(), second.weight.dims()),
        ([6, 4], [4, 3])
    );
    assert_drawn(
        &first.weight,
        -0.3630466833606375,
        0.025202012816819146,
        -1.3890080447258035,
    );
    assert_drawn(
        bias(first),
        0.2799728328257901,
        -0.30981950328455304,
        -0.8371917953608834,
    );
    assert_drawn(
        &second.weight,
        -0.11521626579957311,
        0.2402281673184623,
        0.2737599742177168,
    );
    assert_drawn(
        bias(second),
        0.4738923449363148,
        -0.4394916487793935,
        0.15191969361296864,
    );
}

#[test]
fn cnn_weights_are_those_of_the_reference_program_with_and_without_batch_norm() {
    let device = Device::flex();
    for batch_norm in [false, true] {
        let config = CnnConfig::new(8)
            .with_channels([2, 3])
            .with_batch_norm(batch_norm);
        let model = config.init_seeded(7, (&device, DType::F64)).unwrap();
        let [bias1, bias2] = [&model.conv1, &model.conv2].map(|conv| conv.bias.as_ref().unwrap());
        assert_eq!(
            (model.conv1.weight.dims(), model.conv2.weight.dims()),
            ([2, 1, 3, 3], [3, 2, 3, 3])
        );
        assert_drawn(
            &model.conv1.weight,
            -0.29642637568111124,
            -0.21038125842293062,
            -1.3444995506947972,
        );
        assert_drawn(
            bias1,
            -0.26004013131249853,
            0.1932917421434929,
            -0.06674838916900563,
        );
        assert_drawn(
            &model.conv2.weight,
            0.08278796219619974,
            0.16650773857095574,
            -0.6085930603391011,
        );
        assert_drawn(
            bias2,
            0.013664845848427497,
            -0.13635561374749894,
            0.038096846031058944,
        );
        assert_drawn(
            &model.fc.weight,
            0.28448020568226184,
            -0.19009371170822478,
            -1.1115099020052799,
        );
        assert_drawn(
            bias(&model.fc),
            -0.06118051406100287,
            -0.03991475553567531,
            0.37121965207327534,
        );
        for norm in [&model.bn1, &model.bn2].into_iter().flatten() {
            assert!(values(&norm.gamma).iter().all(|&gain| gain == 1.0));
            assert!(values(&norm.beta).iter().all(|&shift| shift == 0.0));
            assert_eq!(norm.gamma.val().dtype(), DType::F64);
            assert_eq!(norm.running_mean.value_sync().dtype(), DType::F64);
        }
    }
}

#[test]
fn residual_weights_are_those_of_the_reference_program() {
    let device = Device::flex();
    let model = ResidualMlpConfig::new(6, 4, 1)
        .with_classes(3)
        .init_seeded(7, (&device, DType::F64))
        .unwrap();
    let block = &model.blocks[0];
    assert_drawn(
        &model.input.weight,
        -0.3630466833606375,
        0.025202012816819146,
        -1.3890080447258035,
    );
    assert_drawn(
        &block.first.weight,
        -0.11521626579957311,
        -0.10062517750161559,
        0.32505449032906986,
    );
    assert_drawn(
        bias(&block.first),
        -0.35708692233756956,
        -0.41130017419537923,
        -0.8787305167264331,
    );
    assert_drawn(
        &block.second.weight,
        -0.20250939602537266,
        0.37936822529690406,
        -0.0675757190552091,
    );
    assert_drawn(
        &model.output.weight,
        0.25287469894126746,
        -0.27632906768807397,
        0.8152193358692685,
    );
    assert_drawn(
        bias(&model.output),
        0.37211225115195035,
        -0.06392160458835883,
        0.2770757135612021,
    );
}

#[test]
fn f32_weights_are_the_f64_weights_rounded() {
    let device = Device::flex();
    let config = MlpConfig::new(vec![6, 4, 3]);
    let [single, double] = [DType::F32, DType::F64]
        .map(|dtype| values(&config.init_seeded(1, (&device, dtype)).unwrap().layers[0].weight));
    // Half a unit in the last place of an f32 below 1/2.
    assert!(
        single
            .iter()
            .zip(&double)
            .all(|(single, double)| (single - double).abs() <= 2_f64.powi(-26))
    );
    assert!(
        single
            .iter()
            .zip(&double)
            .any(|(single, double)| single != double)
    );
    assert_eq!(
        single,
        values(&config.init_seeded(1, &device).unwrap().layers[0].weight)
    );
    assert_ne!(
        single,
        values(&config.init_seeded(2, &device).unwrap().layers[0].weight)
    );
}

#[test]
fn an_autodiff_device_gets_the_same_weights_and_tracks_them() {
    let device = Device::flex().autodiff();
    let model = MlpConfig::new(vec![6, 4, 3])
        .init_seeded(7, (&device, DType::F64))
        .unwrap();
    assert!(model.layers[0].weight.val().is_require_grad());
    assert_drawn(
        &model.layers[0].weight,
        -0.3630466833606375,
        0.025202012816819146,
        -1.3890080447258035,
    );
}
