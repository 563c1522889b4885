//! Properties of a network as a whole: a checksum of its weights, their number, whether it has
//! running statistics.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
pub(crate) use probes::store::checksum::of_model as weights_crc32c;

/// Returns the number of parameters that are trained.
pub(crate) fn trained_parameters<M: Module>(model: &M) -> usize {
    let mut count = Count(0);
    model.visit(&mut count);
    count.0
}

struct Count(usize);

impl ModuleVisitor for Count {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        if tensor.is_require_grad() {
            self.0 += tensor.shape().num_elements();
        }
    }
}

/// Returns whether a network has layers of BatchNorm, whose running statistics belong to its
/// weights.
pub(crate) fn has_batch_norm<M: Module>(model: &M) -> bool {
    let mut search = BatchNorm(false);
    model.visit(&mut search);
    search.0
}

struct BatchNorm(bool);

impl ModuleVisitor for BatchNorm {
    fn enter_module(&mut self, _name: &str, container: &str) {
        self.0 |= container == "Struct:BatchNorm";
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use models::CnnConfig;

    use super::*;

    #[test]
    fn batch_norm_is_found_by_the_name_that_burn_gives_it() {
        let cnn = |batch_norm| {
            let config = CnnConfig::new(8).with_batch_norm(batch_norm);
            config.init_seeded(0, &Device::flex()).unwrap()
        };
        assert!(has_batch_norm(&cnn(true)));
        assert!(!has_batch_norm(&cnn(false)));
    }
}
