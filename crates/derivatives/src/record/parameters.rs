//! The parameters of a model: which, of what type and where.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::{DType, Device, Tensor};

use super::paths::Paths;
use crate::Error;

/// Returns the parameters of a model that require a gradient, in visit order, each once.
pub(crate) fn trainable<M: Module>(active: &M) -> Vec<ParamId> {
    #[derive(Default)]
    struct Trainable(Vec<ParamId>);
    impl ModuleVisitor for Trainable {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if param.val().is_require_grad() && !self.0.contains(&param.id) {
                self.0.push(param.id);
            }
        }
    }
    let mut found = Trainable::default();
    active.visit(&mut found);
    found.0
}

/// Returns the device on which the parameters stand, which must have one device and one type.
pub(crate) fn common_device<M: Module>(model: &M, parameters: &[ParamId]) -> Result<Device, Error> {
    struct Kinds<'a> {
        parameters: &'a [ParamId],
        paths: Paths,
        found: Option<(DType, Device)>,
        error: Option<Error>,
    }
    impl ModuleVisitor for Kinds<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            // The first error is the one that is told.
            if self.error.is_some() || !self.parameters.contains(&param.id) {
                return;
            }
            let tensor = param.val();
            let (dtype, device) = (tensor.dtype(), tensor.device());
            match &self.found {
                None if !matches!(dtype, DType::F32 | DType::F64) => {
                    let near = Some(self.paths.parameter(param.id));
                    self.error = Some(Error::Type { dtype, near });
                }
                None => self.found = Some((dtype, device)),
                Some((first, _)) if *first != dtype => {
                    self.error = Some(Error::MixedTypes {
                        first: *first,
                        second: dtype,
                        path: self.paths.parameter(param.id),
                    });
                }
                Some((_, first)) if *first != device => {
                    let path = self.paths.parameter(param.id);
                    self.error = Some(Error::SeveralDevices { path });
                }
                Some(_) => {}
            }
        }
    }
    let mut kinds = Kinds {
        parameters,
        paths: Paths::of(model),
        found: None,
        error: None,
    };
    model.visit(&mut kinds);
    if let Some(error) = kinds.error {
        return Err(error);
    }
    let (_, device) = kinds.found.ok_or_else(|| Error::UnknownParameter {
        id: parameters[0].to_string(),
    })?;
    Ok(device)
}

#[cfg(test)]
mod tests {
    use burn::nn::{Linear, LinearConfig};

    use super::*;

    #[test]
    fn a_parameter_on_another_device_is_named() {
        let device = Device::flex();
        let mut model: Linear = LinearConfig::new(2, 2).init(&device);
        // The second device at hand is one that records.
        let recorder = Device::capture();
        let mut error = None;
        let captured = recorder.capture_scope(|scope| {
            let bias = Param::initialized(ParamId::new(), Tensor::<1>::zeros([2], &recorder));
            let ids = [model.weight.id, bias.id];
            model.bias = Some(bias);
            error = common_device(&model, &ids).err();
            model.bias = None;
            scope.complete([], [])
        });
        assert!(captured.is_ok());
        let path = "bias".to_owned();
        assert_eq!(error, Some(Error::SeveralDevices { path }));
    }
}
