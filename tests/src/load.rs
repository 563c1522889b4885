//! Puts a fixture's weights and buffers into a module, whatever the module.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{DType, Device, Tensor, TensorData};

use crate::Fixture;
use crate::layout::{Path, transposed};

/// `model` with the weights `param/*` and the buffers `buffer/*` that the fixture has for the view.
pub(crate) fn load<M: Module>(
    model: M,
    fixture: &Fixture,
    view: &str,
    dtype: DType,
    device: &Device,
) -> M {
    model.map(&mut Loader {
        fixture,
        view,
        dtype,
        device,
        path: Path::default(),
    })
}

/// A float tensor of the fixture on the device.
pub(crate) fn upload<const D: usize>(
    shape: Vec<usize>,
    values: Vec<f64>,
    dtype: DType,
    device: &Device,
) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), (device, dtype))
}

struct Loader<'a> {
    fixture: &'a Fixture,
    view: &'a str,
    dtype: DType,
    device: &'a Device,
    path: Path,
}

impl ModuleMapper for Loader<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.path.torch_name();
        let parameter = self.fixture.key(self.view, &format!("param/{name}"));
        let buffer = self.fixture.key(self.view, &format!("buffer/{name}"));
        let key = if self.fixture.contains(&parameter) {
            parameter
        } else {
            buffer
        };
        let (shape, values) = self.fixture.floats(&key);
        let (shape, values) = if self.path.is_transposed() {
            (
                vec![shape[1], shape[0]],
                transposed(shape[0], shape[1], values),
            )
        } else {
            (shape.to_vec(), values.to_vec())
        };
        let require_grad = param.is_require_grad();
        let (id, old, mapper) = param.consume();
        assert_eq!(old.dims().as_slice(), shape, "{name}");
        let value = upload(shape, values, self.dtype, self.device).set_require_grad(require_grad);
        Param::from_mapped_value(id, value, mapper)
    }
}
