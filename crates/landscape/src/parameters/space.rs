//! The parameters of a module as one flat vector.

use std::collections::HashMap;

use burn::module::{Module, ParamId};
use burn::tensor::Tensor;

use super::survey::Survey;
use super::{Block, copy, flatten, locate, replace};
use crate::error::Error;
use crate::vector::Domain;

/// The parameters of a model that require a gradient, as one flat vector theta, `[P]`.
///
/// The order is Burn's visit order; inside a tensor it is row-major in Burn's layout. A parameter
/// that is used in several places (one `ParamId`, one value) is one block. Buffers, such as the
/// running statistics of BatchNorm, and frozen parameters are no coordinates and never move.
///
/// [`flatten`](Self::flatten), [`unflatten`](Self::unflatten) and [`displace`](Self::displace) take
/// any model of the same architecture: one with the space's ids (a clone trained further) by its
/// ids, and another (made separately, or loaded from a file without ids) by paths and shapes.
#[derive(Debug, Clone)]
pub struct ParameterSpace {
    /// The blocks in order, without gap.
    pub blocks: Vec<Block>,
    /// Length, float type and device of the flat vectors.
    pub domain: Domain,
    pub(super) index: HashMap<ParamId, usize>,
    /// For each block all the paths at which its parameter stands.
    pub(super) places: Vec<Vec<String>>,
}

impl ParameterSpace {
    /// Returns the trainable parameters of `model`, whether it stands on an autodiff device or
    /// not.
    ///
    /// Lazy parameters are initialised by this, as by a first forward pass.
    ///
    /// # Errors
    /// No trainable parameter; parameters on several devices, of different float types, or of a
    /// type other than F32 and F64; tensors with one id that are not one parameter (see
    /// [`derivatives::check_ids`]).
    pub fn of<M: Module>(model: &M) -> Result<Self, Error> {
        // `valid` then `train` gives every parameter its configured gradient flag, wherever the
        // module stands, and running statistics of its own.
        Self::of_tracked(&model.valid().train())
    }

    pub(crate) fn of_tracked<M: Module>(model: &M) -> Result<Self, Error> {
        derivatives::check_ids(model)?;
        let mut survey = Survey::default();
        model.visit(&mut survey);
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

    /// Returns the number of coordinates P.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.domain.dim
    }

    /// Returns the block of a parameter, if it is a coordinate.
    #[must_use]
    pub fn block(&self, id: ParamId) -> Option<&Block> {
        self.index.get(&id).map(|&i| &self.blocks[i])
    }

    /// Returns the same space with another filter axis for the block at `path`.
    ///
    /// The axes of Burn's layers are known; a tensor of rank 2 or more in a layer of one's own is
    /// taken to count its filters along axis 0 until told otherwise.
    ///
    /// # Errors
    /// [`Error::Setting`] where there is no block at `path`, or `axis` is not one of its axes.
    pub fn with_filter_axis(self, path: &str, axis: usize) -> Result<Self, Error> {
        self.with_filters(path, axis, 1)
    }

    /// Returns the same space with other filters for the block at `path`: one index of `axis` in
    /// one of `parts` equal parts of axis 0.
    ///
    /// Several parts are the groups of a transposed convolution without a bias, or the experts of
    /// weights `[experts, in, out]`, whose neurons are `(2, experts)`.
    ///
    /// # Errors
    /// [`Error::Setting`] where there is no block at `path`, `axis` is not one of its axes, or axis
    /// 0 cannot be cut into so many parts or counts the filters itself.
    ///
    /// # Examples
    /// ```
    /// use burn::nn::conv::ConvTranspose1dConfig;
    /// use burn::tensor::Device;
    /// use landscape::ParameterSpace;
    ///
    /// let config = ConvTranspose1dConfig::new([4, 6], 3)
    ///     .with_groups(2)
    ///     .with_bias(false);
    /// let space =
    ///     ParameterSpace::of(&config.init(&Device::flex()))?.with_filters("weight", 1, 2)?;
    /// assert_eq!(space.blocks[0].filters().count(), 6);
    /// # Ok::<(), landscape::Error>(())
    /// ```
    pub fn with_filters(mut self, path: &str, axis: usize, parts: usize) -> Result<Self, Error> {
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
        let cuts = match axis {
            0 => parts == 1,
            _ => parts > 0 && block.shape[0].is_multiple_of(parts),
        };
        if !cuts {
            let value = format!("{parts} for `{path}` of shape {:?}", block.shape);
            let allowed = "a number that divides axis 0, and 1 where that axis counts the filters";
            return setting("number of filter parts", value, allowed);
        }
        block.filter_axis = Some(axis);
        block.filter_parts = parts;
        Ok(self)
    }

    /// Returns the parameters of `model` as one vector theta, `[P]`, whatever else the model has.
    ///
    /// `space.flatten(&b)? - space.flatten(&a)?` is the way from a to b in the parameters alone;
    /// [`between`](crate::direction::between) also checks that nothing else differs.
    ///
    /// # Errors
    /// A model that has not this space's parameters, or whose tensors with one id are not one
    /// parameter.
    pub fn flatten<M: Module>(&self, model: &M) -> Result<Tensor<1>, Error> {
        let index = self.locate(model)?;
        self.domain.adopt(&flatten::parameters(self, model, &index))
    }

    /// Returns `model` with theta, of any float type, in place of its parameters; ids, buffers,
    /// flags and all else as before.
    ///
    /// Running statistics are copied, so that a forward pass of the result does not change those
    /// of `model`.
    ///
    /// # Errors
    /// A length other than P, and as [`flatten`](Self::flatten).
    pub fn unflatten<M: Module>(&self, model: &M, theta: &Tensor<1>) -> Result<M, Error> {
        let index = self.locate(model)?;
        let theta = self.domain.adopt(theta)?;
        Ok(replace::place_at(self, &index, copy(model), &theta))
    }

    /// Returns theta of the model that this space was made of.
    pub(crate) fn origin<M: Module>(&self, model: &M) -> Tensor<1> {
        flatten::parameters(self, model, &self.index)
    }

    /// Returns the block that each parameter of `model` belongs to.
    ///
    /// # Errors
    /// As [`flatten`](Self::flatten).
    pub(crate) fn locate<M: Module>(&self, model: &M) -> Result<HashMap<ParamId, usize>, Error> {
        locate::locate(self, model)
    }

    /// Returns `model` moved by a displacement d, `[P]`: `θ + d`.
    ///
    /// # Errors
    /// As [`unflatten`](Self::unflatten).
    pub fn displace<M: Module>(&self, model: &M, displacement: &Tensor<1>) -> Result<M, Error> {
        let displacement = self.domain.adopt(displacement)?;
        self.unflatten(model, &(self.flatten(model)? + displacement))
    }
}
