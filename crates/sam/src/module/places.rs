//! Parameters that stand in several places of a model: tied weights.

use std::any::Any;
use std::collections::{HashMap, HashSet};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use crate::error::Error;

/// Returns the model with the first place of each trained parameter in all of its places.
///
/// A parameter stands in several places when a `Param`, or a layer with it, has been cloned into
/// another field: the clones keep its identifier, and Burn's gradients and optimisers know it by
/// that. But Burn's optimisers step its first place alone, in the order of visiting, so that the
/// places differ after the first step. Around the optimiser's step this keeps them equal:
///
/// `model = sam::tie(optim.step(lr, model, gradients));`
///
/// It makes them one leaf of the autodiff graph as well, so that a gradient by
/// `GradientsParams::from_grads` is that of all places together. A network whose gradients are
/// taken by hand needs it once after it has been loaded, or moved to another device.
/// [`SharpnessAware::step`](crate::SharpnessAware::step) does both by itself. Frozen places, and
/// places of another shape, stay as they are.
///
/// ```
/// # use burn::module::{Module, Param};
/// # use burn::optim::{GradientsParams, SgdConfig};
/// # use burn::tensor::{Device, Tensor};
/// #[derive(Module, Debug)]
/// struct Tied {
///     first: Param<Tensor<1>>,
///     second: Param<Tensor<1>>,
/// }
///
/// let first = Param::from_data([2.0], &Device::flex().autodiff());
/// let model = Tied {
///     second: first.clone(),
///     first,
/// };
/// let mut optim = SgdConfig::new().init();
///
/// // L = w³ has the slope 12 at 2.
/// let loss = model.first.val() * model.second.val().square();
/// let gradients = GradientsParams::from_grads(loss.backward(), &model);
/// let model = sam::tie(optim.step(0.1, model, gradients));
/// let at = |w: &Param<Tensor<1>>| w.val().into_scalar::<f32>();
/// assert!((at(&model.first) - 0.8).abs() < 1e-6 && at(&model.first) == at(&model.second));
/// ```
#[must_use]
pub fn tie<M: Module>(model: M) -> M {
    model.map(&mut Tie::default())
}

/// Returns the model as [`tie`] leaves it, if there is something to tie.
pub(crate) fn tied<M: Module>(model: M, is_tied: bool) -> M {
    if is_tied { tie(model) } else { model }
}

#[derive(Default)]
struct Tie(HashMap<ParamId, Box<dyn Any>>);

impl ModuleMapper for Tie {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if !param.is_require_grad() {
            return param;
        }
        let Some(first) = self.0.get(&param.id) else {
            self.0.insert(param.id, Box::new(param.base()));
            return param;
        };
        match first.downcast_ref::<Tensor<D>>() {
            Some(first) if first.shape() == param.shape() => {
                let (id, _, mapper) = param.consume();
                Param::from_mapped_value(id, first.clone(), mapper)
            }
            _ => param,
        }
    }
}

/// The trained parameters that have been visited, to pass each once though it stands in several
/// places.
#[derive(Default)]
pub(crate) struct Once(HashSet<ParamId>);

impl Once {
    /// Returns whether the parameter is trained and has not been visited before.
    pub(crate) fn is_new<const D: usize>(&mut self, param: &Param<Tensor<D>>) -> bool {
        param.is_require_grad() && self.0.insert(param.id)
    }

    /// Returns the gradient of a parameter, off the graph, at the first of its places; nothing for
    /// a parameter without one.
    pub(crate) fn gradient<const D: usize>(
        &mut self,
        gradients: &GradientsParams,
        param: &Param<Tensor<D>>,
    ) -> Option<Tensor<D>> {
        let gradient = gradients.get::<D>(param.id)?;
        self.is_new(param).then(|| gradient.inner())
    }
}

