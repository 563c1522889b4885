//! Distances and angles between the parameters of several models.

use burn::module::Module;

use super::ends;
use crate::error::Error;
use crate::parameters::ParameterSpace;
use crate::vector::{dot, norm};

/// Distances and angles between models, in their parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Distances {
    /// `‖θᵢ − c‖` for each model, with c the centre.
    pub norm: Vec<f64>,
    /// `‖θᵢ − θⱼ‖`, symmetric, zero on the diagonal.
    pub distance: Vec<Vec<f64>>,
    /// The cosine of the angle between `θᵢ − c` and `θⱼ − c`, symmetric, one on the diagonal.
    pub cosine: Vec<Vec<f64>>,
}

/// Returns the distances and the cosines between all pairs of models, seen from `centre`, or from
/// the origin where there is none.
///
/// Seen from the point where all began, the cosines say whether they went the same way; seen from
/// the origin they are those of the weights.
///
/// ```
/// use burn::module::{Module, Param};
/// use burn::tensor::{Device, Tensor};
/// use landscape::connectivity::distances;
///
/// #[derive(Module, Debug)]
/// struct Point {
///     at: Param<Tensor<1>>,
/// }
/// let point = |x: f32, y: f32| Point {
///     at: Param::from_tensor(Tensor::from_floats([x, y], &Device::flex())),
/// };
/// let found = distances(&[&point(4.0, 0.0), &point(0.0, 3.0)], None)?;
/// assert_eq!((found.distance[0][1], found.cosine[0][1]), (5.0, 0.0));
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// Cost: reading each model as often as there are models. Memory: three vectors of P on the host,
/// whatever the number of models.
///
/// # Errors
/// Fewer than two models, models of different architecture, a parameter that is not finite, and
/// [`Error::NoDirection`] for a model that is the centre.
pub fn distances<M: Module>(models: &[&M], centre: Option<&M>) -> Result<Distances, Error> {
    super::barriers::check_several(models.len())?;
    let space = ParameterSpace::of(models[0])?;
    let centre = match centre {
        Some(centre) => Some(ends::finite(&space, centre, models.len())?),
        None => None,
    };
    let seen = |number: usize| -> Result<Vec<f64>, Error> {
        let mut theta = ends::finite(&space, models[number], number)?;
        ends::no_more(&space, models[0], models[number])?;
        if let Some(centre) = &centre {
            for (entry, centre) in theta.iter_mut().zip(centre) {
                *entry -= centre;
            }
        }
        Ok(theta)
    };
    let count = models.len();
    let mut found = Distances {
        norm: vec![0.0; count],
        distance: vec![vec![0.0; count]; count],
        cosine: vec![vec![1.0; count]; count],
    };
    for i in 0..count {
        let first = seen(i)?;
        found.norm[i] = norm(&first);
        if found.norm[i] == 0.0 {
            return Err(Error::NoDirection {
                what: "way from the centre to a model",
                problem: "is zero",
            });
        }
        for j in 0..i {
            let second = seen(j)?;
            let cosine = dot(&first, &second) / found.norm[i] / found.norm[j];
            let apart: Vec<f64> = first.iter().zip(&second).map(|(a, b)| a - b).collect();
            let distance = norm(&apart);
            found.distance[i][j] = distance;
            found.distance[j][i] = distance;
            found.cosine[i][j] = cosine;
            found.cosine[j][i] = cosine;
        }
    }
    Ok(found)
}
