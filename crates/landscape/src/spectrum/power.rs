//! Power iteration.

use burn::config::Config;
use burn::tensor::Tensor;

use super::checks::{is_symmetric, repeats, repeats_and_is_linear};
use super::rayleigh::rayleigh_product;
use crate::error::Error;
use crate::operator::LinearOperator;
use crate::operator::check::relative_difference;
use crate::vector::random::{Purpose, normal};
use crate::vector::{dot, norm, normalize};

/// Settings of [`power_iteration`].
#[derive(Config, Debug, PartialEq)]
pub struct PowerConfig {
    /// Seed of the start vector, which is standard normal.
    #[config(default = 0)]
    pub seed: u64,
    /// Stops when `‖Av − λv‖ ≤ tolerance · |λ|`.
    #[config(default = 1e-3)]
    pub tolerance: f64,
    /// Most products.
    #[config(default = 1000)]
    pub max_products: usize,
}

/// The result of [`power_iteration`].
#[derive(Debug, Clone)]
pub struct PowerIteration {
    /// Rayleigh quotient of `vector`.
    pub value: f64,
    /// `‖Av − λv‖` for this value and vector.
    pub residual: f64,
    /// Whether the residual is at most `tolerance · |λ|`.
    pub converged: bool,
    /// Whether the value is not told from zero: its magnitude is at most the residual. See
    /// [`EigenPair::below_resolution`](super::EigenPair::below_resolution).
    pub below_resolution: bool,
    /// Products used. One more is made to see that products do not change and are linear.
    pub products: usize,
    /// Unit vector, `[P]`.
    pub vector: Tensor<1>,
}

/// Returns the eigenvalue of largest magnitude by power iteration, `v ← Av / ‖Av‖`.
///
/// Keeps one vector where [`top_eigenpairs`](super::top_eigenpairs) keeps one per step, and needs
/// many more products: the error shrinks by `|λ₂ / λ₁|` with each. It does not
/// converge where `λ₁ = −λ₂`. The value is the Rayleigh quotient of the unit vector
/// that was multiplied, from that same product, so value, residual and vector belong together.
///
/// # Errors
/// [`Error::Setting`] for an operator without coordinates, a tolerance that is not positive, or no
/// product, [`Error::NonFiniteVector`], [`Error::ChangingProducts`], [`Error::NotLinear`] and
/// [`Error::NotSymmetric`] for an operator that is none, and the operator's own.
///
/// # Examples
/// ```
/// use burn::tensor::{DType, Device};
/// use landscape::operator::Dense;
/// use landscape::spectrum::{PowerConfig, power_iteration};
///
/// let op = Dense::new(&[2.0, 0.0, 0.0, -5.0], (&Device::flex(), DType::F64))?;
/// let found = power_iteration(&op, &PowerConfig::new().with_tolerance(1e-8))?;
/// assert!((found.value + 5.0).abs() < 1e-12 && found.converged);
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// # References
/// Golub and Van Loan (2013), *Matrix Computations*, section 8.2.1.
pub fn power_iteration<A: LinearOperator + ?Sized>(
    op: &A,
    config: &PowerConfig,
) -> Result<PowerIteration, Error> {
    let setting = |name, value: String, allowed| {
        Err(Error::Setting {
            name,
            value,
            allowed,
        })
    };
    if op.dim() == 0 {
        return setting("the operator's dimension", "0".into(), "at least 1");
    }
    if config.tolerance.is_nan() || config.tolerance <= 0.0 {
        return setting("tolerance", config.tolerance.to_string(), "positive");
    }
    if config.max_products == 0 {
        return setting("max_products", "0".into(), "at least 1");
    }
    let mut host = normal(config.seed, Purpose::Power.stream(0), op.dim());
    let mut products = 0;
    let mut before: Option<(Vec<f64>, Vec<f64>)> = None;
    let mut is_checked = false;
    loop {
        normalize(&mut host);
        let vector = op.domain().upload(&host)?;
        let (measured, product) = rayleigh_product(op, &vector)?;
        products += 1;
        // uᵀAv = vᵀAu for two vectors that follow each other.
        if let Some((u, image)) = before.take() {
            repeats_and_is_linear(op, (&u, &image), (&host, &product))?;
            let scale = norm(&image).max(norm(&product));
            let asymmetry = relative_difference(dot(&u, &product), dot(&host, &image), scale);
            is_symmetric(op, asymmetry)?;
            is_checked = true;
        }
        let converged = measured.residual <= config.tolerance * measured.quotient.abs();
        if converged || products == config.max_products {
            if !is_checked {
                repeats(op, &host, &product)?;
            }
            return Ok(PowerIteration {
                value: measured.quotient,
                residual: measured.residual,
                converged,
                below_resolution: measured.quotient.abs() <= measured.residual,
                products,
                vector,
            });
        }
        if !is_checked {
            before = Some((host, product.clone()));
        }
        host = product;
    }
}
