//! The names by which Burn's modules and devices are recognised.
//!
//! Burn tells a visitor the type of a module as text, and gives a device no name but its debug
//! text.

use burn::tensor::Device;

/// Returns the type of a layer, `Linear`, of what Burn's visitor calls it, `Struct:Linear`.
pub(super) fn layer(container: &str) -> &str {
    container.strip_prefix("Struct:").unwrap_or(container)
}

/// Returns whether a module of this name, in Burn's words, is a `BatchNorm`.
pub(crate) fn is_batch_norm(container: &str) -> bool {
    layer(container) == "BatchNorm"
}

/// Returns whether a field of a `BatchNorm` holds running statistics.
pub(crate) fn is_running_statistic(field: &str) -> bool {
    matches!(field, "running_mean" | "running_var")
}

/// Returns the filter axis of a parameter of rank `rank` in a layer of type `layer`.
///
/// Burn stores `Linear` weights as `[in, out]` and transposed convolutions as `[in, out, ..]`, so
/// that a neuron is a column there; convolutions and embeddings count along axis 0.
pub(super) fn filter_axis(layer: &str, rank: usize) -> Option<usize> {
    match (layer, rank) {
        (_, 0 | 1) => None,
        ("Linear" | "ConvTranspose1d" | "ConvTranspose2d" | "ConvTranspose3d", _) => Some(1),
        _ => Some(0),
    }
}

/// Returns whether a device is Burn's CPU backend `flex`.
pub(crate) fn is_flex(device: &Device) -> bool {
    format!("{device:?}").starts_with("Device<Flex")
}

#[cfg(test)]
mod tests {
    use burn::module::{Flag, Module, ModuleVisitor, Param};
    use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose1d, ConvTranspose1dConfig};
    use burn::nn::conv::{ConvTranspose2d, ConvTranspose2dConfig};
    use burn::nn::conv::{ConvTranspose3d, ConvTranspose3dConfig};
    use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
    use burn::tensor::Tensor;

    use super::*;

    #[derive(Module, Debug)]
    struct Net {
        linear: Linear,
        conv: Conv2d,
        one: ConvTranspose1d,
        two: ConvTranspose2d,
        three: ConvTranspose3d,
        norm: BatchNorm,
    }

    /// Layer, field and rank of every float tensor, and the layers with a flag.
    #[derive(Default)]
    struct Names {
        stack: Vec<(String, String)>,
        tensors: Vec<(String, String, usize)>,
        flags: Vec<String>,
    }

    impl ModuleVisitor for Names {
        fn visit_float<const D: usize>(&mut self, _: &Param<Tensor<D>>) {
            let (field, container) = self.stack.last().expect("a parameter is a field");
            self.tensors
                .push((layer(container).to_owned(), field.clone(), D));
        }

        fn visit_flag(&mut self, _: &Param<Flag>) {
            let (_, container) = self.stack.last().expect("a flag is a field");
            self.flags.push(container.clone());
        }

        fn enter_module(&mut self, name: &str, container: &str) {
            self.stack.push((name.to_owned(), container.to_owned()));
        }

        fn exit_module(&mut self, _: &str, _: &str) {
            self.stack.pop();
        }
    }

    #[test]
    fn burn_still_calls_its_layers_and_devices_so() {
        let device = Device::flex();
        let net = Net {
            linear: LinearConfig::new(2, 3).init(&device),
            conv: Conv2dConfig::new([1, 2], [3, 3]).init(&device),
            one: ConvTranspose1dConfig::new([1, 2], 3).init(&device),
            two: ConvTranspose2dConfig::new([1, 2], [3, 3]).init(&device),
            three: ConvTranspose3dConfig::new([1, 2], [3, 3, 3]).init(&device),
            norm: BatchNormConfig::new(2).init(&device),
        };
        let mut names = Names::default();
        net.visit(&mut names);
        let weights = names
            .tensors
            .iter()
            .filter(|(_, field, _)| field == "weight");
        let axes: Vec<_> = weights
            .map(|(layer, _, rank)| (layer.as_str(), filter_axis(layer, *rank)))
            .collect();
        assert_eq!(
            axes,
            [
                ("Linear", Some(1)),
                ("Conv2d", Some(0)),
                ("ConvTranspose1d", Some(1)),
                ("ConvTranspose2d", Some(1)),
                ("ConvTranspose3d", Some(1)),
            ]
        );
        let running: Vec<_> = names
            .tensors
            .iter()
            .filter(|(_, field, _)| is_running_statistic(field))
            .map(|(layer, field, _)| (layer.as_str(), field.as_str()))
            .collect();
        assert_eq!(
            running,
            [("BatchNorm", "running_mean"), ("BatchNorm", "running_var")]
        );
        assert!(names.flags.iter().any(|container| is_batch_norm(container)));
        assert!(is_flex(&device) && is_flex(&device.clone().autodiff().without_autodiff()));
    }
}
