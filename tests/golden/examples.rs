//! The empirical Fisher matrix and the gradients of single examples beside PyTorch's.

use burn::tensor::{DType, Device, Tensor, TensorData};
use derivatives::{Capture, Statistics};
use landscape::download;
use landscape::{Batch, Fisher, LinearOperator, Objective};
use tests::{Case, CaseVisitor, Net, for_each_case, for_each_case_on, relative_error};

/// Both sides are float64 and differ by the order of their sums: what the fixtures' README asks of
/// second-order quantities.
const TOLERANCE: f64 = 1e-11;

fn compare(case: &str, what: &str, ours: &[f64], theirs: &[f64], tolerance: f64) {
    let error = relative_error(ours, theirs);
    println!("{case:30} {what:34} {error:.1e}, limit {tolerance:.1e}");
    assert!(error < tolerance, "{case}: {what} {error:.1e}");
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn fisher<N: Net>(case: &Case<N>) -> Fisher<N, N::Batch> {
    Fisher::at(&case.model, &case.risk_of_outputs()).expect("the case can be measured")
}

fn product<N: Net>(fisher: &Fisher<N, N::Batch>, v: &[f64]) -> Vec<f64> {
    let v = fisher.domain().upload(v).expect("P entries");
    download(&fisher.apply(&v).expect("a product"))
}

struct Products {
    visited: usize,
}

impl CaseVisitor for Products {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let name = case.to_string();
        let (v, u) = (case.family("v"), case.family("d1"));
        let fisher = fisher(case);
        let of_v = product(&fisher, &v);
        compare(&name, "F v", &of_v, &case.family("efv"), TOLERANCE);
        let form = dot(&v, &of_v);
        compare(&name, "v'Fv", &[form], &[case.scalar(&["vFv"])], TOLERANCE);
        // Symmetric and positive semi-definite, up to the rounding of the sums.
        let of_u = product(&fisher, &u);
        let size = dot(&of_v, &of_v).sqrt() * dot(&u, &u).sqrt();
        assert!(
            (dot(&u, &of_v) - dot(&v, &of_u)).abs() <= 1e-13 * size,
            "{case}"
        );
        for (x, of_x) in [(&v, &of_v), (&u, &of_u)] {
            assert!(dot(x, of_x) >= 0.0, "{case}: {}", dot(x, of_x));
        }
        self.visited += 1;
    }
}

#[test]
fn fisher_products_agree_with_pytorch_and_are_symmetric_and_positive() {
    let mut products = Products { visited: 0 };
    for_each_case(&mut products);
    assert_eq!(products.visited, 10);
}

struct SingleProducts;

impl CaseVisitor for SingleProducts {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let product = product(&fisher(case), &case.family("v"));
        let theirs = case.scalar(&["float32_torch_rel_err", "efv"]);
        // Two units of rounding, where PyTorch happens to be exact.
        let limit = 10.0 * theirs.max(1.2e-7);
        let name = case.to_string();
        compare(&name, "F v in f32", &product, &case.family("efv"), limit);
    }
}

#[test]
fn fisher_products_in_f32_are_as_good_as_pytorchs() {
    for_each_case_on(&Device::flex().autodiff(), DType::F32, &mut SingleProducts);
}

/// Norms, sums of squares and trace beside the fixture's.
fn compare_statistics<N: Net>(case: &Case<N>, way: &str, norms: &[f64], sum_of_squares: &[f64]) {
    let name = case.to_string();
    let what = |what: &str| format!("{what}, {way}");
    compare(
        &name,
        &what("norms"),
        norms,
        &case.values("example_grad_norm"),
        TOLERANCE,
    );
    compare(
        &name,
        &what("sums of squares"),
        sum_of_squares,
        &case.family("grad_sumsq"),
        TOLERANCE,
    );
    #[expect(clippy::cast_precision_loss, reason = "some hundred examples")]
    let trace = dot(norms, norms) / norms.len() as f64;
    let expected = case.scalar(&["ef_trace"]);
    compare(&name, &what("tr F"), &[trace], &[expected], TOLERANCE);
}

