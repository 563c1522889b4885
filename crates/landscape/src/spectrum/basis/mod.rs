//! Orthonormal bases: where they are kept, in which precision, and their orthogonalisation.

mod device;
mod host;

use std::ops::Range;

use burn::config::Config;
use burn::tensor::{DType, Tensor};
use derivatives::burn_names::is_cpu;

use super::product::{WHAT, on_host};
use crate::error::Error;
use crate::operator::LinearOperator;
use crate::vector::random::{Purpose, sphere};
use crate::vector::{Domain, download, norm, normalize};
use device::DeviceBasis;
pub(super) use host::HostBasis;

/// The place where a Lanczos run keeps its basis vectors, and their float type.
///
/// On the host every inner product is summed in f64, over a fixed partition of the coordinates, so
/// that results do not depend on the number of threads.
///
/// An f32 basis is orthonormal to `2⁻²⁴` and no better. A residual bound then holds up to about
/// `2⁻²⁴ √m` times the operator's norm, for m vectors, which is what products in f32 leave unknown
/// anyway; an operator whose products are exact in f64 loses digits to it. The residual in an
/// [`EigenPair`](super::EigenPair) is the true one in every case.
#[derive(Config, Debug, Copy, PartialEq, Eq)]
pub enum BasisStorage {
    /// [`Device`](Self::Device) where the operator is on a GPU; otherwise on the host, in the float
    /// type of the products.
    Automatic,
    /// On the host in f64, 8 bytes a coordinate.
    HostF64,
    /// On the host in f32, 4 bytes a coordinate; arithmetic is in f64.
    HostF32,
    /// On the operator's device in its float type, orthogonalised there by matrix products. Only
    /// coefficients and norms come to the host: the choice for a GPU.
    Device,
}

impl BasisStorage {
    /// Returns the place that [`Automatic`](Self::Automatic) stands for.
    fn suited_to(domain: &Domain) -> Self {
        if !is_cpu(&domain.device) {
            Self::Device
        } else if domain.dtype == DType::F64 {
            Self::HostF64
        } else {
            Self::HostF32
        }
    }
}

/// A vector on its way into a basis.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "there are a few at a time")]
pub(super) enum Vector {
    Host(Vec<f64>),
    Device(Tensor<1>),
}

impl Vector {
    pub(super) fn into_host(self) -> Vec<f64> {
        match self {
            Self::Host(vector) => vector,
            Self::Device(vector) => download(&vector),
        }
    }

    /// Returns the vector over its norm, `length`.
    fn scaled(self, length: f64) -> Self {
        match self {
            Self::Host(mut vector) => {
                normalize(&mut vector);
                Self::Host(vector)
            }
            Self::Device(vector) => Self::Device(vector / length),
        }
    }
}

/// Orthonormal vectors of one length.
#[derive(Debug, Clone)]
pub(super) struct Basis {
    domain: Domain,
    kept: Kept,
}

#[derive(Debug, Clone)]
enum Kept {
    F64(HostBasis<f64>),
    F32(HostBasis<f32>),
    Device(DeviceBasis),
}

impl Basis {
    pub(super) fn new(storage: BasisStorage, domain: &Domain) -> Self {
        let kept = match storage {
            BasisStorage::Automatic => return Self::new(BasisStorage::suited_to(domain), domain),
            BasisStorage::HostF64 => Kept::F64(HostBasis::new(domain.dim)),
            BasisStorage::HostF32 => Kept::F32(HostBasis::new(domain.dim)),
            BasisStorage::Device => Kept::Device(DeviceBasis::new(domain.dim)),
        };
        Self {
            domain: domain.clone(),
            kept,
        }
    }

    pub(super) const fn len(&self) -> usize {
        match &self.kept {
            Kept::F64(basis) => basis.len(),
            Kept::F32(basis) => basis.len(),
            Kept::Device(basis) => basis.len(),
        }
    }

    /// Returns a host vector as one that can be orthogonalised against the basis.
    ///
    /// # Errors
    /// A wrong length.
    pub(super) fn adopt(&self, vector: Vec<f64>) -> Result<Vector, Error> {
        Ok(match &self.kept {
            Kept::Device(_) => Vector::Device(self.domain.upload(&vector)?),
            _ => Vector::Host(vector),
        })
    }

    /// Returns whether the basis spans everything.
    pub(super) const fn is_complete(&self) -> bool {
        self.len() == self.domain.dim
    }

    /// Returns the unit roundoff of the numbers kept.
    pub(super) fn unit_roundoff(&self) -> f64 {
        match &self.kept {
            Kept::F64(_) => f64::EPSILON / 2.0,
            Kept::F32(_) => f64::from(f32::EPSILON) / 2.0,
            Kept::Device(_) => self.domain.unit_roundoff(),
        }
    }

    /// Adds a unit vector, rounded to the precision that is kept.
    ///
    /// # Errors
    /// A wrong length.
    pub(super) fn push(&mut self, vector: &Vector) -> Result<(), Error> {
        match (&mut self.kept, vector) {
            (Kept::F64(basis), Vector::Host(vector)) => basis.push(vector),
            (Kept::F32(basis), Vector::Host(vector)) => basis.push(vector),
            (Kept::F64(basis), Vector::Device(vector)) => basis.push(&download(vector)),
            (Kept::F32(basis), Vector::Device(vector)) => basis.push(&download(vector)),
            (Kept::Device(basis), Vector::Host(vector)) => basis.push(self.domain.upload(vector)?),
            (Kept::Device(basis), Vector::Device(vector)) => basis.push(vector.clone()),
        }
        Ok(())
    }

