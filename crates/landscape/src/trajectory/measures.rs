//! The length of a trajectory, its straightness, and the growth of its norms.

use burn::module::Module;

use super::stream::Stream;
use crate::error::Error;
use crate::parameters::ParameterSpace;
use crate::vector::{dot, norm, norm_of};

/// The result of [`path_measures`], for checkpoints `θ₁ .. θₙ` with the steps `sᵢ = θᵢ₊₁ − θᵢ`.
#[derive(Debug, Clone, PartialEq)]
pub struct PathMeasures {
    /// The length `Σ ‖sᵢ‖` of the polygon through the checkpoints: a lower bound of the length of
    /// the training's own path, which the steps between checkpoints lengthen.
    pub length: f64,
    /// The straight distance `‖θₙ − θ₁‖`.
    pub straight: f64,
    /// The length over the straight distance, at least 1; none where the path ends where it began.
    pub ratio: Option<f64>,
    /// The lengths `‖sᵢ‖`, n − 1 of them.
    pub steps: Vec<f64>,
    /// The persistence of direction: the cosines `⟨sᵢ, sᵢ₊₁⟩ / (‖sᵢ‖ ‖sᵢ₊₁‖)` of successive steps,
    /// n − 2 of them; none where a step is zero.
    pub cosines: Vec<Option<f64>>,
    /// The mean of the cosines that there are.
    pub mean_cosine: Option<f64>,
    /// The distances `‖θᵢ − θ₁‖` from the first checkpoint, n of them.
    pub from_first: Vec<f64>,
    /// The norms of each parameter, in the order of the space.
    pub parameters: Vec<NormGrowth>,
    /// The norms of each layer: of `conv1.weight` and `conv1.bias` together it is `conv1`. A
    /// parameter without a layer has its own path.
    pub layers: Vec<NormGrowth>,
}

/// The norm of a parameter or layer along a trajectory.
#[derive(Debug, Clone, PartialEq)]
pub struct NormGrowth {
    /// Path of the parameter or layer.
    pub path: String,
    /// The norm at each checkpoint.
    pub norms: Vec<f64>,
    /// The last norm over the first; none where the first is zero.
    pub growth: Option<f64>,
}

/// Returns length, straightness, persistence of direction and growth of norms of the path through
/// `count` checkpoints.
///
/// Each checkpoint is loaded once, after the first for its parameters. Memory: four vectors of P,
/// the checkpoint that is being read beside them.
///
/// # Errors
/// [`Error::Setting`] for fewer than two checkpoints; [`Error::Checkpoint`] for one that cannot be
/// loaded, has other parameters or is not finite.
///
/// # Examples
/// See the [module](super).
#[expect(clippy::cast_precision_loss, reason = "far below 2⁵³ checkpoints")]
pub fn path_measures<M: Module>(
    count: usize,
    load: impl FnMut(usize) -> Result<M, Error>,
) -> Result<PathMeasures, Error> {
    let mut stream = Stream::new(count, 2, "at least 2", load)?;
    let mut norms = vec![Vec::with_capacity(count); stream.space.blocks.len()];
    let first = stream.theta(0)?;
    add_norms(&mut norms, &stream.space, &first);
    let (mut last, mut step) = (first.clone(), Vec::new());
    let (mut steps, mut cosines, mut from_first) = (Vec::new(), Vec::new(), vec![0.0]);
    for number in 1..count {
        let theta = stream.theta(number)?;
        add_norms(&mut norms, &stream.space, &theta);
        from_first.push(norm_of(|| theta.iter().zip(&first).map(|(a, b)| a - b)));
        // In place: the last checkpoint becomes the step from it.
        last.iter_mut().zip(&theta).for_each(|(a, b)| *a = b - *a);
        let next = last;
        last = theta;
        steps.push(norm(&next));
        if let [.., before, now] = steps[..] {
            let both = before > 0.0 && now > 0.0;
            cosines.push(both.then(|| cosine(&step, before, &next, now)));
        }
        step = next;
    }
    let length = steps.iter().sum();
    let straight = from_first[count - 1];
    let there: Vec<f64> = cosines.iter().flatten().copied().collect();
    let mean = there.iter().sum::<f64>() / there.len() as f64;
    Ok(PathMeasures {
        length,
        straight,
        // Rounding may take a straight path below its end's distance.
        ratio: (straight > 0.0).then(|| (length / straight).max(1.0)),
        mean_cosine: (!there.is_empty()).then_some(mean),
        steps,
        cosines,
        from_first,
        layers: by_layer(&stream.space, &norms),
        parameters: (stream.space.blocks.iter().zip(norms))
            .map(|(block, norms)| NormGrowth::of(block.path.clone(), norms))
            .collect(),
    })
}

impl NormGrowth {
    fn of(path: String, norms: Vec<f64>) -> Self {
        let growth = match (norms.first(), norms.last()) {
            (Some(&first), Some(&last)) if first > 0.0 => Some(last / first),
            _ => None,
        };
        Self {
            path,
            norms,
            growth,
        }
    }
}

/// Returns the cosine of two vectors of known norms, between -1 and 1.
fn cosine(a: &[f64], norm_a: f64, b: &[f64], norm_b: f64) -> f64 {
    (dot(a, b) / norm_a / norm_b).clamp(-1.0, 1.0)
}

fn add_norms(norms: &mut [Vec<f64>], space: &ParameterSpace, theta: &[f64]) {
    for (norms, block) in norms.iter_mut().zip(&space.blocks) {
        norms.push(norm(&theta[block.range()]));
    }
}

/// Returns the norms of layers from those of their parameters, in the order in which layers come
/// first.
fn by_layer(space: &ParameterSpace, norms: &[Vec<f64>]) -> Vec<NormGrowth> {
    let mut layers: Vec<(&str, Vec<f64>)> = Vec::new();
    for (block, norms) in space.blocks.iter().zip(norms) {
        let path = &block.path[..];
        let layer = path.rsplit_once('.').map_or(path, |(layer, _)| layer);
        match layers.iter_mut().find(|(known, _)| *known == layer) {
            None => layers.push((layer, norms.clone())),
            Some((_, sums)) => {
                for (sum, norm) in sums.iter_mut().zip(norms) {
                    *sum = sum.hypot(*norm);
                }
            }
        }
    }
    let layers = layers.into_iter();
    layers
        .map(|(path, norms)| NormGrowth::of(path.to_owned(), norms))
        .collect()
}
