//! One network of the fixtures at one view, with its batch and the numbers expected of it.

use std::fmt::{Display, Formatter};
use std::sync::Arc;

use burn::tensor::{DType, Device, Tensor};
use landscape::{Reduction, Risk, Statistics};
use serde_json::Value;

use crate::layout::transposed;
use crate::load::load;
use crate::models::{
    Attention, Cnn, CnnBatchNorm, LinearRegression, MlpRelu, MlpTanh, Saddle, SoftmaxRegression,
};
use crate::{Fixture, Net, flatten_gradients, gradients, layout};

/// A network with the fixture's weights, its batch, and the numbers expected of them.
#[derive(Debug, Clone)]
pub struct Case<N: Net> {
    /// The files of the case.
    pub fixture: Arc<Fixture>,
    /// The view: `eval` and `batch` in case 6, `zero` and `perturbed` in case 8, empty in the
    /// other cases; `smooth`, `kinked/batch` and the like in the trained networks.
    pub view: &'static str,
    /// The module with the fixture's weights and buffers.
    pub model: N,
    /// Inputs and targets, on the device of the model.
    pub batch: N::Batch,
}

/// An action on every case: a closure that is generic in the type of the module.
pub trait CaseVisitor {
    /// Called once for each case and view.
    fn visit<N: Net>(&mut self, case: &Case<N>);
}

/// Visits all ten (case, view) pairs in float64 on flex with automatic differentiation.
///
/// # Panics
///
/// When a fixture cannot be read.
pub fn for_each_case<V: CaseVisitor>(visitor: &mut V) {
    for_each_case_on(&Device::flex().autodiff(), DType::F64, visitor);
}

/// Visits all ten (case, view) pairs with floats of type `dtype` on `device`.
///
/// # Panics
///
/// When a fixture cannot be read.
pub fn for_each_case_on<V: CaseVisitor>(device: &Device, dtype: DType, visitor: &mut V) {
    views::<LinearRegression, V>(device, dtype, visitor);
    views::<SoftmaxRegression, V>(device, dtype, visitor);
    views::<MlpTanh, V>(device, dtype, visitor);
    views::<MlpRelu, V>(device, dtype, visitor);
    views::<Cnn, V>(device, dtype, visitor);
    views::<CnnBatchNorm, V>(device, dtype, visitor);
    views::<Attention, V>(device, dtype, visitor);
    views::<Saddle, V>(device, dtype, visitor);
}

/// Visits a network at all its views.
pub(crate) fn views<N: Net, V: CaseVisitor>(device: &Device, dtype: DType, visitor: &mut V) {
    for view in N::VIEWS {
        visitor.visit(&Case::<N>::load_on(view, device, dtype));
    }
}

impl<N: Net> Case<N> {
    /// The case at one of [`Net::VIEWS`], in float64 on flex with automatic differentiation.
    ///
    /// # Panics
    ///
    /// When the fixture cannot be read.
    #[must_use]
    pub fn load(view: &'static str) -> Self {
        Self::load_on(view, &Device::flex().autodiff(), DType::F64)
    }

    /// The case at one of [`Net::VIEWS`] with floats of type `dtype` on `device`.
    ///
    /// # Panics
    ///
    /// When the fixture cannot be read.
    #[must_use]
    pub fn load_on(view: &'static str, device: &Device, dtype: DType) -> Self {
        assert!(
            N::VIEWS.contains(&view),
            "{} has the views {:?}",
            N::FIXTURE,
            N::VIEWS
        );
        let fixture = Fixture::read(N::FOLDER, N::FIXTURE);
        let model = load(N::init(device), &fixture, view, dtype, device).at_view(view);
        let batch = N::batch(&fixture, dtype, device);
        Self {
            fixture: Arc::new(fixture),
            view,
            model,
            batch,
        }
    }

    /// The mean loss of `model` over the batch of the case.
    pub fn loss(&self, model: &N) -> Tensor<1> {
        model.loss(&self.batch)
    }

    /// The risk over the whole batch, with the statistics that the view asks of batch
    /// normalisation.
    #[must_use]
    pub fn risk(&self) -> Risk<N, N::Batch> {
        let statistics = if self.view.rsplit('/').next() == Some("batch") {
            Statistics::Batch
        } else {
            Statistics::Running
        };
        Risk::mean([self.batch.clone()], |model: &N, batch: &N::Batch| {
            model.loss(batch)
        })
        .with_statistics(statistics)
    }

    /// The same risk with outputs and loss apart.
    #[must_use]
    pub fn risk_of_outputs(&self) -> Risk<N, N::Batch> {
        let outputs = |model: &N, batch: &N::Batch| model.outputs(batch);
        let loss = |outputs, batch: &N::Batch| N::loss_terms(outputs, batch).mean();
        Risk::of([self.batch.clone()], outputs, loss, Reduction::Mean)
            .with_statistics(self.risk().statistics())
    }

    /// The mean loss of `model` and its gradient `[P]` in Burn's order.
    pub fn gradient(&self, model: &N) -> (f64, Vec<f64>) {
        let loss = self.loss(model);
        let value = loss.clone().into_scalar();
        (value, flatten_gradients(model, &gradients(model, loss)))
    }

    /// The key of a tensor at this view: `eval/loss` if there is one, otherwise `loss`.
    fn key(&self, key: &str) -> String {
        self.fixture.key(self.view, key)
    }

