//! Properties of a network as a whole: a checksum of its weights, their number, whether it has
//! running statistics.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Bool, Int, Tensor, TensorData};

/// Returns CRC-32C of the bytes of all parameters and buffers in visit order, statistics of the
/// last batch included.
pub(crate) fn weights_crc32c<M: Module>(model: &M) -> u32 {
    let mut checksum = Checksum(0);
    model.valid().visit(&mut checksum);
    checksum.0
}

struct Checksum(u32);

impl Checksum {
    fn add(&mut self, data: &TensorData) {
        self.0 = crc32c::crc32c_append(self.0, data.as_bytes());
    }
}

impl ModuleVisitor for Checksum {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.add(&param.val().into_data());
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        self.add(&param.val().into_data());
    }

    fn visit_bool<const D: usize>(&mut self, param: &Param<Tensor<D, Bool>>) {
        self.add(&param.val().into_data());
    }
}

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
