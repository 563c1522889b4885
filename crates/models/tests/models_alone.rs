//! A seeded network draws nothing from the device. Alone in its program, since that stream is
//! shared by a process.

use burn::tensor::{Device, Distribution, Tensor};
use models::{CnnConfig, MlpConfig, ResidualMlpConfig};

#[test]
fn seeded_initialisation_leaves_the_stream_of_the_device_alone() {
    let device = Device::flex();
    let draw = || Tensor::<1>::random([8], Distribution::Default, &device).into_data();
    device.seed(11);
    let expected = [draw(), draw()];
    device.seed(11);
    let first = draw();
    let images = Tensor::<4>::ones([2, 1, 8, 8], &device);
    // The forward passes would draw whatever was left to be drawn at first use.
    let _ = MlpConfig::new(vec![64, 10])
        .init_seeded(1, &device)
        .unwrap()
        .forward(images.clone());
    let _ = CnnConfig::new(8)
        .with_batch_norm(true)
        .init_seeded(1, &device)
        .unwrap()
        .forward(images.clone());
    let _ = ResidualMlpConfig::new(64, 8, 2)
        .init_seeded(1, &device)
        .unwrap()
        .forward(images);
    assert_eq!([first, draw()], expected);
}
