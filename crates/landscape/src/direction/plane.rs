//! The plane through three models.

use burn::module::Module;
use serde::{Deserialize, Serialize};

use super::{Direction, DirectionKind};
use crate::error::Error;
use crate::parameters::{ParameterSpace, Rest, weights};
use crate::vector::{add_scaled, dot, norm, remove_along};

/// The basis of the plane through three models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlaneBasis {
    /// `m₁ − m₀` and `m₂ − m₀`: the models are at (0, 0), (1, 0) and (0, 1).
    Models,
    /// Two orthogonal unit vectors, the first along `m₁ − m₀`, so that distances in the picture are
    /// those in parameter space.
    Orthonormal,
}

/// The plane through three models.
#[derive(Debug, Clone)]
pub struct ModelPlane {
    /// The coordinates of theta.
    pub space: ParameterSpace,
    /// The two directions, from the first model.
    pub directions: [Direction; 2],
    /// The coordinates of the models in them; those of the first are (0, 0).
    pub models: [[f64; 2]; 3],
    /// The path of the first tensor in which the models differ and that is no trainable parameter,
    /// such as a running statistic of BatchNorm. A direction does not move it: the other two
    /// models are then not met, and [`Slice::between`](crate::slice) has to move it.
    pub differs: Option<String>,
}

impl ModelPlane {
    /// Returns the coordinates, in multiples of `m₁ − m₀` and `m₂ − m₀`, of the point at `at`: what
    /// [`plane_between`](crate::slice::plane_between) counts in.
    #[must_use]
    pub fn between(&self, at: [f64; 2]) -> [f64; 2] {
        let [_, [a, c], [b, d]] = self.models;
        let determinant = a * d - b * c;
        [
            (d * at[0] - b * at[1]) / determinant,
            (a * at[1] - c * at[0]) / determinant,
        ]
    }
}

/// Returns the plane through three models, with its directions from the first.
///
/// The models have one architecture, whether trained from one another or made separately.
///
/// Cost: none. Memory: six vectors of P.
///
/// # Errors
/// [`Error::AnotherModule`] for models of different parameters, [`Error::NonFiniteWeights`], and
/// [`Error::NoDirection`] where two models are equal or all three are on one line.
///
/// # Examples
/// ```
/// use burn::module::{Module, Param};
/// use burn::tensor::{DType, Device, Tensor, TensorData};
/// use landscape::direction::{PlaneBasis, plane_of};
///
/// #[derive(Module, Debug)]
/// struct Point {
///     at: Param<Tensor<1>>,
/// }
///
/// let point = |at: [f64; 2]| Point {
///     at: Param::from_tensor(Tensor::from_data(
///         TensorData::from(at),
///         (&Device::flex(), DType::F64),
///     )),
/// };
/// let models = [point([1.0, 1.0]), point([4.0, 5.0]), point([1.0, 6.0])];
/// let plane = plane_of(
///     [&models[0], &models[1], &models[2]],
///     PlaneBasis::Orthonormal,
/// )?;
/// // Along (3, 4)/5, and at a right angle to it.
/// assert_eq!(plane.models, [[0.0, 0.0], [5.0, 0.0], [4.0, 3.0]]);
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// # References
/// Garipov et al. 2018, "Loss Surfaces, Mode Connectivity, and Fast Ensembling of DNNs", section 3:
/// the orthonormal basis.
pub fn plane_of<M: Module>(models: [&M; 3], basis: PlaneBasis) -> Result<ModelPlane, Error> {
    let space = ParameterSpace::of(models[0])?;
    let theta = |number: usize| weights(&space, models[number], || format!("model {number}"));
    let origin = theta(0)?;
    let from_origin = |number: usize| -> Result<Vec<f64>, Error> {
        let mut difference = theta(number)?;
        add_scaled(&mut difference, -1.0, &origin);
        Ok(difference)
    };
    let (first, second) = (from_origin(1)?, from_origin(2)?);

    let rest = |number: usize| Rest::of(&space, models[number]);
    let (own, others) = (rest(0)?, [rest(1)?, rest(2)?]);
    let differs = others.iter().find_map(|rest| own.differs(rest));
    let differs = differs.map(str::to_owned);

    // Entries of the models are rounded, and so is what is left of parallel directions.
    let roundoff = space.domain.unit_roundoff();
    let largest = [&origin, &first, &second].map(|x| norm(x)).into_iter();
    let resolution = 8.0 * roundoff * largest.fold(0.0, f64::max);
    let mut unit = first.clone();
    let length = crate::vector::normalize(&mut unit);
    let apart = |problem| {
        Err(Error::NoDirection {
            what: "way between two of the three models",
            problem,
        })
    };
    if length <= resolution || norm(&second) <= resolution {
        return apart("is zero up to rounding: they are equal");
    }
    let mut across = second.clone();
    remove_along(&mut across, std::slice::from_ref(&unit));
    let height = crate::vector::normalize(&mut across);
    if height <= resolution {
        return apart("is parallel to the other: the models are on one line");
    }

    let kind = |number: usize| match basis {
        PlaneBasis::Models => DirectionKind::Difference {
            from: 0,
            to: number + 1,
        },
        PlaneBasis::Orthonormal => DirectionKind::ModelPlane { number },
    };
    let (vectors, coordinates) = match basis {
        PlaneBasis::Models => ([&first, &second], [[1.0, 0.0], [0.0, 1.0]]),
        PlaneBasis::Orthonormal => {
            let along = dot(&second, &unit);
            ([&unit, &across], [[length, 0.0], [along, height]])
        }
    };
    let direction = |number: usize| -> Result<Direction, Error> {
        let vector = space.domain.upload(vectors[number])?;
        Ok(Direction::new(vector, kind(number)))
    };
    let directions = [direction(0)?, direction(1)?];
    Ok(ModelPlane {
        directions,
        models: [[0.0, 0.0], coordinates[0], coordinates[1]],
        differs,
        space,
    })
}
