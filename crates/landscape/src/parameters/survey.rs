//! The visitor that finds the blocks of a space.

use std::collections::HashMap;

use burn::module::{ModuleVisitor, Param, ParamId};
use burn::tensor::{DType, Device, Tensor};

use super::{Block, burn_names};
use crate::error::Error;

/// The coordinates of a module, as they are found.
#[derive(Default)]
pub(super) struct Survey {
    path: Vec<String>,
    layers: Vec<String>,
    seen: HashMap<ParamId, usize>,
    pub(super) places: Vec<Vec<String>>,
    pub(super) blocks: Vec<Block>,
    pub(super) offset: usize,
    pub(super) frozen: usize,
    pub(super) kind: Option<(DType, Device)>,
    pub(super) error: Option<Error>,
}

impl Survey {
    fn check_kind(&mut self, path: &str, dtype: DType, device: Device) -> Result<(), Error> {
        if !matches!(dtype, DType::F32 | DType::F64) {
            return Err(Error::UnsupportedType {
                path: path.to_owned(),
                found: dtype,
            });
        }
        match &self.kind {
            None => self.kind = Some((dtype, device)),
            Some((expected, _)) if *expected != dtype => {
                return Err(Error::MixedTypes {
                    path: path.to_owned(),
                    expected: *expected,
                    found: dtype,
                });
            }
            Some((_, first)) if *first != device => return Err(Error::SeveralDevices { count: 2 }),
            Some(_) => {}
        }
        Ok(())
    }
}

impl ModuleVisitor for Survey {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.error.is_some() {
            return;
        }
        if let Some(&block) = self.seen.get(&param.id) {
            self.places[block].push(self.path.join("."));
            return;
        }
        let tensor = param.val();
        if !tensor.is_require_grad() {
            self.frozen += 1;
            return;
        }
        let path = self.path.join(".");
        let device = tensor.device().without_autodiff();
        if let Err(error) = self.check_kind(&path, tensor.dtype(), device) {
            self.error = Some(error);
            return;
        }
        let shape = tensor.dims().to_vec();
        let layer = self.layers.last().cloned().unwrap_or_default();
        let filter_axis = burn_names::filter_axis(&layer, D);
        let len: usize = shape.iter().product();
        if len == 0 {
            return;
        }
        self.seen.insert(param.id, self.blocks.len());
        self.places.push(vec![path.clone()]);
        self.blocks.push(Block {
            id: param.id,
            path,
            layer,
            shape,
            offset: self.offset,
            filter_axis,
        });
        self.offset += len;
    }

    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path.push(name.to_owned());
        self.layers
            .push(burn_names::layer(container_type).to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
        self.layers.pop();
    }
}