    /// Adds `vector`, whose norm is `length`, as a unit vector.
    ///
    /// # Errors
    /// A wrong length.
    pub(super) fn push_scaled(&mut self, vector: Vector, length: f64) -> Result<(), Error> {
        self.push(&vector.scaled(length))
    }

    /// Adds the random unit vector number `index` of a seed, made orthogonal to the basis.
    ///
    /// # Errors
    /// None but a wrong length.
    pub(super) fn push_fresh(&mut self, seed: u64, index: usize) -> Result<(), Error> {
        let stream = Purpose::Restart.stream(index as u64);
        let mut vector = self.adopt(sphere(seed, stream, self.domain.dim))?;
        // Repeated until a pass takes nothing more away: where the basis spans nearly everything,
        // the first pass leaves a small rest that holds its rounding errors.
        for _ in 0..5 {
            let before = self.norm(&vector);
            if before > 0.0 {
                vector = vector.scaled(before);
            }
            self.orthogonalize(&mut vector);
            if before > 0.0 && self.norm(&vector) > 0.9 {
                break;
            }
        }
        let length = self.norm(&vector);
        self.push_scaled(vector, length)
    }

    /// Returns the products of `op` with the vectors of a range.
    ///
    /// # Errors
    /// [`Error::NonFiniteVector`], and the operator's own.
    pub(super) fn images<A: LinearOperator + ?Sized>(
        &self,
        op: &A,
        range: Range<usize>,
    ) -> Result<Vec<Vector>, Error> {
        let vectors = range
            .map(|index| match self.vector(index) {
                Vector::Host(vector) => op.domain().upload(&vector),
                Vector::Device(vector) => op.domain().adopt(&vector),
            })
            .collect::<Result<Vec<_>, Error>>()?;
        let images = match &vectors[..] {
            [vector] => vec![op.apply(vector)?],
            _ => op.apply_many(&vectors)?,
        };
        drop(vectors);
        images
            .into_iter()
            .map(|image| match &self.kept {
                Kept::Device(_) => {
                    self.domain.check_length(WHAT, image.dims()[0])?;
                    if device::is_finite(&image) {
                        Ok(Vector::Device(image))
                    } else {
                        Err(Error::NonFiniteVector { what: WHAT })
                    }
                }
                _ => on_host(op, &image).map(Vector::Host),
            })
            .collect()
    }

    /// Returns a vector of the basis.
    pub(super) fn vector(&self, index: usize) -> Vector {
        match &self.kept {
            Kept::F64(basis) => Vector::Host(basis.vector(index)),
            Kept::F32(basis) => Vector::Host(basis.vector(index)),
            Kept::Device(basis) => Vector::Device(basis.vector(index)),
        }
    }

    /// Returns the norm of a vector.
    pub(super) fn norm(&self, vector: &Vector) -> f64 {
        match vector {
            Vector::Host(vector) => norm(vector),
            Vector::Device(vector) => device::norm(vector),
        }
    }

    /// Removes from `w` its part in the span of the basis, and returns the coefficients of that
    /// part.
    ///
    /// Classical Gram-Schmidt done twice: after the second pass the rest is orthogonal to the
    /// basis to rounding level unless the first pass has left nothing but rounding (Giraud,
    /// Langou and Rozloznik 2005, "twice is enough").
    pub(super) fn orthogonalize(&self, w: &mut Vector) -> Vec<f64> {
        match (&self.kept, w) {
            (Kept::F64(basis), Vector::Host(w)) => basis.orthogonalize(w),
            (Kept::F32(basis), Vector::Host(w)) => basis.orthogonalize(w),
            (Kept::Device(basis), Vector::Device(w)) => basis.orthogonalize(w),
            (Kept::Device(_), Vector::Host(_)) | (_, Vector::Device(_)) => {
                unreachable!("products are made where the basis is")
            }
        }
    }

    /// Removes from `w` its part in the span of the basis, as
    /// [`orthogonalize`](Self::orthogonalize), where that is along the last `near` vectors but for
    /// rounding.
    pub(super) fn orthogonalize_near(&self, w: &mut Vector, near: usize) -> Vec<f64> {
        match (&self.kept, w) {
            (Kept::F64(basis), Vector::Host(w)) => basis.orthogonalize_near(w, near),
            (Kept::F32(basis), Vector::Host(w)) => basis.orthogonalize_near(w, near),
            (_, w) => self.orthogonalize(w),
        }
    }

    /// Returns the combination with the given coefficients, of the first vectors if they are fewer.
    pub(super) fn combine(&self, coefficients: &[f64]) -> Vec<f64> {
        match &self.kept {
            Kept::F64(basis) => basis.combine(coefficients),
            Kept::F32(basis) => basis.combine(coefficients),
            Kept::Device(basis) => download(&basis.combine(coefficients)),
        }
    }

    /// Replaces the first vectors, as many as each of `combinations` has coefficients, by these
    /// combinations of them. The vectors after them stay, and follow.
    pub(super) fn replace(&mut self, combinations: &[&[f64]]) {
        match &mut self.kept {
            Kept::F64(basis) => basis.replace(combinations),
            Kept::F32(basis) => basis.replace(combinations),
            Kept::Device(basis) => basis.replace(combinations),
        }
    }
}
