//! The error of Hessian products by differences, by float type and step.

use anyhow::Result;
use burn::tensor::{DType, Device};
use landscape::operator::download;
use landscape::{DifferenceConfig, Hessian, LinearOperator, Precision, Step};
use tests::{Case, CaseVisitor, Net, for_each_case_on, relative_error};

use crate::table::{Figure, Row, Table};

const SETTINGS: [(&str, Precision, Step); 4] = [
    ("f32, smooth step", Precision::Model, Step::Smooth),
    ("f32, short step", Precision::Model, Step::Kinks),
    ("f64, smooth step", Precision::Double, Step::Smooth),
    ("f64, short step (default)", Precision::Double, Step::Kinks),
];

#[derive(Default)]
struct Errors(Vec<Row>);

impl CaseVisitor for Errors {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let risk = case.risk();
        let expected = case.family("hv");
        let figures = SETTINGS.iter().map(|&(_, precision, step)| {
            let config = DifferenceConfig::new()
                .with_step(step)
                .with_precision(precision);
            let product = Hessian::by_differences(&case.model, &risk, &config)
                .and_then(|hessian| hessian.apply(&hessian.domain().upload(&case.family("v"))?));
            // A product that fails shows as a figure that is not finite, which the table refuses.
            let error = product.map_or(f64::NAN, |p| relative_error(&download(&p), &expected));
            Figure::of(vec![error])
        });
        self.0.push(Row {
            name: case.to_string(),
            figures: figures.collect(),
        });
    }
}

/// All ten cases; the small form is the whole.
pub(crate) fn run(_small: bool) -> Result<Table> {
    let mut errors = Errors::default();
    for_each_case_on(&Device::flex().autodiff(), DType::F32, &mut errors);
    let columns = std::iter::once("network").chain(SETTINGS.iter().map(|(name, ..)| *name));
    Ok(Table {
        setting: "Networks of the golden fixtures with weights in f32; relative error of H v, over all parameters, against \
                  PyTorch's exact product in f64."
            .to_owned(),
        columns: columns.map(str::to_owned).collect(),
        rows: errors.0,
    })
}
