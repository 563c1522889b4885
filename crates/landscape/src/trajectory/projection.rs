//! Checkpoints projected onto a plane, and what is measured there beside the checkpoints.

use burn::module::Module;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::stream::{Stream, of_checkpoint};
use crate::error::Error;
use crate::parameters::{ParameterSpace, weights};
use crate::vector::{Domain, add_scaled, checked, download, norm, remove_along};

/// A checkpoint's place beside a line or plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Projection<const D: usize> {
    /// The coordinates of the nearest point of the plane, in multiples of the directions.
    pub coordinates: [f64; D],
    /// The distance of that point from the origin.
    pub in_plane: f64,
    /// The distance of the checkpoint from the plane.
    pub out_of_plane: f64,
    /// The distance of the checkpoint from the origin: `distance² = in_plane² + out_of_plane²`.
    pub distance: f64,
}

/// A measure at a checkpoint and at its projection.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TrueAndProjected<V> {
    /// At the checkpoint itself, with its own buffers.
    pub at_checkpoint: V,
    /// At its projection, which is where a picture of the plane draws it.
    pub at_projection: V,
}

/// Returns the projections of `count` checkpoints onto the line or plane through `origin` along
/// `directions`, which need be neither orthogonal nor of unit norm: the coordinates a minimise
/// `‖θᵢ − θ₀ − Σⱼ aⱼ dⱼ‖`.
///
/// Each checkpoint is loaded once. Memory: D + 3 vectors of P.
///
/// # Errors
/// Directions that are of another length than P, zero, not finite, or depend linearly on those
/// before them; an origin whose weights are not finite; [`Error::Checkpoint`].
///
/// # Examples
/// ```
/// use burn::module::{Module, Param};
/// use burn::tensor::{DType, Device, Tensor, TensorData};
/// use landscape::trajectory::project;
///
/// #[derive(Module, Debug)]
/// struct Point {
///     at: Param<Tensor<1>>,
/// }
///
/// let vector = |at: [f64; 3]| {
///     Tensor::<1>::from_data(TensorData::from(at), (&Device::flex(), DType::F64))
/// };
/// let point = |at| Point {
///     at: Param::from_tensor(vector(at)),
/// };
/// // The plane z = 1, with directions that are not orthogonal.
/// let directions = [&vector([2.0, 0.0, 0.0]), &vector([1.0, 1.0, 0.0])];
/// let load = |_| Ok(point([5.0, 1.0, 3.0]));
/// let [found] = project(&point([0.0, 0.0, 1.0]), directions, 1, load)?[..] else {
///     panic!("one checkpoint");
/// };
/// assert!((found.coordinates[0] - 2.0).abs() < 1e-14);
/// assert!((found.coordinates[1] - 1.0).abs() < 1e-14);
/// assert_eq!(found.out_of_plane, 2.0);
/// # Ok::<(), landscape::Error>(())
/// ```
pub fn project<M: Module, const D: usize>(
    origin: &M,
    directions: [&Tensor<1>; D],
    count: usize,
    load: impl FnMut(usize) -> Result<M, Error>,
) -> Result<Vec<Projection<D>>, Error> {
    let space = ParameterSpace::of(origin)?;
    let centre = weights(&space, origin, || "the origin".to_owned())?;
    let basis = Basis::new(&space.domain, directions)?;
    let mut stream = Stream::of(space, count, load);
    let mut projections = Vec::with_capacity(count);
    for number in 0..count {
        let mut deviation = stream.theta(number)?;
        add_scaled(&mut deviation, -1.0, &centre);
        projections.push(basis.project(deviation));
    }
    Ok(projections)
}