    /// Returns whether the case has this tensor at this view.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.fixture.contains(&self.key(key))
    }

    /// Returns whether the case has tensors `<family>/<parameter>` at this view.
    #[must_use]
    pub fn has_family(&self, family: &str) -> bool {
        layout(&self.model).iter().all(|block| {
            self.fixture
                .contains(&self.key(&format!("{family}/{}", block.name)))
        })
    }

    /// The tensors `<family>/*` of this view as one vector `[P]` in Burn's order: the parameters
    /// that require a gradient in visit order, each tensor row-major in Burn's layout.
    ///
    /// `grad`, `hv`, `v`, `d1_filter_ignore`, `sam_rho0.05/eps`, `opt/sam_sgd/step5`, ...
    ///
    /// # Panics
    ///
    /// When the case has no such family.
    #[must_use]
    pub fn family(&self, family: &str) -> Vec<f64> {
        let mut flat = Vec::new();
        for block in layout(&self.model) {
            let (shape, values) = self
                .fixture
                .floats(&self.key(&format!("{family}/{}", block.name)));
            if block.transposed {
                flat.extend(transposed(shape[0], shape[1], values));
            } else {
                flat.extend_from_slice(values);
            }
        }
        flat
    }

    /// A tensor that is not shaped like the parameters (`hess_eigs`, `slice_loss`, `grid_loss`,
    /// `outputs`, ...), row-major.
    ///
    /// # Panics
    ///
    /// When the case has no such tensor.
    #[must_use]
    pub fn values(&self, key: &str) -> Vec<f64> {
        self.fixture.floats(&self.key(key)).1.to_vec()
    }

    /// For every coordinate in Burn's order its index in torch's flat order, in which `hess` is
    /// stored: entry (i, j) of the matrix in Burn's order is `hess[index[i] * P + index[j]]`.
    ///
    /// # Panics
    ///
    /// When the manifest does not list a parameter of the module.
    #[must_use]
    pub fn torch_index(&self) -> Vec<usize> {
        let parameters = self.fixture.manifest["parameters"]
            .as_array()
            .expect("the manifest lists the parameters");
        let mut index = Vec::new();
        for block in layout(&self.model) {
            let offset = parameters
                .iter()
                .find(|parameter| parameter["name"] == block.name)
                .and_then(|parameter| parameter["offset"].as_u64())
                .and_then(|offset| usize::try_from(offset).ok())
                .expect("the manifest has the offset of every parameter");
            if let ([inputs, outputs], true) = (block.shape.as_slice(), block.transposed) {
                for i in 0..*inputs {
                    index.extend((0..*outputs).map(|o| offset + o * inputs + i));
                }
            } else {
                index.extend(offset..offset + block.shape.iter().product::<usize>());
            }
        }
        index
    }

    /// The scalars of this view, from the manifest.
    #[must_use]
    pub fn scalars(&self) -> &Value {
        let view = if self.view.is_empty() {
            "main"
        } else {
            self.view
        };
        &self.fixture.manifest["scalars"][view]
    }

    /// The scalar at this path of keys: `&["loss"]`, `&["sam", "0.05", "sharpness"]`.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[must_use]
    pub fn scalar(&self, path: &[&str]) -> f64 {
        path.iter()
            .fold(self.scalars(), |value, key| &value[key])
            .as_f64()
            .unwrap_or_else(|| panic!("{self} has no scalar {path:?}"))
    }
}

impl<N: Net> Display for Case<N> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self.view {
            "" => f.write_str(N::FIXTURE),
            view => write!(f, "{} ({view})", N::FIXTURE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relative_error;

    /// The error of a first-order quantity in float64, as the fixtures' README asks for it.
    const FIRST_ORDER: f64 = 1e-12;

    struct LossAndGradientAgree {
        visited: usize,
    }

    impl CaseVisitor for LossAndGradientAgree {
        fn visit<N: Net>(&mut self, case: &Case<N>) {
            let (loss, gradient) = case.gradient(&case.model);
            let loss_error = relative_error(&[loss], &[case.scalar(&["loss"])]);
            let error = relative_error(&gradient, &case.family("grad"));
            println!(
                "{:<28} loss {loss_error:.1e}   gradient {error:.1e}",
                case.to_string()
            );
            assert!(loss_error < FIRST_ORDER, "{case}: loss {loss_error:.1e}");
            assert!(error < FIRST_ORDER, "{case}: gradient {error:.1e}");
            self.visited += 1;
        }
    }

    #[test]
    fn loss_and_gradient_of_every_case_agree_with_pytorch() {
        let mut visitor = LossAndGradientAgree { visited: 0 };
        for_each_case(&mut visitor);
        assert_eq!(visitor.visited, 10);
    }

    struct WeightsSurvive;

    impl CaseVisitor for WeightsSurvive {
        fn visit<N: Net>(&mut self, case: &Case<N>) {
            assert_eq!(crate::flatten(&case.model), case.family("param"), "{case}");
            let mut index = case.torch_index();
            let blocks = layout(&case.model);
            assert_eq!(
                index.len(),
                usize::try_from(case.fixture.manifest["P"].as_u64().unwrap()).unwrap()
            );
            // Through the index, torch's flat weights give Burn's.
            let torch: Vec<f64> = case.fixture.manifest["parameters"]
                .as_array()
                .unwrap()
                .iter()
                .flat_map(|p| {
                    let key = case.key(&format!("param/{}", p["name"].as_str().unwrap()));
                    case.fixture.floats(&key).1.to_vec()
                })
                .collect();
            let permuted: Vec<f64> = index.iter().map(|&i| torch[i]).collect();
            assert_eq!(permuted, case.family("param"), "{case}: {blocks:?}");
            index.sort_unstable();
            assert!(
                index.iter().copied().eq(0..index.len()),
                "{case}: not a permutation"
            );
        }
    }

    #[test]
    fn weights_and_flat_order_agree_with_the_manifest() {
        for_each_case(&mut WeightsSurvive);
    }
}
