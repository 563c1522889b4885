//! The visitor that finds the blocks of a space.

use std::collections::HashMap;

use burn::module::{ModuleVisitor, Param, ParamId};
use burn::tensor::{DType, Device, Tensor};
use derivatives::burn_names::{COLUMN_LAYERS, layer_of};

use super::Block;
use crate::error::Error;

/// The beginning of the names of transposed convolutions, all of which have their weights in axis
/// 1 by output channel.
const TRANSPOSED: &str = "ConvTranspose";

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

    /// Takes the number of groups of a transposed convolution from its bias, which has an entry for
    /// each output channel where the weights, `[in, out/groups, ..]`, have one for each in a group.
    fn see_groups(&mut self, shape: &[usize]) {
        let [channels] = *shape else { return };
        let (Some((name, layer)), Some(weight)) = (self.path.split_last(), self.blocks.last_mut())
        else {
            return;
        };
        let of_layer = |path: &str| {
            let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
            name == "weight" && parent == layer.join(".")
        };
        let is_transposed = weight.layer.starts_with(TRANSPOSED) && weight.filter_axis == Some(1);
        if name == "bias" && is_transposed && of_layer(&weight.path) {
            let groups = channels / weight.shape[1];
            if groups * weight.shape[1] == channels && weight.shape[0].is_multiple_of(groups) {
                weight.filter_parts = groups;
            }
        }
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
        self.see_groups(&tensor.dims());
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
        let filter_axis = filter_axis(&layer, D);
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
            filter_parts: 1,
        });
        self.offset += len;
    }

    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path.push(name.to_owned());
        self.layers.push(layer_of(container_type).to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
        self.layers.pop();
    }
}

/// Returns the filter axis of a parameter of rank `rank` in a layer of type `layer`.
///
/// Burn stores `Linear` weights as `[in, out]` and transposed convolutions as `[in, out, ..]`, so
/// that a neuron is a column there; convolutions and embeddings count along axis 0.
fn filter_axis(layer: &str, rank: usize) -> Option<usize> {
    match (layer, rank) {
        (_, 0 | 1) => None,
        (layer, _) if COLUMN_LAYERS.contains(&layer) => Some(1),
        _ => Some(0),
    }
}
