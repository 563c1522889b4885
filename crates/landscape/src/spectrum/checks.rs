//! The checks that every long run makes once: products repeat, are linear and symmetric.

use super::product::product;
use crate::error::Error;
use crate::operator::LinearOperator;
use crate::operator::check::{
    Finding, allowed_asymmetry, allowed_change, allowed_departure, asymmetry, ensure_linear,
    ensure_symmetric, sum_of,
};
use crate::vector::{dot, norm, relative_change};

/// Checks that a second product with `v` is `image` again. Costs this product.
///
/// # Errors
/// [`Error::ChangingProducts`], and those of the product.
pub(crate) fn repeats<A: LinearOperator + ?Sized>(
    op: &A,
    v: &[f64],
    image: &[f64],
) -> Result<(), Error> {
    let change = relative_change(image, &product(op, v)?);
    if change > allowed_change(op) {
        return Err(Error::ChangingProducts { change });
    }
    Ok(())
}

/// Checks by one product that the products of two vectors u and v repeat and are linear: that with
/// `u + ¾ v` is their sum.
///
/// # Errors
/// As [`adds_up`].
pub(super) fn repeats_and_is_linear<A: LinearOperator + ?Sized>(
    op: &A,
    u: (&[f64], &[f64]),
    v: (&[f64], &[f64]),
) -> Result<(), Error> {
    let sum = sum_of(u.0, v.0);
    adds_up(op, (&sum, &sum_of(u.1, v.1)), u)
}

/// Checks by one product that the product with a sum of vectors is the sum of their products.
///
/// `sum` is both of them, and `known` one of the vectors with its product: only where the check
/// fails, one product more tells whether products change or are not linear.
///
/// # Errors
/// [`Error::ChangingProducts`], [`Error::NotLinear`], and those of the product.
pub(super) fn adds_up<A: LinearOperator + ?Sized>(
    op: &A,
    sum: (&[f64], &[f64]),
    known: (&[f64], &[f64]),
) -> Result<(), Error> {
    let found = relative_change(&product(op, sum.0)?, sum.1);
    if found > allowed_change(op) {
        repeats(op, known.0, known.1)?;
        let allowed = allowed_departure(op);
        ensure_linear(Finding { found, allowed })?;
    }
    Ok(())
}

/// Checks that the relative asymmetry found of an operator is explained by the rounding of its
/// products.
///
/// # Errors
/// [`Error::NotSymmetric`].
pub(crate) fn is_symmetric<A: LinearOperator + ?Sized>(
    op: &A,
    asymmetry: f64,
) -> Result<(), Error> {
    ensure_symmetric(Finding {
        found: asymmetry,
        allowed: allowed_asymmetry(op),
    })
}

/// The check of the first random vectors of a run, which have independent entries of variance one,
/// and their products.
#[derive(Debug, Default)]
pub(super) struct FirstTwo {
    vectors: usize,
    /// The first vector with its product, for as long as it is needed.
    first: Option<(Vec<f64>, Vec<f64>)>,
}

impl FirstTwo {
    /// Takes in a vector and its product; the second of them costs one product more.
    ///
    /// # Errors
    /// [`Error::ChangingProducts`], [`Error::NotLinear`], [`Error::NotSymmetric`], and those of the
    /// product.
    pub(super) fn take_in<A: LinearOperator + ?Sized>(
        &mut self,
        op: &A,
        v: &[f64],
        image: &[f64],
    ) -> Result<(), Error> {
        self.vectors += 1;
        if self.vectors == 1 {
            self.first = Some((v.to_vec(), image.to_vec()));
            return Ok(());
        }
        let Some((first, of_first)) = self.first.take() else {
            return Ok(());
        };
        if self.vectors == 2 {
            repeats_and_is_linear(op, (&first, &of_first), (v, image))?;
        }
        // Signs of a few coordinates may be parallel, which says nothing of symmetry: the next
        // vector may not be.
        if dot(&first, v).abs() > 0.999 * norm(&first) * norm(v) {
            self.first = Some((first, of_first));
            return Ok(());
        }
        is_symmetric(op, asymmetry((&first, &of_first), (v, image)))
    }
}
