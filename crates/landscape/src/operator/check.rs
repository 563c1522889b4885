//! Checks that an operator is what the algorithms take it for: fixed, linear and symmetric.
//!
//! Products say nothing of where they come from. A loss over data that are drawn anew each time, or
//! one with a stopped gradient, has products all the same, and a recurrence on them converges to
//! something. [`check_operator`] asks a whole operator at some random vectors; the algorithms of
//! [`spectrum`](crate::spectrum) ask the same once by themselves, mostly of products that they make
//! anyway.

use burn::config::Config;
use burn::tensor::Tensor;

use super::LinearOperator;
use crate::error::Error;
use crate::vector::random::{Purpose, normal};
use crate::vector::{add_scaled, checked, dot, download, norm, relative_change};

/// Up to which approximate products are believed: a difference of gradients across a kink is off by
/// more than its error says.
const OF_APPROXIMATE: f64 = 0.05;

/// Second coefficient of a sum of two vectors whose product is compared: exact in every float type,
/// and not 1, so that exchanging the products is seen.
const SECOND: f64 = 0.75;

/// Settings of [`check_operator`].
#[derive(Config, Debug, PartialEq)]
pub struct CheckConfig {
    /// Seed of the vectors, which are standard normal.
    #[config(default = 0)]
    pub seed: u64,
    /// Pairs of vectors, each four products and a quadratic form. The worst of them is reported.
    #[config(default = 2)]
    pub pairs: usize,
}

/// A departure that was found, beside the one that is explained by rounding.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Finding {
    /// Relative size of the departure; zero is perfect.
    pub found: f64,
    /// Largest departure that is taken for the error of the products.
    pub allowed: f64,
}

impl Finding {
    /// Returns whether what was found is at most what is allowed; NaN is not.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.found <= self.allowed
    }

    fn worse(&mut self, found: f64) {
        // A NaN stays: `max` would drop it.
        if found > self.found || found.is_nan() {
            self.found = found;
        }
    }
}

/// The result of [`check_operator`], for random vectors u and v.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OperatorCheck {
    /// Determinism: `‖Au − (Au again)‖ / ‖Au‖`.
    pub determinism: Finding,
    /// Linearity: `‖A(u + ¾ v) − Au − ¾ Av‖` over the larger of `‖A(u + ¾ v)‖` and
    /// `‖Au + ¾ Av‖`.
    pub linearity: Finding,
    /// Symmetry: `|uᵀAv − vᵀAu|` over the mean of `‖Au‖` and `‖Av‖`. Since both vectors are
    /// standard normal, this is about `‖A − Aᵀ‖_F / ‖A‖_F`.
    pub symmetry: Finding,
    /// Agreement of the quadratic form with the product: `|form(u) − uᵀAu|` over `‖Au‖`.
    pub quadratic_form: Finding,
    /// Products made, quadratic forms included.
    pub products: usize,
}

impl OperatorCheck {
    /// Returns whether every finding is within what is allowed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.ensure().is_ok()
    }

    /// Returns the first finding that is not within what is allowed as an error.
    ///
    /// # Errors
    /// [`Error::ChangingProducts`], [`Error::NotLinear`], [`Error::NotSymmetric`],
    /// [`Error::AnotherForm`], in this order.
    pub fn ensure(&self) -> Result<(), Error> {
        if !self.determinism.passed() {
            return Err(Error::ChangingProducts {
                change: self.determinism.found,
            });
        }
        ensure_linear(self.linearity)?;
        ensure_symmetric(self.symmetry)?;
        if !self.quadratic_form.passed() {
            let Finding { found, allowed } = self.quadratic_form;
            return Err(Error::AnotherForm {
                difference: found,
                allowed,
            });
        }
        Ok(())
    }
}

/// Returns how far an operator departs from a fixed, linear and symmetric one, at random vectors.
///
/// A departure is found with certainty only where it is seen at these vectors: of an operator that
/// is not linear at one point in a thousand it says nothing. Costs four products and a quadratic
/// form for each pair, and the memory of seven vectors of P.
///
/// # Errors
/// [`Error::Setting`] for no pair, or an operator without coordinates;
/// [`Error::NonFiniteVector`] for a product that is not finite, and the operator's own. A departure
/// is no error here; [`OperatorCheck::ensure`] makes it one.
///
/// # Examples
/// ```
/// use burn::tensor::{DType, Device};
/// use landscape::operator::{CheckConfig, Dense, check_operator};
///
/// let op = Dense::new(&[2.0, 1.0, 1.0, 3.0], (&Device::flex(), DType::F64))?;
/// let check = check_operator(&op, &CheckConfig::new().with_seed(7))?;
/// assert!(check.passed() && check.determinism.found == 0.0);
/// # Ok::<(), landscape::Error>(())
/// ```
pub fn check_operator<A: LinearOperator + ?Sized>(
    op: &A,
    config: &CheckConfig,
) -> Result<OperatorCheck, Error> {
    if config.pairs == 0 {
        return Err(Error::Setting {
            name: "pairs",
            value: "0".into(),
            allowed: "at least 1",
        });
    }
    check_dimension(op)?;
    let none = |allowed| Finding {
        found: 0.0,
        allowed,
    };
    let (steady, approximate) = (allowed_change(op), allowed_asymmetry(op));
    let mut check = OperatorCheck {
        determinism: none(steady),
        linearity: none(allowed_departure(op)),
        symmetry: none(approximate),
        quadratic_form: none(approximate),
        products: 0,
    };
    for pair in 0..config.pairs as u64 {
        let vector = |index| normal(config.seed, Purpose::Check.stream(index), op.dim());
        let (u, v) = (vector(2 * pair), vector(2 * pair + 1));
        let (of_u, of_v) = (product(op, &u)?, product(op, &v)?);
        let again = product(op, &u)?;
        check.determinism.worse(relative_change(&of_u, &again));
        let of_sum = product(op, &sum_of(&u, &v))?;
        let departure = relative_change(&of_sum, &sum_of(&of_u, &of_v));
        check.linearity.worse(departure);
        let asymmetry = asymmetry((&u, &of_u), (&v, &of_v));
        check.symmetry.worse(asymmetry);
        let form = op.quadratic_form(&op.domain().upload(&u)?)?;
        let by_product = dot(&u, &of_u);
        let difference = relative_difference(form, by_product, norm(&of_u));
        check.quadratic_form.worse(difference);
        check.products += 5;
    }
    Ok(check)
}

