//! Trained networks of five architectures, each exactly as its manifest in `tests/networks` says.
//!
//! Every one is built from the layers of burn-nn and comes in two variants with weights of their
//! own: see [`Variant`].

mod autoencoder;
mod gru;
mod lenet;
mod resnet;
mod variant;
mod vit;

pub use autoencoder::Autoencoder;
pub use gru::GruClassifier;
pub use lenet::LeNet;
pub use resnet::ResNet8;
pub use variant::{Pool, Variant};
pub use vit::VisionTransformer;

use burn::tensor::{DType, Device, FloatDType, Tensor};

use crate::Fixture;
use crate::case::{CaseVisitor, views};
use crate::load::upload;

/// Visits all twelve (network, view) pairs in float64 on flex with automatic differentiation.
///
/// Makes f64 the float type of the device for the whole process: burn's GRU collects its states
/// in a tensor of the device's default type.
///
/// # Panics
///
/// When a fixture cannot be read, or when the device's default type is another one already.
pub fn for_each_network<V: CaseVisitor>(visitor: &mut V) {
    let mut device = Device::flex();
    // Only the first call can choose; the tests of one process come here several times.
    let _ = device.configure(FloatDType::F64);
    assert_eq!(
        Tensor::<1>::zeros([1], &device).dtype(),
        DType::F64,
        "the device's default type"
    );
    let device = device.autodiff();
    views::<LeNet, V>(&device, DType::F64, visitor);
    views::<ResNet8, V>(&device, DType::F64, visitor);
    views::<VisionTransformer, V>(&device, DType::F64, visitor);
    views::<GruClassifier, V>(&device, DType::F64, visitor);
    views::<Autoencoder, V>(&device, DType::F64, visitor);
}

/// The images `[N, height, width]` of the fixture, with ink from 0 to 1.
fn images(fixture: &Fixture, dtype: DType, device: &Device) -> Tensor<3> {
    let (shape, pixels) = fixture.integers("pixels");
    let full = fixture.manifest["pixel_of_one"]
        .as_f64()
        .expect("the manifest says which pixel is 1");
    let values = pixels
        .iter()
        .map(|&pixel| f64::from(u8::try_from(pixel).expect("a byte")) / full)
        .collect();
    upload(shape.to_vec(), values, dtype, device)
}

/// The images as `[N, 1, height, width]`.
fn planes(fixture: &Fixture, dtype: DType, device: &Device) -> Tensor<4> {
    images(fixture, dtype, device).unsqueeze_dim(1)
}
