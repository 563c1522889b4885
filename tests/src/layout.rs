//! From torch's layout to Burn's: names, transposition, order.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

/// One parameter of a module that requires a gradient, in visit order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The path in the Burn module, such as `norm1.gamma`.
    pub path: String,
    /// The name in the fixture, such as `norm1.weight`.
    pub name: String,
    /// The shape in Burn.
    pub shape: Vec<usize>,
    /// Returns whether torch keeps this matrix as `[out, in]`, the transpose of Burn's `[in,
    /// out]`.
    pub transposed: bool,
}

/// The parameters of `model` that require a gradient, in the order in which Burn visits them.
#[must_use]
pub fn layout<M: Module>(model: &M) -> Vec<Block> {
    let mut visitor = Layout::default();
    model.visit(&mut visitor);
    visitor.blocks
}

/// All parameters that require a gradient as one vector: visit order, each tensor row-major.
#[must_use]
pub fn flatten<M: Module>(model: &M) -> Vec<f64> {
    let mut visitor = Flatten {
        gradients: None,
        values: Vec::new(),
    };
    model.visit(&mut visitor);
    visitor.values
}

/// The gradients of `loss` with respect to the parameters of `model`.
#[must_use]
pub fn gradients<M: Module>(model: &M, loss: Tensor<1>) -> GradientsParams {
    GradientsParams::from_grads(loss.backward(), model)
}

/// The gradients of all parameters that require one, in the order of [`flatten`]. A parameter
/// that has none contributes zeros.
#[must_use]
pub fn flatten_gradients<M: Module>(model: &M, gradients: &GradientsParams) -> Vec<f64> {
    let mut visitor = Flatten {
        gradients: Some(gradients),
        values: Vec::new(),
    };
    model.visit(&mut visitor);
    visitor.values
}

/// `||a - b|| / ||b||`, Euclidean norms over all entries together; the plain `||a||` when b is 0.
///
/// # Panics
///
/// When the lengths differ.
#[must_use]
pub fn relative_error(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(
        a.len(),
        b.len(),
        "two vectors of different length cannot be compared"
    );
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>().sqrt();
    let difference = norm(&mut a.iter().zip(b).map(|(a, b)| a - b));
    let size = norm(&mut b.iter().copied());
    if size == 0.0 {
        difference
    } else {
        difference / size
    }
}

/// Returns the largest error of the moments `mₖ = tr(Hᵏ) / P`, k = 1, 2, .., of a spectrum.
///
/// An even moment is compared with itself. An odd one may be zero, where the spectrum is symmetric,
/// and is compared with what it can be at most: `√(mₖ₋₁ mₖ₊₁)`.
///
/// # Panics
///
/// When the lengths differ.
#[must_use]
pub fn error_of_moments(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len(), "as many moments as expected");
    let at = |k: usize| if k == 0 { 1.0 } else { expected[k - 1] };
    let errors = found.iter().enumerate().map(|(index, found)| {
        let k = index + 1;
        let size = if k % 2 == 0 || k == expected.len() {
            at(k).abs()
        } else {
            (at(k - 1) * at(k + 1)).sqrt()
        };
        (found - at(k)).abs() / size
    });
    errors.fold(0.0, f64::max)
}

/// The transpose of a row-major `[rows, columns]` matrix, row-major again.
pub(crate) fn transposed(rows: usize, columns: usize, values: &[f64]) -> Vec<f64> {
    let mut result = Vec::with_capacity(values.len());
    for column in 0..columns {
        result.extend((0..rows).map(|row| values[row * columns + column]));
    }
    result
}

/// The position of a traversal in a module.
#[derive(Debug, Default)]
pub(crate) struct Path {
    names: Vec<String>,
    containers: Vec<String>,
}

impl Path {
    pub(crate) fn enter(&mut self, name: &str, container: &str) {
        self.names.push(name.to_owned());
        self.containers.push(container.to_owned());
    }

    pub(crate) fn exit(&mut self) {
        self.names.pop();
        self.containers.pop();
    }

    pub(crate) fn burn_name(&self) -> String {
        self.names.join(".")
    }

    /// The fixture's name for the tensor: norm layers call gamma and beta weight and bias.
    pub(crate) fn torch_name(&self) -> String {
        let mut names = self.names.clone();
        if let Some(last) = names.last_mut() {
            match last.as_str() {
                "gamma" => "weight".clone_into(last),
                "beta" => "bias".clone_into(last),
                _ => {}
            }
        }
        names.join(".")
    }

    /// Only the weight of a `Linear` is kept the other way round.
    pub(crate) fn is_transposed(&self) -> bool {
        self.names.last().is_some_and(|name| name == "weight")
            && self
                .containers
                .last()
                .is_some_and(|container| container == "Struct:Linear")
    }
}

#[derive(Default)]
struct Layout {
    path: Path,
    blocks: Vec<Block>,
}

impl ModuleVisitor for Layout {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if param.is_require_grad() {
            self.blocks.push(Block {
                path: self.path.burn_name(),
                name: self.path.torch_name(),
                shape: param.dims().to_vec(),
                transposed: self.path.is_transposed(),
            });
        }
    }
}

struct Flatten<'a> {
    gradients: Option<&'a GradientsParams>,
    values: Vec<f64>,
}

impl ModuleVisitor for Flatten<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !param.is_require_grad() {
            return;
        }
        let value = match self.gradients {
            None => Some(param.base().inner()),
            Some(gradients) => gradients.get::<D>(param.id),
        };
        match value {
            Some(value) => self.values.extend(
                value
                    .try_into_vec_as::<f64>()
                    .expect("a float tensor can be read as f64"),
            ),
            None => self
                .values
                .extend(std::iter::repeat_n(0.0, param.shape().num_elements())),
        }
    }
}
