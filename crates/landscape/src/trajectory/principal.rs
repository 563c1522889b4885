//! Principal components of a trajectory.

use std::fmt;

use burn::config::Config;
use burn::module::Module;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::Projection;
use super::deviations::Deviations;
use super::stream::Stream;
use crate::direction::{Direction, DirectionKind};
use crate::error::Error;
use crate::parameters::ParameterSpace;
use crate::spectrum::DenseSolver;
use crate::vector::{add_scaled, dot, largest_magnitude, norm, normalize};

/// The centre of the deviations that principal components are taken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Centre {
    /// The mean of the checkpoints: the explained shares are of their variance. A picture's centre
    /// is then no checkpoint.
    Mean,
    /// The last checkpoint, as in Li et al. 2018: the explained shares are of the squared distances
    /// to it.
    Last,
}

impl fmt::Display for Centre {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mean => "mean",
            Self::Last => "last checkpoint",
        })
    }
}

/// Settings of [`principal_components`] and [`principal_plane`].
#[derive(Config, Debug, PartialEq, Eq)]
pub struct PrincipalConfig {
    /// The centre of the deviations.
    #[config(default = "Centre::Last")]
    pub centre: Centre,
    /// The vectors of P numbers, in f64, that may be held at a time: the centre, the directions,
    /// and a block of checkpoints. Beside them there is the checkpoint that is being read,
    /// with its copies. More vectors mean fewer loads and no other numbers but for rounding.
    #[config(default = 12)]
    pub max_vectors: usize,
}

impl PrincipalConfig {
    /// Returns how many times a checkpoint is loaded in all, for a progress bar: once each and the
    /// first twice, where centre, directions and all `count` checkpoints are no more than
    /// `max_vectors`. Else about `count² / 2b` times for the inner products, with blocks of
    /// `b = max_vectors − 1`, and up to three passes for centre, directions and coordinates.
    #[must_use]
    pub fn loads(&self, count: usize, components: usize) -> usize {
        if self.keeps(count, components) {
            return 1 + count;
        }
        let centre = match self.centre {
            Centre::Mean => count,
            Centre::Last => 1,
        };
        let blocks = (0..count).step_by(self.block());
        let products: usize = blocks.map(|start| count - start).sum();
        1 + centre + products + 2 * count
    }

    /// Returns whether all checkpoints are kept beside the centre and the directions.
    const fn keeps(&self, count: usize, components: usize) -> bool {
        count + components < self.max_vectors
    }

    /// Returns the checkpoints that are held beside the centre, before there are directions.
    fn block(&self) -> usize {
        self.max_vectors.saturating_sub(1).max(1)
    }
}

/// Principal components of a trajectory.
#[derive(Debug, Clone)]
pub struct PrincipalComponents {
    /// The coordinates of theta, by the first checkpoint.
    pub space: ParameterSpace,
    /// The kind of centre.
    pub centre: Centre,
    /// Theta of the centre, `[P]`: `space.unflatten(&any_checkpoint, &origin)` is the model at
    /// coordinates zero.
    pub origin: Tensor<1>,
    /// Orthonormal directions, `[P]` each, by falling explained share: as many as were asked for,
    /// or as the deviations have beyond rounding. The checkpoint with the largest coordinate along
    /// one has a positive one.
    pub directions: Vec<Direction>,
    /// For each direction `Σᵢ cᵢ² / Σᵢ ‖xᵢ‖²` with the coordinates c and the deviations x.
    pub explained: Vec<f64>,
    /// The mean of `‖xᵢ‖²` over the checkpoints.
    pub mean_square: f64,
    /// For each checkpoint its coordinate along each direction.
    pub coordinates: Vec<Vec<f64>>,
    /// The distance of each checkpoint from the space of the directions.
    pub out_of_plane: Vec<f64>,
    /// The distance of each checkpoint from the centre.
    pub distance: Vec<f64>,
}

/// The plane of the first two principal components of a trajectory.
#[derive(Debug, Clone)]
pub struct PrincipalPlane {
    /// The coordinates of theta, by the first checkpoint.
    pub space: ParameterSpace,
    /// The kind of centre.
    pub centre: Centre,
    /// Theta of the centre, `[P]`: `space.unflatten(&any_checkpoint, &origin)` is the model at
    /// coordinates (0, 0).
    pub origin: Tensor<1>,
    /// Orthonormal directions, `[P]` each, the first with the larger explained share.
    pub directions: [Direction; 2],
    /// For each direction `Σᵢ cᵢ² / Σᵢ ‖xᵢ‖²` with the coordinates c and the deviations x. Their
    /// sum is the plane's share.
    pub explained: [f64; 2],
    /// The mean of `‖xᵢ‖²` over the checkpoints.
    pub mean_square: f64,
    /// Each checkpoint in the plane.
    pub checkpoints: Vec<Projection<2>>,
}

