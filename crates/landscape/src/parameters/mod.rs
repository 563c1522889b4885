//! The coordinates of theta: which entries of which tensors, in which order.

mod copy;
mod filter_axis;
mod flatten;
mod locate;
mod replace;
mod rest;

use std::collections::HashMap;
use std::ops::Range;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::{DType, Device, Tensor};

pub use copy::snapshot;
pub(crate) use copy::{copy, tracked};
pub(crate) use flatten::gradient;
pub use replace::cast;
pub(crate) use replace::{cast_owned, place, put};
pub(crate) use rest::Rest;

use crate::error::Error;
use crate::vector::Domain;

/// One parameter tensor of a [`ParameterSpace`].
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// Burn's identity of the parameter.
    pub id: ParamId,
    /// Path in the module, `conv1.weight`.
    pub path: String,
    /// Type of the layer that holds it, `Conv2d`.
    pub layer: String,
    /// Shape of the tensor in Burn's layout.
    pub shape: Vec<usize>,
    /// Where its first entry stands in the flat vector; entries follow row-major.
    pub offset: usize,
    /// The axis that counts filters (output channels, neurons); `None` for rank 0 and 1.
    pub filter_axis: Option<usize>,
}

impl Block {
    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether the tensor has no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The block's place in the flat vector.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.offset..self.offset + self.len()
    }
}

/// The parameters of a module that require a gradient, as one flat vector theta, `[P]`.
///
/// The order is Burn's visit order; inside a tensor it is row-major in Burn's layout. A parameter
/// that is used in several places (one `ParamId`, one value) is one block. Buffers, such as the running
/// statistics of BatchNorm, and frozen parameters are no coordinates and never move.
///
/// [`flatten`](Self::flatten), [`unflatten`](Self::unflatten) and [`displace`](Self::displace) take
/// any module of the same architecture: one with the space's ids (a clone trained further) by its
/// ids, and another (made separately, or loaded from a file without ids) by paths and shapes.
#[derive(Debug, Clone)]
pub struct ParameterSpace {
    /// The blocks in order, without gap.
    pub blocks: Vec<Block>,
    /// Length, float type and device of the flat vectors.
    pub domain: Domain,
    index: HashMap<ParamId, usize>,
    /// For each block all the paths at which its parameter stands.
    places: Vec<Vec<String>>,
}

impl ParameterSpace {
    /// The trainable parameters of `module`, whether it stands on an autodiff device or not.
    ///
    /// Lazy parameters are initialised by this, as by a first forward pass.
    ///
    /// # Errors
    /// No trainable parameter; parameters on several devices, of different float types, or of a
    /// type other than F32 and F64; tensors with one id that are not one parameter (see
    /// [`derivatives::check_ids`]).
    pub fn of<M: Module>(module: &M) -> Result<Self, Error> {
        // `valid` then `train` gives every parameter its configured gradient flag, wherever the
        // module stands, and running statistics of its own.
        Self::of_tracked(&module.valid().train())
    }

    pub(crate) fn of_tracked<M: Module>(module: &M) -> Result<Self, Error> {
        derivatives::check_ids(module)?;
        let mut survey = Survey::default();
        module.visit(&mut survey);
        if let Some(error) = survey.error {
            return Err(error);
        }
        let (Some((dtype, device)), false) = (survey.kind, survey.blocks.is_empty()) else {
            return Err(Error::NoTrainableParameter {
                frozen: survey.frozen,
            });
        };
        let dim = survey.offset;
        let index = survey
            .blocks
            .iter()
            .enumerate()
            .map(|(i, block)| (block.id, i))
            .collect();
        Ok(Self {
            blocks: survey.blocks,
            domain: Domain { dim, dtype, device },
            index,
            places: survey.places,
        })
    }

    /// Number of coordinates P.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.domain.dim
    }

    /// The block of a parameter, if it is a coordinate.
    #[must_use]
    pub fn block(&self, id: ParamId) -> Option<&Block> {
        self.index.get(&id).map(|&i| &self.blocks[i])
    }

    /// The same space with another filter axis for the block at `path`.
    ///
    /// The axes of Burn's layers are known; a tensor of rank 2 or more in a layer of one's own is
    /// taken to count its filters along axis 0 until told otherwise.
    ///
    /// # Errors
    /// [`Error::Setting`] where there is no block at `path`, or `axis` is not one of its axes.
    pub fn with_filter_axis(mut self, path: &str, axis: usize) -> Result<Self, Error> {
        let setting = |name, value, allowed| {
            Err(Error::Setting {
                name,
                value,
                allowed,
            })
        };
        let block = self.blocks.iter_mut().find(|block| block.path == path);
        let Some(block) = block else {
            let value = format!("`{path}`");
            return setting("path", value, "the path of a trainable parameter");
        };
        if axis >= block.shape.len() {
            let value = format!("{axis} of `{path}` of shape {:?}", block.shape);
            return setting("filter axis", value, "one of its axes");
        }
        block.filter_axis = Some(axis);
        Ok(self)
    }

    /// The parameters of `module` as one vector theta, `[P]`, whatever else the module has.
    ///
    /// `space.flatten(&b)? - space.flatten(&a)?` is the way from a to b in the parameters alone;
    /// [`between`](crate::direction::between) also checks that nothing else differs.
    ///
    /// # Errors
    /// A module that has not this space's parameters, or whose tensors with one id are not one
    /// parameter.
    pub fn flatten<M: Module>(&self, module: &M) -> Result<Tensor<1>, Error> {
        let index = self.locate(module)?;
        self.domain
            .adopt(&flatten::parameters(self, module, &index))
    }

    /// `module` with theta, of any float type, in place of its parameters; ids, buffers, flags and all else as before.
    ///
    /// Running statistics are copied, so that a forward pass of the result does not change those
    /// of `module`.
    ///
    /// # Errors
    /// A length other than P, and as [`flatten`](Self::flatten).
    pub fn unflatten<M: Module>(&self, module: &M, theta: &Tensor<1>) -> Result<M, Error> {
        let index = self.locate(module)?;
        let theta = self.domain.adopt(theta)?;
        Ok(replace::place_at(self, &index, copy(module), &theta))
    }

    /// theta of the module that this space was made of.
    pub(crate) fn origin<M: Module>(&self, module: &M) -> Tensor<1> {
        flatten::parameters(self, module, &self.index)
    }

    /// Which block each parameter of `module` belongs to.
    ///
    /// # Errors
    /// As [`flatten`](Self::flatten).
    pub(crate) fn locate<M: Module>(&self, module: &M) -> Result<HashMap<ParamId, usize>, Error> {
        locate::locate(self, module)
    }

    /// `module` moved by `displacement`, `[P]`: theta + d.
    ///
    /// # Errors
    /// As [`unflatten`](Self::unflatten).
    pub fn displace<M: Module>(&self, module: &M, displacement: &Tensor<1>) -> Result<M, Error> {
        let displacement = self.domain.adopt(displacement)?;
        self.unflatten(module, &(self.flatten(module)? + displacement))
    }
}

#[derive(Default)]
struct Survey {
    path: Vec<String>,
    layers: Vec<String>,
    seen: HashMap<ParamId, usize>,
    places: Vec<Vec<String>>,
    blocks: Vec<Block>,
    offset: usize,
    frozen: usize,
    kind: Option<(DType, Device)>,
    error: Option<Error>,
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
        let filter_axis = filter_axis::filter_axis(&layer, D);
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
        let layer = container_type
            .strip_prefix("Struct:")
            .unwrap_or(container_type);
        self.layers.push(layer.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
        self.layers.pop();
    }
}
