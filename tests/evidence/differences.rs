//! The error of Hessian products: exact, and by differences, by float type and step.

use anyhow::Result;
use burn::tensor::{DType, Device};
use landscape::download;
use landscape::{DifferenceConfig, DifferenceStep, Hessian, LinearOperator, Precision};
use tests::{Case, CaseVisitor, Net, for_each_case_on, relative_error};

use crate::table::{Figure, Row, Table};

const SETTINGS: [(&str, Precision, DifferenceStep); 4] = [
    ("f32, smooth step", Precision::Model, DifferenceStep::Smooth),
    ("f32, short step", Precision::Model, DifferenceStep::Kinks),
    (
        "f64, smooth step",
        Precision::Double,
        DifferenceStep::Smooth,
    ),
    (
        "f64, short step (fallback)",
        Precision::Double,
        DifferenceStep::Kinks,
    ),
];

#[derive(Default)]
struct Errors(Vec<Row>);

impl CaseVisitor for Errors {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let risk = case.risk();
        let expected = case.family("hv");
        let error = |hessian: Result<Hessian<N, N::Batch>, landscape::Error>| {
            let product = hessian
                .and_then(|hessian| hessian.apply(&hessian.domain().upload(&case.family("v"))?));
            // A product that fails shows as a figure that is not finite, which the table refuses.
            let error = product.map_or(f64::NAN, |p| relative_error(&download(&p), &expected));
            Figure::of(vec![error])
        };
        let mut figures = vec![error(Hessian::at(&case.model, &risk))];
        figures.extend(SETTINGS.iter().map(|&(_, precision, step)| {
            let config = DifferenceConfig::new()
                .with_step(step)
                .with_precision(precision);
            error(Hessian::by_differences(&case.model, &risk, &config))
        }));
        self.0.push(Row {
            name: case.to_string(),
            figures,
        });
    }
}

/// All ten cases; the small form is the whole.
pub(crate) fn run(_small: bool) -> Result<Table> {
    let mut errors = Errors::default();
    for_each_case_on(&Device::flex().autodiff(), DType::F32, &mut errors);
    let columns = ["network", "exact, f32"]
        .into_iter()
        .chain(SETTINGS.iter().map(|(name, ..)| *name));
    Ok(Table {
        setting: "Networks of the golden fixtures with weights in f32; relative error of H v, over all parameters, against \
                  PyTorch's exact product in f64."
            .to_owned(),
        columns: columns.map(str::to_owned).collect(),
        rows: errors.0,
    })
}