struct Statistic {
    visited: usize,
}

impl CaseVisitor for Statistic {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let objective = Objective::at(&case.model, &case.risk_of_outputs()).expect("an objective");
        let statistics = objective.example_statistics().expect("statistics");
        // Only the statistics of the batch couple its examples.
        assert_eq!(statistics.coupled, case.view == "batch", "{case}");
        let way = if statistics.coupled {
            "coupled"
        } else {
            "each by itself"
        };
        compare_statistics(case, way, &statistics.norms, &statistics.sum_of_squares);
        self.visited += 1;
    }
}

#[test]
fn statistics_of_example_gradients_agree_with_pytorch() {
    let mut statistic = Statistic { visited: 0 };
    for_each_case(&mut statistic);
    assert_eq!(statistic.visited, 10);
}

struct SingleStatistic;

impl CaseVisitor for SingleStatistic {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let objective = Objective::at(&case.model, &case.risk_of_outputs()).expect("an objective");
        let statistics = objective.example_statistics().expect("statistics");
        // Rounding must not be taken for coupling.
        assert_eq!(statistics.coupled, case.view == "batch", "{case}");
        // F v is made of the same gradients.
        let theirs = case.scalar(&["float32_torch_rel_err", "efv"]);
        let limit = 10.0 * theirs.max(1.2e-7);
        let expected = case.values("example_grad_norm");
        let name = case.to_string();
        compare(&name, "norms in f32", &statistics.norms, &expected, limit);
    }
}

#[test]
fn norms_of_example_gradients_in_f32_are_as_good_as_pytorchs_products() {
    for_each_case_on(&Device::flex().autodiff(), DType::F32, &mut SingleStatistic);
}

struct Coupled {
    visited: usize,
}

impl CaseVisitor for Coupled {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        // A recording device takes tensors from devices without automatic differentiation only.
        let inner = case.batch.clone().on_device(&Device::flex());
        let batch = |device: &Device| inner.clone().on_device(device);
        // Layers whose training flag is off use their running statistics either way.
        let loss = Capture::of(&case.model)
            .with_statistics(Statistics::Batch)
            .outputs_and_loss(
                |model: &N, device| model.outputs(&batch(device)),
                |outputs, device| N::loss_terms(outputs, &batch(device)).mean(),
            )
            .expect("the loss can be captured");
        let theta = loss.origin();
        let rows = loss.per_example_gradients(&theta).expect("gradients");
        let [count, dim] = rows.dims();
        let values: Vec<f64> = rows.into_data().iter::<f64>().collect();
        let rows: Vec<&[f64]> = values.chunks(dim).collect();
        let norms: Vec<f64> = rows.iter().map(|g| dot(g, g).sqrt()).collect();
        let mut sum_of_squares = vec![0.0; dim];
        let v = case.family("v");
        let mut sum = vec![0.0; dim];
        for g in &rows {
            let along = dot(g, &v);
            for i in 0..dim {
                sum_of_squares[i] += g[i] * g[i];
                #[expect(clippy::cast_precision_loss, reason = "some hundred examples")]
                let share = along / count as f64;
                sum[i] += g[i] * share;
            }
        }
        compare_statistics(case, "in the batch", &norms, &sum_of_squares);
        // The definition of F v, and the product without any g_n.
        let name = case.to_string();
        compare(&name, "F v, from g_n", &sum, &case.family("efv"), TOLERANCE);
        let data = TensorData::new(v, [dim]);
        let v = Tensor::<1>::from_data(data, (&Device::flex(), DType::F64));
        let whole = loss.fisher_vector(&theta, &v).expect("a product");
        compare(&name, "F v", &download(&whole), &sum, TOLERANCE);
        self.visited += 1;
    }
}

#[test]
fn example_gradients_taken_in_the_batch_agree_with_pytorch() {
    let mut coupled = Coupled { visited: 0 };
    for_each_case(&mut coupled);
    assert_eq!(coupled.visited, 10);
}