/// Returns how far the product of `op` with a random vector is from that of `reference`,
/// relatively, and what the errors of both explain: for an operator of one's own beside a slow and
/// certain one.
///
/// Costs a product of each.
///
/// # Errors
/// [`Error::Length`] for operators of different dimensions, [`Error::Setting`] for operators
/// without coordinates, [`Error::NonFiniteVector`], and the operators' own.
pub fn agreement<A, B>(op: &A, reference: &B, seed: u64) -> Result<Finding, Error>
where
    A: LinearOperator + ?Sized,
    B: LinearOperator + ?Sized,
{
    reference
        .domain()
        .check_length("operator's domain", op.dim())?;
    check_dimension(op)?;
    let v = normal(seed, Purpose::Check.stream(0), op.dim());
    let (ours, theirs) = (product(op, &v)?, product(reference, &v)?);
    Ok(Finding {
        found: relative_change(&ours, &theirs),
        // Asked after the products: differences know their error only then.
        allowed: allowed_asymmetry(op).max(allowed_asymmetry(reference)),
    })
}

/// Returns the largest change between two products with one vector that is taken for rounding.
///
/// Sums on several cores may come in another order each time, and lose digits where they cancel;
/// half the digits of the products are left to that. Products that are bad for another reason
/// repeat all the same: more than a twentieth is never left.
pub(crate) fn allowed_change<A: LinearOperator + ?Sized>(op: &A) -> f64 {
    op.relative_error().sqrt().min(OF_APPROXIMATE)
}

/// Returns the largest relative asymmetry, or departure from a linear map, that is taken for the
/// error of the products.
///
/// A third of the digits must be there: where large terms cancel in f32, products that are exact up
/// to rounding may lose more than half. Where two products are each wrong by a part e of their
/// size, an entry of either may be, so that `2 e` is no evidence: it counts from `e = 0.36` on.
pub(crate) fn allowed_asymmetry<A: LinearOperator + ?Sized>(op: &A) -> f64 {
    let error = op.relative_error();
    if error > op.domain().unit_roundoff() {
        error.cbrt().max(OF_APPROXIMATE).max(2.0 * error)
    } else {
        error.cbrt()
    }
}

/// Returns the largest relative departure from a linear map that is taken for the error of the
/// products.
///
/// A product is compared with a sum of others, whose own rounding was at their size and not at that
/// of the sum: where a Hessian is what is left of large terms, a quarter of the digits of f64 has
/// to do. A map that is not linear departs by its own size, or somewhat less for vectors that are
/// much alike.
pub(crate) fn allowed_departure<A: LinearOperator + ?Sized>(op: &A) -> f64 {
    allowed_asymmetry(op).max(op.relative_error().powf(0.25).min(1e-3))
}

/// Returns `u + ¾ v`.
pub(crate) fn sum_of(u: &[f64], v: &[f64]) -> Vec<f64> {
    let mut sum = u.to_vec();
    add_scaled(&mut sum, SECOND, v);
    sum
}

/// Returns the relative asymmetry that two vectors of independent entries of variance one show with
/// their products.
///
/// `uᵀAv − vᵀAu` has the standard deviation `‖A − Aᵀ‖` and `Av` the norm `‖A‖` (Frobenius).
pub(crate) fn asymmetry((u, of_u): (&[f64], &[f64]), (v, of_v): (&[f64], &[f64])) -> f64 {
    let scale = 0.5 * (norm(of_u) + norm(of_v));
    relative_difference(dot(u, of_v), dot(v, of_u), scale)
}

/// Returns `|a − b| / scale`; zero if all are.
pub(crate) fn relative_difference(a: f64, b: f64, scale: f64) -> f64 {
    if scale > 0.0 {
        (a - b).abs() / scale
    } else {
        0.0
    }
}

pub(crate) fn ensure_linear(finding: Finding) -> Result<(), Error> {
    if finding.passed() {
        return Ok(());
    }
    Err(Error::NotLinear {
        departure: finding.found,
        allowed: finding.allowed,
    })
}

pub(crate) fn ensure_symmetric(finding: Finding) -> Result<(), Error> {
    if finding.passed() {
        return Ok(());
    }
    Err(Error::NotSymmetric {
        what: "operator",
        asymmetry: finding.found,
        allowed: finding.allowed,
    })
}

/// Checks that an operator has a coordinate.
///
/// # Errors
/// [`Error::Setting`].
pub(crate) fn check_dimension<A: LinearOperator + ?Sized>(op: &A) -> Result<(), Error> {
    if op.dim() > 0 {
        return Ok(());
    }
    Err(Error::Setting {
        name: "the operator's dimension",
        value: "0".into(),
        allowed: "at least 1",
    })
}

fn product<A: LinearOperator + ?Sized>(op: &A, v: &[f64]) -> Result<Vec<f64>, Error> {
    let v: Tensor<1> = op.domain().upload(v)?;
    checked(download(&op.apply(&v)?), "operator's product")
}
