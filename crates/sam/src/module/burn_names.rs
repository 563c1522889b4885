//! Names by which Burn's things are recognised, where it has no other way to tell them.
//!
//! Each has a test that makes the thing itself, and fails when Burn words it otherwise.

/// Layers that normalise, as Burn tells them to a visitor after the kind of the container.
const NORM_LAYERS: [&str; 5] = [
    "BatchNorm",
    "LayerNorm",
    "GroupNorm",
    "InstanceNorm",
    "RmsNorm",
];

/// The words of Burn's panic at a second backward pass through one graph.
const USED_UP: &str = "graph tape has already been consumed";

/// Returns whether a container, in Burn's words `Struct:BatchNorm`, is a layer that normalises.
pub(crate) fn is_norm_layer(container: &str) -> bool {
    let name = container.strip_prefix("Struct:").unwrap_or(container);
    NORM_LAYERS.contains(&name)
}

/// Returns whether a panic says that a graph has been used by an earlier backward pass.
pub(crate) fn is_of_a_used_graph(message: &str) -> bool {
    message.contains(USED_UP)
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use burn::module::{Module, ModuleVisitor, Param};
    use burn::nn::{
        BatchNormConfig, GroupNormConfig, InstanceNormConfig, LayerNormConfig, LinearConfig,
        RmsNormConfig,
    };
    use burn::tensor::{Device, Tensor};

    use super::*;

    /// The containers of the parameters of a module.
    #[derive(Default)]
    struct Containers {
        around: Vec<String>,
        found: Vec<String>,
    }

    impl ModuleVisitor for Containers {
        fn visit_float<const D: usize>(&mut self, _: &Param<Tensor<D>>) {
            self.found.extend(self.around.last().cloned());
        }

        fn enter_module(&mut self, _: &str, container: &str) {
            self.around.push(container.to_owned());
        }

        fn exit_module(&mut self, _: &str, _: &str) {
            self.around.pop();
        }
    }

    fn containers(module: &impl Module) -> Vec<String> {
        let mut containers = Containers::default();
        module.visit(&mut containers);
        assert!(!containers.found.is_empty());
        containers.found
    }

    #[test]
    fn norm_layers_of_burn_have_their_names() {
        let device = Device::flex();
        let norms = [
            containers(&BatchNormConfig::new(4).init(&device)),
            containers(&LayerNormConfig::new(4).init(&device)),
            containers(&GroupNormConfig::new(2, 4).init(&device)),
            containers(&InstanceNormConfig::new(4).init(&device)),
            containers(&RmsNormConfig::new(4).init(&device)),
        ];
        for container in norms.into_iter().flatten() {
            assert!(is_norm_layer(&container), "{container}");
        }
        for container in containers(&LinearConfig::new(2, 3).init(&device)) {
            assert!(!is_norm_layer(&container), "{container}");
        }
    }

    #[test]
    fn second_backward_pass_of_a_graph_panics_in_these_words() {
        let device = Device::flex().autodiff();
        let w = Tensor::<1>::from_floats([3.0], &device).require_grad();
        let loss = w.square().sum();
        drop(loss.backward());
        let payload = catch_unwind(AssertUnwindSafe(|| loss.backward())).err();
        let payload = payload.expect("a panic at the second pass");
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
        let text = text.expect("a panic in words");
        assert!(is_of_a_used_graph(text), "{text}");
    }
}
