//! Moments of spectral densities from quadratures of every coordinate vector, on the fixtures.

use anyhow::{Result, ensure};
use burn::tensor::{DType, Device};
use landscape::spectrum::{Density, DensityConfig, Lanczos};
use landscape::{Error, Hessian, LinearOperator};
use tests::{Case, CaseVisitor, Net, error_of_moments, for_each_case_on};

use crate::table::{Row, Table};

/// Lanczos steps from each coordinate: moments up to nine.
const STEPS: usize = 5;

struct Moments {
    most: usize,
    rows: Vec<Row>,
}

/// Returns the largest relative error of the moments 1 to 8.
fn error<N: Net>(case: &Case<N>, hessian: &Hessian<N, N::Batch>) -> Result<f64, Error> {
    let dim = hessian.dim();
    let mut quadratures = Vec::with_capacity(dim);
    for coordinate in 0..dim {
        let mut unit = vec![0.0; dim];
        unit[coordinate] = 1.0;
        let mut run = Lanczos::from_start(hessian, &hessian.domain().upload(&unit)?, 0)?;
        run.extend(hessian, STEPS)?;
        quadratures.push(run.quadrature()?);
    }
    let density = Density::of(quadratures, STEPS * dim, &DensityConfig::new())?;
    let expected = case.values("hess_moments");
    let found: Vec<f64> = (1..=8).map(|k| density.moment(k).mean).collect();
    Ok(error_of_moments(&found, &expected))
}

impl CaseVisitor for Moments {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        // What fails shows as a figure that is not finite, which the table refuses.
        let figure = Hessian::at(&case.model, &case.risk()).and_then(|hessian| {
            let measured = hessian.dim() <= self.most;
            measured.then(|| error(case, &hessian)).transpose()
        });
        let worst = match figure {
            Ok(None) => return,
            Ok(Some(worst)) => worst,
            Err(_) => f64::NAN,
        };
        self.rows.push(Row::of(case.to_string(), [worst]));
    }
}

/// All ten cases; in the small form those of up to 200 parameters.
pub(crate) fn run(small: bool) -> Result<Table> {
    let mut moments = Moments {
        most: if small { 200 } else { usize::MAX },
        rows: Vec::new(),
    };
    for_each_case_on(&Device::flex().autodiff(), DType::F64, &mut moments);
    for row in &moments.rows {
        ensure!(
            row.figures[0].mean < 1e-10,
            "the moments of {} are off",
            row.name
        );
    }
    Ok(Table {
        setting: format!(
            "Gauss quadrature from every coordinate vector by {STEPS} Lanczos steps in f64, against PyTorch's tr(H^k)/P: largest \
             relative error for k from 1 to 8."
        ),
        columns: ["network", "error"].map(str::to_owned).to_vec(),
        rows: moments.rows,
    })
}