/// Returns for each projected checkpoint what `measure` says of it and of its projection, whose
/// model is `origin` with the parameters of the point in the plane, and with the buffers of
/// `origin`: the value that a picture of the plane around `origin` has there.
///
/// Usually `measure` is `|model| risk.value(model)`, and the difference of both is what the picture
/// leaves out. Where a network has running statistics, part of it is theirs.
///
/// Each checkpoint is loaded once, and two measures are taken of it. Memory: D + 3 vectors of P
/// beside those of a measure.
///
/// # Errors
/// Directions of another length than P; [`Error::Checkpoint`] for a checkpoint that cannot be
/// loaded or measured.
pub fn true_and_projected<M: Module, V, const D: usize>(
    origin: &M,
    directions: [&Tensor<1>; D],
    projections: &[Projection<D>],
    load: impl FnMut(usize) -> Result<M, Error>,
    mut measure: impl FnMut(&M) -> Result<V, Error>,
) -> Result<Vec<TrueAndProjected<V>>, Error> {
    let space = ParameterSpace::of(origin)?;
    let centre = weights(&space, origin, || "the origin".to_owned())?;
    let mut entries = Vec::with_capacity(D);
    for direction in directions {
        space
            .domain
            .check_length("direction", direction.dims()[0])?;
        entries.push(download(direction));
    }
    let mut stream = Stream::of(space, projections.len(), load);
    let mut measured = Vec::with_capacity(projections.len());
    for (number, projection) in projections.iter().enumerate() {
        let (model, _) = stream.model_and_theta(number)?;
        let of_this = |error| of_checkpoint(number, error);
        let at_checkpoint = measure(&model).map_err(of_this)?;
        drop(model);
        let mut theta = centre.clone();
        for (&coordinate, direction) in projection.coordinates.iter().zip(&entries) {
            add_scaled(&mut theta, coordinate, direction);
        }
        let theta = stream.space.domain.upload(&theta)?;
        let projected = stream.space.unflatten(origin, &theta)?;
        measured.push(TrueAndProjected {
            at_checkpoint,
            at_projection: measure(&projected).map_err(of_this)?,
        });
    }
    Ok(measured)
}

/// Directions `D = Q R` with orthonormal columns of Q and upper triangular R.
struct Basis<const D: usize> {
    units: Vec<Vec<f64>>,
    triangle: [[f64; D]; D],
}

impl<const D: usize> Basis<D> {
    /// Decomposes the directions by Gram-Schmidt.
    ///
    /// # Errors
    /// Directions that are of another length, zero, not finite, or depend linearly on those before
    /// them.
    fn new(domain: &Domain, directions: [&Tensor<1>; D]) -> Result<Self, Error> {
        let mut units: Vec<Vec<f64>> = Vec::with_capacity(D);
        let mut triangle = [[0.0; D]; D];
        for (j, direction) in directions.into_iter().enumerate() {
            domain.check_length("direction", direction.dims()[0])?;
            let mut rest = checked(download(direction), "direction")
                .map_err(|_| no_direction("is not finite"))?;
            let length = norm(&rest);
            if length == 0.0 {
                return Err(no_direction("is zero"));
            }
            for (i, along) in remove_along(&mut rest, &units).into_iter().enumerate() {
                triangle[i][j] = along;
            }
            let height = crate::vector::normalize(&mut rest);
            if height <= 8.0 * domain.unit_roundoff() * length {
                return Err(no_direction(
                    "of the plane is parallel to the other: they span a line",
                ));
            }
            triangle[j][j] = height;
            units.push(rest);
        }
        Ok(Self { units, triangle })
    }

    fn project(&self, mut deviation: Vec<f64>) -> Projection<D> {
        let distance = norm(&deviation);
        let along = remove_along(&mut deviation, &self.units);
        let mut coordinates = [0.0; D];
        for i in (0..D).rev() {
            let later: f64 = (i + 1..D)
                .map(|j| self.triangle[i][j] * coordinates[j])
                .sum();
            coordinates[i] = (along[i] - later) / self.triangle[i][i];
        }
        Projection {
            coordinates,
            in_plane: norm(&along),
            out_of_plane: norm(&deviation),
            distance,
        }
    }
}

const fn no_direction(problem: &'static str) -> Error {
    Error::NoDirection {
        what: "direction",
        problem,
    }
}
