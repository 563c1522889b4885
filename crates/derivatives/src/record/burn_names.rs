//! Names by which Burn's things are recognised, where it has no other way to tell them.
//!
//! Each has a test that makes the thing itself, and fails when Burn words it otherwise.

use burn::tensor::Device;

/// Container of the fields of a BatchNorm layer, for visitors and mappers of modules.
pub const BATCH_NORM: &str = "Struct:BatchNorm";

/// Field of a BatchNorm layer with the running mean.
pub const RUNNING_MEAN: &str = "running_mean";

/// Field of a BatchNorm layer with the running variance.
pub const RUNNING_VARIANCE: &str = "running_var";

/// Layers whose weights have the filters, or neurons, along axis 1, as [`layer_of`] returns them.
pub const COLUMN_LAYERS: [&str; 4] = [
    "Linear",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
];

/// Messages of a panic when a recorded tensor is read, which has no value.
pub(crate) const READS: [&str; 2] = ["has no concrete value", "no initialized value"];

/// Messages of a panic when tensors of two devices meet in one operation, or when one is moved to
/// or from a recording device.
pub(crate) const ELSEWHERE: [&str; 4] = [
    "are not on the same device",
    "is on the wrong backend",
    "Cannot move a tensor to a capture device",
    "Cannot move a tensor from a capture device",
];

/// Messages of a panic when a recording device is asked for a tensor with autodiff.
pub(crate) const DIFFERENTIATES: [&str; 1] = ["Capture tensors do not support autodiff"];

/// Returns the type of the layer whose container has this name.
#[must_use]
pub fn layer_of(container: &str) -> &str {
    container.strip_prefix("Struct:").unwrap_or(container)
}

/// Returns whether a device is one of Burn's CPU backend `flex`.
#[must_use]
pub fn is_flex(device: &Device) -> bool {
    // A backend whose feature is not this crate's has no variant here that could be named.
    format!("{:?}", device.as_dispatch()).starts_with("Flex")
}

/// Returns whether a device computes on the host's cores.
#[must_use]
pub fn is_cpu(device: &Device) -> bool {
    is_flex(device) || format!("{:?}", device.as_dispatch()).starts_with("NdArray")
}

#[cfg(test)]
mod tests {
    use burn::module::{Flag, Module, ModuleVisitor, Param};
    use burn::nn::conv::{ConvTranspose1dConfig, ConvTranspose2dConfig, ConvTranspose3dConfig};
    use burn::nn::{BatchNormConfig, LinearConfig};
    use burn::tensor::{Int, Tensor};

    use super::*;
    use crate::record::attempt;

    /// The fields of a module, each with its container.
    #[derive(Default)]
    struct Fields {
        path: Vec<(String, String)>,
        floats: Vec<(String, String)>,
        flags: Vec<String>,
    }

    impl ModuleVisitor for Fields {
        fn visit_float<const D: usize>(&mut self, _: &Param<Tensor<D>>) {
            self.floats.extend(self.path.last().cloned());
        }
        fn visit_flag(&mut self, _: &Param<Flag>) {
            let container = self.path.last().map(|(_, container)| container.clone());
            self.flags.extend(container);
        }
        fn enter_module(&mut self, name: &str, container: &str) {
            self.path.push((name.to_owned(), container.to_owned()));
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.pop();
        }
    }

    fn fields(module: &impl Module) -> Fields {
        let mut fields = Fields::default();
        module.visit(&mut fields);
        fields
    }

    #[test]
    fn batch_norm_and_its_statistics_have_their_names() {
        let fields = fields(&BatchNormConfig::new(3).init(&Device::flex()));
        for name in [RUNNING_MEAN, RUNNING_VARIANCE] {
            let field = (name.to_owned(), BATCH_NORM.to_owned());
            assert!(fields.floats.contains(&field), "{:?}", fields.floats);
        }
        assert_eq!(fields.flags, [BATCH_NORM]);
    }

    #[test]
    fn layers_with_filters_along_axis_1_have_their_names() {
        let device = Device::flex();
        let layers = [
            fields(&LinearConfig::new(2, 3).init(&device)),
            fields(&ConvTranspose1dConfig::new([2, 3], 1).init(&device)),
            fields(&ConvTranspose2dConfig::new([2, 3], [1, 1]).init(&device)),
            fields(&ConvTranspose3dConfig::new([2, 3], [1, 1, 1]).init(&device)),
        ];
        let found = layers.iter().map(|fields| {
            let weight = fields.floats.iter().find(|(name, _)| name == "weight");
            layer_of(&weight.expect("a weight").1)
        });
        assert_eq!(found.collect::<Vec<_>>(), COLUMN_LAYERS);
    }

    #[test]
    fn flex_has_its_name() {
        assert!(is_flex(&Device::flex()) && is_cpu(&Device::flex()));
        assert!(!is_flex(&Device::capture()) && !is_cpu(&Device::capture()));
    }

    /// Returns the message with which Burn panics at what is done to a vector on a recording
    /// device.
    fn panic_at(act: impl FnOnce(Tensor<1>, &Device)) -> String {
        let device = Device::capture();
        let scope = attempt(|| {
            device.capture_scope(|scope| {
                act(Tensor::<1>::ones([2], &device), &device);
                scope.complete([], [])
            })
        });
        scope.expect_err("no panic")
    }

    #[test]
    fn panics_have_their_messages() {
        let plain = || Tensor::<1>::ones([2], &Device::flex());
        let expected = |name: &str, message: String| assert!(message.contains(name), "{message}");
        expected(READS[0], panic_at(|w, _| drop((w.clone() + w).into_data())));
        let other = Device::capture();
        let moved = panic_at(|w, _| {
            let scope = other.capture_scope(|scope| {
                drop((w.clone() + w).to_device(&other));
                scope.complete([], [])
            });
            assert!(scope.is_ok());
        });
        expected(READS[1], moved);
        expected(ELSEWHERE[0], panic_at(|w, _| drop(w + plain())));
        let indices = Tensor::<1, Int>::zeros([1], &Device::flex());
        expected(ELSEWHERE[1], panic_at(|w, _| drop(w.select(0, indices))));
        let tracked = Tensor::<1>::ones([2], &Device::flex().autodiff());
        expected(
            ELSEWHERE[2],
            panic_at(|_, device| drop(tracked.to_device(device))),
        );
        expected(
            ELSEWHERE[3],
            panic_at(|w, _| drop((w.clone() + w).to_device(&Device::flex()))),
        );
        let tracked = panic_at(|w, _| drop(Tensor::from_inner(w).require_grad()));
        expected(DIFFERENTIATES[0], tracked);
    }
}