/// Returns the first `components` principal components of the deviations of `count` checkpoints
/// from their centre: the orthonormal directions that explain the most of `Σᵢ ‖xᵢ‖²`.
///
/// With `xᵢ = θᵢ − c` they are the left singular vectors of `[x₁ .. xₙ]`, from the
/// eigenvectors of the matrix of inner products `⟨xᵢ, xⱼ⟩`: for an eigenvector v with the
/// eigenvalue `σ²` it is `u = Σᵢ vᵢ xᵢ / σ`. No approximation is made. A component that explains
/// less than `10⁻¹²` cannot be told from rounding, nor can one below the rounding of the
/// checkpoints' own numbers; there are then fewer directions.
///
/// `load` is called [`PrincipalConfig::loads`] times. Cost beside: about `n²/2` inner products of
/// vectors `[P]` for n checkpoints. Memory: `max_vectors` of P in f64, and of the checkpoint that
/// is being read itself, two copies in its own type and one in f64.
///
/// # Errors
/// [`Error::Setting`] for `components` of zero, fewer than two checkpoints, or a `max_vectors`
/// below `components + 1`; [`Error::NoDirection`] where all checkpoints are equal;
/// [`Error::Checkpoint`] for one that cannot be loaded, has other parameters, is not finite, or
/// differs from one reading to the next.
pub fn principal_components<M: Module>(
    count: usize,
    load: impl FnMut(usize) -> Result<M, Error>,
    components: usize,
    config: &PrincipalConfig,
) -> Result<PrincipalComponents, Error> {
    let setting = |name, value: usize, allowed| {
        Err(Error::Setting {
            name,
            value: value.to_string(),
            allowed,
        })
    };
    if components == 0 {
        return setting("number of components", components, "at least 1");
    }
    if config.max_vectors <= components {
        let allowed = "more than the number of components";
        return setting("max_vectors", config.max_vectors, allowed);
    }
    let stream = Stream::new(count, 2, "at least 2", load)?;
    let keeps = config.keeps(count, components);
    let mut deviations = Deviations::new(stream, config.centre, keeps, config.block())?;
    let products = deviations.inner_products()?;
    let mixtures = mixtures(&products, components, resolution(&deviations, &products)?)?;

    let dim = deviations.stream.space.dim();
    let mut directions = vec![vec![0.0; dim]; mixtures.len()];
    deviations.each(0, |number, deviation| {
        for (direction, mixture) in directions.iter_mut().zip(&mixtures) {
            add_scaled(direction, mixture[number], deviation);
        }
    })?;
    orthonormalize(&mut directions);

    let mut found = Coordinates::default();
    let mut changed = None;
    deviations.each(0, |number, deviation| {
        found.add(deviation, &directions);
        // The diagonal was measured when the checkpoint was read for the inner products.
        let (before, now) = (
            products[number * (count + 1)].sqrt(),
            found.distance[number],
        );
        if (now - before).abs() > 1e-9 * before.max(now) {
            changed = changed.or(Some(number));
        }
    })?;
    if let Some(index) = changed {
        return Err(Error::Checkpoint {
            index,
            reason: "it differs from one reading to the next; wait until it is complete".to_owned(),
        });
    }
    found.fix_signs(&mut directions);
    finish(deviations, directions, found, config.centre)
}

/// Returns the plane of the first two principal components of `count` checkpoints, and each
/// checkpoint in it.
///
/// See [`principal_components`] for definition, cost and memory. The checkpoints' losses beside
/// those of their projections are [`true_and_projected`](super::true_and_projected)'s.
///
/// # Errors
/// As [`principal_components`]; fewer than three checkpoints; [`Error::NoDirection`] where all
/// checkpoints are on one line.
///
/// # References
/// Li et al. 2018, "Visualizing the Loss Landscape of Neural Nets", section 7.2.
pub fn principal_plane<M: Module>(
    count: usize,
    load: impl FnMut(usize) -> Result<M, Error>,
    config: &PrincipalConfig,
) -> Result<PrincipalPlane, Error> {
    if count < 3 {
        return Err(Error::Setting {
            name: "number of checkpoints",
            value: count.to_string(),
            allowed: "at least 3, since two are on one line",
        });
    }
    let found = principal_components(count, load, 2, config)?;
    let Ok(directions) = <[Direction; 2]>::try_from(found.directions) else {
        return Err(Error::NoDirection {
            what: "second principal direction of the trajectory",
            problem: "is zero up to rounding: the checkpoints are on one line",
        });
    };
    let measured = found.coordinates.iter().zip(&found.out_of_plane);
    let checkpoints = measured.zip(&found.distance);
    let checkpoints = checkpoints.map(|((coordinates, &out_of_plane), &distance)| Projection {
        coordinates: [coordinates[0], coordinates[1]],
        in_plane: norm(coordinates),
        out_of_plane,
        distance,
    });
    Ok(PrincipalPlane {
        space: found.space,
        centre: found.centre,
        origin: found.origin,
        directions,
        explained: [found.explained[0], found.explained[1]],
        mean_square: found.mean_square,
        checkpoints: checkpoints.collect(),
    })
}