/// Returns whether a parameter that is trained stands in several places.
///
/// # Errors
/// A model that cannot have a gradient, and places of one parameter that are not equal.
pub(crate) fn check_places<M: Module>(model: &M) -> Result<bool, Error> {
    let mut count = Count::default();
    model.visit(&mut count);
    if count.trained == 0 {
        return Err(if count.plain > 0 {
            Error::NoAutodiff
        } else {
            Error::Frozen
        });
    }
    if !count.is_repeated {
        return Ok(false);
    }
    let mut compare = Compare::new(Asked::Values);
    model.visit(&mut compare);
    match compare.found {
        Some(error) => Err(error),
        None => Ok(compare.is_tied),
    }
}

/// Refuses places of one parameter that are different leaves of the autodiff graph.
///
/// # Errors
/// [`Error::LeavesApart`], with both paths.
pub(crate) fn check_leaves<M: Module>(model: &M) -> Result<(), Error> {
    let mut compare = Compare::new(Asked::Leaves);
    model.visit(&mut compare);
    compare.found.map_or(Ok(()), Err)
}

#[derive(Default)]
struct Count {
    ids: HashSet<ParamId>,
    is_repeated: bool,
    trained: usize,
    plain: usize,
}

impl ModuleVisitor for Count {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.is_repeated |= !self.ids.insert(param.id);
        self.trained += usize::from(param.is_require_grad());
        self.plain += usize::from(!param.is_autodiff());
    }
}

/// The question about the places of one parameter.
#[derive(Clone, Copy)]
enum Asked {
    /// Whether they are equal.
    Values,
    /// Whether they are one leaf of the graph.
    Leaves,
}

/// The first place of a parameter.
struct Place {
    path: String,
    is_trained: bool,
    tensor: Box<dyn Any>,
}

struct Compare {
    asked: Asked,
    path: Vec<String>,
    first: HashMap<ParamId, Place>,
    is_tied: bool,
    found: Option<Error>,
}

impl Compare {
    fn new(asked: Asked) -> Self {
        Self {
            asked,
            path: Vec::new(),
            first: HashMap::new(),
            is_tied: false,
            found: None,
        }
    }
}

impl ModuleVisitor for Compare {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.found.is_some() {
            return;
        }
        let path = self.path.join(".");
        let is_trained = param.is_require_grad();
        let Some(first) = self.first.get(&param.id) else {
            let place = Place {
                path,
                is_trained,
                tensor: Box::new(param.base()),
            };
            self.first.insert(param.id, place);
            return;
        };
        // A frozen place is a constant, whatever trained one has its identifier.
        if !is_trained {
            return;
        }
        if !first.is_trained {
            self.found = Some(Error::FrozenFirst {
                frozen: first.path.clone(),
                trained: path,
            });
            return;
        }
        self.is_tied = true;
        let tensor = first.tensor.downcast_ref::<Tensor<D>>();
        self.found = match self.asked {
            Asked::Values => {
                let what = tensor.map_or(Some("shape"), |first| difference(first, &param.base()));
                what.map(|what| Error::Places {
                    first: first.path.clone(),
                    second: path,
                    what,
                })
            }
            Asked::Leaves => {
                let is_one = tensor.is_some_and(|first| is_one_leaf(first, &param.base()));
                (!is_one).then(|| Error::LeavesApart {
                    first: first.path.clone(),
                    second: path,
                })
            }
        };
    }

    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }
}

/// Returns in what two places of a parameter differ.
fn difference<const D: usize>(first: &Tensor<D>, second: &Tensor<D>) -> Option<&'static str> {
    if first.shape() != second.shape() {
        return Some("shape");
    }
    if first.dtype() != second.dtype() {
        return Some("type");
    }
    if first.device() != second.device() {
        return Some("device");
    }
    let (first, second) = (first.clone().inner(), second.clone().inner());
    let is_equal: bool = first.clone().equal(second.clone()).all().into_scalar();
    // A weight that is no number is not equal to itself, but may be the same.
    let is_same = is_equal || first.to_data() == second.to_data();
    (!is_same).then_some("value")
}

/// Returns whether a gradient of the one is one of the other.
fn is_one_leaf<const D: usize>(first: &Tensor<D>, second: &Tensor<D>) -> bool {
    second.grad(&first.clone().sum().backward()).is_some()
}