/// Returns the least eigenvalue of the inner products that is no rounding.
///
/// # Errors
/// [`Error::NoDirection`] where none is more.
fn resolution<F>(deviations: &Deviations<F>, products: &[f64]) -> Result<f64, Error> {
    let count = deviations.stream.count;
    let total: f64 = products.iter().step_by(count + 1).sum();
    // Each entry of a checkpoint is rounded to its float type, which moves the checkpoint by at
    // most the roundoff times its norm, and that is at most the sum of these two.
    let roundoff = deviations.stream.space.domain.unit_roundoff();
    let centre = norm(&deviations.centre);
    let squares = products.iter().step_by(count + 1);
    let moved = squares.map(|square| (roundoff * (centre + square.sqrt())).powi(2));
    let rounding: f64 = moved.sum();
    if total <= 4.0 * rounding {
        return Err(Error::NoDirection {
            what: "trajectory",
            problem: "is at one point: all checkpoints are equal up to rounding",
        });
    }
    // Inner products of P numbers are exact to some units of roundoff of the largest.
    Ok(rounding.max(1e-12 * total))
}

/// Returns the unit eigenvectors of the largest eigenvalues that are above the resolution.
fn mixtures(products: &[f64], components: usize, least: f64) -> Result<Vec<Vec<f64>>, Error> {
    let count = products.len().isqrt();
    let solved = DenseSolver::default().pairs(products, count);
    let (values, vectors) = solved.map_err(|reason| Error::Decomposition { dim: count, reason })?;
    let falling = values.into_iter().zip(vectors).rev();
    let resolved = falling.take_while(|(value, _)| *value > least);
    Ok(resolved.take(components).map(|(_, v)| v).collect())
}

/// Makes vectors orthonormal, each against those before it, twice for what rounding leaves.
fn orthonormalize(vectors: &mut [Vec<f64>]) {
    for index in 0..vectors.len() {
        let (before, rest) = vectors.split_at_mut(index);
        let vector = &mut rest[0];
        for _ in 0..2 {
            normalize(vector);
            for unit in &*before {
                let along = dot(vector, unit);
                add_scaled(vector, -along, unit);
            }
        }
        normalize(vector);
    }
}

/// The places of the checkpoints, gathered as they pass by.
#[derive(Default)]
struct Coordinates {
    coordinates: Vec<Vec<f64>>,
    out_of_plane: Vec<f64>,
    distance: Vec<f64>,
}

impl Coordinates {
    fn add(&mut self, deviation: &[f64], directions: &[Vec<f64>]) {
        let coordinates: Vec<f64> = directions.iter().map(|u| dot(u, deviation)).collect();
        // The rest itself, since the difference of two squares would lose its digits.
        let mut rest = deviation.to_vec();
        for (&coordinate, direction) in coordinates.iter().zip(directions) {
            add_scaled(&mut rest, -coordinate, direction);
        }
        self.coordinates.push(coordinates);
        self.out_of_plane.push(norm(&rest));
        self.distance.push(norm(deviation));
    }

    /// Turns each direction so that the first coordinate within 0.1 % of the largest magnitude is
    /// positive.
    fn fix_signs(&mut self, directions: &mut [Vec<f64>]) {
        for (k, direction) in directions.iter_mut().enumerate() {
            let largest = largest_magnitude(self.coordinates.iter().map(|c| &c[k]));
            let mut along = self.coordinates.iter().map(|c| c[k]);
            if along.find(|c| c.abs() >= 0.999 * largest) < Some(0.0) {
                direction.iter_mut().for_each(|entry| *entry = -*entry);
                self.coordinates.iter_mut().for_each(|c| c[k] = -c[k]);
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2⁵³ checkpoints")]
fn finish<F>(
    deviations: Deviations<F>,
    directions: Vec<Vec<f64>>,
    found: Coordinates,
    centre: Centre,
) -> Result<PrincipalComponents, Error> {
    let space = deviations.stream.space;
    drop(deviations.kept);
    let total: f64 = found.distance.iter().map(|x| x * x).sum();
    let share = |k: usize| found.coordinates.iter().map(|c| c[k] * c[k]).sum::<f64>() / total;
    let explained: Vec<f64> = (0..directions.len()).map(share).collect();
    let mut recorded = Vec::with_capacity(directions.len());
    for ((number, direction), &explained) in directions.into_iter().enumerate().zip(&explained) {
        let kind = DirectionKind::Principal {
            number,
            centre,
            explained,
        };
        recorded.push(Direction::new(space.domain.upload(&direction)?, kind));
    }
    Ok(PrincipalComponents {
        origin: space.domain.upload(&deviations.centre)?,
        centre,
        directions: recorded,
        explained,
        mean_square: total / found.distance.len() as f64,
        coordinates: found.coordinates,
        out_of_plane: found.out_of_plane,
        distance: found.distance,
        space,
    })
}
